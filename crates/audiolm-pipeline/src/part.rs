//! The models of a bundle.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The file of a part's configuration in its folder.
pub(crate) const CONFIG_FILE: &str = "config.json";
/// The file of a part's weights in its folder.
pub(crate) const WEIGHTS_FILE: &str = "model.safetensors";

/// The file in which a stage that is told something names its conditioner, where a training run has
/// exported it.
pub(crate) const CONDITIONER_FILE: &str = "conditioner.json";

/// The file of the recording that a bundle may hold to be tried with.
pub const PROMPT_FILE: &str = "prompt.wav";

/// One of the models that a bundle holds, each in a folder of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Wave to semantic ids.
    SemanticTokenizer,
    /// Wave to codes and back.
    Codec,
    /// The language model of semantic ids.
    Semantic,
    /// The language model of coarse codes.
    Coarse,
    /// The language model of fine codes.
    Fine,
    /// The language model that draws coarse and fine codes, many at once; a bundle may lack it.
    Parallel,
}

impl Part {
    /// All parts, in the order in which they are trained.
    pub const ALL: [Self; 6] = [
        Self::SemanticTokenizer,
        Self::Codec,
        Self::Semantic,
        Self::Coarse,
        Self::Fine,
        Self::Parallel,
    ];

    /// Those that no bundle lacks.
    pub const REQUIRED: [Self; 5] =
        [Self::SemanticTokenizer, Self::Codec, Self::Semantic, Self::Coarse, Self::Fine];

    /// The language models.
    pub const STAGES: [Self; 4] = [Self::Semantic, Self::Coarse, Self::Fine, Self::Parallel];

    /// The name of its folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::SemanticTokenizer => "semantic-tokenizer",
            Self::Codec => "codec",
            Self::Semantic => "semantic",
            Self::Coarse => "coarse",
            Self::Fine => "fine",
            Self::Parallel => "parallel",
        }
    }

    /// Whether an export holds it: every one but those that a bundle may lack.
    pub(crate) fn is_in(self, folder: &Path) -> bool {
        Self::REQUIRED.contains(&self) || folder.join(self.folder()).exists()
    }

    /// The parts that made the tokens which this one learns from.
    pub const fn learns_from(self) -> &'static [Self] {
        match self {
            Self::SemanticTokenizer | Self::Codec => &[],
            Self::Semantic => &[Self::SemanticTokenizer],
            Self::Coarse | Self::Parallel => &[Self::SemanticTokenizer, Self::Codec],
            Self::Fine => &[Self::Codec],
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.folder())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_calls_a_part_like_its_folder() {
        for part in Part::ALL {
            assert_eq!(serde_json::to_value(part).unwrap(), part.folder());
        }
    }
}
