//! Against transformers' `DacModel`.

use burn::prelude::*;

use super::*;
use crate::parity::{Reference, check_codes, fixture};

const FIXTURE: &str = "dac_16khz";

/// Rounding alone moves transformers' outputs by up to 2.1e-6 when it computes in 32 bits rather
/// than in 64 (the fixture's manifest); another order of summation is allowed 20 times that.
const ROUNDING: f32 = 20.0 * 2.1e-6;

fn codec() -> Dac {
    Dac::load_from(&fixture(FIXTURE), &Device::default()).unwrap()
}

#[test]
fn every_layer_of_the_encoder_is_the_reference() {
    let (reference, encoder) = (Reference::of(FIXTURE), codec().encoder);
    let mut hidden = encoder.first.forward(reference.floats("input.waveform"));
    for (index, block) in encoder.blocks.iter().enumerate() {
        hidden = block.forward(hidden);
        if index >= 2 {
            reference.check(&format!("output.encoder.{index}"), hidden.clone(), ROUNDING);
        }
    }
    reference.check("output.encoder.snake1", encoder.snake.forward(hidden), ROUNDING);
    let embeddings = encoder.forward(reference.floats("input.waveform"));
    reference.check("output.embeddings", embeddings, ROUNDING);
}

#[test]
fn every_layer_of_the_decoder_is_the_reference() {
    let (reference, decoder) = (Reference::of(FIXTURE), codec().decoder);
    let mut hidden = decoder.first.forward(reference.floats("output.quantized.6"));
    reference.check("output.decoder.conv1", hidden.clone(), ROUNDING);
    for (index, block) in decoder.blocks[..2].iter().enumerate() {
        hidden = block.forward(hidden);
        reference.check(&format!("output.decoder.{index}"), hidden.clone(), ROUNDING);
    }
}

#[test]
fn what_each_codebook_searches_is_the_reference() {
    let (reference, codec) = (Reference::of(FIXTURE), codec());
    let mut residual: Tensor<3> = reference.floats("output.embeddings");
    let latents = codec.codebooks.iter().map(|codebook| {
        let latents = codebook.project_in.forward(residual.clone());
        residual = residual.clone() - codebook.lookup(codebook.assign(residual.clone()));
        latents
    });
    let latents = Tensor::cat(latents.collect(), 1);
    reference.check("output.projected_latents", latents, ROUNDING);
}

#[test]
fn codes_and_waves_are_the_reference_with_few_codebooks_and_with_all() {
    let (reference, codec) = (Reference::of(FIXTURE), codec());
    let codes = codec.encode(reference.floats("input.waveform"));
    for n in [3, 6] {
        let leading = codes.clone().slice_dim(1, ..n);
        check_codes(leading.clone(), reference.codes(&format!("output.codes.{n}")));
        let quantized = codec.quantized(leading.clone());
        reference.check(&format!("output.quantized.{n}"), quantized, ROUNDING);
        let wave: Tensor<2> = codec.decode(leading).squeeze_dim(1);
        reference.check(&format!("output.audio.{n}"), wave, ROUNDING);
    }
}
