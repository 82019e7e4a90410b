//! From one sample rate to another.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::clip::is_plausible_rate;
use crate::error::ResamplerError;
use crate::{AudioError, Clip};

/// The least length of a transform block on either side, in samples; the anti-aliasing filter is
/// as long as a block. With 1024 it passes all but the last 2 % or so below the Nyquist frequency.
const MIN_BLOCK_SAMPLES: usize = 1024;

impl Clip {
    /// The same recording at another rate: band-limited, without delay, and
    /// `ceil(samples * rate_hz / sample_rate_hz)` samples long.
    ///
    /// # Errors
    /// When either rate or a sample is implausible, or the resampler fails.
    pub fn resampled(&self, rate_hz: u32) -> Result<Self, AudioError> {
        let from_hz = self.sample_rate_hz;
        if !is_plausible_rate(from_hz) || !is_plausible_rate(rate_hz) {
            return Err(AudioError::ResampleRates { from_hz, to_hz: rate_hz });
        }
        if from_hz == rate_hz {
            return Ok(self.clone());
        }
        if let Some(position) = self.first_implausible() {
            let value = self.samples[position];
            return Err(AudioError::ResampleSample { position, value });
        }
        let samples = convert(&self.samples, from_hz as usize, rate_hz as usize)
            .map_err(|source| AudioError::Resample { from_hz, to_hz: rate_hz, source })?;
        Ok(Self { samples, sample_rate_hz: rate_hz })
    }
}

fn convert(samples: &[f32], from_hz: usize, to_hz: usize) -> Result<Vec<f32>, ResamplerError> {
    if samples.is_empty() {
        return Ok(Vec::new());
    }
    let block = block_samples(from_hz, to_hz);
    let mut resampler = Fft::<f32>::new_custom(
        from_hz,
        to_hz,
        block,
        1,
        1,
        rubato::WindowFunction::BlackmanHarris2,
        FixedSync::Both,
    )?;
    let input = SequentialSlice::new(samples, 1, samples.len())?;
    let mut output = resampler.process_all(&input, samples.len(), None)?.take_data();
    // The length is exact in whole numbers, whatever the ratio was rounded to.
    output.resize((samples.len() * to_hz).div_ceil(from_hz), 0.0);
    Ok(output)
}

/// Input samples in a transform block: an even number of the least whole periods that both rates
/// share, so that the delay, half a block, is a whole number of samples on both sides.
fn block_samples(from_hz: usize, to_hz: usize) -> usize {
    let common = greatest_common_divisor(from_hz, to_hz);
    let (period_in, period_out) = (from_hz / common, to_hz / common);
    let periods = MIN_BLOCK_SAMPLES.div_ceil(period_in.min(period_out));
    periods.next_multiple_of(2) * period_in
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
