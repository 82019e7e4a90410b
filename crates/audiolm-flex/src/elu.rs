//! The kernels of the exponential linear unit: one pass each, on vectors of the width that the
//! processor has, on several cores where the signal is long.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, DType, Shape};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::ops::FlexOps;

/// Numbers that one core takes at a time.
pub(crate) const CHUNK: usize = 1 << 15;

/// `x` where `x > 0`, else `exp(x) - 1`.
pub(crate) fn forward(mut x: FlexTensor) -> FlexTensor {
    assert_eq!(x.dtype(), DType::F32, "signals are single precision");
    if x.layout().contiguous_offsets() == Some((0, x.bytes().len() / size_of::<f32>()))
        && let Some(values) = x.try_storage_mut::<f32>()
    {
        if values.len() <= CHUNK {
            Arch::new().dispatch(InPlace(values));
        } else {
            values.par_chunks_mut(CHUNK).for_each(|it| Arch::new().dispatch(InPlace(it)));
        }
        return x;
    }
    let x = x.to_contiguous();
    let (values, shape) = (values(&x), x.layout().shape().clone());
    let mut output = vec![0.0; values.len()];
    if values.len() <= CHUNK {
        Arch::new().dispatch(Forward { output: &mut output, x: values });
    } else {
        let chunks = output.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK));
        chunks.for_each(|(output, x)| Arch::new().dispatch(Forward { output, x }));
    }
    tensor(output, shape)
}

/// The gradient of the output `y` times the slope there, which is `1` where `y > 0`, else `y + 1`.
pub(crate) fn backward(y: FlexTensor, gradient: FlexTensor) -> FlexTensor {
    let (y, gradient) = (y.to_contiguous(), gradient.to_contiguous());
    let shape = y.layout().shape().clone();
    let (y, gradient) = (values(&y), values(&gradient));
    let mut output = vec![0.0; y.len()];
    let chunks = output.par_chunks_mut(CHUNK).zip(y.par_chunks(CHUNK));
    chunks.zip(gradient.par_chunks(CHUNK)).for_each(|((output, y), gradient)| {
        Arch::new().dispatch(Backwards { output, y, gradient });
    });
    tensor(output, shape)
}

/// The forward pass, which remembers its output.
pub(crate) fn tracked<B: FlexOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct Elu;

    impl<B: FlexOps> Backward<B, 1> for Elu {
        type State = FloatTensor<B>;

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let y = ops.state;
            unary::<B, _>(ops.parents, ops.node, grads, |gradient| B::elu_gradient(y, gradient));
        }
    }

    match Elu.prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let y = B::elu(x.into_primitive());
            prep.finish(y.clone(), y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::elu(x.into_primitive())),
    }
}

pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("contiguous and single precision")
}

pub(crate) fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(burn::prelude::TensorData::new(values, shape))
}

struct InPlace<'a>(&'a mut [f32]);

impl WithSimd for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.0.iter_mut().for_each(|it| *it = elu(*it));
    }
}

struct Forward<'a> {
    output: &'a mut [f32],
    x: &'a [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.output.iter_mut().zip(self.x).for_each(|(y, x)| *y = elu(*x));
    }
}

struct Backwards<'a> {
    output: &'a mut [f32],
    y: &'a [f32],
    gradient: &'a [f32],
}

impl WithSimd for Backwards<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let inputs = self.y.iter().zip(self.gradient);
        self.output.iter_mut().zip(inputs).for_each(|(output, (y, gradient))| {
            *output = gradient * if *y > 0.0 { 1.0 } else { y + 1.0 };
        });
    }
}

/// Branch-free, so that a compiler makes vectors of it. What is no number stays none.
#[inline(always)]
fn elu(x: f32) -> f32 {
    let negative = if x > 0.0 { 0.0 } else { x };
    let exp_m1 = exp(if negative < -87.0 { -87.0 } else { negative }) - 1.0;
    if x > 0.0 { x } else { exp_m1 }
}

/// The exponential of a number from -87 to 0, within two units of the last place.
///
/// With `n` the integer nearest to `x / ln 2`, it is `2^n exp(x - n ln 2)`: the power is an
/// exponent's bits, the rest a Taylor polynomial on `|r| <= ln 2 / 2`. Adding 1.5 * 2^23 leaves `n`
/// in the lowest bits of a sum; `ln 2` in two parts keeps `r` exact.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const C: [f32; 5] = [1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32 - 127);
    let power = f32::from_bits((exponent as u32) << 23);
    let tail = C[0] + r * (C[1] + r * (C[2] + r * (C[3] + r * C[4])));
    power * (1.0 + r * (1.0 + r * (0.5 + r * tail)))
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn exponential_is_right_to_two_units_of_the_last_place() {
        for step in 0..=870_000 {
            let x = -(step as f32) * 1e-4;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.0 * f64::from(f32::EPSILON), "exp({x}) is off by {error:e}");
        }
    }
}
