//! How the width of an attention layer is parted into heads.

use burn::prelude::*;

use crate::decoder_config::DecoderConfig;

/// Heads of queries, and those of keys and values, which each serve as many of them (grouped-query
/// attention; Ainslie et al. 2023, arXiv 2305.13245).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    /// Heads of queries.
    pub(crate) n_heads: usize,
    /// Heads of keys and values.
    pub(crate) n_kv_heads: usize,
    /// Width of each.
    pub(crate) d_head: usize,
}

impl Heads {
    /// Those of a valid configuration.
    pub(crate) fn of(config: &DecoderConfig) -> Self {
        let n_heads = config.n_heads;
        Self {
            n_heads,
            n_kv_heads: config.n_kv_heads.unwrap_or(n_heads),
            d_head: config.d_head.unwrap_or(config.d_model / n_heads),
        }
    }

    /// Width of all queries.
    pub(crate) fn d_queries(&self) -> usize {
        self.n_heads * self.d_head
    }

    /// Width of all keys, and of all values.
    pub(crate) fn d_keys(&self) -> usize {
        self.n_kv_heads * self.d_head
    }

    /// The heads that begin at feature `start`.
    ///
    /// # Shapes
    /// - projected: `[batch, time, features]`; output: `[batch, heads, time, d_head]`
    pub(crate) fn part(&self, projected: &Tensor<3>, start: usize, n_heads: usize) -> Tensor<4> {
        let [batch, time, _] = projected.dims();
        let end = start + n_heads * self.d_head;
        let part = projected.clone().slice_dim(2, start..end);
        part.reshape([batch, time, n_heads, self.d_head]).swap_dims(1, 2)
    }

    /// The heads side by side again.
    ///
    /// # Shapes
    /// - attended: `[batch, heads, time, d_head]`; output: `[batch, time, heads · d_head]`
    pub(crate) fn merged(&self, attended: Tensor<4>) -> Tensor<3> {
        let [batch, _, time, _] = attended.dims();
        attended.swap_dims(1, 2).reshape([batch, time, self.d_queries()])
    }
}
