//! How codebooks learn: exponential moving averages of what is assigned to each entry.

use audiolm_nn::Generator;
use burn::module::Param;
use burn::prelude::*;
use burn::tensor::IndexingUpdateOp::Add;
use rand::RngExt;

use crate::quantizer::{Codebook, QuantizedOutput, Quantizer};

/// Least share of the old average kept at each step (section III-C).
const DECAY: f64 = 0.99;

/// Vectors that an entry averages over at least. Small batches keep more than [`DECAY`] of the old
/// average: an entry that follows the last few vectors alone wanders.
const VECTORS_PER_ENTRY: f64 = 256.0;

/// An entry is dead when it was lately used less than this share of the mean use. Lately is what
/// [`DECAY`] remembers, whatever the entries average over.
///
/// The paper names an absolute count of 2 without its batch. A share means the same for every
/// batch: with fewer vectors than entries, a count of 2 would replace living entries at each step.
const DEAD_SHARE: f64 = 0.1;

/// Keeps the average of an unused entry finite.
const EPSILON: f64 = 1e-5;

/// The averages behind one codebook.
#[derive(Module, Debug)]
pub struct CodebookEma {
    /// How often each entry was lately used, `[codebook_size]`.
    uses: Param<Tensor<1>>,
    /// How many vectors each entry averages over, `[codebook_size]`.
    counts: Param<Tensor<1>>,
    /// The sum of what is assigned to each entry, `[codebook_size, dimension]`.
    sums: Param<Tensor<2>>,
    /// Share of the old average kept at each step.
    decay: f64,
}

/// The averages behind the codebooks of a [`Quantizer`]: training state, kept outside the codec.
/// There are none, and nothing to learn, where a quantizer learns by gradients.
#[derive(Module, Debug)]
pub struct ResidualEma {
    codebooks: Vec<CodebookEma>,
}

impl ResidualEma {
    /// The averages of a quantizer whose entries are all used alike, by batches of
    /// `vectors_per_step`.
    pub fn new(quantizer: &Quantizer, vectors_per_step: usize) -> Self {
        let codebooks = quantizer.codebooks().iter();
        Self { codebooks: codebooks.map(|it| CodebookEma::new(it, vectors_per_step)).collect() }
    }

    /// Moves every codebook towards what was assigned to it, and dead entries onto vectors of this
    /// batch.
    ///
    /// Every level learns from every example, dropped or not: what enters it does not depend on
    /// the dropout.
    pub fn learn(
        self,
        quantizer: Quantizer,
        seen: &QuantizedOutput,
        rng: &mut Generator,
    ) -> (Self, Quantizer) {
        let levels = self.codebooks.into_iter().zip(quantizer.codebooks().to_vec()).enumerate();
        let (averages, codebooks) = levels
            .map(|(level, (average, codebook))| {
                let codes = seen.codes.clone().slice_dim(1, level..level + 1).flatten(0, 2);
                let average = average.updated(codes, seen.residuals[level].clone());
                average.revive(codebook, &seen.residuals[level], rng)
            })
            .unzip();
        (Self { codebooks: averages }, quantizer.with_codebooks(codebooks))
    }
}

impl CodebookEma {
    fn new(codebook: &Codebook, vectors_per_step: usize) -> Self {
        let embedding = codebook.embedding();
        let [size, _] = embedding.dims();
        let mean_use = vectors_per_step as f64 / size as f64;
        let counts = Tensor::<1>::full([size], mean_use, &embedding.device());
        Self {
            uses: frozen(counts.clone()),
            counts: frozen(counts),
            sums: frozen(embedding * mean_use),
            decay: DECAY.max(1.0 - mean_use / VECTORS_PER_ENTRY),
        }
    }

