//! From one sample rate to another.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::clip::{first_implausible, is_plausible_rate};
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
        let mut stream = ResampleStream::new(self.sample_rate_hz, rate_hz)?;
        let mut samples = stream.push(&self.samples)?;
        samples.extend(stream.finish()?);
        Ok(Self { samples, sample_rate_hz: rate_hz })
    }
}

/// Resamples a recording that comes piece by piece, to the same samples as
/// [`Clip::resampled`] makes of the whole.
pub struct ResampleStream {
    from_hz: u32,
    to_hz: u32,
    /// None where nothing is to be done.
    resampler: Option<Fft<f32>>,
    /// Samples that do not fill a block yet.
    pending: Vec<f32>,
    n_in: u64,
    n_out: u64,
    /// Samples still to be dropped, by which the filter lags.
    delay: usize,
}

impl ResampleStream {
    /// From one rate to another.
    ///
    /// # Errors
    /// When either rate is implausible, or the resampler cannot be built.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        if !is_plausible_rate(from_hz) || !is_plausible_rate(to_hz) {
            return Err(AudioError::ResampleRates { from_hz, to_hz });
        }
        let resampler = match from_hz == to_hz {
            true => None,
            false => Some(resampler(from_hz as usize, to_hz as usize).map_err(|source| {
                AudioError::Resample { from_hz, to_hz, source: source.into() }
            })?),
        };
        let delay = resampler.as_ref().map_or(0, |it| it.output_delay());
        Ok(Self { from_hz, to_hz, resampler, pending: Vec::new(), n_in: 0, n_out: 0, delay })
    }

    /// Takes the next samples, and gives those that follow from all so far.
    ///
    /// # Errors
    /// When a sample is implausible, or the resampler fails.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>, AudioError> {
        let n_before = self.n_in as usize;
        self.n_in += samples.len() as u64;
        let Some(resampler) = &self.resampler else { return Ok(samples.to_vec()) };
        if let Some(index) = first_implausible(samples) {
            let position = n_before + index;
            return Err(AudioError::ResampleSample { position, value: samples[index] });
        }
        let block = resampler.input_frames_next();
        let mut output = Vec::new();
        let mut left = samples;
        while self.pending.len() + left.len() >= block {
            let (filling, rest) = left.split_at(block - self.pending.len());
            self.pending.extend(filling);
            output.extend(self.converted()?);
            left = rest;
        }
        self.pending.extend(left);
        Ok(output)
    }

    /// Gives what is left: the end is followed by silence.
    ///
    /// # Errors
    /// When the resampler fails.
    pub fn finish(mut self) -> Result<Vec<f32>, AudioError> {
        let Some(resampler) = &self.resampler else { return Ok(Vec::new()) };
        let block = resampler.input_frames_next();
        let expected = (self.n_in * u64::from(self.to_hz)).div_ceil(u64::from(self.from_hz));
        let mut output = Vec::new();
        let before = self.n_out;
        while self.n_out < expected {
            self.pending.resize(block, 0.0);
            output.extend(self.converted()?);
        }
        output.truncate((expected - before) as usize);
        Ok(output)
    }

    /// What becomes of a whole block, less the delay.
    fn converted(&mut self) -> Result<Vec<f32>, AudioError> {
        let (from_hz, to_hz) = (self.from_hz, self.to_hz);
        let block = std::mem::take(&mut self.pending);
        let resampler = self.resampler.as_mut().expect("rates differ");
        let mut output = convert(resampler, &block).map_err(|source| AudioError::Resample {
            from_hz,
            to_hz,
            source,
        })?;
        let dropped = self.delay.min(output.len());
        self.delay -= dropped;
        output.drain(..dropped);
        self.n_out += output.len() as u64;
        Ok(output)
    }
}

fn resampler(from_hz: usize, to_hz: usize) -> Result<Fft<f32>, rubato::ResamplerConstructionError> {
    let window = rubato::WindowFunction::BlackmanHarris2;
    let block = block_samples(from_hz, to_hz);
    Fft::new_custom(from_hz, to_hz, block, 1, 1, window, FixedSync::Both)
}

fn convert(resampler: &mut Fft<f32>, block: &[f32]) -> Result<Vec<f32>, ResamplerError> {
    let input = SequentialSlice::new(block, 1, block.len())?;
    Ok(resampler.process(&input, None)?.take_data())
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sound(length: usize) -> Vec<f32> {
        (0..length).map(|n| (n as f32 * 0.05).sin() * (n as f32 * 0.0013).cos()).collect()
    }

    /// What rubato makes of the whole.
    fn whole(samples: &[f32], from_hz: usize, to_hz: usize) -> Vec<f32> {
        let input = SequentialSlice::new(samples, 1, samples.len()).unwrap();
        let mut resampler = resampler(from_hz, to_hz).unwrap();
        let mut output = resampler.process_all(&input, samples.len(), None).unwrap().take_data();
        output.resize((samples.len() * to_hz).div_ceil(from_hz), 0.0);
        output
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

        #[test]
        fn pieces_are_the_whole_to_the_bit(
            pieces in prop::collection::vec(0_usize..4_000, 1..8),
            from in prop::sample::select(vec![8_000, 11_025, 22_050, 24_000, 44_100, 48_000]),
            to in prop::sample::select(vec![16_000, 24_000, 44_100]),
        ) {
            let samples = sound(pieces.iter().sum::<usize>() + 1);
            let mut stream = ResampleStream::new(from, to).unwrap();
            let mut found = Vec::new();
            let mut left = &samples[..];
            for piece in pieces.iter().chain([&1]) {
                let (now, later) = left.split_at(*piece);
                found.extend(stream.push(now).unwrap());
                left = later;
            }
            found.extend(stream.finish().unwrap());
            let expected = match from == to {
                true => samples,
                false => whole(&samples, from as usize, to as usize),
            };
            prop_assert_eq!(found, expected);
        }
    }
}
