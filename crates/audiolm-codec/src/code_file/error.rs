//! What can be wrong with a file of codes, named.

/// Why bytes are no [`CodeFile`](crate::CodeFile).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CodeFileError {
    /// Something else altogether.
    #[error("not a file of codes")]
    Foreign,
    /// A format of another version.
    #[error("codes of version {found}, this build reads versions 1 and 2")]
    Version {
        /// The version in the file.
        found: u16,
    },
    /// A number in the header that describes no clip.
    #[error("damaged: {field} must be {expected}, found {found}")]
    Header {
        /// The number.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Bytes are missing.
    #[error("damaged: it breaks off after {found} bytes")]
    BreaksOff {
        /// What there is.
        found: u64,
    },
    /// There are too many bytes.
    #[error("damaged: expected {expected} bytes, found more")]
    GoesOn {
        /// What the header promises.
        expected: u64,
    },
    /// Some bits are not those that were written.
    #[error("damaged: the checksum is not that of the file")]
    Checksum,
    /// A code beyond the codebook.
    #[error("damaged: expected codes below {codebook_size}, found {found}")]
    Code {
        /// Entries of the codebook.
        codebook_size: u32,
        /// The code.
        found: u32,
    },
    /// Range coding that holds other codes than the block should.
    #[error("damaged: expected a block of range coding, found {found} words that are none")]
    Block {
        /// Words of the block.
        found: u32,
    },
    /// The system does not let us read on.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What the system said.
        reason: String,
    },
}
