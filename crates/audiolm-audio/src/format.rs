//! Which container a file is, told by its first bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::AudioError;

/// How many bytes tell the formats apart.
const MAGIC_BYTES: usize = 12;
/// Length of the header of an ID3v2 tag, which may precede MP3, AAC and FLAC (ID3v2.4.0, 3.1).
const ID3_HEADER_BYTES: u64 = 10;

/// A container that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioFormat {
    /// RIFF/WAVE with PCM or float samples.
    Wav,
    /// Native FLAC.
    Flac,
    /// MPEG audio, layer III.
    Mp3,
    /// Ogg with Vorbis or FLAC inside.
    Ogg,
    /// AAC in ADTS frames.
    Adts,
    /// MP4 (m4a) with AAC inside.
    Mp4,
}

impl AudioFormat {
    /// Looks at the first bytes of a file and rewinds it. A leading ID3v2 tag is looked past; what
    /// says nothing behind it (a second tag, padding) is left to the reader of MP3 to make out.
    pub(crate) fn sniff(path: &Path, file: &mut File) -> Result<Self, AudioError> {
        let unreadable = |source| AudioError::Unreadable { path: path.into(), source };
        let mut magic = first_bytes(file, 0).map_err(unreadable)?;
        if magic.is_empty() {
            return Err(AudioError::EmptyFile { path: path.into() });
        }
        let is_tagged = magic.starts_with(b"ID3") && magic.len() >= ID3_HEADER_BYTES as usize;
        if is_tagged {
            magic = first_bytes(file, id3_tag_bytes(&magic)).map_err(unreadable)?;
        }
        file.rewind().map_err(unreadable)?;
        let unknown =
            || AudioError::UnknownFormat { path: path.into(), first_bytes: magic.clone() };
        Self::of(&magic).or(is_tagged.then_some(Self::Mp3)).ok_or_else(unknown)
    }

    fn of(magic: &[u8]) -> Option<Self> {
        match magic {
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Self::Wav),
            [b'f', b'L', b'a', b'C', ..] => Some(Self::Flac),
            [b'O', b'g', b'g', b'S', ..] => Some(Self::Ogg),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Self::Mp4),
            // Twelve sync bits, one for the version, two for the layer: 00 is ADTS (ISO 14496-3, 1.A.2).
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Self::Adts),
            // Eleven sync bits, two for the version, two for the layer: 01 is III (ISO 11172-3, 2.4.2.3).
            [0xff, second, ..] if second & 0xe6 == 0xe2 => Some(Self::Mp3),
            _ => None,
        }
    }
}

impl fmt::Display for AudioFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wav => "WAV",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::Ogg => "Ogg",
            Self::Adts => "AAC (ADTS)",
            Self::Mp4 => "MP4",
        })
    }
}

fn first_bytes(file: &mut File, start: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(MAGIC_BYTES);
    file.seek(SeekFrom::Start(start))?;
    file.take(MAGIC_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Length of an ID3v2 tag with its header: four bytes of seven bits each (ID3v2.4.0, 6.2).
fn id3_tag_bytes(header: &[u8]) -> u64 {
    let content = header[6..10].iter().fold(0, |sum, byte| (sum << 7) | u64::from(byte & 0x7f));
    ID3_HEADER_BYTES + content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(magic: &[u8], expected: Option<AudioFormat>) {
        assert_eq!(AudioFormat::of(magic), expected);
    }

    #[test]
    fn containers_are_told_by_their_first_bytes() {
        check(b"RIFF\x24\0\0\0WAVEfmt ", Some(AudioFormat::Wav));
        check(b"fLaC\0\0\0\x22", Some(AudioFormat::Flac));
        check(b"OggS\0\x02", Some(AudioFormat::Ogg));
        check(b"\0\0\0\x1cftypM4A ", Some(AudioFormat::Mp4));
        check(&[0xff, 0xf1, 0x50], Some(AudioFormat::Adts));
        check(&[0xff, 0xf9, 0x50], Some(AudioFormat::Adts));
        check(&[0xff, 0xfb, 0x90], Some(AudioFormat::Mp3));
        check(&[0xff, 0xf3, 0x58], Some(AudioFormat::Mp3));
    }

    #[test]
    fn other_files_are_not_mistaken_for_audio() {
        check(b"RIFF\x24\0\0\0AVI LIST", None);
        check(b"\xff\xfehello", None); // text in UTF-16
        check(b"\xff\xd8\xff\xe0", None); // JPEG
        check(b"path,seconds", None);
        check(b"R", None);
    }

    #[test]
    fn the_length_of_a_tag_has_seven_bits_a_byte() {
        assert_eq!(id3_tag_bytes(b"ID3\x04\0\0\0\0\x02\x01"), 10 + 257);
    }
}
