//! What a sequence is told beside its tokens: the vectors of a text, of a label, of a sound.
//!
//! A [`Condition`] is what one sequence is told, on the host; [`Conditions`] is what a batch is
//! told, on a device. A sequence may be told nothing: then a learnt vector says so, the *null
//! condition*, which training also puts in the place of some conditions so that it means what all
//! of them have in common (classifier-free guidance; Ho and Salimans 2022, arXiv 2207.12598).

use std::sync::Arc;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::decoder_config::share;
use crate::error::{ConfigError, TokenError};
use crate::layout::nonzero;

/// How a stack is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// Every layer looks at the vectors between its attention and its feed-forward.
    CrossAttention,
    /// The vectors stand before the tokens, as if they were some (VALL-E; Wang et al. 2023, arXiv
    /// 2301.02111).
    Prefix,
}

/// What sequences are told, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionConfig {
    /// Width of the vectors.
    pub d_condition: usize,
    /// How a stack is told.
    pub by: Conditioning,
    /// The share of sequences that training tells nothing.
    pub dropout: f64,
}

impl ConditionConfig {
    /// With 1 sequence in 10 that is told nothing, within the 0.1 to 0.2 that Ho and Salimans find
    /// best (section 4.2).
    pub fn new(d_condition: usize, by: Conditioning) -> Self {
        Self { d_condition, by, dropout: 0.1 }
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        nonzero("condition.d_condition", self.d_condition)?;
        share("condition.dropout", self.dropout)
    }
}

/// What one sequence is told: one vector or more, in order. Clones share them.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// `[time][width]`.
    vectors: Arc<[f32]>,
    width: usize,
}

impl Condition {
    /// Of vectors of `width` numbers, one after another.
    ///
    /// # Errors
    /// Where these are no whole vectors, or none at all.
    pub fn new(vectors: Vec<f32>, width: usize) -> Result<Self, TokenError> {
        let values = vectors.len();
        if width == 0 || values == 0 || !values.is_multiple_of(width) {
            return Err(TokenError::PartialCondition { values, width });
        }
        Ok(Self { vectors: vectors.into(), width })
    }

    /// How many vectors it has.
    pub fn n_vectors(&self) -> usize {
        self.vectors.len() / self.width
    }

    /// Numbers of each vector.
    pub fn width(&self) -> usize {
        self.width
    }
}

/// What each sequence of a batch is told; from [`Decoder::conditions`](crate::Decoder::conditions).
///
/// Sequences that are told less than others end where those do, so that a prefix always ends right
/// before the tokens. One that is told nothing has one vector, which stands for the null condition.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// `[batch, time, d_condition]`.
    pub(crate) vectors: Tensor<3>,
    /// How many vectors each sequence has, at its end.
    pub(crate) lengths: Vec<usize>,
    /// Which sequences are told something.
    pub(crate) told: Vec<bool>,
}

impl Conditions {
    /// How many vectors the longest has.
    pub(crate) fn len(&self) -> usize {
        self.vectors.dims()[1]
    }

    /// Whether any sequence is told something.
    pub(crate) fn tell_something(&self) -> bool {
        self.told.contains(&true)
    }

    /// Those of a batch, all as wide as `width`.
    pub(crate) fn new(
        rows: &[Option<&Condition>],
        width: usize,
        device: &Device,
    ) -> Result<Self, TokenError> {
        let found = rows.iter().flatten().map(|it| it.width).find(|it| *it != width);
        if let Some(found) = found {
            return Err(TokenError::ConditionWidth { expected: width, found });
        }
        let lengths: Vec<usize> =
            rows.iter().map(|row| row.map_or(1, Condition::n_vectors)).collect();
        let time = lengths.iter().copied().max().unwrap_or(1);
        let mut vectors = Vec::with_capacity(rows.len() * time * width);
        for row in rows {
            let known: &[f32] = row.map_or(&[], |it| &it.vectors);
            vectors.extend(std::iter::repeat_n(0.0, time * width - known.len()));
            vectors.extend_from_slice(known);
        }
        let vectors = Tensor::<1>::from_data(vectors.as_slice(), device);
        Ok(Self {
            vectors: vectors.reshape([rows.len(), time, width]),
            lengths,
            told: rows.iter().map(Option::is_some).collect(),
        })
    }
}
