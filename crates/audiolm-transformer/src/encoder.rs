//! The decoder's blocks in a stack where every position sees all others.

use audiolm_nn::{Buckets, Direction};
use burn::nn::{Dropout, DropoutConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::activations::{Activations, Beside};
use crate::attention::{BLOCK, Relation, UNSEEN};
use crate::block::Block;
use crate::decoder_config::{DecoderConfig, PositionScheme};
use crate::error::ConfigError;
use crate::position::RelativePositionBias;

/// A pre-norm transformer in which every position sees the whole sequence.
///
/// As a [`Decoder`](crate::Decoder), but T5's buckets of distances are half for the past, half for
/// the future, and nothing can be cached: what comes later changes what came before.
#[derive(Module, Debug)]
pub struct Encoder {
    position: RelativePositionBias,
    blocks: Vec<Block>,
    norm: RmsNorm,
    dropout: Dropout,
    d_model: usize,
}

impl DecoderConfig {
    /// Builds the stack of these numbers in which every position sees all others, or names what is
    /// wrong with them.
    pub fn init_bidirectional(&self, device: &Device) -> Result<Encoder, ConfigError> {
        self.validate()?;
        self.refuse_what_is_a_decoders()?;
        let buckets = self.bidirectional_buckets()?;
        Ok(Encoder {
            position: RelativePositionBias::init(&buckets, self.n_heads, device),
            blocks: (0..self.n_layers).map(|_| Block::init(self, device)).collect(),
            norm: RmsNormConfig::new(self.d_model).init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
            d_model: self.d_model,
        })
    }

    /// An encoder hides no past, is told nothing, and has T5's distances alone.
    fn refuse_what_is_a_decoders(&self) -> Result<(), ConfigError> {
        for (field, is_set) in [
            ("position", self.position != PositionScheme::RelativeBias),
            ("forgetting", self.forgetting > 0.0),
            ("condition", self.condition.is_some()),
        ] {
            if is_set {
                return Err(ConfigError::DecoderOnly { field });
            }
        }
        Ok(())
    }

    /// Half of each half is exact.
    fn bidirectional_buckets(&self) -> Result<Buckets, ConfigError> {
        let (n_buckets, max_distance) = (self.n_position_buckets, self.max_position_distance);
        match n_buckets / 4 {
            exact @ 0 => Err(ConfigError::PositionBuckets { n_buckets, exact, max_distance }),
            _ => Ok(Buckets { n_buckets, max_distance, direction: Direction::Bidirectional }),
        }
    }
}

impl Encoder {
    /// Width of what goes in and comes out.
    pub fn d_model(&self) -> usize {
        self.d_model
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.norm.gamma.val().device()
    }

    /// The hidden states of sequences, of which only the first `lengths` positions are real: no real
    /// position sees the others.
    ///
    /// # Shapes
    /// - embedded, output: `[batch, time, d_model]`, `time` at least 1
    ///
    /// # Panics
    /// On any other shape, or unless there is a length from 1 to `time` for each sequence.
    pub fn forward(&self, embedded: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        self.forward_leaving(embedded, lengths, &mut Activations::Kept)
    }

    /// [`forward`](Self::forward), for gradients that come by [`Activations::gradients`].
    pub(crate) fn forward_leaving(
        &self,
        embedded: Tensor<3>,
        lengths: &[usize],
        activations: &mut Activations,
    ) -> Tensor<3> {
        let [batch, time, d_model] = embedded.dims();
        assert_eq!((batch, d_model), (lengths.len(), self.d_model), "sequences and features");
        assert!(
            lengths.iter().all(|it| (1..=time).contains(it)),
            "{lengths:?} of {time} positions"
        );
        let beside = Beside { relation: self.relation(time, lengths), told: None };
        let stream = self.dropout.forward(embedded);
        self.norm.forward(activations.through(&self.blocks, stream, &beside))
    }

    /// Every query stands before all keys, less those that are not real.
    fn relation(&self, time: usize, lengths: &[usize]) -> Relation {
        let bias = self.position.bidirectional(time);
        let hidden = padding(time, lengths, &bias.device());
        let block = |start: usize| bias.clone().slice_dim(2, start..(start + BLOCK).min(time));
        let bias = (0..time).step_by(BLOCK).map(block).collect();
        Relation { bias, angles: None, clock: None, hidden }
    }
}

/// What keeps keys that are not real from being seen, `[batch, 1, 1, time]`; nothing where all are.
fn padding(time: usize, lengths: &[usize], device: &Device) -> Option<Tensor<4>> {
    if lengths.iter().all(|it| *it == time) {
        return None;
    }
    let row = |length: &usize| {
        let (real, filling) = (*length, time - length);
        std::iter::repeat_n(0.0, real).chain(std::iter::repeat_n(UNSEEN, filling))
    };
    let values: Vec<f32> = lengths.iter().flat_map(row).collect();
    Some(Tensor::<1>::from_data(values.as_slice(), device).reshape([lengths.len(), 1, 1, time]))
}
