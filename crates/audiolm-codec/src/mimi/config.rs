//! The numbers that describe a Mimi.

use serde::Deserialize;

use super::resampling::STRIDE;
use crate::hub_config::{HubConfig, Only};
use crate::seanet::{Edge, SeanetConfig, Shortcut};
use crate::{CodecError, CodecKind, CodecSpec};

/// Sizes of a [`Mimi`](crate::Mimi), under the names they have in `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct MimiConfig {
    sampling_rate: usize,
    audio_channels: usize,
    pub(super) hidden_size: usize,
    num_filters: usize,
    num_residual_layers: usize,
    upsampling_ratios: Vec<usize>,
    kernel_size: usize,
    last_kernel_size: usize,
    residual_kernel_size: usize,
    dilation_growth_rate: usize,
    use_causal_conv: bool,
    pad_mode: String,
    compress: usize,
    trim_right_ratio: f64,
    pub(super) codebook_size: usize,
    codebook_dim: Option<usize>,
    pub(super) num_quantizers: usize,
    use_conv_shortcut: bool,
    vector_quantization_hidden_dimension: usize,
    pub(super) num_semantic_quantizers: usize,
    pub(super) upsample_groups: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: Option<usize>,
    hidden_act: String,
    pub(super) norm_eps: f64,
    pub(super) sliding_window: usize,
    attention_bias: bool,
    /// Frames per second, where the file states them.
    frame_rate: Option<f64>,
    /// Where older files keep it.
    rope_theta: Option<f64>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Rope {
    rope_theta: f64,
    #[serde(default = "default_rope")]
    rope_type: String,
}

fn default_rope() -> String {
    "default".to_owned()
}

impl Default for MimiConfig {
    /// Mimi as Moshi uses it (arXiv 2410.00037, section 3.3), with all of the codebooks that were
    /// published.
    fn default() -> Self {
        Self {
            sampling_rate: 24_000,
            audio_channels: 1,
            hidden_size: 512,
            num_filters: 64,
            num_residual_layers: 1,
            upsampling_ratios: vec![8, 6, 5, 4],
            kernel_size: 7,
            last_kernel_size: 3,
            residual_kernel_size: 3,
            dilation_growth_rate: 2,
            use_causal_conv: true,
            pad_mode: "constant".to_owned(),
            compress: 2,
            trim_right_ratio: 1.0,
            codebook_size: 2048,
            codebook_dim: Some(256),
            num_quantizers: 32,
            use_conv_shortcut: false,
            vector_quantization_hidden_dimension: 256,
            num_semantic_quantizers: 1,
            upsample_groups: 512,
            num_hidden_layers: 8,
            intermediate_size: 2048,
            num_attention_heads: 8,
            num_key_value_heads: 8,
            head_dim: None,
            hidden_act: "gelu".to_owned(),
            norm_eps: 1e-5,
            sliding_window: 250,
            attention_bias: false,
            frame_rate: None,
            rope_theta: None,
            rope_parameters: None,
            rope_scaling: None,
        }
    }
}

impl MimiConfig {
    pub(crate) fn of(file: &HubConfig) -> Result<Self, CodecError> {
        let config: Self = file.parse()?;
        config.validate(&Only { path: file.path(), model: CodecKind::Mimi.name() })?;
        Ok(config)
    }

    /// What it takes and makes.
    pub fn spec(&self) -> CodecSpec {
        CodecSpec {
            kind: CodecKind::Mimi,
            sample_rate_hz: self.sampling_rate,
            hop_samples: self.hop_samples(),
            n_quantizers: self.num_quantizers,
            codebook_size: self.codebook_size,
        }
    }

    /// Dimensions of a codebook's entries.
    pub(super) fn codebook_dim(&self) -> usize {
        self.vector_quantization_hidden_dimension
    }

