//! What a decoder remembers of a sequence between two steps.

use burn::prelude::*;

use crate::attention::Relation;
use crate::cross_attention::CrossSeen;
use crate::position::Positions;

/// Keys and values of positions already seen, time last.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `[batch, heads, features, time]`: those of the head, then those of the clock if there is one.
    pub(crate) keys: Tensor<4>,
    /// `[batch, heads, d_head + 1, time]`; the last feature is always 1.
    pub(crate) values: Tensor<4>,
}

impl Seen {
    /// Of `[batch, heads, time, features]` keys and `[batch, heads, time, d_head]` values.
    pub(crate) fn new(keys: Tensor<4>, values: Tensor<4>) -> Self {
        let [batch, heads, time, _] = values.dims();
        let ones = Tensor::ones([batch, heads, time, 1], &values.device());
        let values = Tensor::cat(vec![values, ones], 3);
        Self { keys: keys.swap_dims(2, 3), values: values.swap_dims(2, 3) }
    }

    /// The first `time` positions.
    pub(crate) fn first(&self, time: usize) -> Seen {
        Seen {
            keys: self.keys.clone().slice_dim(3, 0..time),
            values: self.values.clone().slice_dim(3, 0..time),
        }
    }
}

/// The state of one sequence (or batch of sequences of equal length) in a
/// [`Decoder`](crate::Decoder), and what it is told.
///
/// Room for `capacity` positions is taken once and written in place: a step costs the same with a
/// full cache as with an empty one, but for the attention itself. A reset is a new cache.
#[derive(Debug)]
pub struct KvCache {
    pub(crate) layers: Vec<LayerCache>,
    /// What each layer sees of conditions, computed once.
    pub(crate) crossed: Vec<CrossSeen>,
    pub(crate) positions: Positions,
    /// What keeps sequences from seeing filling, `[batch, 1, 1, positions]`.
    pub(crate) hidden: Option<Tensor<4>>,
    /// Positions before the tokens: those that are left out, then those of conditions.
    pub(crate) n_prefix: usize,
    pub(crate) capacity: usize,
}

impl KvCache {
    /// How many positions fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many numbers it holds: the same from the first step to the last.
    pub fn n_numbers(&self) -> usize {
        let layer =
            |it: &LayerCache| [&it.stored.keys, &it.stored.values].map(size).iter().sum::<usize>();
        self.layers.iter().map(layer).sum()
    }

    /// How many positions have been seen.
    pub fn seen(&self) -> usize {
        self.stored() - self.n_prefix
    }

    /// How many positions have been seen, those before the tokens among them.
    pub(crate) fn stored(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.seen)
    }

    /// How the next `time` positions stand to those that have been seen.
    pub(crate) fn relation(&self, time: usize) -> Relation {
        let stored = self.stored();
        let hidden = self.hidden.clone().map(|it| it.slice_dim(3, 0..stored + time));
        Relation { hidden, ..self.positions.relation(stored, time) }
    }
}

/// How much room a cache has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Sequences.
    pub(crate) batch: usize,
    /// Positions of tokens.
    pub(crate) capacity: usize,
    /// Positions that are left out at the beginning: see [`KvCache::joined`].
    pub(crate) n_skipped: usize,
    /// Further features of keys.
    pub(crate) n_clock_features: usize,
}

/// The keys and values of one layer, in tensors that nobody else holds between steps.
#[derive(Debug)]
pub(crate) struct LayerCache {
    pub(crate) stored: Seen,
    pub(crate) seen: usize,
}

impl LayerCache {
    /// Room for the positions of `[batch, heads, d_head, capacity]`, with further features of keys.
    pub(crate) fn new(dims: [usize; 4], n_clock_features: usize, device: &Device) -> Self {
        let [batch, heads, d_head, capacity] = dims;
        let keys = Tensor::zeros([batch, heads, d_head + n_clock_features, capacity], device);
        let values = Tensor::zeros([batch, heads, d_head + 1, capacity], device);
        Self { stored: Seen { keys, values }, seen: 0 }
    }

    /// The same, without the first positions.
    pub(crate) fn behind(self, n_skipped: usize) -> Self {
        Self { seen: n_skipped, ..self }
    }

    /// Writes the next positions and gives back all of them.
    pub(crate) fn append(&mut self, new: Seen) -> Seen {
        let start = self.seen;
        self.seen += new.keys.dims()[3];
        // burn writes in place if a tensor has one owner, so the cache lets go of it meanwhile.
        let stored = std::mem::replace(&mut self.stored, new.clone());
        self.stored = Seen {
            keys: written(stored.keys, start, new.keys),
            values: written(stored.values, start, new.values),
        };
        self.stored.first(self.seen)
    }
}

fn size(tensor: &Tensor<4>) -> usize {
    tensor.dims().iter().product()
}

fn written(stored: Tensor<4>, start: usize, new: Tensor<4>) -> Tensor<4> {
    let [batch, heads, features, time] = new.dims();
    stored.slice_assign([0..batch, 0..heads, 0..features, start..start + time], new)
}
