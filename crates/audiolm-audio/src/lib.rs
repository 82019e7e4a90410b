//! Recordings: reading, resampling and writing them, whole or block by block. Knows no tensor.
//!
//! A [`Clip`] is mono. It is read from WAV, FLAC, MP3, Ogg Vorbis and AAC (ADTS or MP4) files of
//! any rate and channel count, told apart by their content, and written as WAV. What is missing,
//! damaged, cut off or empty is an [`AudioError`] that names the file, and what was expected of it
//! and found in it. Other formats (Opus, say) are refused by name. What does not fit memory is read
//! from an [`AudioFile`] and written to a [`WavFile`] in blocks.
//!
//! ```
//! use audiolm_audio::{Clip, probe};
//!
//! let tone = (0..24_000).map(|n| 0.5 * (n as f32 * 0.1).sin()).collect();
//! let clip = Clip { samples: tone, sample_rate_hz: 24_000 };
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("tone.wav");
//! clip.resampled(16_000)?.write_wav(&path)?;
//!
//! assert_eq!(probe(&path)?.seconds, 1.0);
//! let read = Clip::read(&path)?;
//! assert_eq!(read.sample_rate_hz, 16_000);
//! assert!((read.rms() - clip.rms()).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audio_file;
mod clip;
mod compressed;
mod error;
mod format;
mod int16;
mod level;
mod loudness;
mod mono;
mod probe;
mod reference_level;
mod resample;
mod untagged;
mod wav;
mod wav_file;
mod wav_stream;
mod whole_file;

pub use audio_file::{AudioBlocks, AudioFile};
pub use clip::{Clip, MAX_AMPLITUDE, MAX_RATE_HZ, MIN_RATE_HZ};
pub use error::{AudioError, ResamplerError, WriteError};
pub use format::AudioFormat;
pub use int16::{from_int16, to_int16};
pub use level::Level;
pub use loudness::decibels;
pub use probe::{ClipInfo, probe};
pub use reference_level::{REFERENCE_DBFS, SILENCE_DBFS};
pub use resample::ResampleStream;
pub use wav::SampleFormat;
pub use wav_file::WavFile;
pub use wav_stream::WavStream;
pub use whole_file::{WholeFile, write_whole};
