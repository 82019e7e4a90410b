//! Mel filterbanks as torchaudio and librosa define them.

use burn::prelude::*;

/// The mapping from hertz to mel.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum MelScale {
    /// `2595 log10(1 + f / 700)`.
    Htk,
    /// Linear below 1 kHz, logarithmic above (Slaney 1998).
    Slaney,
}

/// How each filter is scaled.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum MelNorm {
    /// Every triangle peaks at one.
    Peak,
    /// Every triangle has the same area (Slaney 1998).
    Area,
}

/// A bank of triangular filters.
#[derive(Config, Debug)]
pub struct MelConfig {
    /// Samples per second of the signal.
    pub sample_rate_hz: usize,
    /// Points of the Fourier transform.
    pub n_fft: usize,
    /// Number of filters.
    pub n_mels: usize,
    /// The mapping from hertz to mel.
    #[config(default = "MelScale::Htk")]
    pub scale: MelScale,
    /// How each filter is scaled.
    #[config(default = "MelNorm::Peak")]
    pub norm: MelNorm,
}

/// The filters' weights: `[n_fft / 2 + 1, n_mels]`, to be multiplied by spectra
/// `[..., n_fft / 2 + 1]`. They reach from 0 Hz to half the sample rate.
pub fn mel_filterbank(config: &MelConfig, device: &Device) -> Tensor<2> {
    let bins = config.n_fft / 2 + 1;
    let nyquist = config.sample_rate_hz as f64 / 2.0;
    let edges = edges_hz(config, nyquist);
    let mut values = Vec::with_capacity(bins * config.n_mels);
    for bin in 0..bins {
        let hz = nyquist * bin as f64 / (bins - 1) as f64;
        values.extend(edges.windows(3).map(|it| (triangle(hz, it) * gain(config.norm, it)) as f32));
    }
    Tensor::from_data(TensorData::new(values, [bins, config.n_mels]), device)
}

fn edges_hz(config: &MelConfig, nyquist: f64) -> Vec<f64> {
    let top = to_mel(config.scale, nyquist);
    let steps = config.n_mels + 1;
    (0..=steps).map(|it| to_hz(config.scale, top * it as f64 / steps as f64)).collect()
}

fn triangle(hz: f64, edges: &[f64]) -> f64 {
    let rise = (hz - edges[0]) / (edges[1] - edges[0]);
    let fall = (edges[2] - hz) / (edges[2] - edges[1]);
    rise.min(fall).max(0.0)
}

fn gain(norm: MelNorm, edges: &[f64]) -> f64 {
    match norm {
        MelNorm::Peak => 1.0,
        MelNorm::Area => 2.0 / (edges[2] - edges[0]),
    }
}

const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
const SLANEY_BREAK_HZ: f64 = 1000.0;

/// Natural logarithm of the ratio of two mels above 1 kHz.
fn slaney_log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn to_mel(scale: MelScale, hz: f64) -> f64 {
    match scale {
        MelScale::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
        MelScale::Slaney if hz < SLANEY_BREAK_HZ => hz / SLANEY_HZ_PER_MEL,
        MelScale::Slaney => {
            SLANEY_BREAK_HZ / SLANEY_HZ_PER_MEL + (hz / SLANEY_BREAK_HZ).ln() / slaney_log_step()
        }
    }
}

fn to_hz(scale: MelScale, mel: f64) -> f64 {
    let break_mel = SLANEY_BREAK_HZ / SLANEY_HZ_PER_MEL;
    match scale {
        MelScale::Htk => 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0),
        MelScale::Slaney if mel < break_mel => mel * SLANEY_HZ_PER_MEL,
        MelScale::Slaney => SLANEY_BREAK_HZ * ((mel - break_mel) * slaney_log_step()).exp(),
    }
}
