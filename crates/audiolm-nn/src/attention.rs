//! Attention in one pass, where a backend has it.

use burn::prelude::*;

use crate::kernels::{inference_kernels_of, step_kernels_of};

/// What queries attend to.
#[derive(Debug, Clone)]
pub struct SeenKeys {
    /// `[batch, heads, features, time]`; where there are fewer heads than of queries, each serves as
    /// many of those in a row.
    pub keys: Tensor<4>,
    /// `[batch, heads, d_head, time]`
    pub values: Tensor<4>,
    /// What is added to the scores, −∞ where a key is hidden: `[batch, heads, queries, time]`, or 1 in
    /// the place of any but the last.
    pub bias: Tensor<4>,
}

/// `softmax(queries · keys + bias) · values` where the queries are few, need no gradient, and are on a
/// backend that has a [kernel](crate::Kernels) for them; nothing elsewhere.
///
/// # Shapes
/// - queries: `[batch, heads, n, features]`
/// - output: `[batch, heads, n, d_head]`
pub fn native_attention(queries: &Tensor<4>, seen: &SeenKeys) -> Option<Tensor<4>> {
    let [_, _, n, _] = queries.dims();
    Some(step_kernels_of(queries, n)?.attend(queries.clone(), seen.clone()))
}

/// Queries, keys and values of all heads: `[batch, heads, time, features]` each, with as many heads.
#[derive(Debug, Clone)]
pub struct AttentionHeads {
    /// Of those that look.
    pub queries: Tensor<4>,
    /// Of what is looked at, of the same features.
    pub keys: Tensor<4>,
    /// Of what is looked at.
    pub values: Tensor<4>,
}

/// `softmax(queries · keys + bias) · values` of any number of queries, where no gradient is asked for
/// and the backend has a [kernel](crate::Kernels); nothing elsewhere.
///
/// # Shapes
/// - bias: `[batch, heads, queries, keys]`, or 1 in the place of any but the last
/// - output: `[batch, time, heads * d_head]`
pub fn native_whole_attention(
    heads: &AttentionHeads,
    bias: Option<&Tensor<4>>,
) -> Option<Tensor<3>> {
    let kernels = inference_kernels_of(&heads.queries)?;
    Some(kernels.attend_all(heads.clone(), bias.cloned()))
}
