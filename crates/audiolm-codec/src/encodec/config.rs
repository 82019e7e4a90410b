//! The numbers that describe an EnCodec.

use serde::Deserialize;

use crate::hub_config::{HubConfig, Only};
use crate::seanet::{Edge, SeanetConfig, Shortcut};
use crate::{CodecError, CodecKind, CodecSpec};

/// Sizes of an [`EnCodec`](crate::EnCodec), under the names they have in `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct EnCodecConfig {
    target_bandwidths: Vec<f64>,
    sampling_rate: usize,
    audio_channels: usize,
    pub(super) normalize: bool,
    chunk_length_s: Option<f64>,
    pub(super) hidden_size: usize,
    num_filters: usize,
    num_residual_layers: usize,
    upsampling_ratios: Vec<usize>,
    norm_type: String,
    kernel_size: usize,
    last_kernel_size: usize,
    residual_kernel_size: usize,
    dilation_growth_rate: usize,
    use_causal_conv: bool,
    pad_mode: String,
    compress: usize,
    num_lstm_layers: usize,
    trim_right_ratio: f64,
    pub(super) codebook_size: usize,
    codebook_dim: Option<usize>,
    use_conv_shortcut: bool,
}

impl Default for EnCodecConfig {
    /// EnCodec 24 kHz (arXiv 2210.13438, section 3.1).
    fn default() -> Self {
        Self {
            target_bandwidths: vec![1.5, 3.0, 6.0, 12.0, 24.0],
            sampling_rate: 24_000,
            audio_channels: 1,
            normalize: false,
            chunk_length_s: None,
            hidden_size: 128,
            num_filters: 32,
            num_residual_layers: 1,
            upsampling_ratios: vec![8, 5, 4, 2],
            norm_type: "weight_norm".to_owned(),
            kernel_size: 7,
            last_kernel_size: 7,
            residual_kernel_size: 3,
            dilation_growth_rate: 2,
            use_causal_conv: true,
            pad_mode: "reflect".to_owned(),
            compress: 2,
            num_lstm_layers: 2,
            trim_right_ratio: 1.0,
            codebook_size: 1024,
            codebook_dim: None,
            use_conv_shortcut: true,
        }
    }
}

impl EnCodecConfig {
    pub(crate) fn of(file: &HubConfig) -> Result<Self, CodecError> {
        let config: Self = file.parse()?;
        config.validate(&Only { path: file.path(), model: CodecKind::EnCodec.name() })?;
        Ok(config)
    }

    /// What it takes and makes.
    pub fn spec(&self) -> CodecSpec {
        CodecSpec {
            kind: CodecKind::EnCodec,
            sample_rate_hz: self.sampling_rate,
            hop_samples: self.hop_samples(),
            n_quantizers: self.n_quantizers(),
            codebook_size: self.codebook_size,
        }
    }

    /// Whether it divides waves by their loudness before it encodes them.
    pub fn normalizes(&self) -> bool {
        self.normalize
    }

    /// Frames that a stream must begin with, so that its start reflects as that of the whole does.
    pub(crate) fn least_frames(&self) -> usize {
        let widest = self.dilation_growth_rate.pow(self.num_residual_layers as u32);
        let residual = (self.residual_kernel_size - 1) * widest + 1;
        match self.edge() {
            Edge::Reflect => self.kernel_size.max(self.last_kernel_size).max(residual),
            Edge::Zeros | Edge::Replicate => 1,
        }
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
            n_lstm_layers: self.num_lstm_layers,
            shortcut: match self.use_conv_shortcut {
                true => Shortcut::Convolved,
                false => Shortcut::Plain,
            },
            edge: self.edge(),
        }
    }

    /// As many as the highest bandwidth pays for.
    pub(super) fn n_quantizers(&self) -> usize {
        let frames_per_second = self.sampling_rate.div_ceil(self.hop_samples());
        let bits_per_code = (self.codebook_size as f64).log2().ceil();
        let kilobits = self.target_bandwidths.last().copied().unwrap_or_default();
        (1000.0 * kilobits / (frames_per_second as f64 * bits_per_code)).floor() as usize
    }

    fn hop_samples(&self) -> usize {
        self.upsampling_ratios.iter().product()
    }

    fn edge(&self) -> Edge {
        match self.pad_mode.as_str() {
            "reflect" => Edge::Reflect,
            _ => Edge::Zeros,
        }
    }

    fn validate(&self, only: &Only<'_>) -> Result<(), CodecError> {
        only.value("audio_channels", 1, self.audio_channels)?;
        only.value("norm_type", "weight_norm", &self.norm_type)?;
        only.value("use_causal_conv", true, self.use_causal_conv)?;
        only.value("chunk_length_s", None, self.chunk_length_s)?;
        only.value("trim_right_ratio", 1.0, self.trim_right_ratio)?;
        if self.pad_mode != "constant" {
            only.value("pad_mode", "reflect", &self.pad_mode)?;
        }
        let codebook_dim = self.codebook_dim.unwrap_or(self.hidden_size);
        only.value("codebook_dim", self.hidden_size, codebook_dim)?;
        only.sizes(&[
            ("sampling_rate", self.sampling_rate),
            ("hidden_size", self.hidden_size),
            ("num_filters", self.num_filters),
            ("kernel_size", self.kernel_size),
            ("last_kernel_size", self.last_kernel_size),
            ("residual_kernel_size", self.residual_kernel_size),
        ])?;
        only.between("compress", 1..=self.num_filters, self.compress)?;
        only.between("num_residual_layers", 0..=8, self.num_residual_layers)?;
        only.between("dilation_growth_rate", 1..=16, self.dilation_growth_rate)?;
        only.strides("upsampling_ratios", &self.upsampling_ratios)?;
        only.codebook_size(self.codebook_size)?;
        only.between("codes that target_bandwidths pay for", 1..=1024, self.n_quantizers())
    }
}
