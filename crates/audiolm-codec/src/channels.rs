//! How many waves sound together.

use serde::{Deserialize, Serialize};

use crate::CodecError;

/// The channels of the waves a codec takes and makes; a number in files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub enum Channels {
    /// One.
    #[default]
    Mono,
    /// Left and right.
    Stereo,
}

impl Channels {
    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

impl TryFrom<usize> for Channels {
    type Error = CodecError;

    fn try_from(count: usize) -> Result<Self, CodecError> {
        match count {
            1 => Ok(Self::Mono),
            2 => Ok(Self::Stereo),
            _ => Err(CodecError::Config {
                field: "channels",
                expected: "1 or 2",
                found: count.to_string(),
            }),
        }
    }
}

impl From<Channels> for usize {
    fn from(channels: Channels) -> Self {
        channels.count()
    }
}
