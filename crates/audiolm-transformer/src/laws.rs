//! The laws that every stage keeps, checked by the tests of each.

use audiolm_nn::{Generator, generator};
use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use rand::RngExt;

use crate::activations::Activations;
use crate::condition::{Condition, ConditionConfig, Conditioning};
use crate::decoder_config::DecoderConfig;
use crate::stage::Stage;

/// Cached and uncached passes sum the same numbers in another order.
const ROUNDING: f32 = 1e-4;

/// A stack that is quick to run, with every part in it.
pub(crate) fn tiny_decoder() -> DecoderConfig {
    DecoderConfig::new(16, 2, 2, 32).with_dropout(0.0)
}

/// Width of [`condition`]s.
pub(crate) const D_CONDITION: usize = 3;

/// The same stack, told something.
pub(crate) fn told_decoder(by: Conditioning) -> DecoderConfig {
    let condition = ConditionConfig { dropout: 0.0, ..ConditionConfig::new(D_CONDITION, by) };
    tiny_decoder().with_condition(condition)
}

/// Both ways to be told.
pub(crate) const WAYS: [Conditioning; 2] = [Conditioning::CrossAttention, Conditioning::Prefix];

/// A condition that looks random but is always the same.
pub(crate) fn condition(n_vectors: usize, salt: u32) -> Condition {
    let values = tokens(n_vectors * D_CONDITION, 2001, salt);
    let values = values.into_iter().map(|it| it as f32 / 1000.0 - 1.0).collect();
    Condition::new(values, D_CONDITION).unwrap()
}

/// Codes or ids that look random but are always the same.
pub(crate) fn tokens(n: usize, bound: u32, salt: u32) -> Vec<u32> {
    let mix = |it: u32| (it.wrapping_add(salt).wrapping_mul(2_654_435_761) >> 7) % bound;
    (0..n as u32).map(mix).collect()
}

pub(crate) fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let sum: f32 = logits.iter().map(|it| it.exp()).sum();
    logits.iter().map(|it| it - sum.ln()).collect()
}

#[track_caller]
pub(crate) fn check_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < ROUNDING, "{found} for {expected} at {at}");
    }
}

/// Rows of a batch score as they do alone: no row sees its padding or its neighbours.
#[track_caller]
pub(crate) fn check_rows_are_independent<S: Stage>(
    stage: &S,
    together: &S::Batch,
    alone: &[S::Batch],
) {
    let together = stage.log_likelihoods(together).unwrap();
    assert_eq!(together.len(), alone.len());
    for (row, batch) in together.iter().zip(alone) {
        check_close(row, &stage.log_likelihoods(batch).unwrap()[0]);
    }
}

/// Changing the token behind the first `n_same` predictions changes none of them, and some other.
#[track_caller]
pub(crate) fn check_causal<S: Stage>(
    stage: &S,
    before: &S::Batch,
    after: &S::Batch,
    n_same: usize,
) {
    let before = stage.log_likelihoods(before).unwrap().concat();
    let after = stage.log_likelihoods(after).unwrap().concat();
    check_close(&after[..n_same], &before[..n_same]);
    assert!(before[n_same..] != after[n_same..], "the changed token is read by nobody");
}

/// A stage that has been trained on one batch until it knows it by heart.
#[track_caller]
pub(crate) fn overfitted<S: Stage>(mut stage: S, batch: &S::Batch) -> S {
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.0).init();
    let mut value = f32::INFINITY;
    for _ in 0..150 {
        let loss = stage.loss(batch).unwrap().loss;
        value = loss.clone().into_scalar::<f32>();
        if value < 0.1 {
            return stage;
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &stage);
        stage = optimizer.step(1e-2, stage, gradients);
    }
    panic!("the loss is still {value}");
}

/// Layers that are run again give the gradients of those whose activations were kept.
#[track_caller]
pub(crate) fn check_recomputation<S: Stage>(stage: &S, batch: &S::Batch) {
    let of = |mut activations: Activations| {
        let loss = stage.loss_leaving(batch, &mut activations).unwrap().loss;
        gradients(stage, activations.gradients(&loss, stage))
    };
    check_same_gradients(&of(Activations::recomputed(1)), &of(Activations::Kept));
}

/// Of as many tensors, value by value.
#[track_caller]
pub(crate) fn check_same_gradients(found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len());
    assert!(expected.concat().iter().any(|it| it.abs() > 10.0 * ROUNDING), "no gradients to tell");
    found.iter().zip(expected).for_each(|(found, expected)| check_close(found, expected));
}

/// The gradient of each parameter of a module that has one.
pub(crate) fn gradients<M: Module>(module: &M, gradients: GradientsParams) -> Vec<Vec<f32>> {
    let mut values = ReadGradients { gradients, values: Vec::new() };
    module.visit(&mut values);
    values.values
}

struct ReadGradients {
    gradients: GradientsParams,
    values: Vec<Vec<f32>>,
}

impl ModuleVisitor for ReadGradients {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.values.push(gradient.into_data().try_to_vec().unwrap());
        }
    }
}

/// The module with the same random weights in every run.
///
/// The device's own generator is shared by all tests of a process, so its seed fixes nothing here.
pub(crate) fn seeded<M: Module>(module: M) -> M {
    module.map(&mut Redrawn(generator(1, "weights", 0)))
}

/// Draws every parameter anew, on the host: norms near 1, matrices so that sizes are kept.
struct Redrawn(Generator);

impl ModuleMapper for Redrawn {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|old| {
            let dims = old.dims();
            let narrowest = dims.iter().copied().min().unwrap_or(1) as f32;
            let (middle, spread) =
                if D == 1 { (1.0, 0.1) } else { (0.0, 3f32.sqrt() / narrowest.sqrt()) };
            let mut draw = || middle + spread * (2.0 * self.0.random::<f32>() - 1.0);
            let values: Vec<f32> = (0..dims.iter().product()).map(|_| draw()).collect();
            let new = Tensor::<1>::from_data(values.as_slice(), &old.device()).reshape(dims);
            if old.is_require_grad() { new.require_grad() } else { new }
        })
    }
}
