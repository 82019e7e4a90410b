//! One file of a corpus.

use std::fmt;
use std::path::PathBuf;

/// The part of a corpus a recording belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// What models learn from.
    Train,
    /// What choices are made by during training.
    Valid,
    /// What results are reported on.
    Test,
}

impl Split {
    /// All three, in the usual order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Its name in a manifest: `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// The split of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One file of a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Where it is.
    pub path: PathBuf,
    /// Its path relative to the corpus, with `/` between folders: its name on every machine.
    pub key: String,
    /// Length in seconds, as the manifest or the header of the file states it.
    pub seconds: f64,
    /// Who is heard; where nobody says, the name of the folder.
    pub speaker: String,
    /// The part of the corpus it belongs to.
    pub split: Split,
    /// What is said from its start to its end, where known.
    pub transcript: Option<String>,
    /// What every part of it is like, where known.
    pub caption: Option<String>,
    /// The set within the corpus; empty where there is none.
    pub set: String,
}
