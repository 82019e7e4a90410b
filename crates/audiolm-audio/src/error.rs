//! What can be wrong with a recording, or with the wish to resample or write one.

use std::io;
use std::path::PathBuf;

use crate::format::AudioFormat;

/// Why a recording could not be read, resampled or written.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// There is no such file.
    #[error("{}: no such file", .path.display())]
    NotFound {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file exists, but the system does not let us read it.
    #[error("{}: cannot be read", .path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no byte at all.
    #[error("{}: the file is empty (0 bytes)", .path.display())]
    EmptyFile {
        /// The file in question.
        path: PathBuf,
    },
    /// The first bytes are not those of a format that can be read.
    #[error(
        "{}: expected WAV, FLAC, MP3, Ogg Vorbis, AAC (ADTS) or MP4, \
         found a file that starts with the bytes {first_bytes:02x?}",
        .path.display()
    )]
    UnknownFormat {
        /// The file in question.
        path: PathBuf,
        /// How it begins: at most twelve bytes.
        first_bytes: Vec<u8>,
    },
    /// A known container, but its audio is coded in a way that is not supported (Opus, say).
    #[error("{}: the {format} file holds no audio in a supported coding", .path.display())]
    UnsupportedCoding {
        /// The file in question.
        path: PathBuf,
        /// Its container.
        format: AudioFormat,
        /// What the reader of the container said, where it said something.
        source: Option<symphonia::core::errors::Error>,
    },
    /// The container is in order, but it holds no sample.
    #[error("{}: the {format} file holds no audio (0 samples)", .path.display())]
    NoAudio {
        /// The file in question.
        path: PathBuf,
        /// Its container.
        format: AudioFormat,
    },
    /// The header promises more audio than follows.
    #[error(
        "{}: truncated: the header promises {promised} samples per channel, found {found}",
        .path.display()
    )]
    Truncated {
        /// The file in question.
        path: PathBuf,
        /// Samples per channel according to the header.
        promised: u64,
        /// Samples per channel that could be decoded.
        found: u64,
    },
    /// The header of a WAV file was written before its length was known, and never corrected.
    #[error(
        "{}: the header leaves the length open, as a program writing to a pipe does: \
         write the file again with its length",
        .path.display()
    )]
    OpenLength {
        /// The file in question.
        path: PathBuf,
    },
    /// The stream breaks off without the end its format calls for.
    #[error(
        "{}: truncated: the {format} stream breaks off after {found} samples per channel",
        .path.display()
    )]
    BreaksOff {
        /// The file in question.
        path: PathBuf,
        /// Its container.
        format: AudioFormat,
        /// Samples per channel that could be decoded.
        found: u64,
    },
    /// The header says that there is no channel.
    #[error("{}: expected at least one channel, found 0", .path.display())]
    ZeroChannels {
        /// The file in question.
        path: PathBuf,
    },
    /// The sample rate cannot be meant.
    #[error(
        "{}: expected a sample rate from {} to {} Hz, found {rate_hz} Hz",
        .path.display(), crate::MIN_RATE_HZ, crate::MAX_RATE_HZ
    )]
    ImplausibleRate {
        /// The file in question.
        path: PathBuf,
        /// The rate its header states.
        rate_hz: u32,
    },
    /// The sample rate changes within the file.
    #[error("{}: the sample rate changes from {first_hz} to {later_hz} Hz", .path.display())]
    RateChanges {
        /// The file in question.
        path: PathBuf,
        /// The rate it begins with.
        first_hz: u32,
        /// The first other rate.
        later_hz: u32,
    },
    /// A sample is NaN, infinite or beyond [`MAX_AMPLITUDE`](crate::MAX_AMPLITUDE).
    #[error(
        "{}: sample {position} is {value}, expected numbers of at most {}",
        .path.display(), crate::MAX_AMPLITUDE
    )]
    ImplausibleSample {
        /// The file read or about to be written.
        path: PathBuf,
        /// Index of the first such sample, after mixing to mono.
        position: usize,
        /// That sample.
        value: f32,
    },
    /// A sample of a clip to be resampled is NaN, infinite or beyond
    /// [`MAX_AMPLITUDE`](crate::MAX_AMPLITUDE).
    #[error("sample {position} is {value}, expected numbers of at most {}", crate::MAX_AMPLITUDE)]
    ResampleSample {
        /// Index of the first such sample.
        position: usize,
        /// That sample.
        value: f32,
    },
    /// The WAV file is malformed.
    #[error("{}: not a WAV file that can be read", .path.display())]
    BadWav {
        /// The file in question.
        path: PathBuf,
        /// What the WAV reader said.
        source: hound::Error,
    },
    /// The compressed stream is damaged.
    #[error("{}: damaged {format} file: decoding failed after {found} samples", .path.display())]
    Decode {
        /// The file in question.
        path: PathBuf,
        /// Its container.
        format: AudioFormat,
        /// Samples per channel that had been decoded by then.
        found: u64,
        /// What the decoder said.
        source: symphonia::core::errors::Error,
    },
    /// Several streams follow one another in the file (a chained Ogg, say); only one can be read.
    #[error("{}: expected one stream, found another in the {format} file after {found} samples", .path.display())]
    SeveralStreams {
        /// The file in question.
        path: PathBuf,
        /// Its container.
        format: AudioFormat,
        /// Samples per channel of the first stream.
        found: u64,
    },
    /// The decoded audio is not what the encoder was given.
    #[error("{}: damaged {format} file: the checksum of its audio differs", .path.display())]
    Checksum {
        /// The file in question.
        path: PathBuf,
        /// Its container.
        format: AudioFormat,
    },
    /// The rates to resample between cannot be meant.
    #[error(
        "cannot resample from {from_hz} to {to_hz} Hz: expected rates from {} to {} Hz",
        crate::MIN_RATE_HZ,
        crate::MAX_RATE_HZ
    )]
    ResampleRates {
        /// The rate of the clip.
        from_hz: u32,
        /// The rate asked for.
        to_hz: u32,
    },
    /// The resampler failed.
    #[error("resampling from {from_hz} to {to_hz} Hz failed")]
    Resample {
        /// The rate of the clip.
        from_hz: u32,
        /// The rate asked for.
        to_hz: u32,
        /// What the resampler said.
        source: ResamplerError,
    },
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What the resampler said.
#[derive(Debug, thiserror::Error)]
pub enum ResamplerError {
    /// It could not be built.
    #[error(transparent)]
    Setup(#[from] rubato::ResamplerConstructionError),
    /// It refused its input or output buffer.
    #[error(transparent)]
    Buffer(#[from] rubato::audioadapter_buffers::SizeError),
    /// It failed while running.
    #[error(transparent)]
    Run(#[from] rubato::ResampleError),
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The folder to write into does not exist.
    #[error("{}: cannot be written: there is no folder {}", .path.display(), .folder.display())]
    NoFolder {
        /// The file to be written.
        path: PathBuf,
        /// The folder that is missing.
        folder: PathBuf,
    },
    /// More samples than the header of the format can count.
    #[error("{}: cannot be written: longer than the {most} bytes that a WAV file can hold", .path.display())]
    TooLong {
        /// The file to be written.
        path: PathBuf,
        /// Bytes of samples that can be written.
        most: u64,
    },
    /// The system refused.
    #[error("{}: cannot be written", .path.display())]
    Failed {
        /// The file to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
