//! Models that know nothing, and what they listen to.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]
#![allow(dead_code, reason = "each file of tests needs a part of it")]

use std::f64::consts::PI;
use std::sync::OnceLock;

use audiolm_audio::Clip;
use audiolm_pipeline::{AudioLm, StageSampling, testing};
use audiolm_transformer::Sampling;
use burn::prelude::*;
use tempfile::TempDir;

/// Samples per second of the models.
pub const RATE_HZ: u32 = 16_000;
/// Samples of a frame.
pub const HOP: usize = 320;

/// The same models for every test of a binary.
pub fn lm() -> AudioLm {
    static PARENT: OnceLock<TempDir> = OnceLock::new();
    let parent = PARENT.get_or_init(|| {
        let parent = tempfile::tempdir().unwrap();
        let device = Device::default();
        device.seed(0);
        testing::tiny_bundle(&parent.path().join("bundle"), &device).unwrap();
        parent
    });
    AudioLm::load(parent.path().join("bundle"), &Device::default()).unwrap()
}

/// A tone that rises from 200 Hz.
pub fn recording(seconds: f64) -> Clip {
    Tone { hertz: 200.0, sample_rate_hz: RATE_HZ }.lasting(seconds)
}

/// A tone that rises, the same at any rate.
pub struct Tone {
    /// Where it begins.
    pub hertz: f64,
    pub sample_rate_hz: u32,
}

impl Tone {
    pub fn lasting(&self, seconds: f64) -> Clip {
        let rate = f64::from(self.sample_rate_hz);
        let sample = |n: usize| {
            let time = n as f64 / rate;
            (0.3 * (2.0 * PI * (self.hertz + 100.0 * time) * time).sin()) as f32
        };
        let n_samples = (seconds * rate).round() as usize;
        Clip { samples: (0..n_samples).map(sample).collect(), sample_rate_hz: self.sample_rate_hz }
    }
}

/// What the models say, at their own temperature.
pub fn at_one() -> StageSampling {
    let at = Sampling::at(1.0);
    StageSampling { semantic: at, durations: at, coarse: at, fine: at, ..Default::default() }
}
