//! How long a recording is, without decoding it where possible.

use std::path::Path;

use crate::clip::open;
use crate::{AudioError, AudioFormat, compressed, wav};

/// What can be said of a recording without its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipInfo {
    /// Length in seconds.
    pub seconds: f64,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Channels before mixing to mono.
    pub channels: u16,
}

/// Reads the length, rate and channel count of a recording.
///
/// Only the header is read where it states the length (WAV, FLAC, MP4, MP3 with a LAME tag) or the
/// end of the file does (Ogg); other files are decoded. So a damaged file may pass here and fail in
/// [`Clip::read`](crate::Clip::read). The length of an MP4 is what it should play for; decoding it
/// gives the encoder's delay on top, some hundredths of a second.
///
/// # Errors
/// On a file that is missing, empty or unknown, and on one whose header is damaged.
pub fn probe(path: impl AsRef<Path>) -> Result<ClipInfo, AudioError> {
    let path = path.as_ref();
    let mut file = open(path)?;
    match AudioFormat::sniff(path, &mut file)? {
        AudioFormat::Wav => wav::probe(path, file),
        format => compressed::probe(path, file, format),
    }
}
