//! The decoder-only stack that all three stages share.

use audiolm_nn::Weights;
use burn::nn::{Dropout, DropoutConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::attention::{BLOCK, Relation, bias_blocks};
use crate::block::Block;
use crate::clock::{Clock, ClockFeatures};
use crate::error::ConfigError;
use crate::kv_cache::{KvCache, LayerCache};
use crate::layout::nonzero;
use crate::position::{Buckets, Direction, RelativePositionBias};

/// Configuration of a [`Decoder`].
#[derive(Config, Debug, PartialEq)]
pub struct DecoderConfig {
    /// Width of the stream between the layers.
    pub d_model: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Attention heads of each layer, which share `d_model`.
    pub n_heads: usize,
    /// Width inside the feed-forward.
    pub d_ff: usize,
    /// The share of each layer's output that training drops.
    #[config(default = 0.1)]
    pub dropout: f64,
    /// Buckets of distances, as in T5.
    #[config(default = 32)]
    pub n_position_buckets: usize,
    /// Distance, in tokens, from which all share the last bucket; 128 in T5.
    #[config(default = 128)]
    pub max_position_distance: usize,
}

/// A pre-norm transformer in which no position sees a later one.
///
/// It works on embedded tokens and returns hidden states: vocabularies are the stages' business.
#[derive(Module, Debug)]
pub struct Decoder {
    position: RelativePositionBias,
    blocks: Vec<Block>,
    norm: RmsNorm,
    dropout: Dropout,
    d_model: usize,
    n_heads: usize,
}

impl DecoderConfig {
    /// The stack of every stage of AudioLM (section IV-A): 12 layers, 16 heads, d 1024,
    /// feed-forward 4096, dropout 0.1, T5 relative bias.
    pub fn paper() -> Self {
        Self::new(1024, 12, 16, 4096)
    }

    /// Names the first number that describes no stack.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self { d_model, n_heads, dropout, .. } = *self;
        for (field, size) in [
            ("d_model", d_model),
            ("n_layers", self.n_layers),
            ("n_heads", n_heads),
            ("d_ff", self.d_ff),
        ] {
            nonzero(field, size)?;
        }
        if !d_model.is_multiple_of(n_heads) {
            return Err(ConfigError::HeadsDoNotDivide { d_model, n_heads });
        }
        if !(0.0..1.0).contains(&dropout) {
            return Err(ConfigError::Dropout { dropout });
        }
        let (n_buckets, max_distance) = (self.n_position_buckets, self.max_position_distance);
        let exact = n_buckets / 2;
        if exact == 0 || max_distance <= exact {
            return Err(ConfigError::PositionBuckets { n_buckets, exact, max_distance });
        }
        Ok(())
    }

    /// Builds the stack with fresh weights, or names what is wrong with the numbers.
    pub fn init(&self, device: &Device) -> Result<Decoder, ConfigError> {
        self.validate()?;
        let buckets = Buckets {
            n_buckets: self.n_position_buckets,
            max_distance: self.max_position_distance,
            direction: Direction::Causal,
        };
        Ok(Decoder {
            position: RelativePositionBias::init(&buckets, self.n_heads, device),
            blocks: (0..self.n_layers).map(|_| Block::init(self, device)).collect(),
            norm: RmsNormConfig::new(self.d_model).init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
            d_model: self.d_model,
            n_heads: self.n_heads,
        })
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

    /// The hidden states of whole sequences.
    ///
    /// # Shapes
    /// - embedded, output: `[batch, time, d_model]`, `time` at least 1
    ///
    /// # Panics
    /// On any other shape.
    pub fn forward(&self, embedded: Tensor<3>) -> Tensor<3> {
        self.forward_timed(embedded, None)
    }

    /// [`forward`](Self::forward) of tokens whose times are known.
    pub(crate) fn forward_timed(
        &self,
        embedded: Tensor<3>,
        clock: Option<ClockFeatures>,
    ) -> Tensor<3> {
        let [_, time, _] = embedded.dims();
        let bias = bias_blocks(&self.position.causal(BLOCK, time), time, time);
        self.run(embedded, &Relation { bias, clock }, None)
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
        let bias = bias_blocks(&cache.bias, time, seen + time);
        self.run(chunk, &Relation { bias, clock }, Some(cache))
    }

    /// An empty cache for `batch` sequences of up to `capacity` positions.
    pub fn cache(&self, batch: usize, capacity: usize) -> KvCache {
        self.cache_with(batch, capacity, 0)
    }

    /// An empty cache for one sequence whose tokens have times.
    pub(crate) fn timed_cache(&self, capacity: usize) -> KvCache {
        self.cache_with(1, capacity, Clock::N_FEATURES)
    }

    fn cache_with(&self, batch: usize, capacity: usize, n_clock_features: usize) -> KvCache {
        let capacity = capacity.max(1);
        let bias = self.position.causal(BLOCK, capacity);
        let dims = [batch, self.n_heads, self.d_model / self.n_heads, capacity];
        let device = self.device();
        let layer = || LayerCache::new(dims, n_clock_features, &device);
        KvCache::new(self.blocks.iter().map(|_| layer()).collect(), bias, capacity)
    }

    /// Attention heads of each layer.
    pub(crate) fn n_heads(&self) -> usize {
        self.n_heads
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.norm.gamma.val().device()
    }

    /// The one way through the stack, with a past or without.
    fn run(&self, chunk: Tensor<3>, relation: &Relation, cache: Option<&mut KvCache>) -> Tensor<3> {
        let [_, _, d_model] = chunk.dims();
        assert_eq!(d_model, self.d_model, "features of a position");
        let mut caches = cache.map(|cache| cache.layers.iter_mut());
        let mut hidden = self.dropout.forward(chunk);
        for block in &self.blocks {
            let past = caches.as_mut().and_then(Iterator::next);
            hidden = block.forward(hidden, relation, past);
        }
        self.norm.forward(hidden)
    }
}
