//! Two causal convolutions around a skip, some frames at a time: what lies between reading a signal
//! and writing the next never leaves a core's cache.

use audiolm_nn::{CausalWindows, ResidualKernels};
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use pulp::Arch;
use rayon::prelude::*;

use crate::causal_product::causal_product;
use crate::elu::{self, elu};
use crate::pointwise::{map_in_place, tensor, values};
use crate::step_ops;
use crate::tile_product::TileProduct;

/// Numbers of a signal that one core takes at a time.
const BLOCK: usize = 1 << 15;

/// [`Kernels::residual_unit`](audiolm_nn::Kernels::residual_unit) of what flex holds.
///
/// Where half the channels fill no tile, or kernels are too large for a core's cache, it is made of
/// other kernels.
pub(crate) fn residual_unit(past: Tensor<3>, chunk: Tensor<3>, of: ResidualKernels) -> Tensor<3> {
    let [_, narrow] = of.dilated.dims();
    match (chunk.dims()[2], narrow) {
        (32, 16) | (64, 32) | (128, 64) => step_ops::residual_unit(past, chunk, of),
        _ => composed(past, chunk, of),
    }
}

fn composed(past: Tensor<3>, chunk: Tensor<3>, of: ResidualKernels) -> Tensor<3> {
    let batch = chunk.dims()[0];
    let active = |it: Tensor<3>| {
        let shape = it.dims();
        elu(it.flatten(0, 2)).reshape(shape)
    };
    let [_, narrow] = of.dilated.dims();
    let windows = CausalWindows { step: 1, phases: of.dilation };
    let seen = [past, active(chunk.clone())];
    let hidden = causal_product(seen, of.dilated, of.dilated_bias, windows);
    let nothing = Tensor::zeros([batch, 0, narrow], &chunk.device());
    let windows = CausalWindows { step: 1, phases: 1 };
    let seen = [nothing, active(hidden)];
    chunk + causal_product(seen, of.mixing, of.mixing_bias, windows)
}

/// A kernel and a bias.
pub(crate) struct Layer {
    /// `[inputs, outputs]`
    pub(crate) matrix: FlexTensor,
    /// `[outputs]`
    pub(crate) bias: FlexTensor,
}

/// All that a unit needs.
pub(crate) struct Unit {
    /// What ELU made of the frames before: `[batch, history, channels]`.
    pub(crate) past: FlexTensor,
    /// `[batch, time, channels]`
    pub(crate) chunk: FlexTensor,
    pub(crate) layers: [Layer; 2],
    pub(crate) dilation: usize,
}

impl Unit {
    /// `[batch, time, channels]`
    ///
    /// # Panics
    /// Where the second layer has not half as many inputs as the first has channels.
    pub(crate) fn output(&self) -> FlexTensor {
        let channels = self.chunk.shape()[2];
        let output = match channels {
            32 => Frames::<32, 16>::of(self).output(),
            64 => Frames::<64, 32>::of(self).output(),
            128 => Frames::<128, 64>::of(self).output(),
            _ => unreachable!("no unit of {channels} channels comes here"),
        };
        tensor(output, self.chunk.shape())
    }
}

/// A unit whose frames have a known size.
struct Frames<'a, const WIDE: usize, const NARROW: usize> {
    past: &'a [[f32; WIDE]],
    chunk: &'a [[f32; WIDE]],
    layers: [Weights<'a>; 2],
    /// Frames of an example: of its past, and of its chunk.
    lengths: [usize; 2],
    phases: usize,
    taps: usize,
}

#[derive(Clone, Copy)]
struct Weights<'a> {
    matrix: &'a [f32],
    bias: &'a [f32],
}

/// Some frames of an example's output.
struct Block<'a, const WIDE: usize> {
    /// The past of the example.
    past: &'a [[f32; WIDE]],
    /// The chunk of the example.
    chunk: &'a [[f32; WIDE]],
    /// The first frame.
    first: usize,
    n: usize,
}

/// What a core needs for a block, and uses again for the next.
#[derive(Default)]
struct Scratch<const WIDE: usize, const NARROW: usize> {
    seen: Vec<[f32; WIDE]>,
    hidden: Vec<[f32; NARROW]>,
    added: Vec<[f32; WIDE]>,
}

