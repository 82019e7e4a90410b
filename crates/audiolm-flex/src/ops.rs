//! From tensors of any backend to kernels of this one, forward and backward.

use audiolm_nn::SeenKeys;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, QuantizedTensor};
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;

use crate::{attention, byte_product, elu, gelu, rows_product, windows_product};

/// [`Kernels::elu`](audiolm_nn::Kernels::elu) of what flex holds.
pub(crate) fn elu(x: Tensor<1>) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as FlexOps>::elu(x.into_dispatch()))
}

/// [`Kernels::gelu`](audiolm_nn::Kernels::gelu) of what flex holds.
pub(crate) fn gelu(x: Tensor<1>) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as FlexOps>::fast_gelu(x.into_dispatch()))
}

/// [`Kernels::windows_product`](audiolm_nn::Kernels::windows_product) of what flex holds.
pub(crate) fn windows_product(signal: Tensor<3>, matrix: Tensor<2>, step: usize) -> Tensor<3> {
    let (signal, matrix) = (signal.into_dispatch(), matrix.into_dispatch());
    Tensor::from_dispatch(<Dispatch as FlexOps>::windows_product(signal, matrix, step))
}

/// [`Kernels::rows_product`](audiolm_nn::Kernels::rows_product) of what flex holds.
pub(crate) fn rows_product(rows: Tensor<2>, matrix: Tensor<2>) -> Tensor<2> {
    let (rows, matrix) = (rows.into_dispatch(), matrix.into_dispatch());
    Tensor::from_dispatch(<Dispatch as StepOps>::rows_product(rows, matrix))
}

/// The same with a matrix of bytes.
pub(crate) fn byte_product(rows: Tensor<2>, matrix: Tensor<2>) -> Tensor<2> {
    let (rows, matrix) = (rows.into_dispatch(), matrix.into_dispatch());
    Tensor::from_dispatch(<Dispatch as StepOps>::byte_product(rows, matrix))
}

/// [`Kernels::attend`](audiolm_nn::Kernels::attend) of what flex holds.
pub(crate) fn attend(queries: Tensor<4>, seen: SeenKeys) -> Tensor<4> {
    let [queries, keys, values, bias] =
        [queries, seen.keys, seen.values, seen.bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as StepOps>::attend(queries, keys, values, bias))
}

/// What the functions above dispatch to that have gradients.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait FlexOps: Backend {
    /// The exponential linear unit.
    fn elu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// What multiplies the gradient of [`elu`](Self::elu), given its output, times that gradient.
    fn elu_gradient(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The Gaussian error linear unit.
    fn fast_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// What multiplies the gradient of [`fast_gelu`](Self::fast_gelu), given its input, times that gradient.
    fn fast_gelu_gradient(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Every window of a signal times a matrix.
    fn windows_product(
        signal: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        step: usize,
    ) -> FloatTensor<Self>;
}

/// What they dispatch to that only serves to generate: it has no gradients.
#[backend_extension(Flex)]
pub(crate) trait StepOps: Backend {
    /// A few rows times a matrix.
    fn rows_product(rows: FloatTensor<Self>, matrix: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Rows times a matrix of bytes.
    fn byte_product(rows: FloatTensor<Self>, matrix: QuantizedTensor<Self>) -> FloatTensor<Self>;

    /// What a few queries see.
    fn attend(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl StepOps for Flex {
    fn rows_product(rows: FloatTensor<Self>, matrix: FloatTensor<Self>) -> FloatTensor<Self> {
        rows_product::product(rows, matrix)
    }

    fn byte_product(rows: FloatTensor<Self>, matrix: QuantizedTensor<Self>) -> FloatTensor<Self> {
        byte_product::product(rows, matrix)
    }

    fn attend(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        attention::attend(queries, keys, values, bias)
    }
}

impl FlexOps for Flex {
    fn elu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        elu::forward(x)
    }

    fn elu_gradient(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        elu::backward(y, gradient)
    }

    fn fast_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::forward(x)
    }

    fn fast_gelu_gradient(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::backward(x, gradient)
    }

    fn windows_product(
        signal: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        step: usize,
    ) -> FloatTensor<Self> {
        windows_product::product::<Self>(signal, kernel, step)
    }
}

impl<B: FlexOps, C: CheckpointStrategy> FlexOps for Autodiff<B, C> {
    fn elu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        elu::tracked::<B, C>(x)
    }

    fn elu_gradient(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let gradient = B::elu_gradient(y.into_primitive(), gradient.into_primitive());
        <Self as burn::backend::AutodiffBackend>::from_inner(gradient)
    }

    fn fast_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::tracked::<B, C>(x)
    }

    fn fast_gelu_gradient(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let gradient = B::fast_gelu_gradient(x.into_primitive(), gradient.into_primitive());
        <Self as burn::backend::AutodiffBackend>::from_inner(gradient)
    }

    fn windows_product(
        signal: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        step: usize,
    ) -> FloatTensor<Self> {
        windows_product::tracked::<B, C>(signal, kernel, step)
    }
}
