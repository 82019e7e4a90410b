//! Encoder and decoder as one row of layers.

use audiolm_nn::{WeightReader, elu};
use burn::prelude::*;

use super::conv::{ConvShape, Edge, EdgedConv, EdgedConvState};
use super::conv_transpose::{UpsamplingConv, UpsamplingConvState};
use super::lstm::{SkipLstm, SkipLstmState};
use super::residual_block::{ResidualBlock, ResidualBlockState};

/// Sizes of an encoder and its decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeanetConfig {
    /// Channels of the encoder's first layer; they double at each stride.
    pub(crate) n_filters: usize,
    /// Channels of a frame.
    pub(crate) dimension: usize,
    /// Strides of the decoder, in its order; the encoder's are the same backwards.
    pub(crate) ratios: Vec<usize>,
    pub(crate) kernel_size: usize,
    pub(crate) last_kernel_size: usize,
    pub(crate) residual_kernel_size: usize,
    /// Residual blocks before each stride.
    pub(crate) n_residual_layers: usize,
    /// How many times wider each of them looks than the one before.
    pub(crate) dilation_growth: usize,
    /// How many times fewer channels a residual block has inside.
    pub(crate) compress: usize,
    /// Recurrent layers at the frame rate.
    pub(crate) n_lstm_layers: usize,
    pub(crate) shortcut: Shortcut,
    pub(crate) edge: Edge,
}

/// What a residual block adds its output to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortcut {
    /// Its input.
    Plain,
    /// A convolution of its input.
    Convolved,
}

/// Layers in a row, each under its number in it, as published weights name them.
#[derive(Debug, Clone)]
pub(crate) struct Seanet {
    layers: Vec<Layer>,
}

/// The past a stream carries through all layers; the default is that of a stream not yet begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeanetState(Vec<LayerState>);

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are few, and tensors are handles")]
enum Layer {
    Conv(EdgedConv),
    Upsample(UpsamplingConv),
    Residual(ResidualBlock),
    Lstm(SkipLstm),
    Elu,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are few, and tensors are handles")]
enum LayerState {
    Conv(EdgedConvState),
    Upsample(UpsamplingConvState),
    Residual(ResidualBlockState),
    Lstm(SkipLstmState),
    Elu,
}

impl Seanet {
    /// Takes the encoder's layers: from samples to frames.
    pub(crate) fn read_encoder(weights: &mut WeightReader, config: &SeanetConfig) -> Self {
        let mut rows = Rows { weights, config, prefix: "encoder", layers: Vec::new() };
        let mut channels = config.n_filters;
        rows.conv(ConvShape::new(1, channels, config.kernel_size));
        for &stride in config.ratios.iter().rev() {
            rows.residuals(channels);
            rows.layers.push(Layer::Elu);
            let shape = ConvShape::new(channels, 2 * channels, 2 * stride);
            rows.conv(ConvShape { stride, ..shape });
            channels *= 2;
        }
        rows.lstm(channels);
        rows.layers.push(Layer::Elu);
        rows.conv(ConvShape::new(channels, config.dimension, config.last_kernel_size));
        Self { layers: rows.layers }
    }

    /// Takes the decoder's layers: from frames to samples.
    pub(crate) fn read_decoder(weights: &mut WeightReader, config: &SeanetConfig) -> Self {
        let mut rows = Rows { weights, config, prefix: "decoder", layers: Vec::new() };
        let mut channels = config.n_filters << config.ratios.len();
        rows.conv(ConvShape::new(config.dimension, channels, config.kernel_size));
        rows.lstm(channels);
        for &stride in &config.ratios {
            rows.layers.push(Layer::Elu);
            rows.upsample(channels, stride);
            channels /= 2;
            rows.residuals(channels);
        }
        rows.layers.push(Layer::Elu);
        rows.conv(ConvShape::new(channels, 1, config.last_kernel_size));
        Self { layers: rows.layers }
    }

    /// The next chunk of a stream, of which a whole clip is the first and last.
    ///
    /// # Shapes
    /// - chunk: `[batch, channels, time]`
    /// - output: `[batch, channels, time]`, at the other rate, rounded up
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut SeanetState) -> Tensor<3> {
        if state.0.is_empty() {
            state.0 = self.layers.iter().map(Layer::blank).collect();
        }
        let layers = self.layers.iter().zip(&mut state.0);
        layers.fold(chunk, |it, (layer, state)| layer.step(it, state))
    }

    /// A whole clip after every layer.
    #[cfg(test)]
    pub(crate) fn trace(&self, clip: Tensor<3>) -> Vec<Tensor<3>> {
        let mut hidden = clip;
        let mut pass = |layer: &Layer| {
            hidden = layer.step(hidden.clone(), &mut layer.blank());
            hidden.clone()
        };
        self.layers.iter().map(&mut pass).collect()
    }
}

/// Layers as they are read.
struct Rows<'a> {
    weights: &'a mut WeightReader,
    config: &'a SeanetConfig,
    prefix: &'static str,
    layers: Vec<Layer>,
}

impl Rows<'_> {
    fn name(&self) -> String {
        format!("{}.layers.{}", self.prefix, self.layers.len())
    }

    fn conv(&mut self, shape: ConvShape) {
        let conv = EdgedConv::read(self.weights, &self.name(), shape, self.config.edge);
        self.layers.push(Layer::Conv(conv));
    }

    fn upsample(&mut self, channels: usize, stride: usize) {
        let conv = UpsamplingConv::read(self.weights, &self.name(), channels, stride);
        self.layers.push(Layer::Upsample(conv));
    }

    fn residuals(&mut self, channels: usize) {
        for index in 0..self.config.n_residual_layers {
            let dilation = self.config.dilation_growth.pow(index as u32);
            let (name, sizes) = (self.name(), [channels, dilation]);
            let block = ResidualBlock::read(self.weights, &name, self.config, sizes);
            self.layers.push(Layer::Residual(block));
        }
    }

    fn lstm(&mut self, width: usize) {
        if self.config.n_lstm_layers > 0 {
            let n_layers = self.config.n_lstm_layers;
            let lstm = SkipLstm::read(self.weights, &self.name(), width, n_layers);
            self.layers.push(Layer::Lstm(lstm));
        }
    }
}

impl Layer {
    fn blank(&self) -> LayerState {
        match self {
            Self::Conv(_) => LayerState::Conv(Default::default()),
            Self::Upsample(_) => LayerState::Upsample(Default::default()),
            Self::Residual(_) => LayerState::Residual(Default::default()),
            Self::Lstm(_) => LayerState::Lstm(Default::default()),
            Self::Elu => LayerState::Elu,
        }
    }

    fn step(&self, chunk: Tensor<3>, state: &mut LayerState) -> Tensor<3> {
        match (self, state) {
            (Self::Conv(layer), LayerState::Conv(state)) => layer.step(chunk, state),
            (Self::Upsample(layer), LayerState::Upsample(state)) => layer.step(chunk, state),
            (Self::Residual(layer), LayerState::Residual(state)) => layer.step(chunk, state),
            (Self::Lstm(layer), LayerState::Lstm(state)) => layer.step(chunk, state),
            (Self::Elu, LayerState::Elu) => elu(chunk),
            _ => panic!("the state of a stream through other layers"),
        }
    }
}
