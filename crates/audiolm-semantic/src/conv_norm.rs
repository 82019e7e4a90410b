//! The norms between the convolutions of the front end.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;
use burn::tensor::module::layer_norm;

use crate::FrontEndNorm;
use crate::clip_front_end::host;
use crate::clips::FrameMask;
use crate::window_moments::Moments;

/// Keeps silence from being divided by its deviation.
const EPSILON: f64 = 1e-5;

/// Features brought to zero mean and unit variance over time or over channels, then scaled and
/// shifted, each channel by itself.
///
/// Over time, each channel of each clip by itself (a group norm with one channel per group), it
/// makes the features deaf to loudness, and lets every frame know the whole clip.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// `[channels]`
    weight: Param<Tensor<1>>,
    /// `[channels]`
    bias: Param<Tensor<1>>,
    #[module(skip)]
    over: FrontEndNorm,
}

/// What the numbers of a channel are multiplied by, and what is then added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    pub(crate) scale: f32,
    pub(crate) offset: f32,
}

impl ConvNorm {
    pub(crate) fn new(channels: usize, over: FrontEndNorm, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            over,
        }
    }

    pub(crate) fn from_tensors(weight: Tensor<1>, bias: Tensor<1>, over: FrontEndNorm) -> Self {
        Self { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias), over }
    }

    /// What it is taken over.
    pub(crate) fn over(&self) -> FrontEndNorm {
        self.over
    }

    /// What normalises each channel, where its mean and its variance over time are these.
    pub(crate) fn affine_of(&self, channels: impl Iterator<Item = Moments>) -> Vec<Affine> {
        let [weight, bias] = [&self.weight, &self.bias].map(|it| host(it.val()));
        let affine = |(Moments { mean, variance }, (weight, bias)): (Moments, (f32, f32))| {
            let scale = f64::from(weight) / (variance + EPSILON).sqrt();
            Affine { scale: scale as f32, offset: (f64::from(bias) - mean * scale) as f32 }
        };
        channels.zip(weight.into_iter().zip(bias)).map(affine).collect()
    }

    /// The statistics of a clip are those of its own frames, where `mask` says which these are.
    ///
    /// # Shapes
    /// - input, output: `[batch, time, channels]`
    pub(crate) fn forward(&self, input: Tensor<3>, mask: Option<&FrameMask>) -> Tensor<3> {
        match self.over {
            FrontEndNorm::Clip => self.over_time(input, mask),
            FrontEndNorm::Frame => {
                layer_norm(input, self.weight.val(), Some(self.bias.val()), EPSILON)
            }
        }
    }

    fn over_time(&self, input: Tensor<3>, mask: Option<&FrameMask>) -> Tensor<3> {
        let mean = |it: Tensor<3>| match mask {
            None => it.mean_dim(1),
            Some(mask) => mask.mean(it),
        };
        let centered = input.clone() - mean(input);
        let variance = mean(centered.clone().square());
        let scale = self.weight.val().unsqueeze() / (variance + EPSILON).sqrt();
        centered * scale + self.bias.val().unsqueeze()
    }
}
