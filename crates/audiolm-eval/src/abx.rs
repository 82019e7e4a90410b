//! ABX: whether two examples of one category are nearer to each other than to one of another.

mod alignment;
mod averages;
mod item_file;
mod triplets;

pub use item_file::{ItemFileError, LabelledSpan, read_item_file};

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::EvalError;
use alignment::Aligned;
use averages::Averages;
use triplets::Members;

/// An example of a category: a phone or a word, as some system represents it.
#[derive(Debug, Clone, PartialEq)]
pub struct AbxItem {
    /// What is said.
    pub category: String,
    /// Who says it.
    pub speaker: String,
    /// What stands around it; examples are compared within one context alone. Empty where the
    /// surroundings are not to matter.
    pub context: String,
    /// Its frames, one after another: `[time, width]`.
    pub frames: Vec<f32>,
}

/// How ABX is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbxOptions {
    /// Numbers in a frame.
    pub width: usize,
    /// Most examples of a category by one speaker in one context; others are left out by chance.
    pub most_examples: usize,
    /// What chance is made of.
    pub seed: u64,
}

/// Shares of triplets that are told wrongly, 0.5 by chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AbxErrors {
    /// A, B and X by one speaker. None where no speaker has two examples of a category and one of
    /// another.
    pub within: Option<f64>,
    /// A and B by one speaker, X by another. None where no two speakers share a category.
    pub across: Option<f64>,
    /// Examples that were compared.
    pub n_items: usize,
}

impl AbxOptions {
    /// For frames of this width, with up to fifty examples of a kind.
    pub fn new(width: usize) -> Self {
        Self { width, most_examples: 50, seed: 0 }
    }
}

/// The ABX errors of a representation (Schatz et al. 2013, with the choices of Libri-Light, Kahn et
/// al. 2020, arXiv 1912.07875).
///
/// Frames are compared by their angle over π, examples by the mean of that along the path of
/// dynamic time warping with the least sum. A triplet is told wrongly where X, of A's category, is
/// nearer to B; a tie counts half. Shares are averaged over contexts, then over speakers or pairs of
/// them, then over pairs of categories, so that none counts more for having more examples.
///
/// Tokens are measured through the vectors they stand for, such as centroids, as in AudioLM (Borsos
/// et al. 2022, arXiv 2209.03143, Table I).
///
/// # Errors
/// Where a frame has no width, the frames of an example are not whole, absent or no numbers, or no
/// two examples can be compared.
pub fn abx(items: &[AbxItem], options: &AbxOptions) -> Result<AbxErrors, EvalError> {
    check(items, options)?;
    let mut contexts: BTreeMap<&str, Vec<Labelled<'_>>> = BTreeMap::new();
    for item in chosen(items, options) {
        contexts.entry(&item.context).or_default().push(Labelled {
            category: &item.category,
            speaker: &item.speaker,
            frames: Aligned::new(&item.frames, options.width),
        });
    }
    let (mut within, mut across) = (Averages::default(), Averages::default());
    let mut n_items = 0;
    for labelled in contexts.values() {
        n_items += labelled.len();
        Members::new(labelled).measure(&mut within, &mut across);
    }
    let errors = AbxErrors { within: within.mean(), across: across.mean(), n_items };
    match errors.within.or(errors.across) {
        Some(_) => Ok(errors),
        None => Err(EvalError::NoTriplets { n_items }),
    }
}

/// An example, ready to be compared.
struct Labelled<'a> {
    category: &'a str,
    speaker: &'a str,
    frames: Aligned,
}

fn check(items: &[AbxItem], options: &AbxOptions) -> Result<(), EvalError> {
    let width = options.width;
    for (item_idx, item) in items.iter().enumerate() {
        let found = item.frames.len();
        if width == 0 || found == 0 || !found.is_multiple_of(width) {
            return Err(EvalError::RaggedFrames { item_idx, found, width });
        }
        if let Some(position) = item.frames.iter().position(|it| !it.is_finite()) {
            let value = item.frames[position];
            return Err(EvalError::FeatureNotFinite { item_idx, position, value });
        }
    }
    Ok(())
}

/// Up to so many examples of each kind, in their order.
fn chosen<'a>(items: &'a [AbxItem], options: &AbxOptions) -> Vec<&'a AbxItem> {
    let mut kinds: BTreeMap<[&str; 3], Vec<usize>> = BTreeMap::new();
    for (idx, item) in items.iter().enumerate() {
        kinds.entry([&item.context, &item.speaker, &item.category]).or_default().push(idx);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let most = options.most_examples;
    let mut kept: Vec<usize> =
        kinds.into_values().flat_map(|it| it.into_iter().sample(&mut rng, most)).collect();
    kept.sort_unstable();
    kept.into_iter().map(|idx| &items[idx]).collect()
}
