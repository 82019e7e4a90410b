//! The measures of waves give the numbers of pystoi and of `goldens/audio_metrics.py`.

#[path = "goldens/noise.rs"]
mod noise;
#[path = "goldens/signals.rs"]
mod signals;

use audiolm_eval::{
    N_MELS, NearestPrompts, log_mel, log_mel_distance, long_term_spectrum, si_sdr, stoi,
};
use serde::Deserialize;
use signals::{degrade, speech};

/// Both sides compute in double precision; what differs is the sine of two mathematics libraries,
/// which can move a sample of the stored single precision by its last bit.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Goldens {
    pairs: Vec<Pair>,
    log_mel_shape: [usize; 2],
    log_mel_frame_9: Vec<f64>,
    long_term_spectrum: Vec<f64>,
    nearest: Vec<usize>,
}

#[derive(Deserialize)]
struct Pair {
    rate: u32,
    seconds: f64,
    voice: u32,
    how: String,
    stoi: f64,
    si_sdr: Option<f64>,
    log_mel_distance: f64,
}

fn goldens() -> Goldens {
    serde_json::from_str(include_str!("goldens/measures.json")).expect("sound goldens")
}

#[track_caller]
fn check(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < TOLERANCE, "{what}: {found}, expected {expected}");
}

#[test]
fn pairs_score_as_in_the_reference_packages() {
    for golden in goldens().pairs {
        let reference = speech(golden.rate, golden.seconds, golden.voice);
        let degraded = degrade(&reference, &golden.how);
        let name = format!("{} Hz, voice {}, {}", golden.rate, golden.voice, golden.how);
        check(stoi(&reference, &degraded, golden.rate).unwrap(), golden.stoi, &name);
        let distance = log_mel_distance(&reference, &degraded, golden.rate).unwrap();
        check(distance, golden.log_mel_distance, &name);
        let ratio = si_sdr(&reference, &degraded).unwrap();
        match golden.si_sdr {
            Some(expected) => check(ratio, expected, &name),
            None => assert_eq!(ratio, f64::INFINITY),
        }
    }
}

#[test]
fn log_mel_frames_are_those_of_the_script() {
    let goldens = goldens();
    let spectrum = log_mel(&speech(16_000, 0.5, 1), 16_000).unwrap();
    assert_eq!([spectrum.frames.len(), N_MELS], goldens.log_mel_shape);
    for (&found, expected) in spectrum.frames[9].iter().zip(goldens.log_mel_frame_9) {
        check(found, expected, "frame 9");
    }
}

#[test]
fn long_term_spectrum_is_that_of_the_script() {
    let spectrum = long_term_spectrum(&speech(16_000, 0.5, 1), 16_000).unwrap();
    for (&found, expected) in spectrum.iter().zip(goldens().long_term_spectrum) {
        check(found, expected, "long-term spectrum");
    }
}

#[test]
fn nearest_prompts_are_those_of_the_script() {
    let prompts: Vec<_> = (0..6).map(|voice| speech(16_000, 1.0, voice)).collect();
    let voices = [0, 1, 2, 3, 4, 0];
    let continuation = |&voice: &u32| degrade(&speech(16_000, 1.3, voice), "muffled");
    let continuations: Vec<_> = voices.iter().map(continuation).collect();
    let found = NearestPrompts::find(&prompts, &continuations, 16_000).unwrap();
    assert_eq!(found.nearest, goldens().nearest);
    assert_eq!(found.n_own(), 5);
}
