//! What the layers of one pass over whole sequences read.

use burn::prelude::*;

use crate::attention::Relation;
use crate::clock::ClockFeatures;
use crate::conditioner::Told;
use crate::position::Positions;

/// Sequences on their way through a stack, and what all its layers read beside them.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    /// The tokens, after a prefix where there is one, `[batch, positions, d_model]`.
    pub(crate) stream: Tensor<3>,
    /// Positions before the tokens.
    pub(crate) n_prefix: usize,
    /// For all positions.
    pub(crate) positions: Positions,
    /// When the positions sound, where that is known.
    pub(crate) clock: Option<ClockFeatures>,
    /// What keeps sequences from seeing some positions, `[batch, 1, 1, positions]`, if anything.
    pub(crate) hidden: Option<Tensor<4>>,
    /// What every layer looks at, if anything.
    pub(crate) told: Option<Told>,
}

impl Pass {
    /// The tokens behind the prefix that their positions leave room for.
    pub(crate) fn behind(self, prefix: Told) -> Self {
        let [batch, time, _] = self.stream.dims();
        Self {
            hidden: hidden_behind(prefix.hidden, self.n_prefix, self.hidden, [batch, time]),
            stream: Tensor::cat(vec![prefix.vectors, self.stream], 1),
            clock: self.clock.map(|it| it.after_timeless(self.n_prefix)),
            ..self
        }
    }

    /// How the positions stand to one another.
    pub(crate) fn relation(&self) -> Relation {
        let [_, total, _] = self.stream.dims();
        let (clock, hidden) = (self.clock.clone(), self.hidden.clone());
        Relation { clock, hidden, ..self.positions.relation(0, total) }
    }

    /// What has become of the tokens.
    pub(crate) fn tokens(&self, states: Tensor<3>) -> Tensor<3> {
        let [_, total, _] = states.dims();
        match self.n_prefix {
            0 => states,
            n_prefix => states.slice_dim(1, n_prefix..total),
        }
    }
}

/// What hides filling of a prefix and tokens behind it, `[batch, 1, 1, positions]`, if anything.
pub(crate) fn hidden_behind(
    prefix: Option<Tensor<4>>,
    n_prefix: usize,
    tokens: Option<Tensor<4>>,
    [batch, time]: [usize; 2],
) -> Option<Tensor<4>> {
    let device = prefix.as_ref().or(tokens.as_ref())?.device();
    let part = |(part, n): (Option<Tensor<4>>, usize)| {
        part.unwrap_or_else(|| Tensor::zeros([batch, 1, 1, n], &device))
    };
    let parts = [(prefix, n_prefix), (tokens, time)].into_iter().filter(|(_, n)| *n > 0);
    Some(Tensor::cat(parts.map(part).collect(), 3))
}
