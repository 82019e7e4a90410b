//! Published codebooks in a row.

use audiolm_nn::kmeans;
use burn::prelude::*;

/// Residual vector quantisation by codebooks that no longer learn (arXiv 2107.03312, algorithm 1).
#[derive(Debug, Clone)]
pub(crate) struct ResidualCodebooks {
    /// `[codebook_size, dimension]` each, coarsest first.
    pub(crate) tables: Vec<Tensor<2>>,
}

impl ResidualCodebooks {
    /// # Shapes
    /// - frames: `[batch, dimension, time]`
    /// - output: `[batch, quantizer, time]`
    pub(crate) fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        let [batch, _, time] = frames.dims();
        let mut residual: Tensor<2> = frames.swap_dims(1, 2).flatten(0, 1);
        let codes = self.tables.iter().map(|table| {
            let codes = kmeans::assign(residual.clone(), table);
            residual = residual.clone() - table.clone().select(0, codes.clone());
            codes.reshape([batch, 1, time])
        });
        Tensor::cat(codes.collect(), 1)
    }

    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at least 1 and at most the number of codebooks
    /// - output: `[batch, dimension, time]`
    ///
    /// # Panics
    /// Where there are no codes, or more rows of them than codebooks.
    pub(crate) fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        let [batch, n, time] = codes.dims();
        let available = self.tables.len();
        assert!((1..=available).contains(&n), "{n} rows of codes for {available} quantizers");
        let vectors = codes.split(1, 1).into_iter().zip(&self.tables);
        let sum = vectors
            .map(|(codes, table)| table.clone().select(0, codes.reshape([batch * time])))
            .reduce(|sum, it| sum + it)
            .expect("at least one row of codes");
        let [_, dimension] = sum.dims();
        sum.reshape([batch, time, dimension]).swap_dims(1, 2)
    }
}
