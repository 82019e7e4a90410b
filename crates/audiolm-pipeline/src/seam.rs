//! Where a recording ends and its continuation begins.

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
    let n_faded = (FADE_SECONDS * f64::from(recording.sample_rate_hz)) as usize;
    let kept = &recording.samples[first.min(n_kept)..];
    for (idx, (sample, kept)) in block.iter_mut().zip(kept).enumerate() {
        let left = (n_kept - first - idx) as f32 / (n_faded + 1) as f32;
        let share = left.min(1.0);
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
    fn a_recording_shorter_than_the_fade_stays_in_part() {
        let mut wave = vec![0.0; 400];
        keep_start(&mut wave, 0, &Clip { samples: vec![0.5; 100], sample_rate_hz: 16_000 });
        assert!(wave[0] > 0.1 && wave[100] == 0.0);
    }
}
