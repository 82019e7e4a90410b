//! Which recordings to train on.

use std::path::PathBuf;

use audiolm_data::{CorpusOptions, OnUnreadable};
use serde::{Deserialize, Serialize};

/// Which recordings to train on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// The folder of recordings.
    pub folder: PathBuf,
    /// A manifest other than the folder's own `manifest.csv`; empty for none.
    pub manifest: PathBuf,
    /// Sets of the manifest to keep; all where empty.
    pub sets: Vec<String>,
    /// Sets of the manifest that hold noise rather than what is to be learnt; they are mixed into
    /// what a codec with a FiLM layer hears, and kept from everything else.
    #[serde(default)]
    pub noise_sets: Vec<String>,
    /// Whether to leave out files that cannot be read rather than stop.
    pub skip_unreadable: bool,
}

impl DataSettings {
    pub(crate) fn options(&self) -> CorpusOptions {
        let manifest = (!self.manifest.as_os_str().is_empty()).then(|| self.manifest.clone());
        let on_unreadable =
            if self.skip_unreadable { OnUnreadable::Skip } else { OnUnreadable::Fail };
        CorpusOptions { sets: self.sets.clone(), manifest, on_unreadable }
    }

    pub(crate) fn noise_options(&self) -> CorpusOptions {
        CorpusOptions { sets: self.noise_sets.clone(), ..self.options() }
    }
}
