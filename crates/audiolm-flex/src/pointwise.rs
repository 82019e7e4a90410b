//! Functions of one number over whole signals: one pass each, on vectors of the width that the
//! processor has, on several cores where the signal is long.

use burn::backend::flex::FlexTensor;
use burn::backend::{DType, Shape};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Numbers that one core takes at a time.
const CHUNK: usize = 1 << 15;

/// What is made of each number. A function that the compiler can put in place, without branches,
/// becomes vectors.
pub(crate) trait Function: Fn(f32) -> f32 + Copy + Sync {}

impl<F: Fn(f32) -> f32 + Copy + Sync> Function for F {}

/// `of(x)`, in the memory of `x` where nobody else holds it.
pub(crate) fn map(mut x: FlexTensor, of: impl Function) -> FlexTensor {
    assert_eq!(x.dtype(), DType::F32, "signals are single precision");
    if let Some(values) = own(&mut x) {
        let work = |chunk: &mut [f32]| Arch::new().dispatch(Map { chunk, of });
        match values.len() <= CHUNK {
            true => work(values),
            false => values.par_chunks_mut(CHUNK).for_each(work),
        }
        return x;
    }
    let x = x.to_contiguous();
    let mut output = vec![0.0; values(&x).len()];
    let work = |(chunk, x): (&mut [f32], &[f32])| {
        chunk.copy_from_slice(x);
        Arch::new().dispatch(Map { chunk, of });
    };
    match output.len() <= CHUNK {
        true => work((&mut output, values(&x))),
        false => output.par_chunks_mut(CHUNK).zip(values(&x).par_chunks(CHUNK)).for_each(work),
    }
    tensor(output, x.layout().shape().clone())
}

/// `of` each number, in its place, on one core.
pub(crate) fn map_in_place(values: &mut [f32], of: impl Function) {
    Arch::new().dispatch(Map { chunk: values, of });
}

/// `gradient * slope(at)`.
pub(crate) fn scaled(gradient: FlexTensor, at: FlexTensor, slope: impl Function) -> FlexTensor {
    let (at, gradient) = (at.to_contiguous(), gradient.to_contiguous());
    let mut output = vec![0.0; values(&at).len()];
    let inputs = values(&gradient).par_chunks(CHUNK).zip(values(&at).par_chunks(CHUNK));
    output.par_chunks_mut(CHUNK).zip(inputs).for_each(|(chunk, (gradient, at))| {
        chunk.copy_from_slice(gradient);
        Arch::new().dispatch(Scale { chunk, at, slope });
    });
    tensor(output, at.layout().shape().clone())
}

/// All numbers of a tensor that has them to itself, in one piece.
pub(crate) fn own(x: &mut FlexTensor) -> Option<&mut [f32]> {
    let whole = Some((0, x.bytes().len() / size_of::<f32>()));
    (x.layout().contiguous_offsets() == whole).then(|| x.try_storage_mut::<f32>())?
}

pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("contiguous and single precision")
}

pub(crate) fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(burn::prelude::TensorData::new(values, shape))
}

struct Map<'a, F> {
    chunk: &'a mut [f32],
    of: F,
}

impl<F: Function> WithSimd for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.chunk.iter_mut().for_each(|it| *it = (self.of)(*it));
    }
}

struct Scale<'a, F> {
    chunk: &'a mut [f32],
    at: &'a [f32],
    slope: F,
}

impl<F: Function> WithSimd for Scale<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.chunk.iter_mut().zip(self.at).for_each(|(it, at)| *it *= (self.slope)(*at));
    }
}
