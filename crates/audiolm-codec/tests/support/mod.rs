//! The small codec with random weights that `fixtures/sound_stream/make.py` wrote.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_codec::{QuantizerConfig, SoundStream, SoundStreamConfig};
use audiolm_nn::load_weights;
use burn::prelude::*;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sound_stream").join(name)
}

pub fn config() -> SoundStreamConfig {
    SoundStreamConfig {
        encoder_channels: 4,
        decoder_channels: 4,
        strides: vec![4, 5],
        dimension: 8,
        quantizer: QuantizerConfig::residual(4, 16),
        ..SoundStreamConfig::tiny_16khz()
    }
}

pub fn codec(device: &Device) -> SoundStream {
    load_weights(config().init(device).unwrap(), &fixture("model.safetensors")).unwrap()
}
