//! From a description of a sound to vectors.

use std::fmt::Debug;

use crate::TextError;

/// What is known of a sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Description<'a> {
    /// What is said in it, what it is like, or what it is called.
    Text(&'a str),
    /// The sound itself, in one channel.
    Sound {
        /// Amplitudes, from -1 to 1.
        samples: &'a [f32],
        /// Samples per second.
        rate_hz: u32,
    },
}

/// What turns descriptions of sounds into vectors that a stage reads.
///
/// It is frozen: the same description gives the same vectors, however long a stage learns from them.
/// What is to be learnt is learnt in the stage, which maps the vectors to its own width first.
pub trait Conditioner: Debug + Send + Sync {
    /// Features of a vector.
    fn width(&self) -> usize;

    /// The vectors of a description, one after another: `[time][width]`, `time` at least 1.
    ///
    /// # Errors
    /// Where it is in a form that the conditioner does not take, or says nothing.
    fn vectors(&self, description: &Description<'_>) -> Result<Vec<f32>, TextError>;
}

impl<'a> Description<'a> {
    /// The text, for those who take nothing else.
    ///
    /// # Errors
    /// Where it is a sound.
    pub fn text(&self) -> Result<&'a str, TextError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Sound { .. } => {
                Err(TextError::OtherForm { expected: "text", found: "a recording" })
            }
        }
    }
}
