//! The decoder-only stack that all three stages share.

use audiolm_nn::{Buckets, Direction, Weights};
use burn::nn::{Dropout, DropoutConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::activations::{Activations, Beside};
use crate::attention::{Relation, UNSEEN};
use crate::block::Block;
use crate::clock::{Clock, ClockFeatures};
use crate::condition::{Condition, Conditioning, Conditions};
use crate::conditioner::{Conditioner, Told};
use crate::cross_attention::CrossSeen;
use crate::decoder_config::{DecoderConfig, PositionScheme};
use crate::error::{ConfigError, TokenError};
use crate::heads::Heads;
use crate::kv_cache::{KvCache, LayerCache, Room};
use crate::pass::{Pass, hidden_behind};
use crate::position::{Positions, RelativePositionBias};

/// A pre-norm transformer in which no position sees a later one.
///
/// It works on embedded tokens and returns hidden states: vocabularies are the stages' business.
/// What sequences are told beside their tokens is its own business, where its configuration says
/// that they are.
#[derive(Module, Debug)]
pub struct Decoder {
    /// There, where positions are told so, and not by angles.
    position: Option<RelativePositionBias>,
    conditioner: Option<Conditioner>,
    blocks: Vec<Block>,
    norm: RmsNorm,
    dropout: Dropout,
    forgetting: Dropout,
    d_model: usize,
    #[module(skip)]
    heads: Heads,
}

impl DecoderConfig {
    /// Builds the stack with fresh weights, or names what is wrong with the numbers.
    pub fn init(&self, device: &Device) -> Result<Decoder, ConfigError> {
        self.validate()?;
        let condition = self.condition.as_ref();
        Ok(Decoder {
            position: self.position_bias(device),
            conditioner: condition.map(|it| Conditioner::init(it, self.d_model, device)),
            blocks: (0..self.n_layers).map(|_| Block::init(self, device)).collect(),
            norm: RmsNormConfig::new(self.d_model).init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
            forgetting: DropoutConfig::new(self.forgetting).init(),
            d_model: self.d_model,
            heads: Heads::of(self),
        })
    }

    fn position_bias(&self, device: &Device) -> Option<RelativePositionBias> {
        let buckets = Buckets {
            n_buckets: self.n_position_buckets,
            max_distance: self.max_position_distance,
            direction: Direction::Causal,
        };
        match self.position {
            PositionScheme::RelativeBias => {
                Some(RelativePositionBias::init(&buckets, self.n_heads, device))
            }
            PositionScheme::Rotary => None,
        }
    }
}

impl Decoder {
    /// Width of what goes in and comes out.
    pub fn d_model(&self) -> usize {
        self.d_model
    }

    /// The same with its weights as these, for use, not to learn.
    pub fn with_weights(self, weights: Weights) -> Self {
        weights.of(self)
    }

    /// What the sequences of a batch are told, to be read by this stack; nothing, if it reads none.
    ///
    /// # Errors
    /// Where one is told something that this stack cannot read.
    pub fn conditions(
        &self,
        rows: &[Option<&Condition>],
    ) -> Result<Option<Conditions>, TokenError> {
        match &self.conditioner {
            Some(it) => Conditions::new(rows, it.d_condition(), &self.device()).map(Some),
            None if rows.iter().any(Option::is_some) => Err(TokenError::UnreadCondition),
            None => Ok(None),
        }
    }

    /// The hidden states of whole sequences. Without conditions, a stack that reads some takes all
    /// sequences to be told nothing.
    ///
    /// # Shapes
    /// - embedded, output: `[batch, time, d_model]`, `time` at least 1
    ///
    /// # Panics
    /// On any other shape, or on conditions of another batch.
    pub fn forward(&self, embedded: Tensor<3>, conditions: Option<&Conditions>) -> Tensor<3> {
        self.forward_leaving(embedded, None, conditions, &mut Activations::Kept)
    }

    /// [`forward`](Self::forward) of tokens whose times may be known, for gradients that come by
    /// [`Activations::gradients`].
    pub(crate) fn forward_leaving(
        &self,
        embedded: Tensor<3>,
        clock: Option<ClockFeatures>,
        conditions: Option<&Conditions>,
        activations: &mut Activations,
    ) -> Tensor<3> {
        let pass = self.pass(embedded, clock, conditions);
        let stream = self.entered(pass.stream.clone());
        let beside = Beside { relation: pass.relation(), told: pass.told.clone() };
        pass.tokens(self.norm.forward(activations.through(&self.blocks, stream, &beside)))
    }

    /// The hidden states of the next positions of the sequences that `cache` remembers; shapes as
    /// in [`forward`](Self::forward).
    ///
    /// # Panics
    /// On any other shape, or if the cache has no room for the chunk.
    pub fn step(&self, chunk: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        self.step_timed(chunk, None, cache)
    }

    /// [`step`](Self::step) of tokens whose times are known, with a cache made for such.
    pub(crate) fn step_timed(
        &self,
        chunk: Tensor<3>,
        clock: Option<ClockFeatures>,
        cache: &mut KvCache,
    ) -> Tensor<3> {
        let [_, time, _] = chunk.dims();
        let (seen, capacity) = (cache.seen(), cache.capacity());
        assert!(seen + time <= capacity, "{seen} + {time} positions exceed capacity {capacity}");
        let relation = Relation { clock, ..cache.relation(time) };
        self.run(chunk, &relation, &cache.crossed, &mut cache.layers)
    }

    /// A cache for `batch` sequences of up to `capacity` positions, which has seen nothing but
    /// their conditions.
    ///
    /// # Panics
    /// On conditions of another batch.
    pub fn cache(&self, batch: usize, capacity: usize, conditions: Option<&Conditions>) -> KvCache {
        self.cache_with(Room { batch, capacity, n_skipped: 0, n_clock_features: 0 }, conditions)
    }

    /// [`cache`](Self::cache) of one sequence that begins so many positions later than others, with
    /// which it is to be [joined](KvCache::joined).
    ///
    /// # Panics
    /// On conditions of another batch.
    pub fn cache_behind(
        &self,
        n_skipped: usize,
        capacity: usize,
        conditions: Option<&Conditions>,
    ) -> KvCache {
        self.cache_with(Room { batch: 1, capacity, n_skipped, n_clock_features: 0 }, conditions)
    }

    /// How many positions conditions take before the tokens.
    pub fn n_prefix(&self, conditions: Option<&Conditions>) -> usize {
        match &self.conditioner {
            Some(it) if it.by() == Conditioning::Prefix => conditions.map_or(1, Conditions::len),
            _ => 0,
        }
    }

    /// [`cache_behind`](Self::cache_behind) of a sequence whose tokens have times.
    pub(crate) fn timed_cache_behind(
        &self,
        n_skipped: usize,
        capacity: usize,
        conditions: Option<&Conditions>,
    ) -> KvCache {
        let n_clock_features = Clock::N_FEATURES;
        self.cache_with(Room { batch: 1, capacity, n_skipped, n_clock_features }, conditions)
    }

    fn cache_with(&self, room: Room, conditions: Option<&Conditions>) -> KvCache {
        let Room { batch, capacity, n_skipped, n_clock_features } = room;
        let Ways { prefix, aside } = self.told(batch, conditions);
        let n_prefix = n_skipped + prefix.as_ref().map_or(0, Told::len);
        let longest = (n_prefix + capacity).max(1);
        let (heads, device) = (self.heads, self.device());
        let dims = [batch, heads.n_kv_heads, heads.d_head, longest];
        let layer = |_: &Block| LayerCache::new(dims, n_clock_features, &device).behind(n_skipped);
        let mut cache = KvCache {
            layers: self.blocks.iter().map(layer).collect(),
            crossed: self.crossed(aside.as_ref()),
            positions: self.positions(longest),
            hidden: None,
            n_prefix,
            capacity: longest - n_prefix,
        };
        let filling = prefix.as_ref().and_then(|it| it.hidden.clone());
        let skipped =
            (n_skipped > 0).then(|| Tensor::full([batch, 1, 1, n_skipped], UNSEEN, &device));
        let filling = hidden_behind(skipped, n_skipped, filling, [batch, n_prefix - n_skipped]);
        cache.hidden = hidden_behind(filling, n_prefix, None, [batch, longest - n_prefix]);
        if let Some(prefix) = prefix {
            let timeless = ClockFeatures::timeless([batch, heads.n_heads, prefix.len()], &device);
            let clock = (n_clock_features > 0).then_some(timeless);
            let relation = Relation { clock, ..cache.relation(prefix.len()) };
            self.run(prefix.vectors, &relation, &[], &mut cache.layers);
        }
        cache
    }

    /// Attention heads of each layer.
    pub(crate) fn n_heads(&self) -> usize {
        self.heads.n_heads
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.norm.gamma.val().device()
    }

    fn positions(&self, longest: usize) -> Positions {
        match &self.position {
            Some(bias) => Positions::biased(bias, longest),
            None => Positions::rotary(longest, self.heads.d_head, &self.device()),
        }
    }

    /// A pass over whole sequences.
    fn pass(
        &self,
        embedded: Tensor<3>,
        clock: Option<ClockFeatures>,
        conditions: Option<&Conditions>,
    ) -> Pass {
        let [batch, time, _] = embedded.dims();
        let Ways { prefix, aside } = self.told(batch, conditions);
        let n_prefix = prefix.as_ref().map_or(0, Told::len);
        let pass = Pass {
            stream: embedded,
            n_prefix,
            positions: self.positions(n_prefix + time),
            clock,
            hidden: self.forgotten(batch, time),
            told: aside,
        };
        match prefix {
            Some(prefix) => pass.behind(prefix),
            None => pass,
        }
    }

    /// What a batch is told.
    fn told(&self, batch: usize, conditions: Option<&Conditions>) -> Ways {
        let Some(conditioner) = &self.conditioner else {
            assert!(conditions.is_none(), "conditions for a stack that reads none");
            return Ways::default();
        };
        let told = match conditions {
            Some(conditions) => conditioner.forward(conditions),
            None => conditioner.forward_null(batch),
        };
        assert_eq!(told.vectors.dims()[0], batch, "sequences that are told something");
        match conditioner.by() {
            Conditioning::Prefix => Ways { prefix: Some(told), aside: None },
            Conditioning::CrossAttention => Ways { prefix: None, aside: Some(told) },
        }
    }

    /// What each layer sees of what a batch is told.
    fn crossed(&self, told: Option<&Told>) -> Vec<CrossSeen> {
        let seen = |block: &Block| told.and_then(|told| block.cross_seen(told));
        self.blocks.iter().filter_map(seen).collect()
    }

    /// What hides some tokens in training, `[batch, 1, 1, time]`: never the first, so that every
    /// position has something to see.
    fn forgotten(&self, batch: usize, time: usize) -> Option<Tensor<4>> {
        let device = self.device();
        if !device.is_autodiff() || self.forgetting.prob == 0.0 || time < 2 {
            return None;
        }
        let first = Tensor::ones([batch, 1, 1, 1], &device);
        let others = self.forgetting.forward(Tensor::ones([batch, 1, 1, time - 1], &device));
        // What is dropped is 0, what is kept is scaled.
        let kept = Tensor::cat(vec![first, others], 3).sign();
        Some((-kept + 1.0) * UNSEEN)
    }

    /// The way through the stack of what has a past.
    fn run(
        &self,
        chunk: Tensor<3>,
        relation: &Relation,
        crossed: &[CrossSeen],
        caches: &mut [LayerCache],
    ) -> Tensor<3> {
        let mut hidden = self.entered(chunk);
        for (idx, (block, past)) in self.blocks.iter().zip(caches).enumerate() {
            hidden = block.forward(hidden, relation, crossed.get(idx), Some(past));
        }
        self.norm.forward(hidden)
    }

    /// What the first layer reads.
    fn entered(&self, stream: Tensor<3>) -> Tensor<3> {
        let [_, _, d_model] = stream.dims();
        assert_eq!(d_model, self.d_model, "features of a position");
        self.dropout.forward(stream)
    }
}

/// What a batch is told, in one of two ways or in none.
#[derive(Default)]
struct Ways {
    /// What stands before the tokens.
    prefix: Option<Told>,
    /// What every layer looks at.
    aside: Option<Told>,
}
