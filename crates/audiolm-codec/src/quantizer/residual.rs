//! Codebooks in a row, each quantising what the ones before it left over.

use audiolm_nn::{Generator, kmeans};
use burn::prelude::*;

use crate::{Codebook, ResidualQuantizerConfig};

/// Lloyd's iterations of the initialisation.
const KMEANS_ITERATIONS: usize = 10;

/// Residual vector quantisation (arXiv 2107.03312, algorithm 1).
#[derive(Module, Debug)]
pub struct ResidualQuantizer {
    codebooks: Vec<Codebook>,
}

/// What a training pass of a [`ResidualQuantizer`] yields.
#[derive(Debug, Clone)]
pub struct QuantizedOutput {
    /// `[batch, time, dimension]`; its gradient passes straight through to the input.
    pub quantized: Tensor<3>,
    /// `[batch, quantizer, time]`, of every quantizer, dropped or not.
    pub codes: Tensor<3, Int>,
    /// Mean squared distance of the input to its sums of codebook vectors, `[1]`.
    pub commitment: Tensor<1>,
    /// What entered each quantizer, `[batch * time, dimension]`, to learn codebooks from.
    pub residuals: Vec<Tensor<2>>,
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
        mut on_codebook: impl FnMut(usize),
    ) -> Self {
        let mut residual = vectors.detach();
        let fit = |(index, codebook): (usize, Codebook)| {
            let [size, _] = codebook.embedding().dims();
            let fitted = kmeans::fit(residual.clone(), size, KMEANS_ITERATIONS, rng);
            let codebook = codebook.with_embedding(fitted);
            let codes = codebook.assign(residual.clone());
            residual = residual.clone() - codebook.lookup(codes);
            on_codebook(index + 1);
            codebook
        };
        Self { codebooks: self.codebooks.into_iter().enumerate().map(fit).collect() }
    }

    /// # Shapes
    /// - frames: `[batch, time, dimension]`
    /// - output: `[batch, quantizer, time]`
    pub fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        let [batch, time, _] = frames.dims();
        let mut residual = rows(frames).detach();
        let codes = self.codebooks.iter().map(|codebook| {
            let codes = codebook.assign(residual.clone());
            residual = residual.clone() - codebook.lookup(codes.clone());
            codes.reshape([batch, 1, time])
        });
        Tensor::cat(codes.collect(), 1)
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
        let [batch, n, time] = codes.dims();
        let available = self.codebooks.len();
        assert!((1..=available).contains(&n), "{n} rows of codes for {available} quantizers");
        let vectors = codes.split(1, 1).into_iter().zip(&self.codebooks);
        let sum = vectors
            .map(|(codes, codebook)| codebook.lookup(codes.reshape([batch * time])))
            .reduce(|sum, it| sum + it);
        frames(sum.expect("at least one row of codes"), batch)
    }

    /// Quantises with gradients, each example by its own number of leading quantizers (quantizer
    /// dropout, section III-C).
    ///
    /// # Shapes
    /// - frames: `[batch, time, dimension]`
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
            sum = sum + vectors.clone() * used.clone();
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
            residuals,
        }
    }
}

/// One for each row whose example uses quantizer `level`: `[batch * time, 1]`.
fn used_at(level: usize, active: &[usize], time: usize, device: &Device) -> Tensor<2> {
    let used = active.iter().flat_map(|it| std::iter::repeat_n(f32::from(level < *it), time));
    let used: Vec<f32> = used.collect();
    let rows = used.len();
    Tensor::from_data(TensorData::new(used, [rows, 1]), device)
}

/// `[batch, time, dimension]` as `[batch * time, dimension]`.
pub(crate) fn rows(frames: Tensor<3>) -> Tensor<2> {
    frames.flatten(0, 1)
}

/// `[batch * time, dimension]` as `[batch, time, dimension]`.
fn frames(rows: Tensor<2>, batch: usize) -> Tensor<3> {
    let [n, dimension] = rows.dims();
    rows.reshape([batch, n / batch, dimension])
}
