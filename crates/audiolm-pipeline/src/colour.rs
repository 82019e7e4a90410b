//! The colour that the codec gives to a voice, and how to take it back.
//!
//! A small codec loses some bands and fills others with noise, and each room and voice in its own
//! way. The prompt is at hand as it was recorded and as the codec decodes it, so what the codec
//! does to it is known: the difference of the two mean log spectra. That is the cepstral mean of a
//! channel (Atal 1974, "Effectiveness of linear prediction characteristics of the speech wave for
//! automatic speaker identification and verification"), and its inverse is a filter for what
//! follows the prompt.

use std::collections::VecDeque;
use std::f64::consts::PI;

use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

/// Samples of a frame, 64 ms at 16 kHz.
const N_FFT: usize = 1024;
/// Samples from one frame to the next.
const HOP: usize = N_FFT / 4;
const N_BINS: usize = N_FFT / 2 + 1;
/// Keeps the logarithm of silence finite; the models hear speech at a power of about 1e-2.
const FLOOR: f64 = 1e-6;
/// Bands of the mel scale from 0 Hz to half the sampling rate; the filter has no finer detail.
const N_BANDS: usize = 32;
/// The most that a band is raised or lowered.
const MOST_DB: f64 = 20.0;

/// A filter that gives decoded audio the colour of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Colour {
    /// What each bin of a frame is multiplied with.
    gains: Vec<f64>,
}

impl Colour {
    /// What turns the colour of `decoded` into that of `recording`, of which it is the copy.
    pub(crate) fn between(decoded: &[f32], recording: &[f32], sample_rate_hz: u32) -> Self {
        let transform = Transform::new();
        let (is, should) = (transform.mean_log(decoded), transform.mean_log(recording));
        let difference: Vec<f64> = is.iter().zip(&should).map(|(is, should)| should - is).collect();
        // Of a power in nats, as of an amplitude in decibels: 20 log10(e) / 2.
        let most = MOST_DB / (10.0 / std::f64::consts::LN_10);
        let gain = |difference: f64| (difference.clamp(-most, most) / 2.0).exp();
        Self { gains: smoothed(&difference, sample_rate_hz).into_iter().map(gain).collect() }
    }

    /// A whole wave through the filter, as long as it was.
    pub(crate) fn applied(self, wave: &[f32]) -> Vec<f32> {
        let mut stream = self.into_stream();
        let mut filtered = stream.push(wave);
        filtered.extend(stream.finish());
        filtered
    }

    /// The filter, for a wave that comes block by block.
    pub(crate) fn into_stream(self) -> ColourStream {
        ColourStream {
            gains: self.gains,
            transform: Transform::new(),
            unframed: vec![0.0; N_FFT],
            sum: VecDeque::from(vec![0.0; N_FFT]),
            n_early: N_FFT,
            n_owed: 0,
        }
    }
}

/// A wave on its way through the filter. What comes out follows what goes in by less than a frame;
/// however the wave is cut, it is the same to the last bit.
pub(crate) struct ColourStream {
    gains: Vec<f64>,
    transform: Transform,
    /// What is not in all its frames yet, a frame of silence first: so every sample is in as many.
    unframed: Vec<f64>,
    /// What the frames so far add up to, from the first sample of the next frame on.
    sum: VecDeque<f64>,
    /// Samples of silence that are still to come out first.
    n_early: usize,
    /// Samples that went in and have not come out.
    n_owed: usize,
}

impl ColourStream {
    /// Takes samples, and gives those that are complete.
    pub(crate) fn push(&mut self, wave: &[f32]) -> Vec<f32> {
        self.unframed.extend(wave.iter().map(|it| f64::from(*it)));
        let mut complete = Vec::new();
        let mut start = 0;
        while start + N_FFT <= self.unframed.len() {
            let filtered =
                self.transform.filtered(&self.unframed[start..start + N_FFT], &self.gains);
            self.sum.iter_mut().zip(filtered).for_each(|(sum, it)| *sum += it);
            complete.extend(self.sum.drain(..HOP).map(|it| it as f32));
            self.sum.extend([0.0; HOP]);
            start += HOP;
        }
        self.unframed.drain(..start);
        let n_early = self.n_early.min(complete.len());
        self.n_early -= n_early;
        let complete = complete.split_off(n_early);
        self.n_owed = (self.n_owed + wave.len()).saturating_sub(complete.len());
        complete
    }

