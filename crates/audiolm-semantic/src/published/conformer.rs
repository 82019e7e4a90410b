//! The tensors of w2v-BERT 2.0.

use burn::module::Param;

use super::tensors::Tensors;
use crate::conformer::attention::RelativeAttention;
use crate::conformer::convolution::ConvolutionBlock;
use crate::conformer::feed_forward::FeedForward;
use crate::conformer::layer::ConformerLayer;
use crate::{Conformer, ConformerConfig};

/// The encoder with the tensors of a file in place of its own.
pub(super) fn filled(
    conformer: Conformer,
    config: &ConformerConfig,
    tensors: &mut Tensors,
) -> Conformer {
    let mut conformer = conformer;
    let n_features = config.n_features();
    conformer.norm = Some(tensors.layer_norm("feature_projection.layer_norm", n_features));
    conformer.projection =
        tensors.linear("feature_projection.projection", [n_features, config.d_model]);
    for (index, it) in conformer.layers.iter_mut().enumerate() {
        layer(it, &format!("encoder.layers.{index}"), config, tensors);
    }
    conformer
}

fn layer(layer: &mut ConformerLayer, name: &str, config: &ConformerConfig, tensors: &mut Tensors) {
    feed_forward(&mut layer.first, &format!("{name}.ffn1"), config, tensors);
    attention(&mut layer.attention, &format!("{name}.self_attn"), config, tensors);
    convolution(&mut layer.convolution, &format!("{name}.conv_module"), config, tensors);
    feed_forward(&mut layer.second, &format!("{name}.ffn2"), config, tensors);
    layer.norm = tensors.layer_norm(&format!("{name}.final_layer_norm"), config.d_model);
}

fn feed_forward(
    block: &mut FeedForward,
    name: &str,
    config: &ConformerConfig,
    tensors: &mut Tensors,
) {
    let (d_model, inner) = (config.d_model, config.d_feed_forward);
    block.norm = tensors.layer_norm(&format!("{name}_layer_norm"), d_model);
    block.inner = tensors.linear(&format!("{name}.intermediate_dense"), [d_model, inner]);
    block.outer = tensors.linear(&format!("{name}.output_dense"), [inner, d_model]);
}

fn attention(
    attention: &mut RelativeAttention,
    name: &str,
    config: &ConformerConfig,
    tensors: &mut Tensors,
) {
    let d_model = config.d_model;
    attention.norm = tensors.layer_norm(&format!("{name}_layer_norm"), d_model);
    let parts = [
        ("linear_q", &mut attention.query),
        ("linear_k", &mut attention.key),
        ("linear_v", &mut attention.value),
        ("linear_out", &mut attention.output),
    ];
    for (part, linear) in parts {
        *linear = tensors.linear(&format!("{name}.{part}"), [d_model, d_model]);
    }
    let shape = [config.n_distances(), d_model / config.n_heads];
    attention.distances = tensors.param(&format!("{name}.distance_embedding.weight"), shape);
}

fn convolution(
    block: &mut ConvolutionBlock,
    name: &str,
    config: &ConformerConfig,
    tensors: &mut Tensors,
) {
    let (d_model, taps) = (config.d_model, config.conv_kernel_size);
    block.norm = tensors.layer_norm(&format!("{name}.layer_norm"), d_model);
    let mut product = |part: &str, width: usize| {
        let kernels = tensors.take(&format!("{name}.{part}.weight"), [width, d_model, 1]);
        Param::from_tensor(kernels.reshape([width, d_model]).transpose())
    };
    block.gated = product("pointwise_conv1", 2 * d_model);
    block.mixed = product("pointwise_conv2", d_model);
    block.kernels = tensors.param(&format!("{name}.depthwise_conv.weight"), [d_model, 1, taps]);
    block.kernel_norm = tensors.layer_norm(&format!("{name}.depthwise_layer_norm"), d_model);
}
