//! Dropout in a process of its own: the generator of a device is shared by all its threads.

use audiolm_semantic::{HubertConfig, presets};
use burn::prelude::*;

#[test]
fn dropout_follows_the_seed_of_the_device() {
    let device = Device::default().autodiff();
    let config = HubertConfig { d_model: 32, d_feed_forward: 64, dropout: 0.1, ..presets::tiny() };
    let encoder = config.init(&device).unwrap();
    let wave = Tensor::<2>::ones([1, 4000], &device);
    let features = |seed| {
        device.seed(seed);
        encoder.features(wave.clone(), 4).into_data()
    };
    // Weights are drawn when they are first used, from the same generator.
    let _ = features(0);
    assert_eq!(features(1), features(1));
    assert_ne!(features(1), features(2));

    let valid = encoder.valid();
    let wave = Tensor::<2>::ones([1, 4000], &Device::default());
    let features = || valid.features(wave.clone(), 4).into_data();
    assert_eq!(features(), features());
}