    /// Gives what is left.
    pub(crate) fn finish(mut self) -> Vec<f32> {
        let n_owed = self.n_owed;
        let mut rest = self.push(&[0.0; N_FFT]);
        rest.truncate(n_owed);
        rest
    }
}

/// Frames of a wave and back.
struct Transform {
    forward: Radix4<f64>,
    inverse: Radix4<f64>,
    /// The root of a periodic Hann window: applied twice, frames add up to a constant.
    window: Vec<f64>,
}

impl Transform {
    fn new() -> Self {
        let angle = |idx: usize| PI * idx as f64 / N_FFT as f64;
        Self {
            forward: Radix4::new(N_FFT, FftDirection::Forward),
            inverse: Radix4::new(N_FFT, FftDirection::Inverse),
            window: (0..N_FFT).map(|idx| angle(idx).sin()).collect(),
        }
    }

    /// The mean over time of the natural logarithm of power, `[bins]`.
    fn mean_log(&self, wave: &[f32]) -> Vec<f64> {
        let mut sums = vec![0.0; N_BINS];
        let frames = Frames::of(wave);
        for start in frames.starts() {
            let bins = self.bins(&frames.wave[start..start + N_FFT]);
            for (sum, bin) in sums.iter_mut().zip(&bins[..N_BINS]) {
                *sum += (bin.norm_sqr() + FLOOR).ln();
            }
        }
        let n_frames = frames.starts().count() as f64;
        sums.into_iter().map(|sum| sum / n_frames).collect()
    }

    /// A frame through the filter, as what it adds to a wave.
    fn filtered(&self, frame: &[f64], gains: &[f64]) -> Vec<f64> {
        let mut bins = self.bins(frame);
        // Those beyond half the rate mirror those before.
        let mirrored = gains[1..N_BINS - 1].iter().rev();
        bins.iter_mut().zip(gains.iter().chain(mirrored)).for_each(|(bin, gain)| *bin *= gain);
        self.inverse.process(&mut bins);
        // The inverse transform multiplies by N, the windows add up to N / (2 · hop).
        let scale = 2.0 * HOP as f64 / (N_FFT * N_FFT) as f64;
        bins.iter().zip(&self.window).map(|(value, window)| value.re * window * scale).collect()
    }

    /// All of a frame, `[N_FFT]`.
    fn bins(&self, frame: &[f64]) -> Vec<Complex<f64>> {
        let windowed = frame.iter().zip(&self.window).map(|(a, b)| Complex::new(a * b, 0.0));
        let mut bins: Vec<_> = windowed.collect();
        self.forward.process(&mut bins);
        bins
    }
}

/// A wave between two frames of silence, so that every sample is in as many frames.
struct Frames {
    wave: Vec<f64>,
}

impl Frames {
    fn of(wave: &[f32]) -> Self {
        let silence = || std::iter::repeat_n(0.0, N_FFT);
        let wave = wave.iter().map(|it| f64::from(*it));
        Self { wave: silence().chain(wave).chain(silence()).collect() }
    }

    fn starts(&self) -> impl Iterator<Item = usize> + use<> {
        (0..=self.wave.len() - N_FFT).step_by(HOP)
    }
}

