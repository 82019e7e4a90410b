//! The numbers that describe an encoder of T5's.

use std::path::Path;

use serde::Deserialize;

use crate::TextError;
use crate::hub_file::HubFile;

/// Larger sizes than any layer has.
const WIDEST: usize = 1 << 16;
/// More entries than any vocabulary has.
const MOST_PIECES: usize = 1 << 22;

/// Sizes of a [`T5Encoder`](crate::T5Encoder), under the names they have in `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct T5Config {
    /// Entries of the vocabulary.
    pub vocab_size: usize,
    /// Width of the stream between the layers, and of what comes out.
    pub d_model: usize,
    /// Width of an attention head.
    pub d_kv: usize,
    /// Width inside the feed-forward.
    pub d_ff: usize,
    /// Number of layers.
    pub num_layers: usize,
    /// Attention heads of each layer.
    pub num_heads: usize,
    /// Buckets of distances, for both directions together.
    pub relative_attention_num_buckets: usize,
    /// Distance from which all share a bucket.
    pub relative_attention_max_distance: usize,
    /// What the norms add to the mean square.
    pub layer_norm_epsilon: f64,
    /// What the feed-forward does: `relu` or `gated-gelu`.
    pub feed_forward_proj: String,
}

/// What the feed-forward does between its products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedForward {
    /// `max(0, x W) V` (Raffel et al. 2020, arXiv 1910.10683, section 2.1).
    Relu,
    /// `(gelu(x W) * x W') V`, gelu by its tanh (Shazeer 2020, arXiv 2002.05202, equation 6).
    GatedGelu,
}

impl Default for T5Config {
    /// What `config.json` leaves out, as the transformers library fills it in: T5 small of 2019.
    fn default() -> Self {
        Self {
            vocab_size: 32_128,
            d_model: 512,
            d_kv: 64,
            d_ff: 2048,
            num_layers: 6,
            num_heads: 8,
            relative_attention_num_buckets: 32,
            relative_attention_max_distance: 128,
            layer_norm_epsilon: 1e-6,
            feed_forward_proj: "relu".to_owned(),
        }
    }
}

/// The sizes of T5 version 1.1, as published by the paper's authors
/// (`released_checkpoints.md` of text-to-text-transfer-transformer; the widths but for the
/// feed-forward are those of Raffel et al. 2020, arXiv 1910.10683, section 3.7). Flan-T5 has the same.
impl T5Config {
    /// `google/t5-v1_1-small`.
    pub fn v1_1_small() -> Self {
        Self::v1_1([512, 1024], 8, 6)
    }

    /// `google/t5-v1_1-base`, which audiolm-pytorch conditions on.
    pub fn v1_1_base() -> Self {
        Self::v1_1([768, 2048], 12, 12)
    }

    /// `google/t5-v1_1-large`.
    pub fn v1_1_large() -> Self {
        Self::v1_1([1024, 2816], 24, 16)
    }

    /// `google/t5-v1_1-xl`.
    pub fn v1_1_xl() -> Self {
        Self::v1_1([2048, 5120], 24, 32)
    }

    /// `google/t5-v1_1-xxl`.
    pub fn v1_1_xxl() -> Self {
        Self::v1_1([4096, 10_240], 24, 64)
    }

    fn v1_1([d_model, d_ff]: [usize; 2], num_layers: usize, num_heads: usize) -> Self {
        let feed_forward_proj = "gated-gelu".to_owned();
        Self { d_model, d_ff, num_layers, num_heads, feed_forward_proj, ..Self::default() }
    }

    /// Reads the `config.json` of a published model. Keys that say nothing of the encoder are let
    /// pass.
    ///
    /// # Errors
    /// Where the file cannot be read, is another model's, or of a variant that is not implemented.
    pub fn load_from(path: &Path) -> Result<Self, TextError> {
        let file = HubFile::load(path, "configuration")?;
        // mT5 is a T5 version 1.1 of another vocabulary; UMT5 has a bias in every layer.
        let kinds = ["t5", "mt5"].map(str::to_owned);
        let kind = file.values["model_type"].as_str().unwrap_or("no model_type").to_owned();
        if !kinds.contains(&kind) {
            return Err(file.unsupported("model_type", "t5 or mt5", kind));
        }
        let config: Self = file.parse()?;
        config.validate(&file)?;
        Ok(config)
    }

