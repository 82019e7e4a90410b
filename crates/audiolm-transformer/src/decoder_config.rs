//! The numbers and choices that describe a stack.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::condition::ConditionConfig;
use crate::error::ConfigError;
use crate::layout::nonzero;

/// How a stack tells how far a token is from another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionScheme {
    /// T5's bias of each head for each bucket of distances (arXiv 1910.10683, section 2.1).
    #[default]
    RelativeBias,
    /// Queries and keys turned by their position (RoPE; Su et al. 2021, arXiv 2104.09864). It
    /// learns nothing and has no buckets.
    Rotary,
}

/// What stands between the two products of a feed-forward layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedForward {
    /// GELU.
    #[default]
    Plain,
    /// A product of two halves, the second through GELU (GEGLU; Shazeer 2020, arXiv 2002.05202).
    Gated,
}

/// Configuration of a [`Decoder`](crate::Decoder).
///
/// A file may leave out what is as in the paper from `position` on; a key that is none of these is
/// refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Width of the stream between the layers.
    pub d_model: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Attention heads of each layer.
    pub n_heads: usize,
    /// Width inside the feed-forward; of each half, where it is gated.
    pub d_ff: usize,
    /// The share of each layer's output that training drops.
    pub dropout: f64,
    /// Buckets of distances, as in T5, of [`PositionScheme::RelativeBias`].
    pub n_position_buckets: usize,
    /// Distance, in tokens, from which all share the last bucket; 128 in T5.
    pub max_position_distance: usize,
    /// How a stack tells how far a token is from another.
    #[serde(default, skip_serializing_if = "is_default")]
    pub position: PositionScheme,
    /// Width of each head; an equal share of `d_model` without a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_head: Option<usize>,
    /// Heads of keys and values, each shared by as many heads of queries (grouped-query attention;
    /// Ainslie et al. 2023, arXiv 2305.13245): multi-query attention with 1, one each without a
    /// value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_kv_heads: Option<usize>,
    /// Whether queries and keys are brought to one size before they meet (Henry et al. 2020, arXiv
    /// 2010.04245; here by RMS with learnt scales).
    #[serde(default, skip_serializing_if = "is_default")]
    pub query_key_norm: bool,
    /// What stands between the two products of a feed-forward layer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub feed_forward: FeedForward,
    /// The share of past tokens that training hides (forgetful causal masking; Liu et al. 2022,
    /// arXiv 2210.13432).
    #[serde(default, skip_serializing_if = "is_default")]
    pub forgetting: f64,
    /// What sequences are told beside their tokens, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionConfig>,
}

impl Config for DecoderConfig {}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl DecoderConfig {
    /// The paper's kind of stack in these sizes: T5's bias, as many heads of keys as of queries, a
    /// plain feed-forward, dropout 0.1, and no condition.
    pub fn new(d_model: usize, n_layers: usize, n_heads: usize, d_ff: usize) -> Self {
        Self {
            d_model,
            n_layers,
            n_heads,
            d_ff,
            dropout: 0.1,
            n_position_buckets: 32,
            max_position_distance: 128,
            position: PositionScheme::RelativeBias,
            d_head: None,
            n_kv_heads: None,
            query_key_norm: false,
            feed_forward: FeedForward::Plain,
            forgetting: 0.0,
            condition: None,
        }
    }

    /// The stack of every stage of AudioLM (section IV-A): 12 layers, 16 heads, d 1024,
    /// feed-forward 4096, dropout 0.1, T5 relative bias.
    pub fn paper() -> Self {
        Self::new(1024, 12, 16, 4096)
    }

    /// A stack in the shape of the transformers of audiolm-pytorch 2.4.0 at this width: 6 layers as
    /// in its README, 8 heads of 64 that share one of keys and values, a gated feed-forward, no
    /// dropout, and a share of 0.15 forgotten in training. Positions are T5's here.
    pub fn audiolm_pytorch(d_model: usize) -> Self {
        Self {
            d_head: Some(64),
            n_kv_heads: Some(1),
            feed_forward: FeedForward::Gated,
            forgetting: 0.15,
            ..Self::new(d_model, 6, 8, d_model * 8 / 3).with_dropout(0.0)
        }
    }

