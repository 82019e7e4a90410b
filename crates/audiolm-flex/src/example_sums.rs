//! What the normalisation over all that an example holds computes, forward and backward: few passes,
//! on several cores.

use burn::backend::flex::FlexTensor;
use burn::backend::{Shape, TensorMetadata};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::pointwise::{tensor, values};

/// Rows that one core takes at a time, of as many numbers as this or one.
const CHUNK: usize = 1 << 15;

/// Mean, and one over the deviation, of an example.
#[derive(Debug, Clone, Copy)]
struct Spread {
    mean: f32,
    per_deviation: f32,
}

/// Zero mean and unit variance for each example, then a scale and an offset for each channel.
///
/// # Shapes
/// - x and output: `[batch, n, channels]`; scale and offset: `[channels]`
pub(crate) fn forward(
    x: FlexTensor,
    scale: FlexTensor,
    offset: FlexTensor,
    smallest: f32,
) -> FlexTensor {
    let [x, scale, offset] = [x, scale, offset].map(|it| it.to_contiguous());
    let [batch, n, channels] = x.shape().dims();
    let mut output = vec![0.0; batch * n * channels];
    let examples = output.chunks_mut(n * channels).zip(values(&x).chunks(n * channels));
    for (output, x) in examples {
        let Spread { mean, per_deviation } = spread(x, smallest);
        // One scale and one offset for each channel.
        let scale: Vec<f32> = values(&scale).iter().map(|it| it * per_deviation).collect();
        let offsets = values(&offset).iter().zip(&scale);
        let offset: Vec<f32> = offsets.map(|(offset, scale)| offset - mean * scale).collect();
        let rows = rows_of(channels);
        output.par_chunks_mut(rows).zip(x.par_chunks(rows)).for_each(|(output, x)| {
            Arch::new().dispatch(Scaled { x, scale: &scale, offset: &offset, output });
        });
    }
    tensor(output, Shape::new([batch, n, channels]))
}

/// The gradient of `x`.
pub(crate) fn input_gradient(
    gradient: FlexTensor,
    x: FlexTensor,
    scale: FlexTensor,
    smallest: f32,
) -> FlexTensor {
    let [gradient, x, scale] = [gradient, x, scale].map(|it| it.to_contiguous());
    let [batch, n, channels] = x.shape().dims();
    let mut output = vec![0.0; batch * n * channels];
    let size = n * channels;
    let examples = values(&gradient).chunks(size).zip(values(&x).chunks(size));
    for (output, (gradient, x)) in output.chunks_mut(size).zip(examples) {
        let spread = spread(x, smallest);
        let sums = channel_sums(gradient, x, channels, spread);
        let mean = |sums: &[f64]| {
            let weighed =
                values(&scale).iter().zip(sums).map(|(scale, sum)| f64::from(*scale) * sum);
            (weighed.sum::<f64>() / size as f64) as f32
        };
        let (plain, along) = (mean(&sums.plain), mean(&sums.along));
        // The output is `scale / deviation * gradient - a * x - b`.
        let Spread { mean, per_deviation } = spread;
        let scale: Vec<f32> = values(&scale).iter().map(|it| it * per_deviation).collect();
        let slope = along * per_deviation * per_deviation;
        let offset = plain * per_deviation - slope * mean;
        let rows = rows_of(channels);
        let inputs = gradient.par_chunks(rows).zip(x.par_chunks(rows));
        output.par_chunks_mut(rows).zip(inputs).for_each(|(output, (gradient, x))| {
            Arch::new().dispatch(Pulled { gradient, x, scale: &scale, slope, offset, output });
        });
    }
    tensor(output, Shape::new([batch, n, channels]))
}

/// The gradients of scale and offset, one after the other: `[2, channels]`.
pub(crate) fn affine_gradients(gradient: FlexTensor, x: FlexTensor, smallest: f32) -> FlexTensor {
    let [gradient, x] = [gradient, x].map(|it| it.to_contiguous());
    let [_, n, channels] = x.shape().dims();
    let size = n * channels;
    let mut both = vec![0.0; 2 * channels];
    for (gradient, x) in values(&gradient).chunks(size).zip(values(&x).chunks(size)) {
        let sums = channel_sums(gradient, x, channels, spread(x, smallest));
        let all = sums.along.iter().chain(&sums.plain);
        both.iter_mut().zip(all).for_each(|(both, sum)| *both += *sum as f32);
    }
    tensor(both, Shape::new([2, channels]))
}

