//! How loud a recording is that comes piece by piece.

use crate::{REFERENCE_DBFS, SILENCE_DBFS, decibels};

/// The loudness of all samples so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    energy: f64,
    peak: f32,
    n_samples: u64,
}

impl Level {
    /// Takes note of samples.
    pub fn push(&mut self, samples: &[f32]) {
        self.energy = samples.iter().fold(self.energy, |sum, it| sum + f64::from(*it).powi(2));
        self.peak = samples.iter().fold(self.peak, |peak, it| peak.max(it.abs()));
        self.n_samples += samples.len() as u64;
    }

    /// How many samples there were.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// Their root mean square; 0 for none.
    pub fn rms(&self) -> f32 {
        match self.n_samples {
            0 => 0.0,
            n => (self.energy / n as f64).sqrt() as f32,
        }
    }

    /// The largest absolute sample; 0 for none.
    pub fn peak(&self) -> f32 {
        self.peak
    }

    /// The factor that brings them to [`REFERENCE_DBFS`], or as near as their peaks, which must
    /// stay within [-1, 1], allow.
    pub fn reference_gain(&self) -> f32 {
        let level = decibels(self.rms());
        if level < SILENCE_DBFS {
            return 1.0;
        }
        10f32.powf((REFERENCE_DBFS - level) / 20.0).min(1.0 / self.peak())
    }
}