impl<'a, const WIDE: usize, const NARROW: usize> Frames<'a, WIDE, NARROW> {
    fn of(unit: &'a Unit) -> Self {
        let frames = |it: &'a FlexTensor| values(it).as_chunks::<WIDE>().0;
        let weights =
            |it: &'a Layer| Weights { matrix: values(&it.matrix), bias: values(&it.bias) };
        let [dilated, mixing] = &unit.layers;
        assert_eq!(mixing.matrix.shape().dims(), [NARROW, WIDE]);
        Self {
            past: frames(&unit.past),
            chunk: frames(&unit.chunk),
            layers: [weights(dilated), weights(mixing)],
            lengths: [&unit.past, &unit.chunk].map(|it| it.shape()[1]),
            phases: unit.dilation,
            taps: dilated.matrix.shape()[0] / WIDE,
        }
    }

    fn output(&self) -> Vec<f32> {
        let [history, time] = self.lengths;
        let n = BLOCK / WIDE;
        let mut output = vec![[0.0; WIDE]; self.chunk.len()];
        let work = |example: usize, scratch: &mut _, (index, output): (usize, &mut [_])| {
            let past = &self.past[example * history..][..history];
            let chunk = &self.chunk[example * time..][..time];
            let block = Block { past, chunk, first: index * n, n: output.len() };
            self.write(&block, scratch, output);
        };
        for (example, output) in output.chunks_mut(time.max(1)).enumerate() {
            match time <= n {
                true => work(example, &mut Scratch::default(), (0, output)),
                false => output
                    .par_chunks_mut(n)
                    .enumerate()
                    .for_each_init(Scratch::default, |scratch, it| work(example, scratch, it)),
            }
        }
        output.into_flattened()
    }

    fn write(
        &self,
        block: &Block<WIDE>,
        scratch: &mut Scratch<WIDE, NARROW>,
        output: &mut [[f32; WIDE]],
    ) {
        let Scratch { seen, hidden, added } = scratch;
        let per_phase = block.n.div_ceil(self.phases);
        let length = per_phase + self.taps - 1;
        seen.resize(self.phases * length, [0.0; WIDE]);
        block.lay(self.phases, seen);
        // Windows from one phase into the next are made too, and left out in the end.
        let n_windows = seen.len() + 1 - self.taps;
        hidden.resize(n_windows, [0.0; NARROW]);
        added.resize(n_windows, [0.0; WIDE]);
        let [dilated, mixing] = self.layers;
        product(seen, dilated, hidden.as_flattened_mut());
        map_in_place(hidden.as_flattened_mut(), elu::value);
        product(hidden, mixing, added.as_flattened_mut());
        let chunk = &block.chunk[block.first..];
        for (index, (output, chunk)) in output.iter_mut().zip(chunk).enumerate() {
            let added = &added[index % self.phases * length + index / self.phases];
            *output = std::array::from_fn(|it| chunk[it] + added[it]);
        }
    }
}

impl<const WIDE: usize> Block<'_, WIDE> {
    /// What the windows see, phase by phase, each a plain signal; after the last frame zeros.
    fn lay(&self, phases: usize, seen: &mut [[f32; WIDE]]) {
        let (history, length) = (self.past.len(), seen.len() / phases);
        let places = |phase: usize| (0..length).map(move |it| self.first + phase + it * phases);
        for (phase, seen) in seen.chunks_exact_mut(length).enumerate() {
            for (place, to) in places(phase).zip(seen) {
                let heard = place.checked_sub(history).and_then(|it| self.chunk.get(it));
                *to = heard.copied().unwrap_or([0.0; WIDE]);
            }
        }
        map_in_place(seen.as_flattened_mut(), elu::value);
        if self.first >= history {
            return;
        }
        for (phase, seen) in seen.chunks_exact_mut(length).enumerate() {
            for (place, to) in places(phase).zip(seen).take_while(|it| it.0 < history) {
                *to = self.past[place];
            }
        }
    }
}

/// Windows of frames times a matrix, plus a bias.
fn product<const CHANNELS: usize>(
    frames: &[[f32; CHANNELS]],
    Weights { matrix, bias }: Weights,
    output: &mut [f32],
) {
    Arch::new().dispatch(TileProduct { frames, matrix, bias, output });
}