    /// What the feed-forward does; of what has been validated.
    pub(super) fn feed_forward(&self) -> FeedForward {
        match self.feed_forward_proj.as_str() {
            "gated-gelu" => FeedForward::GatedGelu,
            _ => FeedForward::Relu,
        }
    }

    /// Width of all heads together.
    pub(super) fn d_heads(&self) -> usize {
        self.num_heads * self.d_kv
    }

    /// Numbers in the weights of the encoder, the vocabulary among them.
    pub fn parameter_count(&self) -> usize {
        let products = match self.feed_forward() {
            FeedForward::Relu => 2,
            FeedForward::GatedGelu => 3,
        };
        let attention = 4 * self.d_model * self.d_heads();
        let layer = attention + products * self.d_model * self.d_ff + 2 * self.d_model;
        let bias = self.relative_attention_num_buckets * self.num_heads;
        self.vocab_size * self.d_model + self.num_layers * layer + bias + self.d_model
    }

    fn validate(&self, file: &HubFile) -> Result<(), TextError> {
        if !["relu", "gated-gelu"].contains(&self.feed_forward_proj.as_str()) {
            let found = self.feed_forward_proj.clone();
            return Err(file.unsupported("feed_forward_proj", "relu or gated-gelu", found));
        }
        for (field, most, found) in [
            ("vocab_size", MOST_PIECES, self.vocab_size),
            ("d_model", WIDEST, self.d_model),
            ("d_kv", WIDEST, self.d_kv),
            ("d_ff", WIDEST, self.d_ff),
            ("num_layers", 256, self.num_layers),
            ("num_heads", 1024, self.num_heads),
        ] {
            file.between(field, [1, most], found)?;
        }
        // A quarter of the buckets is exact, half of either direction's.
        let (buckets, distance) =
            (self.relative_attention_num_buckets, self.relative_attention_max_distance);
        file.between("relative_attention_num_buckets", [4, WIDEST], buckets)?;
        file.between("relative_attention_max_distance", [buckets / 4 + 1, WIDEST], distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As transformers counts them, of a model without its decoder.
    #[track_caller]
    fn check_size(config: T5Config, parameters: usize) {
        assert_eq!(config.parameter_count(), parameters);
    }

    #[test]
    fn presets_are_of_the_published_sizes() {
        check_size(T5Config::v1_1_small(), 35_332_800);
        check_size(T5Config::v1_1_base(), 109_628_544);
        check_size(T5Config::v1_1_large(), 341_231_104);
        check_size(T5Config::v1_1_xl(), 1_223_527_424);
        check_size(T5Config::v1_1_xxl(), 4_762_310_656);
        check_size(T5Config::default(), 35_330_816);
    }

    fn loaded(text: &str) -> Result<T5Config, TextError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        T5Config::load_from(&path)
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let error = loaded(text).unwrap_err().to_string();
        assert!(error.contains("config.json") && error.contains(expected), "{error}");
    }

    #[test]
    fn what_a_file_leaves_out_is_as_in_transformers() {
        assert_eq!(loaded(r#"{"model_type": "t5", "d_ff": 2048}"#).unwrap(), T5Config::default());
    }

    #[test]
    fn what_is_not_implemented_is_refused_by_name() {
        check_refused("{}", "model_type is no model_type; supported is only t5 or mt5");
        check_refused(r#"{"model_type": "umt5"}"#, "model_type is umt5");
        check_refused(
            r#"{"model_type": "t5", "feed_forward_proj": "gated-silu"}"#,
            "feed_forward_proj is gated-silu; supported is only relu or gated-gelu",
        );
        check_refused(r#"{"model_type": "t5", "num_heads": 0}"#, "num_heads is 0");
        check_refused(
            r#"{"model_type": "t5", "relative_attention_max_distance": 8}"#,
            "relative_attention_max_distance is 8; supported is only 9 to",
        );
        check_refused(r#"{"model_type": "t5", "d_model": "wide"}"#, "not a readable configuration");
    }
}
