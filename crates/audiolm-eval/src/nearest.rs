//! Whether continuations keep the voice and the room of their prompts.

use crate::EvalError;
use crate::log_mel::{N_MELS, long_term_spectrum};

/// For each continuation, the prompt that sounds most like it.
///
/// Clips are compared by their long-term log-mel spectra. What all prompts have in common is
/// removed from the prompts, and what all continuations have in common from the continuations, so
/// that a colour which the model gives to everything does not hide whom it imitates. A model that
/// ignores its prompt finds one of its own by chance, whatever the number of clips.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NearestPrompts {
    /// The index of the nearest prompt of each continuation.
    pub nearest: Vec<usize>,
}

impl NearestPrompts {
    /// Compares every continuation with every prompt; both lists have the same order.
    pub fn find<W: AsRef<[f32]>>(
        prompts: &[W],
        continuations: &[W],
        sample_rate_hz: u32,
    ) -> Result<Self, EvalError> {
        if prompts.len() != continuations.len() {
            return Err(EvalError::Unpaired {
                prompts: prompts.len(),
                continuations: continuations.len(),
            });
        }
        let prompts = centred_spectra(prompts, sample_rate_hz)?;
        let continuations = centred_spectra(continuations, sample_rate_hz)?;
        let nearest = continuations.iter().filter_map(|it| nearest_of(&prompts, it)).collect();
        Ok(Self { nearest })
    }

    /// How many continuations are nearest to their own prompt; 1 is chance.
    pub fn n_own(&self) -> usize {
        self.nearest.iter().enumerate().filter(|&(own, &nearest)| own == nearest).count()
    }
}

/// The long-term spectrum of each clip, less the mean of all of them.
fn centred_spectra<W: AsRef<[f32]>>(
    clips: &[W],
    sample_rate_hz: u32,
) -> Result<Vec<[f64; N_MELS]>, EvalError> {
    let spectrum = |clip: &W| long_term_spectrum(clip.as_ref(), sample_rate_hz);
    let spectra = clips.iter().map(spectrum).collect::<Result<Vec<_>, _>>()?;
    let sum = |band: usize| spectra.iter().map(|spectrum| spectrum[band]).sum::<f64>();
    let mean: [f64; N_MELS] = std::array::from_fn(|band| sum(band) / spectra.len() as f64);
    let centred = |spectrum: &[f64; N_MELS]| std::array::from_fn(|i| spectrum[i] - mean[i]);
    Ok(spectra.iter().map(centred).collect())
}

/// The index of the nearest prompt, the first of equals.
fn nearest_of(prompts: &[[f64; N_MELS]], clip: &[f64; N_MELS]) -> Option<usize> {
    let distance = |prompt: &[f64; N_MELS]| -> f64 {
        prompt.iter().zip(clip).map(|(a, b)| (a - b).powi(2)).sum()
    };
    let distances: Vec<f64> = prompts.iter().map(distance).collect();
    (0..prompts.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, n_samples: usize) -> Vec<f32> {
        (0..n_samples)
            .map(|i| (i as f32 * hertz * std::f32::consts::TAU / 16_000.0).sin())
            .collect()
    }

    #[track_caller]
    fn check(prompts_hz: &[f32], continuations_hz: &[f32], nearest: &[usize], n_own: usize) {
        let prompts: Vec<_> = prompts_hz.iter().map(|&hertz| tone(hertz, 3000)).collect();
        let continuations: Vec<_> = continuations_hz.iter().map(|&hz| tone(hz, 4000)).collect();
        let found = NearestPrompts::find(&prompts, &continuations, 16_000).unwrap();
        assert_eq!(found.nearest, nearest);
        assert_eq!(found.n_own(), n_own);
    }

    #[test]
    fn every_tone_finds_its_own() {
        check(&[200.0, 900.0, 3000.0], &[200.0, 900.0, 3000.0], &[0, 1, 2], 3);
    }
    #[test]
    fn exchanged_tones_find_each_other() {
        check(&[200.0, 900.0, 3000.0], &[900.0, 200.0, 3000.0], &[1, 0, 2], 1);
    }
    #[test]
    fn no_clips_have_no_nearest() {
        check(&[], &[], &[], 0);
    }
    #[test]
    fn names_a_prompt_without_continuation() {
        let clips = [tone(200.0, 100), tone(300.0, 100)];
        let err = NearestPrompts::find(&clips, &clips[..1], 16_000).unwrap_err();
        assert_eq!(err, EvalError::Unpaired { prompts: 2, continuations: 1 });
    }
}
