//! What transformers calls the numbers of an encoder, and what it takes them to be where a file says
//! nothing.

use serde::Deserialize;

/// `config.json` of all models with HuBERT's body.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct HubertKeys {
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) hidden_act: String,
    pub(super) layer_norm_eps: f64,
    pub(super) hidden_dropout: f64,
    pub(super) do_stable_layer_norm: bool,
    pub(super) feat_extract_norm: String,
    pub(super) feat_extract_activation: String,
    pub(super) feat_proj_layer_norm: bool,
    pub(super) conv_dim: Vec<usize>,
    pub(super) conv_kernel: Vec<usize>,
    pub(super) conv_stride: Vec<usize>,
    pub(super) conv_bias: bool,
    pub(super) conv_pos_batch_norm: bool,
    pub(super) num_conv_pos_embeddings: usize,
    pub(super) num_conv_pos_embedding_groups: usize,
    pub(super) num_buckets: usize,
    pub(super) max_bucket_distance: usize,
    pub(super) adapter_attn_dim: Option<usize>,
    pub(super) sample_rate: Option<usize>,
    pub(super) deepnorm: bool,
    pub(super) feature_extractor_cqt: bool,
}

/// `config.json` of w2v-BERT 2.0.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct ConformerKeys {
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) hidden_act: String,
    pub(super) layer_norm_eps: f64,
    pub(super) hidden_dropout: f64,
    pub(super) feature_projection_input_dim: usize,
    pub(super) position_embeddings_type: Option<String>,
    pub(super) conv_depthwise_kernel_size: usize,
    pub(super) left_max_position_embeddings: usize,
    pub(super) right_max_position_embeddings: usize,
}

/// `preprocessor_config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PreprocessorKeys {
    pub(super) sampling_rate: Option<usize>,
    pub(super) do_normalize: Option<bool>,
    pub(super) num_mel_bins: Option<usize>,
    pub(super) stride: Option<usize>,
}

impl Default for HubertKeys {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".to_owned(),
            layer_norm_eps: 1e-5,
            hidden_dropout: 0.1,
            do_stable_layer_norm: false,
            feat_extract_norm: "group".to_owned(),
            feat_extract_activation: "gelu".to_owned(),
            feat_proj_layer_norm: true,
            conv_dim: vec![512; 7],
            conv_kernel: vec![10, 3, 3, 3, 3, 2, 2],
            conv_stride: vec![5, 2, 2, 2, 2, 2, 2],
            conv_bias: false,
            conv_pos_batch_norm: false,
            num_conv_pos_embeddings: 128,
            num_conv_pos_embedding_groups: 16,
            num_buckets: 320,
            max_bucket_distance: 800,
            adapter_attn_dim: None,
            sample_rate: None,
            deepnorm: false,
            feature_extractor_cqt: false,
        }
    }
}

impl Default for ConformerKeys {
    fn default() -> Self {
        Self {
            hidden_size: 1024,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            intermediate_size: 4096,
            hidden_act: "swish".to_owned(),
            layer_norm_eps: 1e-5,
            hidden_dropout: 0.0,
            feature_projection_input_dim: 160,
            position_embeddings_type: Some("relative_key".to_owned()),
            conv_depthwise_kernel_size: 31,
            left_max_position_embeddings: 64,
            right_max_position_embeddings: 8,
        }
    }
}
