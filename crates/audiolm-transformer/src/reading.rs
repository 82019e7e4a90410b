//! Sequences in the middle of being read: what all three stages generate with.

use burn::prelude::*;

use crate::condition::Conditions;
use crate::guidance::Guidance;
use crate::kv_cache::KvCache;

/// A model that reads sequences step by step.
pub(crate) trait Reader {
    /// What is read of one sequence in one step: a token or more.
    type Step: Clone;

    /// How many tokens a step is.
    fn n_tokens(step: &Self::Step) -> usize;

    /// How many positions conditions take before the tokens.
    fn n_prefix(&self, conditions: Option<&Conditions>) -> usize;

    /// A cache for one sequence of up to `capacity` tokens, which begins `n_skipped` positions later
    /// than others.
    fn cache_behind(
        &self,
        n_skipped: usize,
        capacity: usize,
        conditions: Option<&Conditions>,
    ) -> KvCache;

    /// Reads a step of each sequence in `cache`, all of one length; the states after its tokens,
    /// `[sequences, time, d_model]`.
    fn read(&self, steps: &[Self::Step], cache: &mut KvCache) -> Tensor<3>;
}

/// How a sequence begins.
pub(crate) struct Beginning<S> {
    /// What is read before anything is drawn.
    pub(crate) step: S,
    /// What it is told, if anything.
    pub(crate) conditions: Option<Conditions>,
    /// How much that counts.
    pub(crate) guidance: Guidance,
}

/// Sequences that are read together, a step of each at a time; where one of them is guided, each a
/// second time without its condition.
#[derive(Debug)]
pub(crate) struct Reading<S> {
    /// Of all sequences, then, where there is guidance, of all of them without their conditions.
    cache: KvCache,
    /// The states after all that was read, `[sequences, d_model]`, in the same order.
    states: Tensor<2>,
    /// What comes next of each sequence, unless it was read.
    unread: Option<Vec<S>>,
    guidances: Vec<Guidance>,
    is_guided: bool,
}

/// Sequences that have begun, and the states after each token of their first steps, `[1, time,
/// d_model]` each.
pub(crate) struct Begun<S> {
    pub(crate) reading: Reading<S>,
    pub(crate) states: Vec<Tensor<3>>,
}

impl<S> Beginning<S> {
    /// Whether anything is to be drawn otherwise than from the conditioned model as it is.
    fn is_guided(&self) -> bool {
        self.conditions.as_ref().is_some_and(Conditions::tell_something) && !self.guidance.is_none()
    }
}

impl<S: Clone> Reading<S> {
    /// Reads the first step of each sequence, alone; there is room for `n_more` tokens then.
    ///
    /// # Panics
    /// If there is no sequence.
    pub(crate) fn begin<R: Reader<Step = S>>(
        reader: &R,
        sequences: &[Beginning<S>],
        n_more: usize,
    ) -> Begun<S> {
        let is_guided = sequences.iter().any(Beginning::is_guided);
        let told = sequences.iter().map(|it| (&it.step, it.conditions.as_ref()));
        let untold = sequences.iter().filter(|_| is_guided).map(|it| (&it.step, None));
        let lanes: Vec<_> = told.chain(untold).collect();
        let n_first = |it: &(&S, Option<&Conditions>)| reader.n_prefix(it.1) + R::n_tokens(it.0);
        let longest = lanes.iter().map(n_first).max().unwrap_or(0);
        let (mut caches, mut states) = (Vec::new(), Vec::new());
        for lane in lanes {
            let capacity = R::n_tokens(lane.0) + n_more;
            let mut cache = reader.cache_behind(longest - n_first(&lane), capacity, lane.1);
            states.push(reader.read(std::slice::from_ref(lane.0), &mut cache));
            caches.push(cache);
        }
        let reading = Self {
            cache: KvCache::joined(caches),
            states: Tensor::cat(states.iter().cloned().map(last).collect(), 0),
            unread: None,
            guidances: sequences.iter().map(|it| it.guidance).collect(),
            is_guided,
        };
        Begun { reading, states }
    }

    /// The cache of all of them.
    pub(crate) fn cache(&self) -> &KvCache {
        &self.cache
    }

    /// What comes next of each sequence.
    pub(crate) fn put(&mut self, next: Vec<S>) {
        self.unread = Some(next);
    }

    /// The states after all of it, once what was put is read too: `[sequences, d_model]`, those
    /// without conditions behind the others.
    pub(crate) fn states<R: Reader<Step = S>>(&mut self, reader: &R) -> Tensor<2> {
        if let Some(unread) = self.unread.take() {
            self.states = last(reader.read(&self.twice(unread), &mut self.cache));
        }
        self.states.clone()
    }

    /// One value of each sequence, and once more where each is also read without its condition.
    pub(crate) fn twice<T: Clone>(&self, values: Vec<T>) -> Vec<T> {
        if self.is_guided { [values.clone(), values].concat() } else { values }
    }

    /// What the sequence at `idx` is drawn from, of the logits of all states.
    pub(crate) fn guided(&self, logits: &[Vec<f32>], idx: usize) -> Vec<f32> {
        let guidance = self.guidances[idx];
        match self.is_guided && !guidance.is_none() {
            true => guidance.guided(&logits[idx], &logits[self.guidances.len() + idx]),
            false => logits[idx].clone(),
        }
    }

    /// Goes on with the sequences at these places only.
    pub(crate) fn keep(&mut self, places: &[usize]) {
        let n_sequences = self.guidances.len();
        let untold = places.iter().filter(|_| self.is_guided).map(|it| n_sequences + it);
        let lanes: Vec<usize> = places.iter().copied().chain(untold).collect();
        self.cache.keep(&lanes);
        let at: Vec<i32> = lanes.iter().map(|it| *it as i32).collect();
        let at = Tensor::<1, Int>::from_data(at.as_slice(), &self.states.device());
        self.states = self.states.clone().select(0, at);
        let unread = self.unread.take();
        self.unread = unread.map(|it| places.iter().map(|place| it[*place].clone()).collect());
        self.guidances = places.iter().map(|it| self.guidances[*it]).collect();
    }
}

/// The last state of each sequence.
fn last(states: Tensor<3>) -> Tensor<2> {
    let [_, time, _] = states.dims();
    states.slice_dim(1, time - 1..time).squeeze_dim(1)
}
