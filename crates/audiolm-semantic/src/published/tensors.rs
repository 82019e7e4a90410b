//! The tensors of a published model as layers.

use audiolm_nn::{WeightReader, WeightsError};
use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

/// What stands before the names of an encoder that is part of a model with a head.
const PREFIXES: [&str; 5] = ["hubert.", "wav2vec2.", "wavlm.", "wav2vec2_bert.", "model."];
/// What every encoder has, by which the prefix is told.
const ALWAYS_THERE: &str = "feature_projection.layer_norm.weight";

/// What is no part of the encoder: what stands in for masked frames, adapters behind the last layer,
/// quantizers and heads of pretraining and of finer tasks.
const LEFT_OUT: [&str; 14] = [
    "masked_spec_embed",
    "adapter.",
    "lm_head.",
    "quantizer.",
    "project_q.",
    "project_hid.",
    "final_proj.",
    "label_embs_concat",
    "projector.",
    "classifier.",
    "layer_weights",
    "feature_extractor.weight",
    "feature_extractor.bias",
    "objective.",
];
/// Layers of speaker embeddings.
const SPEAKER_LAYERS: &str = "tdnn.";

/// The two namings of a weight-normed tensor: magnitude and direction.
const WEIGHT_NORM: [(&str, &str); 2] = [
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ("weight_g", "weight_v"),
];

/// A reader that knows under which prefix the encoder's tensors are.
pub(super) struct Tensors {
    reader: WeightReader,
    prefix: &'static str,
}

/// The parts of a weight-normed tensor.
pub(super) struct WeightNormed {
    pub(super) magnitude: Param<Tensor<3>>,
    pub(super) direction: Param<Tensor<3>>,
}

impl Tensors {
    pub(super) fn new(mut reader: WeightReader) -> Self {
        let is_there = |it: &&&str| reader.holds(&format!("{it}{ALWAYS_THERE}"));
        let prefix = PREFIXES.iter().find(is_there).copied().unwrap_or_default();
        for name in LEFT_OUT.into_iter().chain([SPEAKER_LAYERS]) {
            reader.skip_all(name);
            reader.skip_all(&format!("{prefix}{name}"));
        }
        Self { reader, prefix }
    }

    pub(super) fn take<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.reader.take(&format!("{}{name}", self.prefix), shape)
    }

    pub(super) fn param<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
    ) -> Param<Tensor<D>> {
        Param::from_tensor(self.take(name, shape))
    }

    /// `[d_input, d_output]`, which the file has the other way round.
    pub(super) fn product(&mut self, name: &str, [input, output]: [usize; 2]) -> Tensor<2> {
        self.take(name, [output, input]).transpose()
    }

    pub(super) fn linear(&mut self, name: &str, shape: [usize; 2]) -> Linear {
        let weight = Param::from_tensor(self.product(&format!("{name}.weight"), shape));
        Linear { weight, bias: Some(self.param(&format!("{name}.bias"), [shape[1]])) }
    }

    pub(super) fn layer_norm(&mut self, name: &str, width: usize) -> LayerNorm {
        let gamma = self.param(&format!("{name}.weight"), [width]);
        let mut norm = LayerNormConfig::new(width).init(&gamma.device());
        norm.gamma = gamma;
        norm.beta = Some(self.param(&format!("{name}.bias"), [width]));
        norm
    }

    /// A tensor whose norm was taken over all but the last axis, in either naming.
    pub(super) fn weight_normed(&mut self, name: &str, shape: [usize; 3]) -> WeightNormed {
        let full = |part: &str| format!("{}{name}.{part}", self.prefix);
        let is_there = |it: &&(&str, &str)| self.reader.holds(&full(it.1));
        let (magnitude, direction) = *WEIGHT_NORM.iter().find(is_there).unwrap_or(&WEIGHT_NORM[0]);
        WeightNormed {
            magnitude: self.param(&format!("{name}.{magnitude}"), [1, 1, shape[2]]),
            direction: self.param(&format!("{name}.{direction}"), shape),
        }
    }

    pub(super) fn finish(self) -> Result<(), WeightsError> {
        self.reader.finish()
    }
}
