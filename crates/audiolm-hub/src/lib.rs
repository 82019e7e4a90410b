//! Models by path or by their name on Hugging Face.
//!
//! A [`Hub`] turns what someone typed into a local folder: a folder of that name as it is, and
//! otherwise, where it is a name such as `facebook/encodec_24khz`, the files of that repository, from
//! the cache that all programs share or by download. Nothing is downloaded unless it was named, and
//! nothing at all offline. The room knows no model.
//!
//! ```
//! use audiolm_hub::{Hub, Mode};
//!
//! # let folder = tempfile::tempdir()?;
//! let hub = Hub::new(folder.path()).with_mode(Mode::Offline);
//! let error = hub.folder("org/codec", &["config.json"], &mut |_| {}).unwrap_err();
//! assert!(error.to_string().contains("config.json"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod error;
mod hub;

pub use error::HubError;
pub use hub::{Download, Hub, Mode};
