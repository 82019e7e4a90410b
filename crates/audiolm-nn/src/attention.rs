//! Attention of few queries in one pass.

use burn::prelude::*;

use crate::kernels::step_kernels_of;

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
