//! Sequences of different lengths that are read together.
//!
//! They are aligned at their ends, so that whatever they read next stands at one position. What
//! comes before the beginning of the shorter ones is filling: room in the cache that is never
//! written, and that no query sees. Every position scheme of the stack counts from query to key, so
//! where a sequence begins makes no difference to it.

use burn::prelude::*;

use crate::attention::UNSEEN;
use crate::cross_attention::CrossSeen;
use crate::kv_cache::{KvCache, LayerCache, Seen};

impl KvCache {
    /// The sequences of all of these in one batch, in order; each must have seen as many positions,
    /// those that it left out included, and have room for as many more.
    ///
    /// # Panics
    /// If there are none, or they are out of step.
    pub fn joined(mut caches: Vec<KvCache>) -> KvCache {
        let state = |it: &KvCache| (it.stored(), it.n_prefix + it.capacity, it.layers.len());
        assert!(!caches.is_empty(), "nothing to join");
        assert!(caches.iter().all(|it| state(it) == state(&caches[0])), "sequences out of step");
        if caches.len() == 1 {
            return caches.swap_remove(0);
        }
        let n_prefix = caches.iter().map(|it| it.n_prefix).min().unwrap_or(0);
        let (_, longest, n_layers) = state(&caches[0]);
        KvCache {
            layers: (0..n_layers).map(|at| joined_layer(&caches, at)).collect(),
            crossed: (0..caches[0].crossed.len()).map(|at| joined_crossed(&caches, at)).collect(),
            hidden: joined_hidden(&caches, longest),
            positions: caches.swap_remove(0).positions,
            n_prefix,
            capacity: longest - n_prefix,
        }
    }

    /// Keeps only the sequences at these places of the batch, in this order.
    ///
    /// # Panics
    /// If a place is beyond the batch.
    pub fn keep(&mut self, places: &[usize]) {
        let Some(layer) = self.layers.first() else { return };
        let at: Vec<i32> = places.iter().map(|it| *it as i32).collect();
        let at = Tensor::<1, Int>::from_data(at.as_slice(), &layer.stored.keys.device());
        self.layers.iter_mut().for_each(|it| it.stored = kept(&it.stored, &at));
        for crossed in &mut self.crossed {
            crossed.seen = kept(&crossed.seen, &at);
            crossed.hidden = crossed.hidden.take().map(|it| it.select(0, at.clone()));
        }
        self.hidden = self.hidden.take().map(|it| it.select(0, at));
    }
}

fn kept(seen: &Seen, at: &Tensor<1, Int>) -> Seen {
    let of = |it: &Tensor<4>| it.clone().select(0, at.clone());
    Seen { keys: of(&seen.keys), values: of(&seen.values) }
}

fn joined_layer(caches: &[KvCache], at: usize) -> LayerCache {
    let layers = caches.iter().map(|it| &it.layers[at]);
    let all = |of: fn(&Seen) -> &Tensor<4>| {
        Tensor::cat(layers.clone().map(|it| of(&it.stored).clone()).collect(), 0)
    };
    let stored = Seen { keys: all(|it| &it.keys), values: all(|it| &it.values) };
    LayerCache { stored, seen: caches[0].layers[at].seen }
}

fn joined_hidden(caches: &[KvCache], longest: usize) -> Option<Tensor<4>> {
    let device = caches.iter().find_map(|it| it.hidden.as_ref())?.device();
    let of = |it: &KvCache| {
        let [batch, ..] = it.layers[0].stored.keys.dims();
        it.hidden.clone().unwrap_or_else(|| Tensor::zeros([batch, 1, 1, longest], &device))
    };
    Some(Tensor::cat(caches.iter().map(of).collect(), 0))
}

/// What a layer sees of conditions of different lengths: they too are aligned at their ends.
fn joined_crossed(caches: &[KvCache], at: usize) -> CrossSeen {
    let all: Vec<&CrossSeen> = caches.iter().map(|it| &it.crossed[at]).collect();
    let longest = all.iter().map(|it| it.seen.keys.dims()[3]).max().unwrap_or(0);
    let joined = |of: &dyn Fn(&CrossSeen) -> Tensor<4>, filling: f32| {
        Tensor::cat(all.iter().map(|it| filled(of(it), longest, filling)).collect(), 0)
    };
    let hidden = |it: &CrossSeen| {
        let [batch, _, _, time] = it.seen.keys.dims();
        let seen = || Tensor::zeros([batch, 1, 1, time], &it.seen.keys.device());
        it.hidden.clone().unwrap_or_else(seen)
    };
    CrossSeen {
        seen: Seen {
            keys: joined(&|it| it.seen.keys.clone(), 0.0),
            values: joined(&|it| it.seen.values.clone(), 0.0),
        },
        hidden: Some(joined(&hidden, UNSEEN)),
    }
}

/// The same behind as much filling as makes it `longest` places long.
fn filled(tensor: Tensor<4>, longest: usize, filling: f32) -> Tensor<4> {
    let [batch, heads, features, time] = tensor.dims();
    if time == longest {
        return tensor;
    }
    let before = [batch, heads, features, longest - time];
    Tensor::cat(vec![Tensor::full(before, filling, &tensor.device()), tensor], 3)
}
