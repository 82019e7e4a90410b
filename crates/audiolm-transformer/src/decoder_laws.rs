//! What holds of a stack with every position scheme, grouping of heads and way of conditioning.

use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::activations::Activations;
use crate::condition::{Condition, ConditionConfig, Conditioning, Conditions};
use crate::decoder::Decoder;
use crate::decoder_config::{DecoderConfig, FeedForward, PositionScheme};
use crate::kv_cache::KvCache;
use crate::laws::{self, check_close};

const D_MODEL: usize = 16;
const D_CONDITION: usize = 5;
const BATCH: usize = 3;
const TIME: usize = 23;

/// Every position scheme with every grouping of four heads and every way of conditioning; what is
/// independent of these comes with one of the schemes.
fn configs() -> Vec<DecoderConfig> {
    let mut configs = Vec::new();
    for position in [PositionScheme::RelativeBias, PositionScheme::Rotary] {
        for n_kv_heads in [None, Some(2), Some(1)] {
            for by in [None, Some(Conditioning::CrossAttention), Some(Conditioning::Prefix)] {
                let rotary = position == PositionScheme::Rotary;
                configs.push(DecoderConfig {
                    position,
                    n_kv_heads,
                    d_head: rotary.then_some(6),
                    query_key_norm: rotary,
                    feed_forward: if rotary { FeedForward::Gated } else { FeedForward::Plain },
                    condition: by.map(told),
                    ..DecoderConfig::new(D_MODEL, 2, 4, 32).with_dropout(0.0)
                });
            }
        }
    }
    configs
}

fn told(by: Conditioning) -> ConditionConfig {
    ConditionConfig { dropout: 0.0, ..ConditionConfig::new(D_CONDITION, by) }
}

fn conditional() -> impl Iterator<Item = DecoderConfig> {
    configs().into_iter().filter(|it| it.condition.is_some())
}

fn decoder(config: &DecoderConfig, device: &Device) -> Decoder {
    laws::seeded(config.init(device).unwrap())
}

/// Numbers between -1 and 1 that look random but are always the same.
fn numbers(n: usize, salt: u32) -> Vec<f32> {
    laws::tokens(n, 2001, salt).into_iter().map(|it| it as f32 / 1000.0 - 1.0).collect()
}

fn embedded(device: &Device) -> Tensor<3> {
    let values = numbers(BATCH * TIME * D_MODEL, 1);
    Tensor::<1>::from_data(values.as_slice(), device).reshape([BATCH, TIME, D_MODEL])
}

fn condition(n_vectors: usize, salt: u32) -> Condition {
    Condition::new(numbers(n_vectors * D_CONDITION, salt), D_CONDITION).unwrap()
}

/// Of different lengths, the last of them none.
fn rows() -> [Option<Condition>; BATCH] {
    [Some(condition(2, 5)), Some(condition(4, 6)), None]
}

/// Of a stack that reads none, nothing.
fn conditions(decoder: &Decoder, rows: &[Option<Condition>]) -> Option<Conditions> {
    let unread = vec![None; rows.len()];
    let rows: Vec<_> = rows.iter().map(Option::as_ref).collect();
    decoder.conditions(&rows).or_else(|_| decoder.conditions(&unread)).unwrap()
}

fn values(hidden: Tensor<3>) -> Vec<f32> {
    crate::stage::on_host(hidden.flatten(0, 2))
}

fn whole(decoder: &Decoder, rows: &[Option<Condition>]) -> Tensor<3> {
    decoder.forward(embedded(&decoder.device()), conditions(decoder, rows).as_ref())
}

#[test]
fn steps_equal_whole() {
    for config in configs() {
        let decoder = decoder(&config, &Device::default());
        let (embedded, told) = (embedded(&decoder.device()), conditions(&decoder, &rows()));
        let mut cache = decoder.cache(BATCH, TIME, told.as_ref());
        let mut seen = 0;
        let steps = [1, 9, 1, 1, 7, 4].map(|time| {
            let chunk = embedded.clone().slice_dim(1, seen..seen + time);
            seen += time;
            decoder.step(chunk, &mut cache)
        });
        assert_eq!((cache.seen(), cache.capacity()), (TIME, TIME));
        check_close(&values(Tensor::cat(steps.into(), 1)), &values(whole(&decoder, &rows())));
    }
}

