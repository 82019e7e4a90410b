//! Codebooks in a row, each quantising what the ones before it left over.

use audiolm_nn::{Generator, kmeans};
use burn::prelude::*;

use crate::quantizer::chain::{self, Link, frames, rows, used_at};
use crate::{Codebook, QuantizedOutput, ResidualQuantizerConfig};

/// Lloyd's iterations of the initialisation.
pub(crate) const KMEANS_ITERATIONS: usize = 10;

/// Residual vector quantisation (arXiv 2107.03312, algorithm 1).
///
/// Its codebooks learn by [averages](crate::ResidualEma), the encoder by the commitment and by the
/// gradient of the sum, which passes straight through to the input.
#[derive(Module, Debug)]
pub struct ResidualQuantizer {
    codebooks: Vec<Codebook>,
}

impl ResidualQuantizer {
    pub(crate) fn new(config: &ResidualQuantizerConfig, dimension: usize, device: &Device) -> Self {
        let codebook = |_| Codebook::new(config.codebook_size, dimension, device);
        Self { codebooks: (0..config.n_quantizers).map(codebook).collect() }
    }

    /// The codebooks, coarsest first.
    pub fn codebooks(&self) -> &[Codebook] {
        &self.codebooks
    }

    pub(crate) fn with_codebooks(self, codebooks: Vec<Codebook>) -> Self {
        Self { codebooks }
    }

    /// Codebooks that fit `vectors` `[n, dimension]`: each by k-means on what the ones before it
    /// leave over (section III-C: initialisation on the first batch). `on_codebook` is called after
    /// each with the number of those that are done.
    ///
    /// # Panics
    /// Where there are fewer vectors than entries of a codebook.
    pub fn fitted(
        self,
        vectors: Tensor<2>,
        rng: &mut Generator,
        on_codebook: impl FnMut(usize),
    ) -> Self {
        let fit = |codebook: Codebook, residual| {
            let [size, _] = codebook.embedding().dims();
            codebook.with_embedding(kmeans::fit(residual, size, KMEANS_ITERATIONS, rng))
        };
        Self { codebooks: chain::fitted(self.codebooks, vectors, fit, on_codebook) }
    }

    pub(crate) fn n_quantizers(&self) -> usize {
        self.codebooks.len()
    }

    pub(crate) fn codebook_size(&self) -> usize {
        self.codebooks.first().map_or(0, |it| it.embedding().dims()[0])
    }

    /// # Shapes
    /// - frames: `[batch, time, dimension]`
    /// - output: `[batch, quantizer, time]`
    pub fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        chain::encode(&self.codebooks, frames)
    }

    /// The sum of the codes' vectors.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at most the number of quantizers
    /// - output: `[batch, time, dimension]`
    ///
    /// # Panics
    /// Where there are no codes, or more rows of them than quantizers.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        chain::decode(&self.codebooks, codes)
    }

    /// Quantises with gradients, each example by its own number of leading quantizers (quantizer
    /// dropout, section III-C). The commitment is the mean squared distance of the input to its
    /// sums of codebook vectors.
    ///
    /// # Shapes
    /// - input: `[batch, time, dimension]`
    /// - active: one number for each example
    ///
    /// # Panics
    /// Where `active` has another length than the batch.
    pub fn forward(&self, input: Tensor<3>, active: &[usize]) -> QuantizedOutput {
        let [batch, time, _] = input.dims();
        assert_eq!(active.len(), batch, "one number of quantizers for each example");
        let input = rows(input);
        let mut residual = input.clone().detach();
        let mut sum = residual.zeros_like();
        let mut commitment = Tensor::zeros([1], &input.device());
        let mut codes = Vec::new();
        let mut residuals = Vec::new();
        for (level, codebook) in self.codebooks.iter().enumerate() {
            let level_codes = codebook.assign(residual.clone());
            let vectors = codebook.lookup(level_codes.clone());
            let used = used_at(level, active, time, &input.device());
            sum = sum + vectors.clone() * used;
            commitment = commitment + (input.clone() - sum.clone()).square().mean();
            codes.push(level_codes.reshape([batch, 1, time]));
            residuals.push(residual.clone());
            residual = residual - vectors;
        }
        let straight_through = input.clone() + (sum - input.clone()).detach();
        QuantizedOutput {
            quantized: frames(straight_through, batch),
            codes: Tensor::cat(codes, 1),
            commitment: commitment / self.codebooks.len() as f32,
            codebook: Tensor::zeros([1], &input.device()),
            residuals,
        }
    }
}

impl Link for Codebook {
    fn encode(&self, vectors: Tensor<2>) -> Tensor<1, Int> {
        self.assign(vectors)
    }

    fn decode(&self, codes: Tensor<1, Int>) -> Tensor<2> {
        self.lookup(codes)
    }
}
