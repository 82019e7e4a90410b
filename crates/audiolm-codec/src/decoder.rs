//! The decoder of SoundStream: from one vector per frame to samples.

use audiolm_nn::{
    CausalConv1d, CausalConv1dConfig, CausalConv1dState, CausalConvTranspose1d,
    CausalConvTranspose1dConfig, CausalConvTranspose1dState, ConvError, elu,
};
use burn::prelude::*;

use crate::film::modulated;
use crate::local_attention::step_attention;
use crate::residual_unit::{ResidualUnitState, residual_units, silent_units, step_units};
use crate::transform::BandSplits;
use crate::{
    Denoise, Film, FilmSide, LocalAttention, LocalAttentionState, ResidualUnit, SoundStreamConfig,
};

/// The mirror image of the [`Encoder`](crate::Encoder): strides in reverse, channels halving
/// (arXiv 2107.03312, section III-B). Where the configuration says so, [`LocalAttention`] before the
/// first convolution and a [`Film`] layer after it.
#[derive(Module, Debug)]
pub struct Decoder {
    attention: Option<LocalAttention>,
    first: CausalConv1d,
    film: Option<Film>,
    blocks: Vec<DecoderBlock>,
    last: CausalConv1d,
}

#[derive(Module, Debug)]
struct DecoderBlock {
    upsample: CausalConvTranspose1d,
    units: Vec<ResidualUnit>,
}

/// The past a stream carries through the decoder from one chunk to the next.
#[derive(Debug, Clone)]
pub struct DecoderState {
    first: CausalConv1dState,
    blocks: Vec<DecoderBlockState>,
    last: CausalConv1dState,
    attention: Option<LocalAttentionState>,
    denoise: Vec<Denoise>,
}

#[derive(Debug, Clone)]
struct DecoderBlockState {
    upsample: CausalConvTranspose1dState,
    units: Vec<ResidualUnitState>,
}

impl DecoderState {
    /// How many numbers it carries: the same after every chunk, once attention has a whole window
    /// of frames to remember.
    pub fn n_numbers(&self) -> usize {
        let blocks = self.blocks.iter().map(|it| {
            let units = it.units.iter().map(ResidualUnitState::n_numbers).sum::<usize>();
            it.upsample.n_numbers() + units
        });
        let attention = self.attention.as_ref().map_or(0, LocalAttentionState::n_numbers);
        self.first.n_numbers() + blocks.sum::<usize>() + self.last.n_numbers() + attention
    }
}

impl Decoder {
    pub(crate) fn new(config: &SoundStreamConfig, device: &Device) -> Result<Self, ConvError> {
        let mut channels = config.decoder_channels << config.strides.len();
        let first = CausalConv1dConfig::new(config.dimension, channels, 7).init(device)?;
        let film = (config.film == Some(FilmSide::Decoder)).then(|| Film::new(channels, device));
        let attention = config.attention.as_ref().map(|it| it.init(config.dimension, device));
        let mut blocks = Vec::new();
        for stride in config.strides.iter().rev() {
            blocks.push(DecoderBlock::new(channels, *stride, device)?);
            channels /= 2;
        }
        let last = CausalConv1dConfig::new(channels, config.channels.count(), 7).init(device)?;
        Ok(Self { attention, first, film, blocks, last }.with_transform(&BandSplits::new(config)))
    }

    /// With the first weights that [`transform`](crate::transform) describes.
    fn with_transform(self, splits: &BandSplits) -> Self {
        let n_levels = self.blocks.len();
        let join = |(index, block): (usize, DecoderBlock)| {
            let level = n_levels - 1 - index;
            let inverse = |it: Tensor<3>| splits.join(level, it.dims(), &it.device());
            DecoderBlock { upsample: block.upsample.with_kernels(inverse), ..block }
        };
        Self {
            first: self.first.with_kernels(|it| splits.leave_frame(it)),
            blocks: self.blocks.into_iter().enumerate().map(join).collect(),
            last: self.last.with_kernels(|it| splits.leave_channels(it.dims(), &it.device())),
            ..self
        }
    }

    /// Decodes a whole clip: one [`step`](Self::step) from silence.
    ///
    /// # Shapes
    /// - frames: `[batch, time, dimension]`
    /// - output: `[batch, channels, time * hop]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn forward(&self, frames: Tensor<3>) -> Tensor<3> {
        let mut state = self.silence(frames.dims()[0], &frames.device());
        self.step(frames, &mut state)
    }

    /// Decodes the next chunk of a stream; shapes and panics as in [`forward`](Self::forward).
    ///
    /// # Panics
    /// Also where the state asks to leave noise out and there is no [`Film`] here.
    pub fn step(&self, chunk: Tensor<3>, state: &mut DecoderState) -> Tensor<3> {
        let chunk = step_attention(self.attention.as_ref(), chunk, &mut state.attention);
        let hidden = self.first.step(chunk, &mut state.first);
        let hidden = modulated(self.film.as_ref(), hidden, &state.denoise);
        let blocks = self.blocks.iter().zip(&mut state.blocks);
        let hidden = blocks.fold(hidden, |it, (block, state)| block.step(it, state));
        self.last.step(elu(hidden), &mut state.last).swap_dims(1, 2)
    }

    /// The state of a stream that has decoded nothing yet.
    pub fn silence(&self, batch: usize, device: &Device) -> DecoderState {
        DecoderState {
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

impl DecoderState {
    /// The same state, from which on the noise of each example is left out or not. Between two
    /// chunks the choice may change.
    pub fn with_denoise(self, denoise: &[Denoise]) -> Self {
        Self { denoise: denoise.to_vec(), ..self }
    }
}

impl DecoderBlock {
    /// From `channels` at the lower rate to half as many at the higher.
    fn new(channels: usize, stride: usize, device: &Device) -> Result<Self, ConvError> {
        let narrow = channels / 2;
        Ok(Self {
            upsample: CausalConvTranspose1dConfig::new(channels, narrow, stride).init(device)?,
            units: residual_units(narrow, device)?,
        })
    }

    fn step(&self, chunk: Tensor<3>, state: &mut DecoderBlockState) -> Tensor<3> {
        let hidden = self.upsample.step(elu(chunk), &mut state.upsample);
        step_units(&self.units, hidden, &mut state.units)
    }

    fn silence(&self, batch: usize, device: &Device) -> DecoderBlockState {
        DecoderBlockState {
            upsample: self.upsample.silence(batch, device),
            units: silent_units(&self.units, batch, device),
        }
    }
}
