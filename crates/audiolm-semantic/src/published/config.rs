//! Configurations as transformers keeps them.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::keys::{ConformerKeys, HubertKeys, PreprocessorKeys};
use crate::folder::PREPROCESSOR_FILE;
use crate::{
    ConformerConfig, ConvLayerConfig, EncoderConfig, FrontEndNorm, HubertConfig, NormPlacement,
    PositionBias, SemanticError, WaveScale,
};

/// Larger sizes than any layer has.
const WIDEST: usize = 1 << 14;
/// More layers than any model has.
const MOST_LAYERS: usize = 256;

/// What stands beside the weights of a published encoder.
///
/// Such files hold many keys that say nothing of the encoder, so unknown ones are let pass; what
/// they leave out has the value that transformers gives it.
#[derive(Debug, Clone)]
pub struct TransformersConfig {
    /// Where it was read from.
    pub path: PathBuf,
    /// `config.json`.
    pub model: Value,
    /// `preprocessor_config.json`, where there is one: the rate, and what is done to waves.
    pub preprocessor: Option<Value>,
}

impl TransformersConfig {
    /// The kind of model, where the file names one.
    pub fn model_type(&self) -> Option<&str> {
        self.model.get("model_type")?.as_str()
    }

    /// What the encoder is made of.
    ///
    /// # Errors
    /// Where the model is of another kind, of a variant that is not implemented, or none at all.
    pub fn encoder(&self) -> Result<EncoderConfig, SemanticError> {
        match self.model_type() {
            Some("hubert" | "wav2vec2" | "mert_model") => self.hubert(PositionBias::None),
            Some("wavlm") => self.hubert(self.buckets()?),
            Some("wav2vec2-bert") => self.conformer(),
            other => Err(SemanticError::UnknownModel {
                path: self.path.clone(),
                found: other.unwrap_or("no model_type").to_owned(),
            }),
        }
    }

    fn hubert(&self, position_bias: PositionBias) -> Result<EncoderConfig, SemanticError> {
        let keys: HubertKeys = self.keys(&self.model)?;
        let preprocessor = self.preprocessor()?;
        self.check_hubert(&keys)?;
        let rate = preprocessor.sampling_rate.or(keys.sample_rate);
        let default_rate = if self.model_type() == Some("mert_model") { 24_000 } else { 16_000 };
        let front_end_norm = self.front_end_norm(&keys)?;
        let config = HubertConfig {
            conv_layers: self.conv_layers(&keys)?,
            d_model: keys.hidden_size,
            n_layers: keys.num_hidden_layers,
            n_heads: keys.num_attention_heads,
            d_feed_forward: keys.intermediate_size,
            sample_rate_hz: rate.unwrap_or(default_rate),
            position_kernel_size: keys.num_conv_pos_embeddings,
            position_groups: keys.num_conv_pos_embedding_groups,
            dropout: keys.hidden_dropout,
            front_end_norm,
            conv_bias: keys.conv_bias,
            norm_placement: match keys.do_stable_layer_norm {
                true => NormPlacement::Before,
                false => NormPlacement::After,
            },
            wave_scale: match preprocessor.do_normalize {
                Some(true) => WaveScale::UnitVariance,
                Some(false) => WaveScale::AsIs,
                // As fairseq trained them.
                None if front_end_norm == FrontEndNorm::Frame => WaveScale::UnitVariance,
                None => WaveScale::AsIs,
            },
            position_bias,
        };
        config.validate()?;
        Ok(config.into())
    }

    fn check_hubert(&self, keys: &HubertKeys) -> Result<(), SemanticError> {
        self.only("hidden_act", "gelu", &keys.hidden_act)?;
        self.only("feat_extract_activation", "gelu", &keys.feat_extract_activation)?;
        self.only("layer_norm_eps", 1e-5, keys.layer_norm_eps)?;
        self.only("feat_proj_layer_norm", true, keys.feat_proj_layer_norm)?;
        self.only("conv_pos_batch_norm", false, keys.conv_pos_batch_norm)?;
        self.only("adapter_attn_dim", None, keys.adapter_attn_dim)?;
        self.only("deepnorm", false, keys.deepnorm)?;
        self.only("feature_extractor_cqt", false, keys.feature_extractor_cqt)?;
        self.at_most("num_conv_pos_embeddings", WIDEST, keys.num_conv_pos_embeddings)?;
        self.check_sizes(keys.hidden_size, keys.intermediate_size, keys.num_hidden_layers)
    }

    fn front_end_norm(&self, keys: &HubertKeys) -> Result<FrontEndNorm, SemanticError> {
        match keys.feat_extract_norm.as_str() {
            "group" => Ok(FrontEndNorm::Clip),
            "layer" => Ok(FrontEndNorm::Frame),
            other => Err(self.unsupported("feat_extract_norm", "group or layer", other)),
        }
    }

    fn conv_layers(&self, keys: &HubertKeys) -> Result<Vec<ConvLayerConfig>, SemanticError> {
        let (channels, kernels, strides) = (&keys.conv_dim, &keys.conv_kernel, &keys.conv_stride);
        let n = channels.len();
        if kernels.len() != n || strides.len() != n || n > MOST_LAYERS {
            let lengths = format!(
                "{n} of conv_dim, {} of conv_kernel, {} of conv_stride",
                kernels.len(),
                strides.len()
            );
            return Err(self.unsupported("conv_dim", "as many kernels and strides", &lengths));
        }
        for (name, sizes) in [("conv_dim", channels), ("conv_kernel", kernels)] {
            self.at_most(name, WIDEST, sizes.iter().copied().max().unwrap_or(0))?;
        }
        let layers = channels.iter().zip(kernels).zip(strides);
        Ok(layers.map(|((c, k), s)| ConvLayerConfig::new(*c, *k, *s)).collect())
    }

