//! What stages may be conditioned on, as vectors: captions, transcripts, labels, and embeddings that
//! sound and text share.
//!
//! A [`Conditioner`] turns a [`Description`] of a sound into vectors `[time][width]`, and that is all
//! a stage ever sees of it. [`T5`] encodes text as it was published and stays as it is; for those
//! without its weights, [`Characters`] spells text out, and the stage learns what that means, as it
//! does with [`Labels`]. [`JointEmbedding`] is where a model that embeds sound and text in one space
//! (MuLan, CLAP) comes in, which is not among those here.
//!
//! The room knows neither stages nor clips, and touches no file but the weights and tokenizers of
//! published text encoders.
//!
//! ```
//! use audiolm_text::{Characters, Conditioner, Description, Labels};
//!
//! let spelt = Characters.vectors(&Description::Text("seven"))?;
//! assert_eq!(spelt.len(), 5 * Characters.width());
//!
//! let digits = Labels::new(["two", "seven"].map(String::from).to_vec())?;
//! assert_eq!(digits.vectors(&Description::Text("seven"))?, [0.0, 1.0]);
//! # Ok::<(), audiolm_text::TextError>(())
//! ```

mod characters;
mod conditioner;
mod conditioner_config;
mod error;
mod hub_file;
mod joint;
mod labels;
#[cfg(test)]
mod parity;
mod sentence_piece;
mod t5;

pub use characters::Characters;
pub use conditioner::{Conditioner, Description};
pub use conditioner_config::ConditionerConfig;
pub use error::TextError;
pub use joint::{Joint, JointEmbedding};
pub use labels::Labels;
pub use sentence_piece::SentencePiece;
pub use t5::{T5, T5Config, T5Encoder};
