//! The residual unit of SoundStream.

use audiolm_nn::{CausalConv1d, CausalConv1dConfig, CausalConv1dState, ConvError, step_residual};
use burn::prelude::*;

/// A dilated convolution of kernel 7 to half the channels, one of kernel 1 back, around a skip
/// (arXiv 2107.03312, figure 3).
///
/// The half width is what the paper's parameter counts require; full-width units match them for no
/// size of the bottleneck.
#[derive(Module, Debug)]
pub struct ResidualUnit {
    dilated: CausalConv1d,
    mixing: CausalConv1d,
}

/// The past a stream carries through a unit from one chunk to the next.
#[derive(Debug, Clone)]
pub(crate) struct ResidualUnitState {
    dilated: CausalConv1dState,
    mixing: CausalConv1dState,
}

impl ResidualUnitState {
    pub(crate) fn n_numbers(&self) -> usize {
        self.dilated.n_numbers() + self.mixing.n_numbers()
    }
}

impl ResidualUnit {
    /// A unit that adds nothing to its input before it has learnt to.
    pub(crate) fn new(
        channels: usize,
        dilation: usize,
        device: &Device,
    ) -> Result<Self, ConvError> {
        let narrow = channels / 2;
        Ok(Self {
            dilated: CausalConv1dConfig::new(channels, narrow, 7)
                .with_dilation(dilation)
                .init(device)?,
            mixing: CausalConv1dConfig::new(narrow, channels, 1)
                .init(device)?
                .with_kernels(|it| it.zeros_like()),
        })
    }

    /// # Shapes
    /// - chunk and output: `[batch, time, channels]`
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut ResidualUnitState) -> Tensor<3> {
        let layers = [&self.dilated, &self.mixing];
        step_residual(chunk, layers, [&mut state.dilated, &mut state.mixing])
    }

    pub(crate) fn silence(&self, batch: usize, device: &Device) -> ResidualUnitState {
        ResidualUnitState {
            dilated: self.dilated.silence(batch, device),
            mixing: self.mixing.silence(batch, device),
        }
    }
}

/// One chunk through units in a row.
pub(crate) fn step_units(
    units: &[ResidualUnit],
    chunk: Tensor<3>,
    states: &mut [ResidualUnitState],
) -> Tensor<3> {
    units.iter().zip(states).fold(chunk, |it, (unit, state)| unit.step(it, state))
}

/// The states of units in a row before a stream.
pub(crate) fn silent_units(
    units: &[ResidualUnit],
    batch: usize,
    device: &Device,
) -> Vec<ResidualUnitState> {
    units.iter().map(|it| it.silence(batch, device)).collect()
}

/// The three units of every block, whose dilations let it see 1, 3 and 9 frames apart.
pub(crate) fn residual_units(
    channels: usize,
    device: &Device,
) -> Result<Vec<ResidualUnit>, ConvError> {
    [1, 3, 9].into_iter().map(|it| ResidualUnit::new(channels, it, device)).collect()
}
