//! fairseq's names of tensors, and those of transformers.

/// What a pretrained model holds beside its encoder: what its targets are made of or compared with.
/// The head of a fine-tuned one is left out likewise.
const LEFT_OUT: [&str; 8] = [
    "final_proj.",
    "label_embs_concat",
    "quantizer.",
    "input_quantizer.",
    "project_q.",
    "project_inp.",
    "target_glu.",
    "w2v_encoder.proj.",
];

/// What stands before the names of the encoder in a fine-tuned model.
const PREFIXES: [&str; 2] = ["w2v_encoder.w2v_model.", "w2v_model."];

/// The beginnings of names, and theirs in transformers.
const PARTS: [(&str, &str); 4] = [
    ("mask_emb", "masked_spec_embed"),
    ("layer_norm.", "feature_projection.layer_norm."),
    ("post_extract_proj.", "feature_projection.projection."),
    ("encoder.pos_conv.0.", "encoder.pos_conv_embed.conv."),
];

/// Within a layer of the transformer, likewise. The last three are WavLM's.
const LAYER: [(&str, &str); 11] = [
    ("self_attn.k_proj.", "attention.k_proj."),
    ("self_attn.v_proj.", "attention.v_proj."),
    ("self_attn.q_proj.", "attention.q_proj."),
    ("self_attn.out_proj.", "attention.out_proj."),
    ("self_attn_layer_norm.", "layer_norm."),
    ("fc1.", "feed_forward.intermediate_dense."),
    ("fc2.", "feed_forward.output_dense."),
    ("final_layer_norm.", "final_layer_norm."),
    ("self_attn.relative_attention_bias.", "attention.rel_attn_embed."),
    ("self_attn.grep_linear.", "attention.gru_rel_pos_linear."),
    ("self_attn.grep_a", "attention.gru_rel_pos_const"),
];

/// Within a convolution: the second is a group norm, the third a layer norm between two transposes.
const CONV_LAYER: [(&str, &str); 3] =
    [("0.", "conv."), ("2.1.", "layer_norm."), ("2.", "layer_norm.")];

/// The name that transformers has for a tensor of fairseq's HuBERT or wav2vec 2.0, or of WavLM; none
/// for what is no part of the encoder. A name that is not known stays as it is, and will be refused
/// by the model that does not know it either.
pub fn transformers_name(name: &str) -> Option<String> {
    if LEFT_OUT.iter().any(|it| name.starts_with(it)) {
        return None;
    }
    let name = PREFIXES.iter().find_map(|it| name.strip_prefix(it)).unwrap_or(name);
    if LEFT_OUT.iter().any(|it| name.starts_with(it)) {
        return None;
    }
    let known = replaced(name, &PARTS)
        .or_else(|| within(name, "encoder.layers.", &LAYER))
        .or_else(|| within(name, "feature_extractor.conv_layers.", &CONV_LAYER));
    Some(known.unwrap_or_else(|| name.to_owned()))
}

fn replaced(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table.iter().find_map(|(ours, theirs)| Some(format!("{theirs}{}", name.strip_prefix(ours)?)))
}

/// The same in one of several like parts, which stand behind `prefix` and are numbered.
fn within(name: &str, prefix: &str, table: &[(&str, &str)]) -> Option<String> {
    let (index, rest) = name.strip_prefix(prefix)?.split_once('.')?;
    Some(format!("{prefix}{index}.{}", replaced(rest, table)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fairseq: &str, transformers: &str) {
        assert_eq!(transformers_name(fairseq).as_deref(), Some(transformers));
    }

    #[track_caller]
    fn check_left_out(fairseq: &str) {
        assert_eq!(transformers_name(fairseq), None);
    }

    #[test]
    fn convolutions_are_named() {
        let of = |it: &str| format!("feature_extractor.conv_layers.{it}");
        check(&of("6.0.weight"), &of("6.conv.weight"));
        check(&of("0.0.bias"), &of("0.conv.bias"));
        check(&of("0.2.weight"), &of("0.layer_norm.weight"));
        check(&of("3.2.1.bias"), &of("3.layer_norm.bias"));
    }
    #[test]
    fn what_leads_into_the_transformer_is_named() {
        check("layer_norm.weight", "feature_projection.layer_norm.weight");
        check("post_extract_proj.bias", "feature_projection.projection.bias");
        check("mask_emb", "masked_spec_embed");
        check("encoder.layer_norm.bias", "encoder.layer_norm.bias");
    }
    #[test]
    fn both_namings_of_weight_norm_are_kept() {
        let theirs = "encoder.pos_conv_embed.conv";
        for rest in ["weight_g", "weight_v", "bias", "parametrizations.weight.original0"] {
            check(&format!("encoder.pos_conv.0.{rest}"), &format!("{theirs}.{rest}"));
        }
    }
    #[test]
    fn layers_are_named() {
        let of = |it: &str| format!("encoder.layers.11.{it}");
        check(&of("self_attn.q_proj.weight"), &of("attention.q_proj.weight"));
        check(&of("self_attn_layer_norm.bias"), &of("layer_norm.bias"));
        check(&of("final_layer_norm.bias"), &of("final_layer_norm.bias"));
        check(&of("fc1.weight"), &of("feed_forward.intermediate_dense.weight"));
        check(&of("fc2.bias"), &of("feed_forward.output_dense.bias"));
    }
    #[test]
    fn what_wavlm_adds_is_named() {
        let of = |it: &str| format!("encoder.layers.0.{it}");
        let bias = "self_attn.relative_attention_bias.weight";
        check(&of(bias), &of("attention.rel_attn_embed.weight"));
        check(&of("self_attn.grep_linear.bias"), &of("attention.gru_rel_pos_linear.bias"));
        check(&of("self_attn.grep_a"), &of("attention.gru_rel_pos_const"));
    }
    #[test]
    fn a_fine_tuned_encoder_is_that_of_the_pretrained_model() {
        check("w2v_encoder.w2v_model.encoder.layer_norm.bias", "encoder.layer_norm.bias");
        check_left_out("w2v_encoder.proj.weight");
        check_left_out("w2v_encoder.w2v_model.final_proj.weight");
    }
    #[test]
    fn what_only_pretraining_needs_is_left_out() {
        check_left_out("final_proj.bias");
        check_left_out("label_embs_concat");
        check_left_out("quantizer.vars");
        check_left_out("project_q.weight");
    }
    #[test]
    fn what_is_not_known_keeps_its_name() {
        check("encoder.layers.0.adapter.weight", "encoder.layers.0.adapter.weight");
        check("stranger", "stranger");
    }
}
