//! The model that knows only how frequent each id is.

use crate::sequences::{Place, Split, Vocabularies};
use crate::smoothing::{Seen, Smoothing};
use crate::{EvalError, Likelihood};

/// Frequencies of ids, one table per vocabulary, smoothed towards the uniform distribution.
#[derive(Debug, Clone)]
pub struct Unigram {
    vocabularies: Vocabularies,
    tables: Vec<Table>,
    smoothings: Vec<Smoothing>,
}

/// The counts of one vocabulary.
#[derive(Debug, Clone)]
struct Table {
    counts: Vec<u32>,
    total: u32,
    kinds: u32,
}

impl Unigram {
    /// Fits the model; arguments and errors as in [`Bigram::fit`](crate::Bigram::fit).
    pub fn fit<S: AsRef<[u32]>>(
        sequences: &[S],
        vocabulary_sizes: &[usize],
    ) -> Result<Self, EvalError> {
        let vocabularies = Vocabularies::new(vocabulary_sizes)?;
        vocabularies.check(sequences)?;
        let split = Split::new(sequences)?;
        let smoothings = Self::counted(&vocabularies, &split.counted).choose(&split.held_out);
        let all: Vec<&[u32]> = sequences.iter().map(AsRef::as_ref).collect();
        Ok(Self { smoothings, ..Self::counted(&vocabularies, &all) })
    }

    /// The surprise at sequences of the same vocabularies.
    pub fn evaluate<S: AsRef<[u32]>>(&self, sequences: &[S]) -> Result<Likelihood, EvalError> {
        self.vocabularies.evaluate(sequences, |place| self.probability(place))
    }

    /// The smoothing of each vocabulary.
    pub fn smoothings(&self) -> &[Smoothing] {
        &self.smoothings
    }

    /// Counts the ids of each class, with a smoothing of add-one until a better one is chosen.
    pub(crate) fn counted(vocabularies: &Vocabularies, sequences: &[&[u32]]) -> Self {
        let sizes = vocabularies.sizes();
        let empty = |&size: &usize| Table { counts: vec![0; size], total: 0, kinds: 0 };
        let mut tables: Vec<Table> = sizes.iter().map(empty).collect();
        for place in sequences.iter().flat_map(|sequence| vocabularies.places(sequence)) {
            tables[place.class].add(place.id);
        }
        let add_one = |&size: &usize| Smoothing { discount: 0.0, strength: size as f64 };
        let smoothings = sizes.iter().map(add_one).collect();
        Self { vocabularies: vocabularies.clone(), tables, smoothings }
    }

    pub(crate) fn set_smoothings(&mut self, smoothings: Vec<Smoothing>) {
        self.smoothings = smoothings;
    }

    /// The best smoothing of each class for sequences that were not counted.
    pub(crate) fn choose(&self, held_out: &[&[u32]]) -> Vec<Smoothing> {
        let mut observed = vec![Vec::new(); self.tables.len()];
        for place in held_out.iter().flat_map(|sequence| self.vocabularies.places(sequence)) {
            let table = &self.tables[place.class];
            observed[place.class].push((table.seen(place.id), table.uniform()));
        }
        observed.iter().map(|observed| Smoothing::choose(observed)).collect()
    }

    pub(crate) fn probability(&self, place: &Place) -> f64 {
        let table = &self.tables[place.class];
        self.smoothings[place.class].probability(table.seen(place.id), table.uniform())
    }
}

impl Table {
    fn add(&mut self, id: u32) {
        let count = &mut self.counts[id as usize];
        self.kinds += u32::from(*count == 0);
        *count += 1;
        self.total += 1;
    }

    fn seen(&self, id: u32) -> Seen {
        Seen { count: self.counts[id as usize], total: self.total, kinds: self.kinds }
    }

    fn uniform(&self) -> f64 {
        1.0 / self.counts.len() as f64
    }
}
