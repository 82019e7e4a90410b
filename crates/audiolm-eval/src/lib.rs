//! Measures of audio tokens and generated audio.
//!
//! Everything here runs on the CPU over plain slices: waves are `&[f32]` with a sampling rate in
//! hertz, tokens are `u32`. No model, no tensor and no file is known here, but for the labels of
//! [`read_item_file`].
//!
//! | Question | Measure |
//! |---|---|
//! | Is the speech still intelligible? | [`stoi`] |
//! | How far is the wave from the original? | [`si_sdr`] |
//! | How far does it sound from the original? | [`log_mel_distance`] |
//! | Does a continuation keep the voice and the room of its prompt? | [`NearestPrompts`] |
//! | Can places in a recording be heard as seams? | [`Seams`] |
//! | Do tokens tell words or phones apart, whoever says them? | [`abx`] |
//! | Does a language model beat counting? | [`Unigram`], [`Bigram`] |
//! | Does it prefer words and sentences that are right? | [`preference`] |
//!
//! The measures of waves give the numbers of the field's reference packages; goldens compare them.
//!
//! ```
//! use audiolm_eval::{Bigram, si_sdr};
//!
//! let clean = [0.5, -0.5, 0.5, -0.5];
//! let halved_and_noisy = [0.25, -0.25, 0.25, -0.20];
//! assert!((si_sdr(&clean, &halved_and_noisy)? - 20.8).abs() < 0.1);
//!
//! // Two sequences that count up, over one vocabulary of four ids: almost no surprise is left.
//! let train = [[0, 1, 2, 3, 0, 1, 2, 3], [2, 3, 0, 1, 2, 3, 0, 1]];
//! let bigram = Bigram::fit(&train, &[4])?;
//! let unseen = bigram.evaluate(&[[0, 1, 2, 3, 0, 1]])?;
//! assert!(unseen.nats_per_token < 0.5);
//! # Ok::<(), audiolm_eval::EvalError>(())
//! ```

mod abx;
mod bigram;
mod error;
mod likelihood;
mod log_mel;
mod nearest;
mod pair;
mod power_spectrum;
mod preference;
mod seams;
mod sequences;
mod si_sdr;
mod smoothing;
mod stoi;
mod unigram;

pub use abx::{AbxErrors, AbxItem, AbxOptions, ItemFileError, LabelledSpan, abx, read_item_file};
pub use bigram::Bigram;
pub use error::{EvalError, Side};
pub use likelihood::Likelihood;
pub use log_mel::{LogMelSpectrum, N_MELS, log_mel, log_mel_distance, long_term_spectrum};
pub use nearest::NearestPrompts;
pub use pair::cut_to_shorter;
pub use preference::{ScoredPair, preference};
pub use seams::{Seams, Standout};
pub use sequences::GivenStart;
pub use si_sdr::si_sdr;
pub use smoothing::Smoothing;
pub use stoi::stoi;
pub use unigram::Unigram;
