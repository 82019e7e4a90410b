//! The tensors of HuBERT, wav2vec 2.0, WavLM and MERT.

use super::tensors::Tensors;
use crate::attention::SelfAttention;
use crate::conv_norm::ConvNorm;
use crate::front_end::ConvLayer;
use crate::transformer_layer::TransformerLayer;
use crate::{Hubert, HubertConfig};

/// The encoder with the tensors of a file in place of its own.
pub(super) fn filled(hubert: Hubert, config: &HubertConfig, tensors: &mut Tensors) -> Hubert {
    let mut hubert = hubert;
    let mut channels_in = 1;
    for (index, layer) in hubert.front_end.layers.iter_mut().enumerate() {
        convolution(layer, [channels_in, index], config, tensors);
        channels_in = config.conv_layers[index].channels;
    }
    let channels = config.conv_channels();
    hubert.projection.norm = tensors.layer_norm("feature_projection.layer_norm", channels);
    hubert.projection.linear =
        tensors.linear("feature_projection.projection", [channels, config.d_model]);
    transformer(&mut hubert, config, tensors);
    hubert
}

fn convolution(
    layer: &mut ConvLayer,
    [channels_in, index]: [usize; 2],
    config: &HubertConfig,
    tensors: &mut Tensors,
) {
    let name = format!("feature_extractor.conv_layers.{index}");
    let (channels, taps) =
        (config.conv_layers[index].channels, config.conv_layers[index].kernel_size);
    layer.conv.weight =
        tensors.param(&format!("{name}.conv.weight"), [channels, channels_in, taps]);
    if config.conv_bias {
        layer.conv.bias = Some(tensors.param(&format!("{name}.conv.bias"), [channels]));
    }
    if config.has_conv_norm(index) {
        let weight = tensors.take(&format!("{name}.layer_norm.weight"), [channels]);
        let bias = tensors.take(&format!("{name}.layer_norm.bias"), [channels]);
        layer.norm = Some(ConvNorm::from_tensors(weight, bias, config.front_end_norm));
    }
}

fn transformer(hubert: &mut Hubert, config: &HubertConfig, tensors: &mut Tensors) {
    let (d_model, taps) = (config.d_model, config.position_kernel_size);
    let shape = [d_model, d_model / config.position_groups, taps];
    let position = tensors.weight_normed("encoder.pos_conv_embed.conv", shape);
    hubert.encoder.position.magnitude = position.magnitude;
    hubert.encoder.position.direction = position.direction;
    hubert.encoder.position.bias = tensors.param("encoder.pos_conv_embed.conv.bias", [d_model]);
    hubert.encoder.norm = tensors.layer_norm("encoder.layer_norm", d_model);
    if let Some(distances) = &mut hubert.encoder.distances {
        // Kept in the first layer, shared by all.
        let shape = distances.table.dims();
        let name = "encoder.layers.0.attention.rel_attn_embed.weight";
        distances.table = tensors.param(name, shape);
    }
    for (index, layer) in hubert.encoder.layers.iter_mut().enumerate() {
        transformer_layer(layer, &format!("encoder.layers.{index}"), config, tensors);
    }
}

fn transformer_layer(
    layer: &mut TransformerLayer,
    name: &str,
    config: &HubertConfig,
    tensors: &mut Tensors,
) {
    let (d_model, inner) = (config.d_model, config.d_feed_forward);
    attention(&mut layer.attention, &format!("{name}.attention"), config, tensors);
    layer.attention_norm = tensors.layer_norm(&format!("{name}.layer_norm"), d_model);
    let feed_forward = |part| format!("{name}.feed_forward.{part}");
    layer.feed_forward_in = tensors.linear(&feed_forward("intermediate_dense"), [d_model, inner]);
    layer.feed_forward_out = tensors.linear(&feed_forward("output_dense"), [inner, d_model]);
    layer.feed_forward_norm = tensors.layer_norm(&format!("{name}.final_layer_norm"), d_model);
}

fn attention(
    attention: &mut SelfAttention,
    name: &str,
    config: &HubertConfig,
    tensors: &mut Tensors,
) {
    let HubertConfig { d_model, n_heads, .. } = *config;
    let parts = [
        ("q_proj", &mut attention.query),
        ("k_proj", &mut attention.key),
        ("v_proj", &mut attention.value),
        ("out_proj", &mut attention.output),
    ];
    for (part, linear) in parts {
        *linear = tensors.linear(&format!("{name}.{part}"), [d_model, d_model]);
    }
    if let Some(gate) = &mut attention.gate {
        let width = [d_model / n_heads, 8];
        gate.linear = tensors.linear(&format!("{name}.gru_rel_pos_linear"), width);
        let constant = tensors.take(&format!("{name}.gru_rel_pos_const"), [1, n_heads, 1, 1]);
        gate.constant = burn::module::Param::from_tensor(constant.reshape([n_heads]));
    }
}