#[test]
fn sequences_of_any_lengths_are_read_together_as_alone() {
    for config in configs() {
        let decoder = decoder(&config, &Device::default());
        let (embedded, expected) = (embedded(&decoder.device()), whole(&decoder, &rows()));
        let excerpt = |of: &Tensor<3>, row: usize, start: usize, length: usize| {
            of.clone().slice_dim(0, row..row + 1).slice_dim(1, start..start + length)
        };
        let (n_first, n_more) = ([3, 9, 6], 12);
        let told = rows().map(|row| conditions(&decoder, &[row]));
        let n_before = |row: usize| decoder.n_prefix(told[row].as_ref()) + n_first[row];
        let longest = (0..BATCH).map(n_before).max().unwrap();
        let begun = |row: usize| {
            let (n_skipped, capacity) = (longest - n_before(row), n_first[row] + n_more);
            let mut cache = decoder.cache_behind(n_skipped, capacity, told[row].as_ref());
            let states = decoder.step(excerpt(&embedded, row, 0, n_first[row]), &mut cache);
            check_close(&values(states), &values(excerpt(&expected, row, 0, n_first[row])));
            cache
        };
        let mut cache = KvCache::joined((0..BATCH).map(begun).collect());
        let mut together = vec![0, 1, 2];
        for step in 0..n_more {
            if step == 5 {
                cache.keep(&[2, 0]);
                together = vec![2, 0];
            }
            let next = |of: &Tensor<3>| {
                let rows = together.iter().map(|row| excerpt(of, *row, n_first[*row] + step, 1));
                Tensor::cat(rows.collect(), 0)
            };
            let states = decoder.step(next(&embedded), &mut cache);
            check_close(&values(states), &values(next(&expected)));
        }
        assert_eq!(cache.seen(), cache.capacity());
    }
}

#[test]
fn rows_are_independent() {
    for config in configs() {
        let decoder = decoder(&config, &Device::default());
        let together = whole(&decoder, &rows());
        for (idx, row) in rows().into_iter().enumerate() {
            let embedded = embedded(&decoder.device()).slice_dim(0, idx..idx + 1);
            let alone = decoder.forward(embedded, conditions(&decoder, &[row]).as_ref());
            check_close(&values(together.clone().slice_dim(0, idx..idx + 1)), &values(alone));
        }
    }
}

#[test]
fn no_position_sees_a_later_one() {
    for config in configs() {
        let decoder = decoder(&config, &Device::default());
        let (before, at) = (embedded(&decoder.device()), 9);
        let change = Tensor::ones([BATCH, 1, D_MODEL], &decoder.device());
        let after = before.clone().slice_assign([0..BATCH, at..at + 1, 0..D_MODEL], change);
        let told = conditions(&decoder, &rows());
        let hidden = |it: Tensor<3>| decoder.forward(it, told.as_ref());
        let (before, after) = (hidden(before), hidden(after));
        let part = |it: &Tensor<3>, from, to| values(it.clone().slice_dim(1, from..to));
        check_close(&part(&after, 0, at), &part(&before, 0, at));
        for later in at..TIME {
            assert_ne!(part(&after, later, later + 1), part(&before, later, later + 1));
        }
    }
}

/// How far each position of a row moves from one to the other.
fn moves(before: &Tensor<3>, after: &Tensor<3>, row: usize) -> Vec<f32> {
    let moved = (before.clone() - after.clone()).abs().slice_dim(0, row..row + 1);
    crate::stage::on_host(moved.max_dim(2).flatten(0, 2))
}

#[test]
fn every_position_sees_every_vector_of_its_condition() {
    for config in conditional() {
        let decoder = decoder(&config, &Device::default());
        let before = whole(&decoder, &rows());
        for vector in 0..4 {
            let mut changed = numbers(4 * D_CONDITION, 6);
            changed[vector * D_CONDITION] += 1.0;
            let [first, _, last] = rows();
            let rows = [first, Some(Condition::new(changed, D_CONDITION).unwrap()), last];
            let after = whole(&decoder, &rows);
            assert!(moves(&before, &after, 1).iter().all(|it| *it > 1e-5));
            assert!([0, 2].iter().all(|row| moves(&before, &after, *row) == [0.0; TIME]));
        }
    }
}

#[test]
fn the_null_condition_is_no_condition_and_no_vector_of_zeros() {
    for config in conditional() {
        let decoder = decoder(&config, &Device::default());
        let embedded = embedded(&decoder.device());
        let null = decoder.forward(embedded.clone(), None);
        let nobody = [const { None }; BATCH];
        check_close(&values(whole(&decoder, &nobody)), &values(null.clone()));
        let zeros = Some(Condition::new(vec![0.0; D_CONDITION], D_CONDITION).unwrap());
        let told = whole(&decoder, &[zeros, Some(condition(1, 7)), None]);
        assert!(moves(&null, &told, 0).iter().all(|it| *it > 1e-4));
        assert!(moves(&null, &told, 1).iter().all(|it| *it > 1e-4));
        check_close(&moves(&null, &told, 2), &[0.0; TIME]);
    }
}