    /// Averages with the `vectors` `[n, dimension]` assigned to `codes` `[n]`.
    fn updated(self, codes: Tensor<1, Int>, vectors: Tensor<2>) -> Self {
        let (uses, counts, sums) = (self.uses.val(), self.counts.val(), self.sums.val());
        let [n, dimension] = vectors.dims();
        let rows = codes.clone().unsqueeze_dim::<2>(1).repeat_dim(1, dimension);
        let ones = Tensor::<1>::ones([n], &vectors.device());
        let new_counts = counts.zeros_like().scatter(0, codes, ones, Add);
        let new_sums = sums.zeros_like().scatter(0, rows, vectors, Add);
        let keep = self.decay;
        Self {
            uses: replaced(self.uses, uses * DECAY + new_counts.clone() * (1.0 - DECAY)),
            counts: replaced(self.counts, counts * keep + new_counts * (1.0 - keep)),
            sums: replaced(self.sums, sums * keep + new_sums * (1.0 - keep)),
            decay: keep,
        }
    }

    /// The codebook of these averages, dead entries replaced by random vectors of the batch.
    fn revive(
        self,
        codebook: Codebook,
        vectors: &Tensor<2>,
        rng: &mut Generator,
    ) -> (Self, Codebook) {
        let (uses, counts, sums) = (self.uses.val(), self.counts.val(), self.sums.val());
        let [size, dimension] = sums.dims();
        let mean_use = uses.clone().mean().expand([size]);
        let dead = uses.clone().lower(mean_use.clone() * DEAD_SHARE);
        let uses = uses.mask_where(dead.clone(), mean_use.clone());
        let counts = counts.mask_where(dead.clone(), mean_use);
        let column = counts.clone().unsqueeze_dim::<2>(1);
        let drawn = random_rows(vectors, size, rng) * column.clone();
        let dead = dead.unsqueeze_dim::<2>(1).expand([size, dimension]);
        let sums = sums.mask_where(dead, drawn);
        let embedding = sums.clone() / (column + EPSILON);
        let averages = Self {
            uses: replaced(self.uses, uses),
            counts: replaced(self.counts, counts),
            sums: replaced(self.sums, sums),
            decay: self.decay,
        };
        (averages, codebook.with_embedding(embedding))
    }
}

/// `n` rows of `vectors`, drawn with replacement.
fn random_rows(vectors: &Tensor<2>, n: usize, rng: &mut Generator) -> Tensor<2> {
    let [available, _] = vectors.dims();
    let rows: Vec<i64> = (0..n).map(|_| rng.random_range(0..available) as i64).collect();
    let rows = Tensor::<1, Int>::from_data(TensorData::from(rows.as_slice()), &vectors.device());
    vectors.clone().select(0, rows)
}

fn frozen<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(value.detach()).set_require_grad(false)
}

fn replaced<const D: usize>(param: Param<Tensor<D>>, value: Tensor<D>) -> Param<Tensor<D>> {
    param.map(|_| value.detach().set_require_grad(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QuantizerConfig;

    const SIZE: usize = 16;

    #[test]
    fn an_entry_that_is_never_used_is_revived() {
        let device = Device::default();
        // One vector for each entry, but the first lies far from all of them.
        let vectors = Tensor::<1, Int>::arange(0..SIZE as i64, &device).float().unsqueeze_dim(1);
        let apart = Tensor::<2>::from_data([[1e3]], &device);
        let embedding = Tensor::cat(vec![apart, vectors.clone().slice_dim(0, 1..SIZE)], 0);
        let quantizer = QuantizerConfig::residual(1, SIZE).init(1, &device).unwrap();
        let quantizer = quantizer.with_codebooks(vec![Codebook::from_embedding(embedding)]);
        let seen = quantizer.forward(vectors.unsqueeze_dim(0), &[1]);

        let far = |it: &Quantizer| {
            it.codebooks()[0].embedding().greater_elem(100.0).int().sum().into_scalar::<i64>()
        };
        let mut state = (ResidualEma::new(&quantizer, SIZE), quantizer);
        assert_eq!(far(&state.1), 1);
        for step in 0..240 {
            let rng = &mut audiolm_nn::generator(0, "revival", step);
            state = state.0.learn(state.1, &seen, rng);
        }
        assert_eq!(far(&state.1), 0);
    }
}
