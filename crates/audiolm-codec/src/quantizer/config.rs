//! The numbers that describe a quantizer, and how they are written.

use burn::config::Config;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::CodecError;
use crate::config::require;
use crate::quantizer::{
    FactorizedQuantizer, FiniteScalarQuantizer, Quantizer, ResidualQuantizer, finite_scalar,
};

/// Most codes of one quantizer: they are kept in 16 bits.
const MOST_CODES: usize = 65_536;

/// What stands between encoder and decoder.
///
/// As text, the fields of the variant beside its `kind`, which residual quantisation leaves out:
///
/// ```
/// use audiolm_codec::QuantizerConfig;
///
/// let residual: QuantizerConfig =
///     serde_json::from_str(r#"{"n_quantizers": 12, "codebook_size": 1024}"#)?;
/// assert_eq!(residual, QuantizerConfig::residual(12, 1024));
///
/// let scalar: QuantizerConfig = serde_json::from_str(
///     r#"{"kind": "finite_scalar", "n_quantizers": 12, "levels": [8, 5, 5, 5]}"#,
/// )?;
/// assert_eq!(scalar.codebook_size(), 1000);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum QuantizerConfig {
    /// Codebooks learnt by averages.
    Residual(ResidualQuantizerConfig),
    /// Small codebooks of directions learnt by gradients.
    Factorized(FactorizedQuantizerConfig),
    /// Rounded numbers, and no codebook at all.
    FiniteScalar(FiniteScalarQuantizerConfig),
}

/// Sizes of a [`ResidualQuantizer`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct ResidualQuantizerConfig {
    /// Number of codebooks in a row (N_q in the paper).
    pub n_quantizers: usize,
    /// Entries of each codebook (N in the paper).
    pub codebook_size: usize,
}

/// Sizes of a [`FactorizedQuantizer`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct FactorizedQuantizerConfig {
    /// Number of quantizers in a row.
    pub n_quantizers: usize,
    /// Entries of each codebook.
    pub codebook_size: usize,
    /// Dimensions of an entry.
    pub codebook_dimension: usize,
}

/// Sizes of a [`FiniteScalarQuantizer`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct FiniteScalarQuantizerConfig {
    /// Number of quantizers in a row.
    pub n_quantizers: usize,
    /// Values that each dimension is rounded to; their product is the number of codes.
    pub levels: Vec<usize>,
}

impl QuantizerConfig {
    /// So many codebooks in a row, of so many entries each (N_q and N of SoundStream).
    pub fn residual(n_quantizers: usize, codebook_size: usize) -> Self {
        Self::Residual(ResidualQuantizerConfig::new(n_quantizers, codebook_size))
    }

    /// Codes of a frame.
    pub fn n_quantizers(&self) -> usize {
        match self {
            Self::Residual(it) => it.n_quantizers,
            Self::Factorized(it) => it.n_quantizers,
            Self::FiniteScalar(it) => it.n_quantizers,
        }
    }

    /// Different codes of each quantizer; for [`FiniteScalar`](Self::FiniteScalar) hardly ever a
    /// power of two.
    pub fn codebook_size(&self) -> usize {
        match self {
            Self::Residual(it) => it.codebook_size,
            Self::Factorized(it) => it.codebook_size,
            Self::FiniteScalar(it) => {
                it.levels.iter().fold(1, |size, level| size.saturating_mul(*level))
            }
        }
    }

    /// Bits of a frame with every quantizer, were all codes equally frequent.
    pub fn bits_per_frame(&self) -> f64 {
        self.n_quantizers() as f64 * (self.codebook_size() as f64).log2()
    }

    /// Builds the quantizer of vectors of so many dimensions, with fresh weights: codebooks are
    /// all zeros, or random, until [`Quantizer::fitted`].
    ///
    /// # Errors
    /// Where a number describes no quantizer; it is named.
    pub fn init(&self, dimension: usize, device: &Device) -> Result<Quantizer, CodecError> {
        self.validate()?;
        require(dimension > 0, "dimension", "at least 1", dimension)?;
        Ok(self.build(dimension, device))
    }

