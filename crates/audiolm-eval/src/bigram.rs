//! The baseline a language model of tokens must beat: it knows only the token before.

use std::collections::HashMap;

use crate::sequences::{Place, Split, Vocabularies};
use crate::smoothing::{Seen, Smoothing};
use crate::{EvalError, GivenStart, Likelihood, Unigram};

/// `p(id | previous id, class)`, smoothed towards the frequency of the id in its class.
///
/// The class of a position is its place in a cycle of vocabularies. Semantic tokens have one
/// class. Codes of Q quantizers, flattened frame by frame, have Q of them: each is predicted from
/// the code before it in the flattened sequence, in a table of its quantizer.
///
/// Both levels are smoothed by [`Smoothing`], with constants chosen for each class on every tenth
/// training sequence and then applied to counts of all of them. What it is evaluated on
/// plays no part in that.
#[derive(Debug, Clone)]
pub struct Bigram {
    vocabularies: Vocabularies,
    unigram: Unigram,
    tables: Vec<PairTable>,
    smoothings: Vec<Smoothing>,
}

/// The counts of one class; the context of a first token is `None`.
#[derive(Debug, Clone, Default)]
struct PairTable {
    pairs: HashMap<(Option<u32>, u32), u32>,
    contexts: HashMap<Option<u32>, Context>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Context {
    total: u32,
    kinds: u32,
}

impl Bigram {
    /// Fits the model to two or more sequences.
    ///
    /// Position `i` of each sequence holds an id below `vocabulary_sizes[i % n]`, where `n` is the
    /// number of vocabularies: ids of each quantizer start at 0, and sequences start with a whole
    /// frame.
    pub fn fit<S: AsRef<[u32]>>(
        sequences: &[S],
        vocabulary_sizes: &[usize],
    ) -> Result<Self, EvalError> {
        let vocabularies = Vocabularies::new(vocabulary_sizes)?;
        vocabularies.check(sequences)?;
        let split = Split::new(sequences)?;
        let mut part = Self::counted(&vocabularies, &split.counted);
        part.unigram.set_smoothings(part.unigram.choose(&split.held_out));
        let smoothings = part.choose(&split.held_out);
        let all: Vec<&[u32]> = sequences.iter().map(AsRef::as_ref).collect();
        let mut whole = Self::counted(&vocabularies, &all);
        whole.unigram.set_smoothings(part.unigram.smoothings().to_vec());
        Ok(Self { smoothings, ..whole })
    }

    /// The surprise at sequences of the same vocabularies, first tokens included.
    pub fn evaluate<S: AsRef<[u32]>>(&self, sequences: &[S]) -> Result<Likelihood, EvalError> {
        self.vocabularies.evaluate(sequences, |place| self.probability(place))
    }

    /// The surprise at the tokens that are not given.
    pub fn evaluate_after(&self, sequences: &[GivenStart]) -> Result<Likelihood, EvalError> {
        self.vocabularies.evaluate_after(sequences, |place| self.probability(place))
    }

    /// The smoothing of each class, towards the frequencies of ids.
    pub fn smoothings(&self) -> &[Smoothing] {
        &self.smoothings
    }

    /// Counts pairs and ids; the smoothing is still to be chosen.
    fn counted(vocabularies: &Vocabularies, sequences: &[&[u32]]) -> Self {
        let mut tables = vec![PairTable::default(); vocabularies.sizes().len()];
        for place in sequences.iter().flat_map(|sequence| vocabularies.places(sequence)) {
            tables[place.class].add(&place);
        }
        let unigram = Unigram::counted(vocabularies, sequences);
        Self { vocabularies: vocabularies.clone(), unigram, tables, smoothings: Vec::new() }
    }

    /// The best smoothing of each class for sequences that were not counted.
    fn choose(&self, held_out: &[&[u32]]) -> Vec<Smoothing> {
        let mut observed = vec![Vec::new(); self.tables.len()];
        for place in held_out.iter().flat_map(|sequence| self.vocabularies.places(sequence)) {
            let seen = self.tables[place.class].seen(&place);
            observed[place.class].push((seen, self.unigram.probability(&place)));
        }
        observed.iter().map(|observed| Smoothing::choose(observed)).collect()
    }

    fn probability(&self, place: &Place) -> f64 {
        let seen = self.tables[place.class].seen(place);
        self.smoothings[place.class].probability(seen, self.unigram.probability(place))
    }
}

impl PairTable {
    fn add(&mut self, place: &Place) {
        let count = self.pairs.entry((place.previous, place.id)).or_default();
        let context = self.contexts.entry(place.previous).or_default();
        context.kinds += u32::from(*count == 0);
        context.total += 1;
        *count += 1;
    }

    fn seen(&self, place: &Place) -> Seen {
        let count = self.pairs.get(&(place.previous, place.id)).copied().unwrap_or_default();
        let context = self.contexts.get(&place.previous).copied().unwrap_or_default();
        Seen { count, total: context.total, kinds: context.kinds }
    }
}
