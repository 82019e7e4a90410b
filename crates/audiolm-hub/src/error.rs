//! What can go wrong in this room, named.

use std::path::PathBuf;

/// Why there is no folder for a name.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Neither a folder nor a name on the hub.
    #[error("{name}: expected a folder, or a name on Hugging Face such as facebook/encodec_24khz")]
    Unknown {
        /// What was given.
        name: String,
    },
    /// Offline, and never downloaded.
    #[error(
        "{name}: {file} is not in the cache {cache}, and HF_HUB_OFFLINE forbids to download it"
    )]
    Offline {
        /// The repository.
        name: String,
        /// The file.
        file: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The download failed.
    #[error("{name}: {file} cannot be downloaded: {source}")]
    Download {
        /// The repository.
        name: String,
        /// The file.
        file: String,
        /// What went wrong.
        source: Box<hf_hub::api::sync::ApiError>,
    },
    /// Files of more than one revision.
    #[error("{name}: {file} belongs to another revision than the files before it; try again")]
    Revision {
        /// The repository.
        name: String,
        /// The file.
        file: String,
    },
}

impl HubError {
    /// Whether there is no such file, as far as can be told: another one may be there in its place.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Offline { .. } => true,
            // The status is not told otherwise.
            Self::Download { source, .. } => source.to_string().contains("404"),
            Self::Unknown { .. } | Self::Revision { .. } => false,
        }
    }
}
