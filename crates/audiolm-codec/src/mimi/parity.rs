//! Against transformers' `MimiModel`.

use burn::prelude::*;

use super::*;
use crate::parity::{Reference, check_codes, fixture};

const FIXTURE: &str = "mimi_24khz";

/// Rounding alone moves transformers' outputs by up to 2.0e-6 when it computes in 32 bits rather
/// than in 64 (the fixture's manifest); another order of summation is allowed 20 times that.
const ROUNDING: f32 = 20.0 * 2.0e-6;

fn codec() -> Mimi {
    Mimi::load_from(&fixture(FIXTURE), &Device::default()).unwrap()
}

#[test]
fn every_part_on_the_way_to_codes_is_the_reference() {
    let (reference, codec) = (Reference::of(FIXTURE), codec());
    let mut state = MimiEncodeState::default();
    let hidden = codec.encoder.step(reference.floats("input.waveform"), &mut state.encoder);
    reference.check("output.seanet_encoder", hidden.clone(), ROUNDING);
    let hidden = codec.encoder_transformer.step(hidden.swap_dims(1, 2), &mut state.transformer);
    reference.check("output.encoder_transformer", hidden.clone(), ROUNDING);
    let frames = codec.downsample.step(hidden.swap_dims(1, 2), &mut state.downsample);
    reference.check("output.downsample", frames, ROUNDING);
}

#[test]
fn every_part_on_the_way_back_is_the_reference() {
    let (reference, codec) = (Reference::of(FIXTURE), codec());
    let mut state = MimiDecodeState::default();
    let frames = codec.quantizer.decode(reference.codes("output.codes"));
    reference.check("output.quantized", frames.clone(), ROUNDING);
    let hidden = codec.upsample.step(frames, &mut state.upsample);
    reference.check("output.upsample", hidden.clone(), ROUNDING);
    let hidden = codec.decoder_transformer.step(hidden.swap_dims(1, 2), &mut state.transformer);
    reference.check("output.decoder_transformer", hidden, ROUNDING);
}

#[test]
fn codes_and_waves_are_the_reference_with_few_codebooks_and_with_all() {
    let (reference, codec) = (Reference::of(FIXTURE), codec());
    let codes = codec.encode(reference.floats("input.waveform"));
    check_codes(codes.clone(), reference.codes("output.codes"));
    reference.check("output.audio", codec.decode(codes.clone()), ROUNDING);
    let few = codec.decode(codes.slice_dim(1, ..3));
    reference.check("output.audio_from_3_codebooks", few, ROUNDING);
}