/// Numbers of as many whole rows as one core takes at a time.
fn rows_of(channels: usize) -> usize {
    (CHUNK / channels).max(1) * channels
}

/// Sums are taken chunk by chunk and then in their order, so they are the same on any number of cores.
fn spread(x: &[f32], smallest: f32) -> Spread {
    let sums: Vec<[f64; 2]> =
        x.par_chunks(CHUNK).map(|chunk| Arch::new().dispatch(Moments(chunk))).collect();
    let [sum, squares] = sums.iter().fold([0.0; 2], |sums, it| [sums[0] + it[0], sums[1] + it[1]]);
    let n = x.len() as f64;
    let mean = sum / n;
    let variance = (squares / n - mean * mean).max(0.0);
    let per_deviation = 1.0 / (variance + f64::from(smallest)).sqrt();
    Spread { mean: mean as f32, per_deviation: per_deviation as f32 }
}

/// For each channel, the sums of the gradient, and of the gradient times the normalised input.
struct ChannelSums {
    plain: Vec<f64>,
    along: Vec<f64>,
}

fn channel_sums(gradient: &[f32], x: &[f32], channels: usize, of: Spread) -> ChannelSums {
    let rows = rows_of(channels);
    let chunks = gradient.par_chunks(rows).zip(x.par_chunks(rows));
    let parts: Vec<_> = chunks
        .map(|(gradient, x)| {
            let mut sums = vec![0.0; 2 * channels];
            Arch::new().dispatch(Sums { gradient, x, of, sums: &mut sums });
            sums
        })
        .collect();
    let mut sums = vec![0.0; 2 * channels];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, it)| *sum += f64::from(it));
    }
    let along = sums.split_off(channels);
    ChannelSums { plain: sums, along }
}

/// The sum of numbers, and of their squares.
struct Moments<'a>(&'a [f32]);

impl WithSimd for Moments<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> [f64; 2] {
        // Lanes of their own, so that a compiler makes vectors of them.
        const LANES: usize = 16;
        let (lanes, rest) = self.0.as_chunks::<LANES>();
        let (mut sums, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        for numbers in lanes {
            for (at, x) in numbers.iter().enumerate() {
                sums[at] += f64::from(*x);
                squares[at] += f64::from(*x) * f64::from(*x);
            }
        }
        let rest = rest.iter().map(|it| f64::from(*it));
        let sum = sums.iter().sum::<f64>() + rest.clone().sum::<f64>();
        let square = squares.iter().sum::<f64>() + rest.map(|it| it * it).sum::<f64>();
        [sum, square]
    }
}

/// `scale * x + offset`.
struct Scaled<'a> {
    x: &'a [f32],
    scale: &'a [f32],
    offset: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.scale.len();
        let rows = self.output.chunks_exact_mut(channels).zip(self.x.chunks_exact(channels));
        for (output, x) in rows {
            let affine = self.scale.iter().zip(self.offset);
            for ((y, x), (scale, offset)) in output.iter_mut().zip(x).zip(affine) {
                *y = x.mul_add(*scale, *offset);
            }
        }
    }
}

/// `scale * gradient - slope * x - offset`.
struct Pulled<'a> {
    gradient: &'a [f32],
    x: &'a [f32],
    scale: &'a [f32],
    slope: f32,
    offset: f32,
    output: &'a mut [f32],
}

impl WithSimd for Pulled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.scale.len();
        let inputs = self.gradient.chunks_exact(channels).zip(self.x.chunks_exact(channels));
        for (output, (gradient, x)) in self.output.chunks_exact_mut(channels).zip(inputs) {
            let numbers = gradient.iter().zip(x).zip(self.scale);
            for (y, ((gradient, x), scale)) in output.iter_mut().zip(numbers) {
                *y = gradient.mul_add(*scale, -x.mul_add(self.slope, self.offset));
            }
        }
    }
}

/// Adds up rows of gradients, and of gradients times the normalised input.
struct Sums<'a> {
    gradient: &'a [f32],
    x: &'a [f32],
    of: Spread,
    sums: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.sums.len() / 2;
        let (plain, along) = self.sums.split_at_mut(channels);
        let Spread { mean, per_deviation } = self.of;
        let rows = self.gradient.chunks_exact(channels).zip(self.x.chunks_exact(channels));
        for (gradient, x) in rows {
            let sums = plain.iter_mut().zip(along.iter_mut());
            for ((plain, along), (gradient, x)) in sums.zip(gradient.iter().zip(x)) {
                *plain += gradient;
                *along = gradient.mul_add((x - mean) * per_deviation, *along);
            }
        }
    }
}
