//! Other voices, tempos, and codes without semantic ids, shown with models that know nothing.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm_audio::Clip;
use audiolm_pipeline::testing::N_QUANTIZERS;
use audiolm_pipeline::{
    ContinueOptions, GenerateOptions, PipelineError, ResynthesizeOptions, Scored, Semantics,
};
use support::{HOP, RATE_HZ, Tone, lm, recording};

/// A tone that rises from here.
fn voice(seconds: f64, hertz: f64) -> Clip {
    Tone { hertz, sample_rate_hz: RATE_HZ }.lasting(seconds)
}

fn options(tempo: f64) -> ResynthesizeOptions {
    ResynthesizeOptions { tempo, seed: 1, ..Default::default() }
}

#[test]
fn another_voice_says_the_same() {
    let (lm, said) = (lm(), recording(0.9));
    let [one, other] = [500.0, 900.0].map(|it| voice(0.4, it));
    let heard = lm.tokenize(&said).unwrap();
    let found = lm.resynthesize_as(&said, &one, &options(1.0)).unwrap();
    // Nothing of the voice itself is left.
    assert_eq!(found.clip.samples.len(), said.samples.len());
    assert_eq!(found.tokens.n_frames(), 45);
    assert_eq!(found.tokens.semantic_ids, heard.semantic_ids);
    assert_eq!(found.tokens.durations, heard.durations);
    assert_ne!(found.tokens.codes, heard.codes);
    assert_eq!(found, lm.resynthesize_as(&said, &one, &options(1.0)).unwrap());
    // The voice matters, and so does having one.
    assert_ne!(found.clip, lm.resynthesize_as(&said, &other, &options(1.0)).unwrap().clip);
    assert_ne!(found.clip, lm.resynthesize(&said, &options(1.0)).unwrap().clip);
}

#[test]
fn codes_of_the_voice_come_first() {
    // All of the probability to codes of the prompt: nothing else can be drawn.
    let (lm, said, voice) = (lm(), recording(0.5), voice(0.3, 700.0));
    let mut options = options(1.0);
    options.sampling.recall.share = 1.0;
    let of_voice = lm.tokenize(&voice).unwrap().codes;
    let found = lm.resynthesize_as(&said, &voice, &options).unwrap().tokens.codes;
    for quantizer in 0..N_QUANTIZERS {
        assert!(found[quantizer].iter().all(|it| of_voice[quantizer].contains(it)));
    }
}

#[test]
fn another_voice_is_as_loud_as_what_it_says() {
    let (lm, voice) = (lm(), voice(0.4, 500.0));
    let divided = |by: f32| {
        let whole = recording(0.9);
        let samples = whole.samples.iter().map(|it| it / by).collect();
        lm.resynthesize_as(&Clip { samples, ..whole }, &voice, &options(1.0)).unwrap().clip.samples
    };
    // So quiet that nothing is clipped.
    let (loud, quiet) = (divided(16.0), divided(256.0));
    assert!(loud.iter().zip(&quiet).all(|(a, b)| (a - 16.0 * b).abs() < 1e-4));
}

#[test]
fn a_voice_in_blocks_is_the_whole() {
    let (lm, said, voice) = (lm(), recording(1.3), voice(0.5, 500.0));
    let whole = lm.resynthesize_as(&said, &voice, &options(1.0)).unwrap();
    let mut blocks = lm.resynthesize_as_stream(&said, &voice, &options(1.0)).unwrap();
    assert_eq!(blocks.n_samples(), whole.clip.samples.len());
    assert_eq!(blocks.tokens().unwrap().n_frames(), 0);
    let first = blocks.next().unwrap().unwrap();
    assert!(first.len() < whole.clip.samples.len());
    let rest: Vec<f32> = blocks.flat_map(Result::unwrap).collect();
    assert_eq!([first, rest].concat(), whole.clip.samples);
}

#[test]
fn tempo_scales_lengths_to_the_frame() {
    let (lm, said) = (lm(), recording(1.0));
    for (tempo, n_frames) in [(1.25, 40), (0.8, 63), (2.0, 25), (0.25, 200)] {
        let found = lm.resynthesize(&said, &options(tempo)).unwrap();
        assert_eq!(found.clip.samples.len(), n_frames * HOP, "{tempo}");
        assert_eq!(found.tokens.durations.iter().sum::<u32>() as usize, n_frames);
        let heard = lm.tokenize(&said).unwrap();
        if heard.semantic_ids.len() <= n_frames {
            assert_eq!(found.tokens.semantic_ids, heard.semantic_ids, "{tempo}");
        }
    }
    let voice = voice(0.4, 500.0);
    let found = lm.resynthesize_as(&said, &voice, &options(1.25)).unwrap();
    assert_eq!(found.clip.samples.len(), 40 * HOP);
}

