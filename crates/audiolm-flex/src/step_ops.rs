//! From tensors of any backend to the kernels without gradients, which serve to generate and to listen.

use audiolm_nn::{AttentionHeads, ResidualKernels, SeenKeys};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, QuantizedTensor};
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;

use crate::residual_unit::{Layer, Unit};
use crate::whole_attention::Heads;
use crate::{attention, byte_product, rows_product};

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

/// [`Kernels::attend_all`](audiolm_nn::Kernels::attend_all) of what flex holds.
pub(crate) fn attend_all(heads: AttentionHeads, bias: Option<Tensor<4>>) -> Tensor<3> {
    let AttentionHeads { queries, keys, values } = heads;
    let [queries, keys, values] = [queries, keys, values].map(Tensor::into_dispatch);
    Tensor::from_dispatch(match bias {
        Some(bias) => {
            let bias = bias.into_dispatch();
            <Dispatch as StepOps>::attend_all_biased(queries, keys, values, bias)
        }
        None => <Dispatch as StepOps>::attend_all(queries, keys, values),
    })
}

/// [`Kernels::residual_unit`](audiolm_nn::Kernels::residual_unit) of what flex holds.
pub(crate) fn residual_unit(past: Tensor<3>, chunk: Tensor<3>, of: ResidualKernels) -> Tensor<3> {
    let ResidualKernels { dilated, dilated_bias, mixing, mixing_bias, dilation } = of;
    let signals = [past, chunk].map(Tensor::into_dispatch);
    let matrices = [dilated, mixing].map(Tensor::into_dispatch);
    let biases = [dilated_bias, mixing_bias].map(Tensor::into_dispatch);
    let ([past, chunk], [dilated, mixing], [of_dilated, of_mixing]) = (signals, matrices, biases);
    Tensor::from_dispatch(<Dispatch as StepOps>::residual_unit(
        past, chunk, dilated, of_dilated, mixing, of_mixing, dilation,
    ))
}

/// What the functions above dispatch to.
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

    /// Two causal convolutions around a skip.
    fn residual_unit(
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        dilated: FloatTensor<Self>,
        dilated_bias: FloatTensor<Self>,
        mixing: FloatTensor<Self>,
        mixing_bias: FloatTensor<Self>,
        dilation: usize,
    ) -> FloatTensor<Self>;

    /// What all queries see.
    fn attend_all(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// The same with something added to the scores.
    fn attend_all_biased(
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

    fn residual_unit(
        past: FloatTensor<Self>,
        chunk: FloatTensor<Self>,
        dilated: FloatTensor<Self>,
        dilated_bias: FloatTensor<Self>,
        mixing: FloatTensor<Self>,
        mixing_bias: FloatTensor<Self>,
        dilation: usize,
    ) -> FloatTensor<Self> {
        let layer = |matrix: FlexTensor, bias: FlexTensor| Layer {
            matrix: matrix.to_contiguous(),
            bias: bias.to_contiguous(),
        };
        let layers = [layer(dilated, dilated_bias), layer(mixing, mixing_bias)];
        Unit { past: past.to_contiguous(), chunk: chunk.to_contiguous(), layers, dilation }.output()
    }

    fn attend_all(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Heads { queries, keys, values, bias: None }.attend()
    }

    fn attend_all_biased(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Heads { queries, keys, values, bias: Some(bias.to_contiguous()) }.attend()
    }
}
