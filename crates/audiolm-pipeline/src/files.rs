//! Files and their SHA-256.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::BundleError;

/// Bytes of a file in memory at a time.
const BLOCK_BYTES: usize = 1 << 16;

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> Result<String, BundleError> {
    let unreadable = |source| unreadable(path, source);
    let mut digest = Sha256::new();
    let mut file = BufReader::with_capacity(BLOCK_BYTES, File::open(path).map_err(unreadable)?);
    loop {
        let block = file.fill_buf().map_err(unreadable)?;
        if block.is_empty() {
            break;
        }
        digest.update(block);
        let read = block.len();
        file.consume(read);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    std::fs::read(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> BundleError {
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            BundleError::Missing { path: path.to_owned() }
        }
        _ => BundleError::Unreadable { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_value_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-4, example of one block.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
    }
}