    /// A stack of about 9.4 M parameters that chooses as most decoders do since LLaMA (Touvron et al.
    /// 2023, arXiv 2302.13971; here with GELU) and Qwen3 (2025, arXiv 2505.09388): rotary positions,
    /// three heads of queries to one of keys, query-key norm and a gated feed-forward.
    pub fn small() -> Self {
        Self {
            position: PositionScheme::Rotary,
            n_kv_heads: Some(2),
            query_key_norm: true,
            feed_forward: FeedForward::Gated,
            ..Self::new(384, 6, 6, 1024)
        }
    }

    /// With another share of dropped outputs.
    pub fn with_dropout(mut self, dropout: f64) -> Self {
        self.dropout = dropout;
        self
    }

    /// With another distance from which all share the last bucket.
    pub fn with_max_position_distance(mut self, tokens: usize) -> Self {
        self.max_position_distance = tokens;
        self
    }

    /// With something to be told.
    pub fn with_condition(mut self, condition: ConditionConfig) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Names the first number that describes no stack.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (field, size) in [
            ("d_model", self.d_model),
            ("n_layers", self.n_layers),
            ("n_heads", self.n_heads),
            ("d_ff", self.d_ff),
            ("d_head", self.d_head.unwrap_or(1)),
            ("n_kv_heads", self.n_kv_heads.unwrap_or(1)),
        ] {
            nonzero(field, size)?;
        }
        self.validate_heads()?;
        self.validate_buckets()?;
        share("dropout", self.dropout)?;
        share("forgetting", self.forgetting)?;
        self.condition.as_ref().map_or(Ok(()), ConditionConfig::validate)
    }

    fn validate_heads(&self) -> Result<(), ConfigError> {
        let Self { d_model, n_heads, .. } = *self;
        if self.d_head.is_none() && !d_model.is_multiple_of(n_heads) {
            return Err(ConfigError::HeadsDoNotDivide { d_model, n_heads });
        }
        let n_kv_heads = self.n_kv_heads.unwrap_or(n_heads);
        if !n_heads.is_multiple_of(n_kv_heads) {
            return Err(ConfigError::UnequalGroups { n_heads, n_kv_heads });
        }
        let d_head = self.d_head.unwrap_or(d_model / n_heads);
        if self.position == PositionScheme::Rotary && !d_head.is_multiple_of(2) {
            return Err(ConfigError::OddHead { d_head });
        }
        Ok(())
    }

    fn validate_buckets(&self) -> Result<(), ConfigError> {
        let (n_buckets, max_distance) = (self.n_position_buckets, self.max_position_distance);
        let exact = n_buckets / 2;
        if exact == 0 || max_distance <= exact {
            return Err(ConfigError::PositionBuckets { n_buckets, exact, max_distance });
        }
        Ok(())
    }
}

/// Refuses what is no share of what training may lose.
pub(crate) fn share(field: &'static str, share: f64) -> Result<(), ConfigError> {
    if (0.0..1.0).contains(&share) { Ok(()) } else { Err(ConfigError::Share { field, share }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Conditioning;

    /// As the configurations of `models/speech-tiny` say it.
    const OF_THE_PAPERS_KIND: &str = r#"{"d_model":160,"n_layers":4,"n_heads":4,"d_ff":640,
        "dropout":0.1,"n_position_buckets":32,"max_position_distance":128}"#;

    #[test]
    fn files_of_the_papers_kind_say_nothing_of_others() {
        let config: DecoderConfig = serde_json::from_str(OF_THE_PAPERS_KIND).unwrap();
        assert_eq!(config, DecoderConfig::new(160, 4, 4, 640));
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(written, OF_THE_PAPERS_KIND.replace(['\n', ' '], ""));
    }

    #[test]
    fn json_keeps_every_choice() {
        let condition = ConditionConfig::new(768, Conditioning::Prefix);
        let config = DecoderConfig {
            position: PositionScheme::Rotary,
            d_head: Some(64),
            n_kv_heads: Some(1),
            query_key_norm: true,
            feed_forward: FeedForward::Gated,
            forgetting: 0.15,
            ..DecoderConfig::paper().with_condition(condition)
        };
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<DecoderConfig>(&written).unwrap(), config);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let written = OF_THE_PAPERS_KIND.replace("n_heads", "n_haeds");
        assert!(serde_json::from_str::<DecoderConfig>(&written).is_err());
    }
}
