//! The outputs of some layers out of many, from one pass.

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

/// What leaves each of the `layers`, in their order; 0 is what enters the first. `run` gives what
/// leaves a layer, counted from 1, from what enters it; layers above the highest are not run, and
/// of the others only what is asked for is kept.
pub(crate) fn tapped(
    entered: Tensor<3>,
    layers: &[usize],
    run: impl Fn(usize, Tensor<3>) -> Tensor<3>,
) -> Vec<Tensor<3>> {
    let Some(&top) = layers.iter().max() else { return vec![] };
    let mut outputs = vec![None; layers.len()];
    let mut hidden = entered;
    for layer in 0..=top {
        if layer > 0 {
            hidden = run(layer, hidden);
        }
        for (output, _) in outputs.iter_mut().zip(layers).filter(|it| *it.1 == layer) {
            *output = Some(hidden.clone());
        }
    }
    outputs.into_iter().map(|it| it.expect("every layer up to the highest was run")).collect()
}
