//! A file without the ID3v1 tag at its end.
//!
//! No container but MP3 provides for the tag, yet programs put it behind others too. The reader of
//! FLAC takes what follows the last frame for a part of it, and drops both for their checksum.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// Length of the tag, which is the last of its file.
const TAG_BYTES: u64 = 128;
/// How the tag begins.
const MAGIC: [u8; 3] = *b"TAG";

/// A file up to its tag; a file without one, as it is.
pub(crate) struct Untagged {
    file: File,
    /// Where the tag begins, or the file ends.
    end: u64,
}

impl Untagged {
    /// Looks for the tag and rewinds the file.
    pub(crate) fn new(mut file: File) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let end = match length.checked_sub(TAG_BYTES) {
            Some(start) if has_tag_at(&mut file, start)? => start,
            _ => length,
        };
        file.rewind()?;
        Ok(Self { file, end })
    }
}

fn has_tag_at(file: &mut File, start: u64) -> io::Result<bool> {
    let mut magic = [0; MAGIC.len()];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut magic)?;
    Ok(magic == MAGIC)
}

impl Read for Untagged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.file.stream_position()?);
        self.file.by_ref().take(left).read(buffer)
    }
}

impl Seek for Untagged {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::End(by) => {
                let position = self.end.checked_add_signed(by);
                SeekFrom::Start(position.ok_or(io::ErrorKind::InvalidInput)?)
            }
            other => other,
        };
        self.file.seek(to)
    }
}

impl MediaSource for Untagged {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.end)
    }
}