#[test]
fn training_tells_some_sequences_nothing() {
    let device = Device::default().autodiff();
    for mut config in conditional() {
        let dropping = config.condition.as_mut().unwrap();
        dropping.dropout = 0.999_999;
        let decoder = decoder(&config, &device);
        let null = values(decoder.forward(embedded(&device), None));
        check_close(&values(whole(&decoder, &rows())), &null);
        // Whoever does not learn is told everything.
        let decoder = decoder.valid();
        assert!(
            moves(
                &decoder.forward(embedded(&decoder.device()), None),
                &whole(&decoder, &rows()),
                1
            )
            .iter()
            .all(|it| *it > 1e-4)
        );
    }
}

#[test]
fn training_forgets_past_tokens_but_never_the_first() {
    let device = Device::default().autodiff();
    for config in configs() {
        let forgetful = DecoderConfig { forgetting: 0.999_999, ..config.clone() };
        let hidden = |config: &DecoderConfig, embedded: Tensor<3>| {
            let decoder = decoder(config, &device);
            decoder.forward(embedded, conditions(&decoder, &[const { None }; BATCH]).as_ref())
        };
        // All but the first are forgotten, so a change of another moves its own place alone.
        let at = 9;
        let change = Tensor::ones([BATCH, 1, D_MODEL], &device);
        let before = embedded(&device);
        let after = before.clone().slice_assign([0..BATCH, at..at + 1, 0..D_MODEL], change);
        let moved = moves(&hidden(&forgetful, before.clone()), &hidden(&forgetful, after), 0);
        let places: Vec<_> = (0..TIME).filter(|it| moved[*it] > 1e-5).collect();
        assert_eq!(places, [at]);
        let moved = moves(&hidden(&forgetful, before.clone()), &hidden(&config, before), 0);
        assert!(moved[0] < 1e-5 && moved[2..].iter().all(|it| *it > 1e-5));
    }
}

#[test]
fn every_weight_gets_a_gradient() {
    let device = Device::default().autodiff();
    for config in configs() {
        let decoder = decoder(&config, &device);
        let gradients = whole(&decoder, &rows()).powi_scalar(4).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &decoder);
        assert_eq!(gradients.len(), n_tensors(&config), "{config:?}");
    }
}

#[test]
fn layers_that_are_run_again_give_the_same_gradients() {
    let device = Device::default().autodiff();
    for config in configs() {
        let decoder = decoder(&config, &device);
        let of = |mut activations: Activations| {
            let told = conditions(&decoder, &rows());
            let hidden =
                decoder.forward_leaving(embedded(&device), None, told.as_ref(), &mut activations);
            let loss = hidden.powi_scalar(4).mean();
            laws::gradients(&decoder, activations.gradients(&loss, &decoder))
        };
        let found = of(Activations::recomputed(1));
        laws::check_same_gradients(&found, &of(Activations::Kept));
        assert_eq!(found.len(), n_tensors(&config), "{config:?}");
    }
}

/// Tensors of a stack of two layers.
fn n_tensors(config: &DecoderConfig) -> usize {
    let norms = if config.query_key_norm { 2 } else { 0 };
    let cross = match config.condition.map(|it| it.by) {
        Some(Conditioning::CrossAttention) => 4 + norms,
        _ => 0,
    };
    let positions = usize::from(config.position == PositionScheme::RelativeBias);
    let conditioner = if config.condition.is_some() { 3 } else { 0 };
    1 + positions + conditioner + 2 * (6 + norms + cross)
}

#[test]
fn conditions_that_cannot_be_read_are_named() {
    use crate::error::TokenError;
    let device = Device::default();
    let told = condition(2, 1);
    let deaf = decoder(&DecoderConfig::new(D_MODEL, 1, 2, 32), &device);
    assert_eq!(deaf.conditions(&[Some(&told)]).unwrap_err(), TokenError::UnreadCondition);
    let config = ConditionConfig::new(7, Conditioning::Prefix);
    let wide = decoder(&DecoderConfig::new(D_MODEL, 1, 2, 32).with_condition(config), &device);
    let expected = TokenError::ConditionWidth { expected: 7, found: D_CONDITION };
    assert_eq!(wide.conditions(&[None, Some(&told)]).unwrap_err(), expected);
    let error = Condition::new(vec![0.0; 7], 5).unwrap_err();
    assert_eq!(error, TokenError::PartialCondition { values: 7, width: 5 });
}
