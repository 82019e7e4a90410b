//! The layers whose features make tokens.

use std::fmt;

use burn::prelude::*;

use crate::{Clips, Encoder, SemanticError};

/// The layers whose features make tokens: one, or several side by side. Lower layers tell apart sounds
/// that higher ones, which know what is said, no longer do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TappedLayers {
    /// The highest of them; layers above it are not run. 0 is what enters the first layer.
    pub top: usize,
    /// Layers below it.
    pub beside: Vec<usize>,
}

impl From<usize> for TappedLayers {
    fn from(top: usize) -> Self {
        Self { top, beside: Vec::new() }
    }
}

impl TappedLayers {
    /// The features of these layers, the highest last.
    ///
    /// # Shapes
    /// - clips: `[batch, samples]`, waves of one length or [`Clips`] of several
    /// - output: `[batch, time, n_features]`
    ///
    /// # Panics
    /// Where there is no such layer, or a clip is too short for one frame.
    pub fn features(&self, encoder: &Encoder, clips: impl Into<Clips>) -> Tensor<3> {
        let layers: Vec<_> = self.beside.iter().copied().chain([self.top]).collect();
        Tensor::cat(encoder.features_of_layers(clips, &layers), 2)
    }

    /// Features of a frame.
    pub fn n_features(&self, d_model: usize) -> usize {
        d_model * (1 + self.beside.len())
    }

    /// Checks that an encoder of so many layers has these.
    ///
    /// # Errors
    /// The first that it does not have, or that is not below the highest.
    pub fn validate(&self, n_layers: usize) -> Result<(), SemanticError> {
        if self.top > n_layers {
            return Err(SemanticError::NoSuchLayer { found: self.top, n_layers });
        }
        match self.beside.iter().find(|it| **it >= self.top) {
            Some(found) => Err(SemanticError::NotBelow { found: *found, top: self.top }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TappedLayers {
    /// As `0 + 2`, the highest last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.beside.iter().try_for_each(|it| write!(f, "{it} + "))?;
        write!(f, "{}", self.top)
    }
}
