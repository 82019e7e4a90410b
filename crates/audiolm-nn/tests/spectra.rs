//! Mel spectra against torchaudio's.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_nn::{MelConfig, MelNorm, MelScale, StftConfig, mel_filterbank};
use burn::prelude::*;
use safetensors::SafeTensors;

/// Of the largest value: spectra reach some thousands, and both sides sum a thousand products in
/// 32 bits, in different orders.
const TOLERANCE: f32 = 2e-6;

fn golden(name: &str) -> (Vec<f32>, Vec<usize>) {
    let bytes = include_bytes!("goldens/mel/torchaudio.safetensors");
    let file = SafeTensors::deserialize(bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let values = tensor.data().chunks_exact(4);
    let values = values.map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
    (values, tensor.shape().to_vec())
}

#[track_caller]
fn check(name: &str, stft: StftConfig, mel: MelConfig) {
    let device = Device::default();
    let (wave, shape) = golden("wave");
    let wave = Tensor::<2>::from_data(TensorData::new(wave, shape), &device);
    let filters = mel_filterbank(&mel, &device);
    let found = stft.init(&device).power(wave).matmul(filters.unsqueeze()).swap_dims(1, 2);
    let (expected, shape) = golden(name);
    let largest = expected.iter().copied().fold(0.0, f32::max);
    assert_eq!(found.dims().to_vec(), shape);
    let found = found.into_data().try_to_vec::<f32>().unwrap();
    let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE * largest, "{name}: off by {worst} of {largest}");
}

#[test]
fn windows_of_powers_of_two_equal_torchaudio() {
    for window in [512, 1024, 2048] {
        let stft = StftConfig::new(window, window, window / 4);
        check(&format!("w{window}"), stft, MelConfig::new(16_000, window, 64));
    }
}

#[test]
fn slaney_filters_equal_torchaudio() {
    let mel = MelConfig::new(16_000, 400, 80).with_scale(MelScale::Slaney).with_norm(MelNorm::Area);
    check("slaney", StftConfig::new(400, 400, 160), mel);
}