/// Means over triangles that are equally wide on the mel scale, one around each bin.
fn smoothed(values: &[f64], sample_rate_hz: u32) -> Vec<f64> {
    let hertz = |bin: usize| bin as f64 * f64::from(sample_rate_hz) / N_FFT as f64;
    let mels: Vec<f64> = (0..N_BINS).map(|bin| (1.0 + hertz(bin) / 700.0).ln()).collect();
    let width = mels[N_BINS - 1] / N_BANDS as f64;
    let around = |centre: &f64| {
        let weights = mels.iter().map(|mel| (1.0 - (mel - centre).abs() / width).max(0.0));
        let (sum, total) = weights.zip(values).fold((0.0, 0.0), |(sum, total), (weight, value)| {
            (sum + weight * value, total + weight)
        });
        sum / total
    };
    mels.iter().map(around).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use proptest::prelude::*;
    use rand::RngExt;

    const RATE_HZ: u32 = 16_000;

    fn noise(n_samples: usize, seed: u64) -> Vec<f32> {
        let mut rng = generator(seed, "test", 0);
        (0..n_samples).map(|_| rng.random::<f32>() - 0.5).collect()
    }

    /// The mean of each sample and the one before: dull, with nothing left at the top.
    fn dulled(wave: &[f32]) -> Vec<f32> {
        wave.windows(2).map(|it| 0.8 * it[1] + 0.4 * it[0]).collect()
    }

    /// A wave through a filter, in blocks of these lengths in turn.
    fn applied(colour: &Colour, wave: &[f32], blocks: &[usize]) -> Vec<f32> {
        let mut stream = colour.clone().into_stream();
        let (mut filtered, mut left) = (Vec::new(), wave);
        for block in blocks.iter().cycle() {
            let (now, later) = left.split_at(left.len().min(*block));
            filtered.extend(stream.push(now));
            assert!(wave.len() - later.len() < filtered.len() + N_FFT, "it lags more than a frame");
            left = later;
            if left.is_empty() {
                break;
            }
        }
        filtered.extend(stream.finish());
        filtered
    }

    fn whole(colour: &Colour, wave: &[f32]) -> Vec<f32> {
        applied(colour, wave, &[wave.len()])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_stream_is_the_whole_to_the_bit_however_it_is_cut(
            n_samples in 1..6000usize, blocks in prop::collection::vec(1..1500usize, 1..5),
        ) {
            let prompt = noise(8000, 1);
            let colour = Colour::between(&dulled(&prompt), &prompt, RATE_HZ);
            let wave = noise(n_samples, 2);
            let found = applied(&colour, &wave, &blocks);
            prop_assert_eq!(found.len(), n_samples);
            prop_assert!(found == whole(&colour, &wave));
        }
    }

    fn power(wave: &[f32]) -> f32 {
        wave.iter().map(|it| it * it).sum()
    }

    /// The power of what differs, as a share.
    fn difference(found: &[f32], expected: &[f32]) -> f32 {
        let rest: Vec<f32> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
        power(&rest) / power(expected)
    }

    #[test]
    fn what_has_its_colour_stays_as_it_is() {
        for n_samples in [1, 255, 5000] {
            let wave = noise(n_samples, 1);
            let found = whole(&Colour::between(&wave, &wave, RATE_HZ), &wave);
            assert_eq!(found.len(), n_samples);
            assert!(found.iter().zip(&wave).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn a_filter_learnt_on_one_wave_mends_another() {
        let prompt = noise(48_000, 1);
        let colour = Colour::between(&dulled(&prompt), &prompt, RATE_HZ);
        let clear = noise(32_000, 2);
        let dull = dulled(&clear);
        let spectrum = |wave: &[f32]| Transform::new().mean_log(wave);
        let apart = |wave: &[f32]| -> f64 {
            let (found, expected) = (spectrum(wave), spectrum(&clear));
            found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).sum::<f64>() / N_BINS as f64
        };
        let (before, after) = (apart(&dull), apart(&whole(&colour, &dull)));
        // What is left is mostly chance: noise has a spectrum like its fellow's only on average.
        assert!(before > 0.5 && after < 0.25 * before, "{before} {after}");
    }

    #[test]
    fn no_band_is_raised_beyond_the_bound() {
        let (wave, silence) = (noise(8000, 1), vec![0.0; 8000]);
        for (decoded, recording, expected) in [(&silence, &wave, 10.0), (&wave, &silence, 0.1)] {
            let colour = Colour::between(decoded, recording, RATE_HZ);
            assert!(colour.gains.iter().all(|gain| (gain - expected).abs() < 1e-9));
        }
    }

    #[test]
    fn a_sound_keeps_its_time() {
        let prompt = noise(16_000, 1);
        let colour = Colour::between(&dulled(&prompt), &prompt, RATE_HZ);
        let mut click = vec![0.0; 4000];
        click[1999] = 0.8;
        click[2000] = 0.4;
        let mended = whole(&colour, &click);
        let mut expected = vec![0.0; 4000];
        expected[1999] = 1.0;
        // The filter has no phase of its own, so what dulling delays stays where it is.
        assert!(difference(&mended[1980..2020], &expected[1980..2020]) < 0.5);
        assert!(power(&mended[..1500]) < 1e-4 * power(&mended));
    }
}
