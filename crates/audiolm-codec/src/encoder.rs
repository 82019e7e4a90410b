//! The encoder of SoundStream: from samples to one vector per frame.

use audiolm_nn::{CausalConv1d, CausalConv1dConfig, CausalConv1dState, ConvError, elu};
use burn::prelude::*;

use crate::film::modulated;
use crate::local_attention::step_attention;
use crate::residual_unit::{ResidualUnitState, residual_units, silent_units, step_units};
use crate::transform::BandSplits;
use crate::{
    Denoise, Film, FilmSide, LocalAttention, LocalAttentionState, ResidualUnit, SoundStreamConfig,
};

/// A convolution, blocks that each divide the time by their stride and double the channels, and a
/// last convolution to the frame's vector (arXiv 2107.03312, section III-A). Where the configuration
/// says so, a [`Film`] layer before the last convolution and [`LocalAttention`] after it.
#[derive(Module, Debug)]
pub struct Encoder {
    first: CausalConv1d,
    blocks: Vec<EncoderBlock>,
    film: Option<Film>,
    last: CausalConv1d,
    attention: Option<LocalAttention>,
}

#[derive(Module, Debug)]
struct EncoderBlock {
    units: Vec<ResidualUnit>,
    downsample: CausalConv1d,
}

/// The past a stream carries through the encoder from one chunk to the next.
#[derive(Debug, Clone)]
pub struct EncoderState {
    first: CausalConv1dState,
    blocks: Vec<EncoderBlockState>,
    last: CausalConv1dState,
    attention: Option<LocalAttentionState>,
    denoise: Vec<Denoise>,
}

#[derive(Debug, Clone)]
struct EncoderBlockState {
    units: Vec<ResidualUnitState>,
    downsample: CausalConv1dState,
}

impl EncoderState {
    /// How many numbers it carries: the same after every chunk, once attention has a whole window
    /// of frames to remember.
    pub fn n_numbers(&self) -> usize {
        let blocks = self.blocks.iter().map(|it| {
            let units = it.units.iter().map(ResidualUnitState::n_numbers).sum::<usize>();
            it.downsample.n_numbers() + units
        });
        let attention = self.attention.as_ref().map_or(0, LocalAttentionState::n_numbers);
        self.first.n_numbers() + blocks.sum::<usize>() + self.last.n_numbers() + attention
    }
}

impl Encoder {
    pub(crate) fn new(config: &SoundStreamConfig, device: &Device) -> Result<Self, ConvError> {
        let mut channels = config.encoder_channels;
        let first = CausalConv1dConfig::new(config.channels.count(), channels, 7).init(device)?;
        let mut blocks = Vec::new();
        for stride in &config.strides {
            blocks.push(EncoderBlock::new(channels, *stride, device)?);
            channels *= 2;
        }
        let last = CausalConv1dConfig::new(channels, config.dimension, 3).init(device)?;
        let film = (config.film == Some(FilmSide::Encoder)).then(|| Film::new(channels, device));
        let attention = config.attention.as_ref().map(|it| it.init(config.dimension, device));
        Ok(Self { first, blocks, film, last, attention }.with_transform(&BandSplits::new(config)))
    }

    /// With the first weights that [`transform`](crate::transform) describes.
    fn with_transform(self, splits: &BandSplits) -> Self {
        let split = |(level, block): (usize, EncoderBlock)| EncoderBlock {
            downsample: block.downsample.with_kernels(|it| splits.split(level, it)),
            ..block
        };
        Self {
            first: self.first.with_kernels(|it| splits.enter_channels(it)),
            blocks: self.blocks.into_iter().enumerate().map(split).collect(),
            last: self.last.with_kernels(|it| splits.enter_frame(it)),
            ..self
        }
    }

    /// Encodes a whole clip: one [`step`](Self::step) from silence.
    ///
    /// # Shapes
    /// - wave: `[batch, channels, samples]`, `samples` a multiple of the hop
    /// - output: `[batch, samples / hop, dimension]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn forward(&self, wave: Tensor<3>) -> Tensor<3> {
        let mut state = self.silence(wave.dims()[0], &wave.device());
        self.step(wave, &mut state)
    }

    /// Encodes the next chunk of a stream; shapes and panics as in [`forward`](Self::forward).
    ///
    /// # Panics
    /// Also where the state asks to leave noise out and there is no [`Film`] here.
    pub fn step(&self, chunk: Tensor<3>, state: &mut EncoderState) -> Tensor<3> {
        let hidden = self.first.step(chunk.swap_dims(1, 2), &mut state.first);
        let blocks = self.blocks.iter().zip(&mut state.blocks);
        let hidden = blocks.fold(hidden, |it, (block, state)| block.step(it, state));
        let hidden = modulated(self.film.as_ref(), hidden, &state.denoise);
        let frames = self.last.step(elu(hidden), &mut state.last);
        step_attention(self.attention.as_ref(), frames, &mut state.attention)
    }

    /// The state of a stream that has heard nothing yet.
    pub fn silence(&self, batch: usize, device: &Device) -> EncoderState {
        EncoderState {
            first: self.first.silence(batch, device),
            blocks: self.blocks.iter().map(|it| it.silence(batch, device)).collect(),
            last: self.last.silence(batch, device),
            attention: self.attention.as_ref().map(LocalAttention::silence),
            denoise: vec![Denoise::Off; batch],
        }
    }

    /// Whether it can leave noise out.
    pub(crate) fn has_film(&self) -> bool {
        self.film.is_some()
    }
}

impl EncoderState {
    /// The same state, from which on the noise of each example is left out or not. Between two
    /// chunks the choice may change.
    pub fn with_denoise(self, denoise: &[Denoise]) -> Self {
        Self { denoise: denoise.to_vec(), ..self }
    }
}

impl EncoderBlock {
    fn new(channels: usize, stride: usize, device: &Device) -> Result<Self, ConvError> {
        let downsample = CausalConv1dConfig::new(channels, 2 * channels, 2 * stride);
        Ok(Self {
            units: residual_units(channels, device)?,
            downsample: downsample.with_stride(stride).init(device)?,
        })
    }

    fn step(&self, chunk: Tensor<3>, state: &mut EncoderBlockState) -> Tensor<3> {
        let hidden = step_units(&self.units, chunk, &mut state.units);
        self.downsample.step(elu(hidden), &mut state.downsample)
    }

    fn silence(&self, batch: usize, device: &Device) -> EncoderBlockState {
        EncoderBlockState {
            units: silent_units(&self.units, batch, device),
            downsample: self.downsample.silence(batch, device),
        }
    }
}
