//! What tells one trained part from another.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::WeightsError;

/// The files a part consists of.
const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// The SHA-256 of a part's configuration and weights, in hexadecimal: tokens and stages name the
/// tokenizer they were made with by it.
///
/// # Errors
/// Where `config.json` or `model.safetensors` of the folder cannot be read.
pub fn fingerprint(folder: &Path) -> Result<String, WeightsError> {
    let mut hash = Sha256::new();
    for name in FILES {
        let bytes = read(&folder.join(name))?;
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hexadecimal(hash))
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// Where it cannot be read.
pub fn file_fingerprint(path: &Path) -> Result<String, WeightsError> {
    Ok(hexadecimal(Sha256::new().chain_update(read(path)?)))
}

fn read(path: &Path) -> Result<Vec<u8>, WeightsError> {
    std::fs::read(path).map_err(|source| WeightsError::Io { path: path.to_owned(), source })
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_both_files_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(FILES[0], "ab");
        write(FILES[1], "c");
        let first = fingerprint(folder.path()).unwrap();
        assert_eq!(first.len(), 64);
        write(FILES[0], "a");
        write(FILES[1], "bc");
        assert_ne!(first, fingerprint(folder.path()).unwrap());
        std::fs::remove_file(folder.path().join(FILES[1])).unwrap();
        let error = fingerprint(folder.path()).unwrap_err().to_string();
        assert!(error.contains(FILES[1]), "{error}");
    }
}
