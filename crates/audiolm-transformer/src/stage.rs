//! What the stages have in common, seen from a trainer or an evaluation.

use burn::prelude::*;

use crate::activations::Activations;
use crate::error::TokenError;

/// A language model over one kind of token sequence.
pub trait Stage: Module {
    /// What it learns from.
    type Batch;

    /// What a training step needs; differentiable if the stage lives on an autodiff device.
    ///
    /// # Errors
    /// Where tokens are none of this stage's, or there is nothing to predict.
    fn loss(&self, batch: &Self::Batch) -> Result<StageLoss, TokenError> {
        self.loss_leaving(batch, &mut Activations::Kept)
    }

    /// The same, for gradients that come by [`Activations::gradients`].
    ///
    /// # Errors
    /// As of [`loss`](Self::loss).
    fn loss_leaving(
        &self,
        batch: &Self::Batch,
        activations: &mut Activations,
    ) -> Result<StageLoss, TokenError>;

    /// The log-likelihood in nats of every predicted token, row by row in the order of the row.
    fn log_likelihoods(&self, batch: &Self::Batch) -> Result<Vec<Vec<f32>>, TokenError>;
}

/// The loss of one batch. All of it stays on the device until it is read.
#[derive(Debug, Clone)]
pub struct StageLoss {
    /// What to minimise, `[1]`.
    pub loss: Tensor<1>,
    /// Mean negative log-likelihood of a token in nats, `[1]`, without a gradient.
    pub nll: Tensor<1>,
    /// How many tokens were predicted.
    pub tokens: usize,
    /// Mean negative log-likelihood of a duration in nats, `[1]`, without a gradient; only the
    /// semantic stage has durations.
    pub duration_nll: Option<Tensor<1>>,
}

/// The negative log-likelihood of each target: `log Σ exp(logits) − logits[target]`.
///
/// # Shapes
/// - logits: `[n, classes]`; targets, output: `[n]`
pub(crate) fn nll(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    let n = targets.len();
    let targets = Tensor::<1, Int>::from_data(targets, &logits.device()).reshape([n, 1]);
    let greatest = logits.clone().detach().max_dim(1);
    let sums = (logits.clone() - greatest.clone()).exp().sum_dim(1);
    (sums.log() + greatest - logits.gather(1, targets)).reshape([n])
}

/// Takes positions out of `hidden`, each named by `row · time + position`.
///
/// # Shapes
/// - hidden: `[batch, time, d_model]`; output: `[positions, d_model]`
pub(crate) fn at_positions(hidden: Tensor<3>, positions: &[i32]) -> Tensor<2> {
    let [batch, time, d_model] = hidden.dims();
    let positions = Tensor::<1, Int>::from_data(positions, &hidden.device());
    hidden.reshape([batch * time, d_model]).select(0, positions)
}

/// The values of `tensor` on the host.
pub(crate) fn on_host(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().unwrap_or_default()
}

/// The rows of a matrix on the host.
pub(crate) fn rows_on_host(matrix: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = matrix.dims();
    on_host(matrix.flatten(0, 1)).chunks_exact(width).map(<[f32]>::to_vec).collect()
}

/// Parts `values` into rows of the given lengths.
pub(crate) fn in_rows(values: &[f32], lengths: impl Iterator<Item = usize>) -> Vec<Vec<f32>> {
    let mut rest = values;
    let row = |length| {
        let (row, after) = rest.split_at(length);
        rest = after;
        row.to_vec()
    };
    lengths.map(row).collect()
}

/// Rows of tokens, filled up on the right to the longest.
///
/// The filling is token 0. No position that is real can see it, and no loss is taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Padded {
    pub(crate) tokens: Vec<i32>,
    pub(crate) batch: usize,
    pub(crate) time: usize,
}

impl Padded {
    pub(crate) fn new<'a>(rows: impl Iterator<Item = &'a Vec<u32>> + Clone) -> Self {
        let (batch, time) = (rows.clone().count(), rows.clone().map(Vec::len).max().unwrap_or(0));
        let filled = |row: &'a Vec<u32>| {
            row.iter().map(|token| *token as i32).chain(std::iter::repeat(0)).take(time)
        };
        Self { tokens: rows.flat_map(filled).collect(), batch, time }
    }

    /// The rows of `table` for all tokens.
    ///
    /// # Shapes
    /// - table: `[vocabulary, d_model]`; output: `[batch, time, d_model]`
    pub(crate) fn embed(&self, table: Tensor<2>) -> Tensor<3> {
        let [_, d_model] = table.dims();
        let tokens = Tensor::<1, Int>::from_data(self.tokens.as_slice(), &table.device());
        table.select(0, tokens).reshape([self.batch, self.time, d_model])
    }
}

/// A table of embeddings whose rows have about length 1, so that it can also score.
pub(crate) fn embedding_table(
    vocabulary: usize,
    d_model: usize,
    device: &Device,
) -> burn::module::Param<Tensor<2>> {
    let std = (d_model as f64).powf(-0.5);
    burn::nn::Initializer::Normal { mean: 0.0, std }.init([vocabulary, d_model], device)
}