    /// Dimensions of one head.
    pub(super) fn d_head(&self) -> usize {
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads)
    }

    /// Base of the rotary frequencies.
    pub(super) fn rope_theta(&self) -> f64 {
        let newer = self.rope_parameters.as_ref().map(|it| it.rope_theta);
        newer.or(self.rope_theta).unwrap_or(10_000.0)
    }

    pub(super) fn seanet(&self) -> SeanetConfig {
        SeanetConfig {
            n_filters: self.num_filters,
            dimension: self.hidden_size,
            ratios: self.upsampling_ratios.clone(),
            kernel_size: self.kernel_size,
            last_kernel_size: self.last_kernel_size,
            residual_kernel_size: self.residual_kernel_size,
            n_residual_layers: self.num_residual_layers,
            dilation_growth: self.dilation_growth_rate,
            compress: self.compress,
            n_lstm_layers: 0,
            shortcut: match self.use_conv_shortcut {
                true => Shortcut::Convolved,
                false => Shortcut::Plain,
            },
            edge: Edge::Zeros,
        }
    }

    fn hop_samples(&self) -> usize {
        self.upsampling_ratios.iter().product::<usize>() * STRIDE
    }

    fn validate(&self, only: &Only<'_>) -> Result<(), CodecError> {
        self.validate_variant(only)?;
        self.validate_rotation(only)?;
        only.sizes(&[
            ("sampling_rate", self.sampling_rate),
            ("hidden_size", self.hidden_size),
            ("num_filters", self.num_filters),
            ("kernel_size", self.kernel_size),
            ("last_kernel_size", self.last_kernel_size),
            ("residual_kernel_size", self.residual_kernel_size),
            ("num_semantic_quantizers", self.num_semantic_quantizers),
            ("sliding_window", self.sliding_window),
        ])?;
        only.between("compress", 1..=self.num_filters, self.compress)?;
        only.between("num_residual_layers", 0..=8, self.num_residual_layers)?;
        only.between("dilation_growth_rate", 1..=16, self.dilation_growth_rate)?;
        only.between("num_attention_heads", 1..=self.hidden_size, self.num_attention_heads)?;
        only.value("head_dim modulo 2", 0, self.d_head() % 2)?;
        only.between("upsample_groups", 1..=self.hidden_size, self.upsample_groups)?;
        only.value(
            "hidden_size modulo upsample_groups",
            0,
            self.hidden_size % self.upsample_groups,
        )?;
        only.strides("upsampling_ratios", &self.upsampling_ratios)?;
        only.codebook_size(self.codebook_size)?;
        let least = self.num_semantic_quantizers + 1;
        only.between("num_quantizers", least..=1024, self.num_quantizers)?;
        let frame_rate = self.sampling_rate as f64 / self.hop_samples() as f64;
        only.value("frame_rate", frame_rate, self.frame_rate.unwrap_or(frame_rate))
    }

    fn validate_variant(&self, only: &Only<'_>) -> Result<(), CodecError> {
        only.value("audio_channels", 1, self.audio_channels)?;
        only.value("use_causal_conv", true, self.use_causal_conv)?;
        only.value("pad_mode", "constant", &self.pad_mode)?;
        only.value("trim_right_ratio", 1.0, self.trim_right_ratio)?;
        only.value("num_key_value_heads", self.num_attention_heads, self.num_key_value_heads)?;
        only.value("hidden_act", "gelu", &self.hidden_act)?;
        only.value("attention_bias", false, self.attention_bias)?;
        let codebook_dim = self.codebook_dim.unwrap_or(self.hidden_size);
        only.value("codebook_dim", self.vector_quantization_hidden_dimension, codebook_dim)
    }

    fn validate_rotation(&self, only: &Only<'_>) -> Result<(), CodecError> {
        only.value("rope_scaling", &None, &self.rope_scaling)?;
        match &self.rope_parameters {
            Some(it) => only.value("rope_type", "default", &it.rope_type),
            None => Ok(()),
        }
    }
}
