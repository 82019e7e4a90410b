//! The conformer and its log-mels against transformers.

use burn::prelude::*;

use super::log_mels::{LogMels, MelFilters, log_mels};
use super::{Conformer, Heard};
use crate::clips::FrameMask;
use crate::parity::{Reference, check_near, fixture};
use crate::{Clips, ConformerConfig, Encoder, EncoderConfig, presets};

/// Rounding alone moves transformers' outputs by up to 1.9e-6 when it computes in 32 bits rather
/// than in 64 (the fixtures' manifest); another order of summation is allowed 20 times that.
const ROUNDING: f32 = 20.0 * 1.9e-6;
/// Rounding alone moves these logarithms, of up to 24, by up to 4.4e-4 when they are computed in 32
/// bits rather than in 64, and them normalised by 1.8e-4: the weakest mels are sums of what rounding
/// leaves of the strongest. Another order of summation is allowed five times that.
const LOG_ROUNDING: f32 = 5.0 * 4.4e-4;
/// Filters are made in 64 bits on both sides and rounded to 32.
const FILTER_ROUNDING: f32 = 1e-6;

/// Those of the published weights.
const FILTERS: MelFilters = MelFilters { n_mels: 80, highest_hz: 8000.0 };

struct Case {
    conformer: Conformer,
    heard: Heard,
    lengths: Vec<usize>,
    reference: Reference,
}

impl Case {
    fn load() -> Self {
        let encoder = Encoder::load_from(&fixture("w2v_bert_2"), &Device::default()).unwrap();
        let Encoder::Conformer(conformer) = encoder else { panic!("w2v-BERT is a conformer") };
        let reference = Reference::read("w2v_bert_2/reference.safetensors");
        let mels = reference.floats::<3>("input.input_features");
        let lengths = reference.lengths("input.attention_mask", 2);
        let mask = FrameMask::of_counts(&lengths, mels.dims()[1], &mels.device());
        let heard = Heard {
            frames: conformer.projection.forward(conformer.norm.as_ref().unwrap().forward(mels)),
            mask: Some(mask),
        };
        Self { conformer, heard, lengths, reference }
    }

    /// Compares what each clip gives, up to its end.
    #[track_caller]
    fn check(&self, name: &str, found: Tensor<3>) {
        let expected = self.reference.floats::<3>(&format!("output.{name}"));
        for (row, frames) in self.lengths.iter().copied().enumerate() {
            let own = |it: &Tensor<3>| it.clone().narrow(0, row, 1).slice_dim(1, ..frames);
            check_near(own(&found), own(&expected), ROUNDING);
        }
    }
}

#[test]
fn each_layer_is_that_of_transformers() {
    let case = Case::load();
    case.check("feature_projection", case.heard.frames.clone());
    let outputs = case.conformer.outputs(case.heard.clone(), &[0, 1, 2, 3]);
    for (layer, found) in outputs.into_iter().enumerate() {
        case.check(&format!("hidden_states.{layer}"), found);
    }
}

#[test]
fn each_part_of_a_layer_is_that_of_transformers() {
    let case = Case::load();
    let layer = &case.conformer.layers[0];
    let around = case.conformer.surroundings(&case.heard);
    let hidden = case.heard.mask.as_ref().unwrap().silenced(case.heard.frames.clone());

    let first = layer.first.forward(hidden.clone());
    case.check("layer0.ffn1", first.clone());
    let hidden = hidden + first * 0.5;
    let attended = layer.attention.forward(hidden.clone(), around.beyond.as_ref());
    case.check("layer0.self_attn", attended.clone());
    let hidden = hidden + attended;
    let convolved = layer.convolution.forward(hidden.clone(), around.mask.as_ref());
    case.check("layer0.conv_module", convolved.clone());
    case.check("layer0.ffn2", layer.second.forward(hidden + convolved));
}

#[test]
fn its_configuration_is_ours() {
    let expected = ConformerConfig { dropout: 0.0, ..ConformerConfig::new(32, 3, 4, 64) };
    let found = EncoderConfig::load_from(&fixture("w2v_bert_2")).unwrap();
    assert_eq!(found, expected.into());
}

#[test]
fn log_mels_are_those_of_transformers() {
    let reference = Reference::read("w2v_bert_features/reference.safetensors");
    for row in 0..2 {
        let wave = reference.floats::<1>(&format!("input.waveform.{row}"));
        let expected = reference.floats::<2>(&format!("output.fbank.{row}"));
        check_near(log_mels(&wave.unsqueeze(), FILTERS).squeeze_dim(0), expected, LOG_ROUNDING);
    }
}

#[test]
fn mel_filters_are_those_of_transformers() {
    let reference = Reference::read("w2v_bert_features/reference.safetensors");
    let found = FILTERS.bins(&Device::default());
    check_near(found, reference.floats("output.mel_filters"), FILTER_ROUNDING);
}

#[test]
fn stacked_log_mels_of_two_clips_are_those_of_transformers() {
    let reference = Reference::read("w2v_bert_features/reference.safetensors");
    let waves = [0, 1].map(|row| reference.floats::<1>(&format!("input.waveform.{row}")));
    let lengths = waves.each_ref().map(|it| it.dims()[0]);
    let padded = waves.map(|it| {
        let missing = lengths[0] - it.dims()[0];
        it.unsqueeze::<2>().pad([(0, missing)], 0.0)
    });
    let clips = Clips::of_lengths(Tensor::cat(padded.to_vec(), 0), &lengths);
    let found = LogMels::new(&presets::w2v_bert_2()).forward(&clips);
    let expected = reference.floats::<3>("output.input_features");
    let frames = reference.lengths("output.attention_mask", 2);
    for (row, frames) in frames.into_iter().enumerate() {
        let own = |it: &Tensor<3>| it.clone().narrow(0, row, 1).slice_dim(1, ..frames);
        check_near(own(&found), own(&expected), LOG_ROUNDING);
    }
}
