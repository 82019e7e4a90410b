//! What can go wrong in this room, named.

use std::path::PathBuf;

use audiolm_nn::WeightsError;

/// Why there are no vectors to condition on.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A file that a text encoder needs cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder without a tokenizer.
    #[error("{folder}: no tokenizer, expected one of {}", names.join(", "))]
    NoTokenizer {
        /// The folder.
        folder: PathBuf,
        /// The files that were looked for.
        names: &'static [&'static str],
    },
    /// A file of a text encoder is damaged, or of another kind.
    #[error("{path}: not a readable {what}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A text encoder or tokenizer of a variant that is not implemented.
    #[error("{path}: {field} is {found}; supported is only {expected}")]
    Unsupported {
        /// The file that says so.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The weights cannot be read, or are another model's.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A description that no word, label or sound is left of.
    #[error("expected {expected} to condition on, found nothing")]
    Empty {
        /// What is described by.
        expected: &'static str,
    },
    /// A label that the stage has not learnt.
    #[error("expected one of the labels {}, found `{found}`", shown(known))]
    UnknownLabel {
        /// All labels there are.
        known: Vec<String>,
        /// What was asked for.
        found: String,
    },
    /// Two labels of one name, or none at all.
    #[error("expected at least one label, each of another name; found {}", shown(found))]
    Labels {
        /// The labels.
        found: Vec<String>,
    },
    /// A description in another form than the conditioner takes.
    #[error("this conditioner takes {expected}, not {found}")]
    OtherForm {
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        found: &'static str,
    },
    /// What another program that embeds sound and text says.
    #[error("the joint embedding of sound and text: {reason}")]
    Embedding {
        /// In its own words.
        reason: String,
    },
}

/// The first few of many.
fn shown(labels: &[String]) -> String {
    const SHOWN: usize = 12;
    let first = labels.iter().take(SHOWN).map(|it| format!("`{it}`")).collect::<Vec<_>>();
    match labels.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
