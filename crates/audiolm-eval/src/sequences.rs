//! Sequences of tokens as counting models see them: flattened, with a vocabulary per position.

use crate::{EvalError, Likelihood};

/// A token and what a model of its kind may look at.
pub(crate) struct Place {
    /// Which vocabulary the token is from.
    pub class: usize,
    /// The token before it in the flattened sequence; none at the start.
    pub previous: Option<u32>,
    /// The token.
    pub id: u32,
}

/// Tokens of which the first are given: a model reads them and is not judged by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenStart {
    /// All tokens.
    pub ids: Vec<u32>,
    /// How many of the first are given.
    pub n_given: usize,
}

impl AsRef<[u32]> for GivenStart {
    fn as_ref(&self) -> &[u32] {
        &self.ids
    }
}

/// Which vocabulary the positions of a sequence draw from: `i` from `sizes[i % sizes.len()]`.
#[derive(Debug, Clone)]
pub(crate) struct Vocabularies {
    sizes: Vec<usize>,
}

impl Vocabularies {
    pub fn new(sizes: &[usize]) -> Result<Self, EvalError> {
        if sizes.is_empty() || sizes.contains(&0) {
            return Err(EvalError::EmptyVocabulary { found: sizes.to_vec() });
        }
        Ok(Self { sizes: sizes.to_vec() })
    }

    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Demands that every id is one of its vocabulary.
    pub fn check<S: AsRef<[u32]>>(&self, sequences: &[S]) -> Result<(), EvalError> {
        for (sequence_idx, sequence) in sequences.iter().enumerate() {
            for (position, &id) in sequence.as_ref().iter().enumerate() {
                let vocabulary_size = self.sizes[position % self.sizes.len()];
                if id as usize >= vocabulary_size {
                    return Err(EvalError::UnknownId {
                        sequence_idx,
                        position,
                        id,
                        vocabulary_size,
                    });
                }
            }
        }
        Ok(())
    }

    /// Every token of a sequence with its class and the one before it.
    pub fn places<'a>(&'a self, sequence: &'a [u32]) -> impl Iterator<Item = Place> + 'a {
        let class = |position: usize| position % self.sizes.len();
        let previous = std::iter::once(None).chain(sequence.iter().copied().map(Some));
        let tokens = sequence.iter().zip(previous).enumerate();
        tokens.map(move |(position, (&id, previous))| Place {
            class: class(position),
            previous,
            id,
        })
    }

    /// The surprise of a model that gives each place a `probability`, at all tokens.
    pub fn evaluate<S: AsRef<[u32]>>(
        &self,
        sequences: &[S],
        probability: impl Fn(&Place) -> f64,
    ) -> Result<Likelihood, EvalError> {
        self.check(sequences)?;
        let places = sequences.iter().flat_map(|it| self.places(it.as_ref()));
        self.surprise(places, probability)
    }

    /// The same at the tokens that are not given.
    pub fn evaluate_after(
        &self,
        sequences: &[GivenStart],
        probability: impl Fn(&Place) -> f64,
    ) -> Result<Likelihood, EvalError> {
        self.check(sequences)?;
        let places = sequences.iter().flat_map(|it| self.places(&it.ids).skip(it.n_given));
        self.surprise(places, probability)
    }

    fn surprise(
        &self,
        places: impl Iterator<Item = Place>,
        probability: impl Fn(&Place) -> f64,
    ) -> Result<Likelihood, EvalError> {
        let mut nats = vec![0.0; self.sizes.len()];
        let mut counts = vec![0usize; self.sizes.len()];
        for place in places {
            nats[place.class] -= probability(&place).ln();
            counts[place.class] += 1;
        }
        let n_tokens: usize = counts.iter().sum();
        if n_tokens == 0 {
            return Err(EvalError::NoTokens);
        }
        Ok(Likelihood {
            nats_per_token: nats.iter().sum::<f64>() / n_tokens as f64,
            nats_per_class: nats.iter().zip(&counts).map(|(sum, &n)| sum / n as f64).collect(),
            n_tokens,
        })
    }
}

/// Every how many sequences one is held out to choose the smoothing.
const HELD_OUT_EVERY: usize = 10;

/// Training sequences, apart: most to count, every tenth to choose how to smooth the counts.
pub(crate) struct Split<'a> {
    pub counted: Vec<&'a [u32]>,
    pub held_out: Vec<&'a [u32]>,
}

impl<'a> Split<'a> {
    /// Holds out whole sequences, because the smoothing is for voices not heard in training.
    pub fn new<S: AsRef<[u32]>>(sequences: &'a [S]) -> Result<Self, EvalError> {
        let every = sequences.len().min(HELD_OUT_EVERY);
        if every < 2 {
            return Err(EvalError::TooFewSequences { found: sequences.len(), needed: 2 });
        }
        let (held_out, counted): (Vec<_>, Vec<_>) = sequences
            .iter()
            .map(AsRef::as_ref)
            .enumerate()
            .partition(|(i, _)| (i + 1) % every == 0);
        let strip =
            |numbered: Vec<(usize, &'a [u32])>| numbered.into_iter().map(|it| it.1).collect();
        Ok(Self { counted: strip(counted), held_out: strip(held_out) })
    }
}
