//! Whether some places of a wave can be told from the rest of it, as seams could.

use std::collections::BTreeSet;

use crate::EvalError;
use crate::log_mel::{LogMelSpectrum, N_MELS, log_mel};

/// Samples from one place that is looked at to the next: the hop of the log-mel spectrum, whose frame
/// `k` ends where place `k` is.
const HOP: usize = 256;
/// Frames from the one that ends at a place to the one in whose middle it is...
const AT: usize = 2;
/// ...and to the one that begins there.
const AFTER: usize = 4;

/// How some places of a wave stand out from all others.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Seams {
    /// By how much the 64 ms after them differ from the 64 ms before, in loudness and colour.
    pub steps: Standout,
    /// By how much the 64 ms around them differ from those before and after, as they do in a click.
    pub bumps: Standout,
    /// How many places were looked at: those with sound before and after.
    pub n_places: usize,
}

/// How places stand out by a measure that is great wherever something happens, as it does all the time
/// in speech.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Standout {
    /// The probability that more happens at one of the places than at one elsewhere (Mann and Whitney
    /// 1947): 0.5 where nothing tells them apart, 1 where each stands out.
    pub rank: f64,
    /// The most that happens at one of the places, as a share of the most that happens elsewhere.
    pub greatest: f64,
}

impl Seams {
    /// Compares `places`, in samples, with the rest of a wave.
    ///
    /// # Errors
    /// Where samples are missing or not finite, or no place has sound before and after it.
    pub fn find(wave: &[f32], sample_rate_hz: u32, places: &[usize]) -> Result<Self, EvalError> {
        let spectrum = log_mel(wave, sample_rate_hz)?;
        // Beyond, frames hold silence that is none of the wave's.
        let inside = AFTER..(wave.len() / HOP + 1).saturating_sub(AFTER);
        let places: BTreeSet<usize> = places.iter().map(|it| (it + HOP / 2) / HOP).collect();
        let n_places = places.iter().filter(|it| inside.contains(*it)).count();
        if n_places == 0 {
            return Err(EvalError::NoPlaces { n_samples: wave.len() });
        }
        let standout = |measure: fn(&LogMelSpectrum, usize) -> f64| {
            let (at, elsewhere): (Vec<usize>, _) =
                inside.clone().partition(|it| places.contains(it));
            let measured =
                |it: Vec<usize>| it.into_iter().map(|it| measure(&spectrum, it)).collect();
            Standout::of(measured(at), measured(elsewhere))
        };
        Ok(Self { steps: standout(step), bumps: standout(bump), n_places })
    }
}

impl Standout {
    fn of(places: Vec<f64>, mut elsewhere: Vec<f64>) -> Self {
        elsewhere.sort_by(f64::total_cmp);
        let below = |it: &f64| elsewhere.partition_point(|other| other < it);
        let above = |it: &f64| elsewhere.len() - elsewhere.partition_point(|other| other <= it);
        let wins = |it: &f64| (below(it) + elsewhere.len() - above(it)) as f64 / 2.0;
        let pairs = (places.len() * elsewhere.len()) as f64;
        let greatest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        Self {
            rank: places.iter().map(wins).sum::<f64>() / pairs,
            greatest: greatest(&places) / greatest(&elsewhere),
        }
    }
}

fn step(spectrum: &LogMelSpectrum, place: usize) -> f64 {
    distance(&spectrum.frames[place], &spectrum.frames[place + AFTER])
}

fn bump(spectrum: &LogMelSpectrum, place: usize) -> f64 {
    let [before, at, after] = [0, AT, AFTER].map(|it| &spectrum.frames[place + it]);
    distance(at, &std::array::from_fn(|band| (before[band] + after[band]) / 2.0))
}

fn distance(a: &[f64; N_MELS], b: &[f64; N_MELS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / N_MELS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 16_000;
    const PLACES: [usize; 5] = [5_120, 17_920, 28_160, 43_520, 61_440];

    /// Five seconds of noise that swells and fades.
    fn noise() -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        };
        (0..80_000).map(|n| next() * (1.0 + 0.5 * (n as f32 * 1e-3).sin())).collect()
    }

    fn found(wave: &[f32]) -> Seams {
        Seams::find(wave, RATE_HZ, &PLACES).unwrap()
    }

    #[test]
    fn places_like_any_other_do_not_stand_out() {
        let Seams { steps, bumps, n_places } = found(&noise());
        assert_eq!(n_places, 5);
        for Standout { rank, greatest } in [steps, bumps] {
            assert!((0.2..0.8).contains(&rank) && greatest < 1.0, "{rank} {greatest}");
        }
    }

    #[test]
    fn another_loudness_from_a_place_on_is_a_step() {
        let mut wave = noise();
        for (n, sample) in wave.iter_mut().enumerate() {
            let n_passed = PLACES.iter().filter(|it| **it <= n).count();
            *sample *= if n_passed % 2 == 0 { 1.0 } else { 0.1 };
        }
        let Standout { rank, greatest } = found(&wave).steps;
        assert!(rank > 0.95 && greatest > 1.0, "{rank} {greatest}");
    }

    #[test]
    fn a_click_is_a_bump() {
        let mut wave = noise();
        PLACES.iter().for_each(|it| wave[*it] = 20.0);
        let Standout { rank, greatest } = found(&wave).bumps;
        assert!(rank > 0.95 && greatest > 1.0, "{rank} {greatest}");
    }

    #[test]
    fn equal_values_share_the_rank() {
        let found = Standout::of(vec![1.0, 3.0], vec![1.0, 2.0, 1.0, 2.0]);
        assert_eq!(found, Standout { rank: (1.0 + 4.0) / 8.0, greatest: 1.5 });
    }

    #[test]
    fn places_at_the_very_ends_are_none() {
        let error = Seams::find(&noise(), RATE_HZ, &[0, 79_500, 90_000]).unwrap_err();
        assert_eq!(error, EvalError::NoPlaces { n_samples: 80_000 });
        assert_eq!(
            Seams::find(&[0.1; 500], RATE_HZ, &[256]),
            Err(EvalError::NoPlaces { n_samples: 500 })
        );
    }
}
