//! The configurations of the parts, and whether they fit one another.

use std::path::Path;

use audiolm_codec::{Codec, CodecConfig};
use audiolm_nn::{Weights, load_weights};
use audiolm_semantic::{SemanticTokenizer, SemanticTokenizerConfig};
use audiolm_transformer::{
    CoarseStage, CoarseStageConfig, ConfigError, FineStage, FineStageConfig, ParallelStage,
    ParallelStageConfig, SemanticStage, SemanticStageConfig,
};
use burn::module::Module;
use burn::prelude::*;

use crate::files::read;
use crate::part::{CONFIG_FILE, WEIGHTS_FILE};
use crate::{BundleError, Part};

/// What every part is made of, read from the folder that holds them.
#[derive(Debug, Clone)]
pub(crate) struct Configs {
    pub(crate) tokenizer: SemanticTokenizerConfig,
    pub(crate) codec: CodecConfig,
    pub(crate) semantic: SemanticStageConfig,
    pub(crate) coarse: CoarseStageConfig,
    pub(crate) fine: FineStageConfig,
    pub(crate) parallel: Option<ParallelStageConfig>,
}

/// The models, built.
#[derive(Debug)]
pub(crate) struct Models {
    pub(crate) tokenizer: SemanticTokenizer,
    pub(crate) codec: Codec,
    pub(crate) semantic: SemanticStage,
    pub(crate) coarse: CoarseStage,
    pub(crate) fine: FineStage,
    pub(crate) parallel: Option<ParallelStage>,
}

impl Models {
    /// The same with the weights of the language models as these, but for those of the parallel stage:
    /// it multiplies many rows at once, and waits for arithmetic rather than for memory.
    pub(crate) fn with_weights(self, weights: Weights) -> Self {
        Self {
            semantic: self.semantic.with_weights(weights),
            coarse: self.coarse.with_weights(weights),
            fine: self.fine.with_weights(weights),
            ..self
        }
    }
}

impl Configs {
    /// Reads all that are there, and checks that they fit one another.
    pub(crate) fn load(folder: &Path) -> Result<Self, BundleError> {
        let configs = Self {
            tokenizer: load_config(folder, Part::SemanticTokenizer)?,
            codec: load_codec_config(folder)?,
            semantic: load_config(folder, Part::Semantic)?,
            coarse: load_config(folder, Part::Coarse)?,
            fine: load_config(folder, Part::Fine)?,
            parallel: match Part::Parallel.is_in(folder) {
                true => Some(load_config(folder, Part::Parallel)?),
                false => None,
            },
        };
        configs.check()?;
        configs.check_parallel()?;
        Ok(configs)
    }

    /// Builds every model and fills it with its weights.
    pub(crate) fn load_models(
        &self,
        folder: &Path,
        device: &Device,
    ) -> Result<Models, BundleError> {
        let of = |part: Part| folder.join(part.folder());
        Ok(Models {
            tokenizer: SemanticTokenizer::load(&of(Part::SemanticTokenizer), device)?,
            codec: Codec::load_from(&of(Part::Codec), device)?,
            semantic: filled(folder, Part::Semantic, self.semantic.init(device))?,
            coarse: filled(folder, Part::Coarse, self.coarse.init(device))?,
            fine: filled(folder, Part::Fine, self.fine.init(device))?,
            parallel: match &self.parallel {
                Some(config) => Some(filled(folder, Part::Parallel, config.init(device))?),
                None => None,
            },
        })
    }

    fn check(&self) -> Result<(), BundleError> {
        let Self { tokenizer, codec, semantic, coarse, fine, .. } = self;
        let hop = tokenizer.encoder.geometry().hop_samples;
        let tokenizer_rate = tokenizer.encoder.sample_rate_hz();
        let codec = codec.spec();
        let codes = codec.codebook_size;
        use Part::{Coarse, Codec, Fine, Semantic, SemanticTokenizer};
        for (quantity, (one, expected), (other, found)) in [
            (
                "samples per second",
                (Codec, codec.sample_rate_hz),
                (SemanticTokenizer, tokenizer_rate),
            ),
            ("samples per frame", (Codec, codec.hop_samples), (SemanticTokenizer, hop)),
            ("semantic ids", (SemanticTokenizer, tokenizer.n_clusters), (Semantic, semantic.n_ids)),
            (
                "semantic ids",
                (SemanticTokenizer, tokenizer.n_clusters),
                (Coarse, coarse.n_semantic_ids),
            ),
            ("codes per quantizer", (Codec, codes), (Coarse, coarse.codebook_size)),
            ("codes per quantizer", (Codec, codes), (Fine, fine.codebook_size)),
            // The codec may have more, which the models leave out.
            (
                "quantizers",
                (Codec, codec.n_quantizers.min(fine.n_quantizers)),
                (Fine, fine.n_quantizers),
            ),
            ("coarse quantizers", (Coarse, coarse.n_quantizers), (Fine, fine.n_coarse)),
        ] {
            agree(quantity, (one.folder(), expected), (other.folder(), found))?;
        }
        Ok(())
    }

    /// The stage in place of the second and the third knows what they know.
    fn check_parallel(&self) -> Result<(), BundleError> {
        let Self { coarse, fine, parallel, .. } = self;
        let Some(parallel) = parallel else { return Ok(()) };
        for (quantity, (one, expected), found) in [
            ("semantic ids", (Part::Coarse, coarse.n_semantic_ids), parallel.n_semantic_ids),
            ("codes per quantizer", (Part::Fine, fine.codebook_size), parallel.codebook_size),
            ("quantizers", (Part::Fine, fine.n_quantizers), parallel.n_quantizers),
        ] {
            let parallel = Part::Parallel.folder();
            agree(quantity, (one.folder(), expected), (parallel, found))?;
        }
        Ok(())
    }
}

/// Refuses two different statements about one quantity.
pub(crate) fn agree(
    quantity: &'static str,
    (one, expected): (&'static str, usize),
    (other, found): (&'static str, usize),
) -> Result<(), BundleError> {
    if expected == found {
        return Ok(());
    }
    Err(BundleError::Mismatch { quantity, one, expected, other, found })
}

fn load_config<C: Config>(folder: &Path, part: Part) -> Result<C, BundleError> {
    let path = folder.join(part.folder()).join(CONFIG_FILE);
    let unreadable = |it: burn::config::ConfigError| BundleError::Config {
        path: path.clone(),
        part,
        reason: it.to_string(),
    };
    C::load_binary(&read(&path)?).map_err(unreadable)
}

fn load_codec_config(folder: &Path) -> Result<CodecConfig, BundleError> {
    let folder = folder.join(Part::Codec.folder());
    read(&folder.join(CONFIG_FILE))?;
    Ok(CodecConfig::load_from(&folder)?)
}

fn filled<M: Module>(
    folder: &Path,
    part: Part,
    stage: Result<M, ConfigError>,
) -> Result<M, BundleError> {
    let stage = stage.map_err(|source| BundleError::Stage { part, source })?;
    Ok(load_weights(stage, &folder.join(part.folder()).join(WEIGHTS_FILE))?)
}
