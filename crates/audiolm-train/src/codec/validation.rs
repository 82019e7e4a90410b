//! What held-out recordings say of a codec.

use audiolm_codec::{CodebookUsage, MultiScaleMelLoss, SoundStream};
use audiolm_eval::log_mel_distance;
use burn::prelude::*;

use super::losses::{decibels, log_noise_share, scalar};
use crate::{CodecSettings, Measures, TrainError};

/// Measures of a codec on held-out waves `[crops, 1, samples]`:
///
/// - `mel_N`: the multi-scale mel distance from the first N quantizers;
/// - `snr_db` and `log_mel`: of all quantizers, the latter as [`log_mel_distance`] has it;
/// - `usage_N` and `perplexity_N`: the share of entries of codebook N that occur, and the number of
///   equally frequent entries that would have the same entropy; without a number, their means.
pub(crate) fn measured(
    codec: &SoundStream,
    wave: Tensor<3>,
    settings: &CodecSettings,
) -> Result<Measures, TrainError> {
    let rate_hz = settings.model.sample_rate_hz;
    let n_quantizers = settings.model.quantizer.n_quantizers();
    let mel = MultiScaleMelLoss::new(rate_hz, &wave.device());
    let codes = codec.encode(wave.clone());
    let mut measures = usage(codes.clone(), settings.model.quantizer.codebook_size())?;
    for n in [1, n_quantizers.div_ceil(3)] {
        let decoded = codec.decode(codes.clone().slice_dim(1, ..n));
        measures = measures.with(&format!("mel_{n}"), scalar(mel.forward(wave.clone(), decoded)));
    }
    let decoded = codec.decode(codes);
    let distance = scalar(mel.forward(wave.clone(), decoded.clone()));
    let log_mel = log_mel(wave.clone(), decoded.clone(), rate_hz)?;
    Ok(measures
        .with(&format!("mel_{n_quantizers}"), distance)
        .with("log_mel", log_mel)
        .with("snr_db", decibels(log_noise_share(wave, decoded))))
}

/// Mean distance of the crops.
fn log_mel(wave: Tensor<3>, decoded: Tensor<3>, rate_hz: usize) -> Result<f64, TrainError> {
    let [crops, _, samples] = wave.dims();
    let (wave, decoded) = (host(wave), host(decoded));
    let pairs = wave.chunks_exact(samples).zip(decoded.chunks_exact(samples));
    let distances = pairs.map(|(wave, decoded)| log_mel_distance(wave, decoded, rate_hz as u32));
    Ok(distances.sum::<Result<f64, _>>()? / crops as f64)
}

fn usage(codes: Tensor<3, Int>, size: usize) -> Result<Measures, TrainError> {
    let [_, n, _] = codes.dims();
    let (mut measures, mut used, mut perplexity) = (Measures::default(), 0.0, 0.0);
    for (index, usage) in CodebookUsage::of_quantizers(codes, size)?.iter().enumerate() {
        let (number, share) = (index + 1, usage.used_fraction());
        measures = measures
            .with(&format!("usage_{number}"), share)
            .with(&format!("perplexity_{number}"), usage.perplexity());
        used += share;
        perplexity += usage.perplexity();
    }
    Ok(measures.with("usage", used / n as f64).with("perplexity", perplexity / n as f64))
}

/// The share of entries that occur among as many as could, mean over quantizers.
pub(crate) fn used_in_batch(codes: Tensor<3, Int>, size: usize) -> Result<f64, TrainError> {
    let [batch, n, time] = codes.dims();
    let most = size.min(batch * time) as f64 / size as f64;
    let usages = CodebookUsage::of_quantizers(codes, size)?;
    Ok(usages.iter().map(|it| it.used_fraction() / most).sum::<f64>() / n as f64)
}

fn host(wave: Tensor<3>) -> Vec<f32> {
    wave.into_data().iter::<f32>().collect()
}
