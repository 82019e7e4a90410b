//! One codebook of vectors.

use audiolm_nn::kmeans;
use burn::module::Param;
use burn::prelude::*;

/// A table of vectors; a vector's code is the row nearest to it.
#[derive(Module, Debug)]
pub struct Codebook {
    /// `[codebook_size, dimension]`; learnt by averages, never by gradients.
    embedding: Param<Tensor<2>>,
}

impl Codebook {
    pub(crate) fn new(codebook_size: usize, dimension: usize, device: &Device) -> Self {
        Self::from_embedding(Tensor::zeros([codebook_size, dimension], device))
    }

    pub(crate) fn from_embedding(embedding: Tensor<2>) -> Self {
        Self { embedding: Param::from_tensor(embedding.detach()).set_require_grad(false) }
    }

    /// The same codebook with other vectors.
    pub(crate) fn with_embedding(self, embedding: Tensor<2>) -> Self {
        Self { embedding: self.embedding.map(|_| embedding.detach().set_require_grad(false)) }
    }

    /// The vectors: `[codebook_size, dimension]`.
    pub fn embedding(&self) -> Tensor<2> {
        self.embedding.val().detach()
    }

    /// # Shapes
    /// - vectors: `[n, dimension]`
    /// - output: `[n]`
    pub fn assign(&self, vectors: Tensor<2>) -> Tensor<1, Int> {
        kmeans::assign(vectors, &self.embedding())
    }

    /// # Shapes
    /// - codes: `[n]`
    /// - output: `[n, dimension]`
    pub fn lookup(&self, codes: Tensor<1, Int>) -> Tensor<2> {
        self.embedding().select(0, codes)
    }
}
