//! What the tests of the whole share. The tests are in `tests/`: laws of the chain from a folder of
//! recordings to a continuation, and of the bundled model on recordings it has not heard.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

use audiolm::Clip;

/// Samples per second of [`voice`].
const RATE_HZ: u32 = 16_000;

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the workspace")
}

/// The bundle that ships with the project.
pub fn bundled_model() -> PathBuf {
    workspace().join("models/speech-tiny")
}

/// A folder of recordings with a manifest: the one that `AUDIOLM_DATA` names, or `shared/data` beside
/// the workspace.
pub fn recordings() -> Option<PathBuf> {
    let beside = || workspace().join("../shared/data");
    let folder = std::env::var_os("AUDIOLM_DATA").map_or_else(beside, PathBuf::from);
    folder.join("manifest.csv").is_file().then_some(folder)
}

/// A voice: harmonics of a pitch, swelling and fading.
pub fn voice(pitch_hz: f32, seconds: f32) -> Clip {
    let sample = |n: u32| {
        let time = n as f32 / RATE_HZ as f32;
        let swell = (9.0 * time).sin().abs();
        let harmonic = |k: u8| (TAU * pitch_hz * f32::from(k) * time).sin();
        0.05 * swell * (1..8).map(harmonic).sum::<f32>()
    };
    let n_samples = (seconds * RATE_HZ as f32) as u32;
    Clip { samples: (0..n_samples).map(sample).collect(), sample_rate_hz: RATE_HZ }
}

/// Writes recordings of four voices, each in a folder of its own.
pub fn write_voices(folder: &Path) {
    for (idx, pitch_hz) in [100.0, 130.0, 170.0, 220.0].into_iter().enumerate() {
        let speaker = folder.join(format!("speaker-{idx}"));
        std::fs::create_dir_all(&speaker).expect("folders for recordings");
        voice(pitch_hz, 3.0).write_wav(speaker.join("a.wav")).expect("a recording");
    }
}