/// Ids of what is generated at a tempo, and how many frames there are.
fn generated(tempo: f64, seconds: f64) -> (Vec<u32>, usize) {
    let semantics = Semantics::Drawn { tempo };
    let options = GenerateOptions { seconds, semantics, seed: 3, ..Default::default() };
    let tokens = lm().generate(&options).unwrap().tokens;
    (tokens.semantic_ids.clone(), tokens.n_frames())
}

#[test]
fn faster_speech_says_more_in_the_same_time() {
    // Within one window of the semantic stage, 0.8 s, the same ids are drawn for the same frames.
    let (slow, n_slow) = generated(0.5, 0.6);
    let (same, n_same) = generated(1.0, 0.6);
    let (fast, n_fast) = generated(1.25, 0.6);
    assert_eq!([n_slow, n_same, n_fast], [30; 3]);
    assert!(slow.len() < same.len() && same.len() < fast.len());
    assert!(same.starts_with(&slow[..slow.len() - 1]) && fast.starts_with(&same[..same.len() - 1]));
    // And across windows.
    assert_eq!([generated(0.7, 3.0).1, generated(1.9, 3.0).1], [150; 2]);
}

#[test]
fn a_continuation_has_a_tempo_of_its_own() {
    let (lm, prompt) = (lm(), recording(0.5));
    let continued = |tempo| {
        let semantics = Semantics::Drawn { tempo };
        let options = ContinueOptions { seconds: 0.8, semantics, ..Default::default() };
        lm.continue_from(&prompt, &options).unwrap()
    };
    let (normal, fast) = (continued(1.0), continued(1.5));
    assert_eq!(normal.clip.samples.len(), fast.clip.samples.len());
    assert_eq!(normal.prompt_samples, fast.prompt_samples);
    assert!(normal.tokens.semantic_ids.len() < fast.tokens.semantic_ids.len());
    let plain = ContinueOptions { seconds: 0.8, ..Default::default() };
    assert_eq!(normal, lm.continue_from(&prompt, &plain).unwrap());
}

#[test]
fn codes_are_drawn_without_semantic_ids() {
    let lm = lm();
    let semantics = Semantics::LeftOut;
    let options = GenerateOptions { seconds: 1.3, semantics, seed: 3, ..Default::default() };
    let found = lm.generate(&options).unwrap();
    assert_eq!(found.clip.samples.len(), 65 * HOP);
    assert_eq!((found.tokens.semantic_ids.len(), found.tokens.n_frames()), (0, 65));
    assert_eq!(found, lm.generate(&options).unwrap());
    let told =
        lm.generate(&GenerateOptions { semantics: Semantics::default(), ..options }).unwrap();
    assert_ne!(found.tokens.codes, told.tokens.codes);

    let options = ContinueOptions { seconds: 0.5, semantics, ..Default::default() };
    let continued = lm.continue_from(&recording(0.5), &options).unwrap();
    assert_eq!((continued.clip.samples.len(), continued.prompt_samples), (50 * HOP, 25 * HOP));
    assert_eq!(continued.tokens.n_frames(), 50);
    assert!(lm.score_tokens(&continued.tokens, Scored::Everything).is_err(), "they say nothing");
}

#[test]
fn what_is_no_tempo_is_refused() {
    let (lm, said) = (lm(), recording(0.5));
    let message = |found: PipelineError| found.to_string();
    let expected = "tempo must be from 0.25 to 4, found 5";
    assert_eq!(message(lm.resynthesize(&said, &options(5.0)).unwrap_err()), expected);
    assert_eq!(message(lm.resynthesize_as(&said, &said, &options(5.0)).unwrap_err()), expected);
    let fast = GenerateOptions { semantics: Semantics::Drawn { tempo: 5.0 }, ..Default::default() };
    assert_eq!(message(lm.generate(&fast).unwrap_err()), expected);
    let short = recording(0.1);
    let expected = "the recording lasts 0.100 s, at least 0.2 s are needed";
    assert_eq!(message(lm.resynthesize_as(&said, &short, &options(1.0)).unwrap_err()), expected);
}
