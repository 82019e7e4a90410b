//! A folder of tones to train a codec on, and a run in another.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use audiolm_audio::Clip;
use audiolm_train::{
    Ending, MetricsLine, Plan, Preset, Run, Stage, StopSignal, TrainError, Unobserved,
    read_metrics, train,
};
use burn::prelude::Device;
use tempfile::TempDir;

/// Initial weights are drawn from the device's generator, which all threads share: one training at a
/// time draws what its seed says.
static TRAINING: Mutex<()> = Mutex::new(());

/// A run of the smallest codec.
pub struct Place {
    folder: TempDir,
    plan: Plan,
}

impl Place {
    /// With a plan that `change` makes of the smallest.
    pub fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = Plan::preset(Preset::Smoke);
        plan.data.folder = folder.path().join("data");
        write_tones(&plan.data.folder);
        change(&mut plan);
        Self { folder, plan }
    }

    pub fn train(&self) -> Result<Ending, TrainError> {
        let _alone = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
        train(
            Stage::Codec,
            Run {
                folder: &self.run(),
                plan: &self.plan,
                device: &Device::default(),
                observer: &mut Unobserved,
                stop: &StopSignal::default(),
            },
        )
    }

    pub fn metrics(&self) -> Vec<MetricsLine> {
        read_metrics(&self.run().join("codec/metrics.jsonl")).unwrap()
    }

    /// The folder of the finished codec.
    pub fn exported(&self) -> PathBuf {
        self.run().join("export/codec")
    }

    /// Its folder.
    pub fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }
}

/// Tones whose pitch glides, one speaker a folder.
fn write_tones(folder: &Path) {
    for speaker in 0..24 {
        let place = folder.join(format!("speaker-{speaker}"));
        std::fs::create_dir_all(&place).unwrap();
        let hertz = 120.0 + 15.0 * speaker as f32;
        let samples = (0..24_000).map(|it| {
            let time = it as f32 / 16_000.0;
            let glide = 1.0 + 0.2 * (3.0 * time).sin();
            0.3 * (std::f32::consts::TAU * hertz * glide * time).sin()
        });
        let clip = Clip { samples: samples.collect(), sample_rate_hz: 16_000 };
        clip.write_wav(place.join("tone.wav")).unwrap();
    }
}