    fn buckets(&self) -> Result<PositionBias, SemanticError> {
        let HubertKeys { num_buckets, max_bucket_distance, .. } = self.keys(&self.model)?;
        self.at_most("num_buckets", WIDEST, num_buckets)?;
        Ok(PositionBias::Gated { n_buckets: num_buckets, max_distance: max_bucket_distance })
    }

    fn conformer(&self) -> Result<EncoderConfig, SemanticError> {
        let keys: ConformerKeys = self.keys(&self.model)?;
        let preprocessor = self.preprocessor()?;
        let stride = preprocessor.stride.unwrap_or(2);
        self.check_conformer(&keys)?;
        self.only("sampling_rate", 16_000, preprocessor.sampling_rate.unwrap_or(16_000))?;
        self.only("num_mel_bins", 80, preprocessor.num_mel_bins.unwrap_or(80))?;
        let width = stride.saturating_mul(80);
        self.only("feature_projection_input_dim", width, keys.feature_projection_input_dim)?;
        let sizes = ConformerConfig::new(
            keys.hidden_size,
            keys.num_hidden_layers,
            keys.num_attention_heads,
            keys.intermediate_size,
        );
        let config = ConformerConfig {
            conv_kernel_size: keys.conv_depthwise_kernel_size,
            frames_before: keys.left_max_position_embeddings,
            frames_after: keys.right_max_position_embeddings,
            frames_stacked: stride,
            dropout: keys.hidden_dropout,
            ..sizes
        };
        config.validate()?;
        Ok(config.into())
    }

    fn check_conformer(&self, keys: &ConformerKeys) -> Result<(), SemanticError> {
        let position = keys.position_embeddings_type.as_deref().unwrap_or("none");
        self.only("position_embeddings_type", "relative_key", position)?;
        if !["swish", "silu"].contains(&keys.hidden_act.as_str()) {
            return Err(self.unsupported("hidden_act", "swish", &keys.hidden_act));
        }
        self.only("layer_norm_eps", 1e-5, keys.layer_norm_eps)?;
        self.at_most("feature_projection_input_dim", WIDEST, keys.feature_projection_input_dim)?;
        self.at_most("conv_depthwise_kernel_size", WIDEST, keys.conv_depthwise_kernel_size)?;
        self.at_most("left_max_position_embeddings", WIDEST, keys.left_max_position_embeddings)?;
        self.at_most("right_max_position_embeddings", WIDEST, keys.right_max_position_embeddings)?;
        self.check_sizes(keys.hidden_size, keys.intermediate_size, keys.num_hidden_layers)
    }

    fn check_sizes(&self, model: usize, inner: usize, layers: usize) -> Result<(), SemanticError> {
        self.at_most("hidden_size", WIDEST, model)?;
        self.at_most("intermediate_size", WIDEST, inner)?;
        self.at_most("num_hidden_layers", MOST_LAYERS, layers)
    }

    fn preprocessor(&self) -> Result<PreprocessorKeys, SemanticError> {
        match &self.preprocessor {
            Some(values) => self.keys(values).map_err(|it| match it {
                SemanticError::ConfigFile { path, reason } => SemanticError::ConfigFile {
                    path: path.with_file_name(PREPROCESSOR_FILE),
                    reason,
                },
                other => other,
            }),
            None => Ok(PreprocessorKeys::default()),
        }
    }

    fn keys<'a, K: Deserialize<'a>>(&self, values: &'a Value) -> Result<K, SemanticError> {
        K::deserialize(values).map_err(|it| SemanticError::ConfigFile {
            path: self.path.clone(),
            reason: it.to_string(),
        })
    }

    fn only<T: PartialEq<U> + Debug, U: Debug>(
        &self,
        field: &'static str,
        expected: T,
        found: U,
    ) -> Result<(), SemanticError> {
        match expected == found {
            true => Ok(()),
            false => Err(self.unsupported(field, &format!("{expected:?}"), &format!("{found:?}"))),
        }
    }

    fn at_most(&self, field: &'static str, most: usize, found: usize) -> Result<(), SemanticError> {
        match found <= most {
            true => Ok(()),
            false => Err(self.unsupported(field, &format!("at most {most}"), &found.to_string())),
        }
    }

    fn unsupported(&self, field: &'static str, expected: &str, found: &str) -> SemanticError {
        SemanticError::Unsupported {
            path: self.path.clone(),
            model: self.model_type().unwrap_or("model").to_owned(),
            field,
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    /// Reads the configurations of a folder.
    pub(crate) fn load(path: &Path, model: Value) -> Result<Self, SemanticError> {
        let preprocessor = path.with_file_name(PREPROCESSOR_FILE);
        let preprocessor = match preprocessor.exists() {
            true => Some(crate::folder::json(&preprocessor)?),
            false => None,
        };
        Ok(Self { path: path.to_owned(), model, preprocessor })
    }
}
