//! Where a recording ends and what was made begins, and the other way round.

use audiolm_audio::Clip;

/// How long the recording fades into what the codec made of it, in seconds.
const FADE_SECONDS: f64 = 0.02;

/// Replaces the start of a decoded wave, which holds `recording` as the codec hears it and what
/// follows, by the recording itself. Of the wave, `block` is what begins at sample `first`.
///
/// The last [`FADE_SECONDS`] of the recording fade into the decoded wave, so that nothing clicks
/// where the codec takes over.
pub(crate) fn keep_start(block: &mut [f32], first: usize, recording: &Clip) {
    let n_kept = recording.samples.len();
    let fade = Fade::of(recording);
    let kept = &recording.samples[first.min(n_kept)..];
    for (idx, (sample, kept)) in block.iter_mut().zip(kept).enumerate() {
        fade.mix(sample, *kept, n_kept - first - idx);
    }
}

/// The same at the end of a whole wave: the first [`FADE_SECONDS`] of the recording come out of it.
///
/// # Panics
/// If the wave is shorter than the recording.
pub(crate) fn keep_end(wave: &mut [f32], recording: &Clip) {
    let first = wave.len() - recording.samples.len();
    let fade = Fade::of(recording);
    for (idx, (sample, kept)) in wave[first..].iter_mut().zip(&recording.samples).enumerate() {
        fade.mix(sample, *kept, idx + 1);
    }
}

/// What lies between a recording and what was made.
struct Fade {
    n_samples: usize,
}

impl Fade {
    fn of(recording: &Clip) -> Self {
        Self { n_samples: (FADE_SECONDS * f64::from(recording.sample_rate_hz)) as usize }
    }

    /// Gives a sample of the recording its share, so many steps from where the recording ends.
    fn mix(&self, sample: &mut f32, kept: f32, steps: usize) {
        let share = (steps as f32 / (self.n_samples + 1) as f32).min(1.0);
        *sample = (share * kept + (1.0 - share) * *sample).clamp(-1.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recording_fades_into_what_follows() {
        let mut wave = vec![-0.5; 2000];
        keep_start(&mut wave, 0, &Clip { samples: vec![0.5; 1000], sample_rate_hz: 16_000 });
        assert!(wave[..680].iter().all(|it| *it == 0.5));
        assert!(wave[680..1000].is_sorted_by(|a, b| a > b));
        assert!(wave[1000..].iter().all(|it| *it == -0.5));
        // 320 steps over a distance of 1.
        assert!(wave.windows(2).all(|it| (it[0] - it[1]).abs() < 0.004));
    }

    #[test]
    fn a_wave_in_blocks_fades_as_the_whole() {
        let recording = Clip { samples: vec![0.5; 1000], sample_rate_hz: 16_000 };
        let mut whole = vec![-0.5; 2000];
        keep_start(&mut whole, 0, &recording);
        let mut blocks = vec![-0.5; 2000];
        for (idx, block) in blocks.chunks_mut(170).enumerate() {
            keep_start(block, 170 * idx, &recording);
        }
        assert_eq!(blocks, whole);
    }

    #[test]
    fn what_was_made_fades_into_a_recording_as_one_fades_into_it() {
        let recording = Clip { samples: vec![0.5; 1000], sample_rate_hz: 16_000 };
        let (mut wave, mut mirrored) = (vec![-0.5; 2000], vec![-0.5; 2000]);
        keep_start(&mut mirrored, 0, &recording);
        keep_end(&mut wave, &recording);
        mirrored.reverse();
        assert_eq!(wave, mirrored);
    }

    #[test]
    fn a_recording_shorter_than_the_fade_stays_in_part() {
        let mut wave = vec![0.0; 400];
        keep_start(&mut wave, 0, &Clip { samples: vec![0.5; 100], sample_rate_hz: 16_000 });
        assert!(wave[0] > 0.1 && wave[100] == 0.0);
    }
}