    pub(crate) fn build(&self, dimension: usize, device: &Device) -> Quantizer {
        match self {
            Self::Residual(it) => {
                Quantizer::Residual(ResidualQuantizer::new(it, dimension, device))
            }
            Self::Factorized(it) => {
                Quantizer::Factorized(FactorizedQuantizer::new(it, dimension, device))
            }
            Self::FiniteScalar(it) => {
                Quantizer::FiniteScalar(FiniteScalarQuantizer::new(it, dimension, device))
            }
        }
    }

    /// Names the first number that describes no quantizer.
    pub(crate) fn validate(&self) -> Result<(), CodecError> {
        let n = self.n_quantizers();
        require(n > 0, "n_quantizers", "at least 1", n)?;
        match self {
            Self::Residual(_) => {}
            Self::Factorized(it) => {
                let dimension = it.codebook_dimension;
                require(dimension > 0, "codebook_dimension", "at least 1", dimension)?;
            }
            Self::FiniteScalar(it) => {
                let least = it.levels.iter().min().copied().unwrap_or(0);
                let found = format!("{:?}", it.levels);
                let holds = least >= finite_scalar::FEWEST_LEVELS;
                require(holds, "levels", "one or more, each at least 3", found)?;
            }
        }
        let size = self.codebook_size();
        require((2..=MOST_CODES).contains(&size), "codebook_size", "between 2 and 65536", size)
    }
}

impl From<ResidualQuantizerConfig> for QuantizerConfig {
    fn from(config: ResidualQuantizerConfig) -> Self {
        Self::Residual(config)
    }
}

/// A [`QuantizerConfig`] as text: `kind` and the fields that belong to it, no others.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Kind::is_residual")]
    kind: Kind,
    n_quantizers: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codebook_size: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codebook_dimension: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    levels: Option<Vec<usize>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Residual,
    Factorized,
    FiniteScalar,
}

impl Kind {
    fn is_residual(&self) -> bool {
        *self == Self::Residual
    }

    fn fields(self) -> &'static str {
        match self {
            Self::Residual => "codebook_size",
            Self::Factorized => "codebook_size, codebook_dimension",
            Self::FiniteScalar => "levels",
        }
    }
}

/// Why fields and their kind do not go together.
#[derive(Debug, thiserror::Error)]
#[error(
    "a quantizer of kind {kind:?} has the fields n_quantizers, {expected}, and no others but kind"
)]
struct MisfitFields {
    kind: Kind,
    expected: &'static str,
}

impl From<QuantizerConfig> for Written {
    fn from(config: QuantizerConfig) -> Self {
        let n_quantizers = config.n_quantizers();
        match config {
            QuantizerConfig::Residual(it) => {
                let codebook_size = Some(it.codebook_size);
                Self { kind: Kind::Residual, n_quantizers, codebook_size, ..Self::default() }
            }
            QuantizerConfig::Factorized(it) => Self {
                kind: Kind::Factorized,
                n_quantizers,
                codebook_size: Some(it.codebook_size),
                codebook_dimension: Some(it.codebook_dimension),
                levels: None,
            },
            QuantizerConfig::FiniteScalar(it) => {
                let levels = Some(it.levels);
                Self { kind: Kind::FiniteScalar, n_quantizers, levels, ..Self::default() }
            }
        }
    }
}

impl TryFrom<Written> for QuantizerConfig {
    type Error = MisfitFields;

    fn try_from(written: Written) -> Result<Self, MisfitFields> {
        let Written { kind, n_quantizers: n, codebook_size, codebook_dimension, levels } = written;
        match (kind, codebook_size, codebook_dimension, levels) {
            (Kind::Residual, Some(size), None, None) => Ok(Self::residual(n, size)),
            (Kind::Factorized, Some(size), Some(dimension), None) => {
                Ok(Self::Factorized(FactorizedQuantizerConfig::new(n, size, dimension)))
            }
            (Kind::FiniteScalar, None, None, Some(levels)) => {
                Ok(Self::FiniteScalar(FiniteScalarQuantizerConfig::new(n, levels)))
            }
            _ => Err(MisfitFields { kind, expected: kind.fields() }),
        }
    }
}
