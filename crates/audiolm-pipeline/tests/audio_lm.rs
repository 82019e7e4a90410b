//! What holds of every bundle, shown with models that know nothing.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm_audio::{AudioFile, Clip, SampleFormat};
use audiolm_codec::{CodePacking, CodeReader};
use audiolm_pipeline::testing::{self, CODEBOOK_SIZE, N_IDS, N_QUANTIZERS};
use audiolm_pipeline::{
    AcousticDecoder, AudioLm, Continuation, ContinueOptions, GenerateOptions, Part, PipelineError,
    Progress, ResynthesizeOptions, Semantics, StageSampling, assemble,
};
use audiolm_transformer::Sampling;
use burn::prelude::*;
use support::{HOP, RATE_HZ, Tone, at_one, lm, recording};

/// The same at another rate.
fn tone(seconds: f64, sample_rate_hz: u32) -> Clip {
    Tone { hertz: 200.0, sample_rate_hz }.lasting(seconds)
}

fn options(seconds: f64, seed: u64) -> ContinueOptions {
    ContinueOptions { seconds, seed, sampling: at_one(), ..Default::default() }
}

/// Continues `prompt` and checks what always holds.
#[track_caller]
fn check(prompt: &Clip, options: &ContinueOptions) -> Continuation {
    let found = lm().continue_from(prompt, options).unwrap();
    let n_samples = found.clip.samples.len();
    let prompt_seconds = prompt.seconds().min(options.prompt_seconds);
    assert_eq!(found.clip.sample_rate_hz, RATE_HZ);
    assert!(found.clip.samples.iter().all(|it| it.abs() <= 1.0), "finite and in range");
    assert_eq!(found.prompt_samples, (prompt_seconds * 50.0 + 1e-6) as usize * HOP);
    let added = (n_samples - found.prompt_samples) as f64 / f64::from(RATE_HZ);
    assert!((added - options.seconds).abs() <= 0.02, "{added} s instead of {}", options.seconds);

    let tokens = &found.tokens;
    assert_eq!(tokens.n_frames() * HOP, n_samples);
    assert_eq!(tokens.durations.iter().sum::<u32>() as usize, tokens.n_frames());
    assert_eq!(tokens.semantic_ids.len(), tokens.durations.len());
    assert!(tokens.codes.iter().all(|it| it.len() == tokens.n_frames()));
    found
}

#[test]
fn lengths_are_exact_within_a_window_and_beyond() {
    for seconds in [0.001, 0.02, 0.25, 1.0, 2.345] {
        check(&recording(0.3), &options(seconds, 1));
    }
}

#[test]
fn prompts_of_any_length_are_continued() {
    for prompt_seconds in [0.2, 0.31, 0.4, 0.8, 1.5] {
        let options = ContinueOptions { prompt_seconds, ..options(0.5, 1) };
        check(&recording(1.2), &options);
    }
}

/// The same with the parallel stage in place of the coarse and the fine one.
fn parallel(options: ContinueOptions) -> ContinueOptions {
    let sampling = StageSampling { decoder: AcousticDecoder::Parallel, ..options.sampling };
    ContinueOptions { sampling, ..options }
}

#[test]
fn codes_drawn_in_parallel_have_the_same_laws() {
    let prompt = recording(0.3);
    let heard = lm().tokenize(&prompt).unwrap();
    check(&prompt, &parallel(options(0.001, 1)));
    // Within one window, and over several.
    for seconds in [0.1, 2.345] {
        let found = check(&prompt, &parallel(options(seconds, 1)));
        assert_eq!(found, check(&prompt, &parallel(options(seconds, 1))));
        let one_by_one = check(&prompt, &options(seconds, 1));
        assert_eq!(found.tokens.semantic_ids, one_by_one.tokens.semantic_ids);
        assert_ne!(found.tokens.codes, one_by_one.tokens.codes);
        assert_ne!(found.tokens.codes, check(&prompt, &parallel(options(seconds, 2))).tokens.codes);
        let starts = |(all, prompt): (&Vec<u32>, &Vec<u32>)| all.starts_with(prompt);
        assert!(found.tokens.codes.iter().zip(&heard.codes).all(starts));
    }
}

#[test]
fn a_bundle_without_a_parallel_stage_says_so() {
    let parent = tempfile::tempdir().unwrap();
    let [export, bundle] = ["export", "bundle"].map(|it| parent.path().join(it));
    std::fs::create_dir(&export).unwrap();
    testing::tiny_export(&export, &Device::default()).unwrap();
    std::fs::remove_dir_all(export.join("parallel")).unwrap();
    assemble(&export, &bundle, &testing::tiny_options(), &Device::default()).unwrap();
    let lm = AudioLm::load(&bundle, &Device::default()).unwrap();
    let prompt = recording(0.3);
    assert!(lm.continue_from(&prompt, &options(0.1, 1)).is_ok());
    let found = lm.continue_from(&prompt, &parallel(options(0.1, 1)));
    check_refused(found, "this bundle has no parallel stage; it decodes autoregressively");
}

#[test]
fn the_parallel_stage_does_not_draw_without_semantic_ids() {
    let options = ContinueOptions { semantics: Semantics::LeftOut, ..parallel(options(0.1, 1)) };
    let message = "the parallel stage cannot draw codes without semantic tokens; the \
        autoregressive ones can";
    check_refused(lm().continue_from(&recording(0.3), &options), message);
}

#[test]
fn another_voice_is_drawn_in_parallel_too() {
    let recording = recording(1.1);
    let sampling = parallel(options(1.0, 1)).sampling;
    let said = lm()
        .resynthesize(&recording, &ResynthesizeOptions { seed: 1, sampling, ..Default::default() })
        .unwrap();
    assert_eq!(said.tokens.semantic_ids, lm().tokenize(&recording).unwrap().semantic_ids);
    assert_eq!(said.clip.samples.len(), recording.samples.len());
}

#[test]
fn the_same_seed_gives_the_same_samples() {
    let prompt = recording(0.5);
    let first = check(&prompt, &options(1.5, 1));
    assert_eq!(first, check(&prompt, &options(1.5, 1)));
    let other = check(&prompt, &options(1.5, 2));
    assert_ne!(first.clip, other.clip);
    assert_ne!(first.tokens.semantic_ids, other.tokens.semantic_ids);
}

#[test]
fn takes_are_the_continuations_of_their_seeds() {
    let (prompt, options) = (recording(0.5), options(1.2, 5));
    let mut last = None;
    let takes = lm().continue_many(&prompt, &options, 3, &mut |it| last = Some(it)).unwrap();
    let Some(Progress { stage: Part::Fine, done: 60, total: 60 }) = last else {
        panic!("{last:?}");
    };
    for (take, seed) in takes.iter().zip([5, 6, 7]) {
        assert_eq!(take.seed, seed);
        assert_eq!(take.continuation, check(&prompt, &ContinueOptions { seed, ..options }));
    }
    assert_ne!(takes[0].likelihood, takes[1].likelihood);
}

#[test]
fn the_best_is_the_likeliest_of_the_same_takes() {
    let (prompt, options) = (recording(0.5), options(0.6, 5));
    let takes = lm().continue_many(&prompt, &options, 4, &mut |_| {}).unwrap();
    let best = lm().continue_best(&prompt, &options, 4, &mut |_| {}).unwrap();
    let likeliest =
        takes.iter().max_by(|a, b| a.likelihood.score().total_cmp(&b.likelihood.score())).unwrap();
    assert_eq!(best.take, *likeliest);
    for (candidate, take) in best.candidates.iter().zip(&takes) {
        assert_eq!((candidate.seed, candidate.likelihood), (take.seed, take.likelihood));
        assert_eq!(candidate.score, take.likelihood.semantic + take.likelihood.coarse);
    }
    let first = lm().continue_best(&prompt, &options, 1, &mut |_| {}).unwrap();
    assert_eq!(first.take, takes[0]);
}

#[test]
fn the_clip_starts_with_the_prompt() {
    let prompt = recording(0.5);
    let found = check(&prompt, &options(0.5, 1));
    let own = found.prompt_samples - HOP;
    assert_eq!(found.clip.samples[..own], prompt.samples[..own]);
}

#[test]
fn the_tokens_start_with_those_of_the_prompt() {
    let prompt = recording(0.5);
    let heard = lm().tokenize(&prompt).unwrap();
    let found = check(&prompt, &options(0.7, 1)).tokens;
    for (all, prompt) in found.codes.iter().zip(&heard.codes) {
        assert_eq!(all[..prompt.len()], prompt[..]);
    }
    let n_whole = heard.semantic_ids.len() - 1;
    assert_eq!(found.semantic_ids[..n_whole], heard.semantic_ids[..n_whole]);
    assert_eq!(found.durations[..n_whole], heard.durations[..n_whole]);
}

#[test]
fn other_rates_are_resampled() {
    for rate_hz in [8_000, 22_050, 48_000] {
        let found = check(&tone(0.5, rate_hz), &options(0.2, 1));
        let expected = recording(0.5);
        let difference = |n: usize| (found.clip.samples[n] - expected.samples[n]).abs();
        // Away from the ends, where a resampler sees the jump.
        assert!((500..7000).all(|n| difference(n) < 0.01), "{rate_hz} Hz");
    }
}

#[test]
fn only_the_start_of_a_recording_counts() {
    let options = ContinueOptions { prompt_seconds: 0.4, ..options(0.5, 1) };
    let (short, mut long) = (recording(0.4), recording(1.0));
    long.samples[6400..].fill(0.9);
    assert_eq!(check(&short, &options), check(&long, &options));
}

#[test]
fn quiet_and_loud_recordings_become_the_same_tokens() {
    let divided = |by: f32| {
        let whole = recording(0.5);
        let samples = whole.samples.iter().map(|it| it / by).collect();
        check(&Clip { samples, ..whole }, &options(0.5, 1))
    };
    // Powers of two, so that no rounding differs; so quiet that nothing is clipped.
    let (loud, quiet) = (divided(16.0), divided(256.0));
    assert_eq!(loud.tokens, quiet.tokens);
    let close = |(a, b): (&f32, &f32)| (a - 16.0 * b).abs() < 1e-4;
    assert!(loud.clip.samples.iter().zip(&quiet.clip.samples).all(close));
}

#[test]
fn silence_can_be_continued() {
    check(&Clip { samples: vec![0.0; 8000], sample_rate_hz: RATE_HZ }, &options(0.5, 1));
}

#[test]
fn nothing_can_be_continued_too() {
    let generate = |seed| {
        let ContinueOptions { seconds, seed, sampling, .. } = options(1.3, seed);
        let options = GenerateOptions { seconds, seed, sampling, ..Default::default() };
        lm().generate(&options).unwrap()
    };
    let found = generate(1);
    assert_eq!(found.clip.samples.len(), 65 * HOP);
    assert!(found.clip.samples.iter().all(|it| it.abs() <= 1.0));
    assert_eq!(found, generate(1));
    assert_ne!(found.clip, generate(2).clip);
}

#[test]
fn another_voice_says_the_same() {
    let recording = recording(1.1);
    let resynthesize = |seed| {
        let sampling = options(1.0, 0).sampling;
        let options = ResynthesizeOptions { seed, sampling, ..Default::default() };
        lm().resynthesize(&recording, &options).unwrap()
    };
    let heard = lm().tokenize(&recording).unwrap();
    let (one, other) = (resynthesize(1), resynthesize(2));
    assert_eq!(one.clip.samples.len(), recording.samples.len());
    for found in [&one, &other] {
        assert_eq!(found.tokens.semantic_ids, heard.semantic_ids);
        assert_eq!(found.tokens.durations, heard.durations);
    }
    assert_ne!(one.tokens.codes, other.tokens.codes);
}

#[test]
fn fewer_quantizers_sound_otherwise() {
    let recording = recording(0.505);
    let all = lm().reconstruct(&recording, None).unwrap();
    assert_eq!(all, lm().reconstruct(&recording, Some(N_QUANTIZERS)).unwrap());
    let one = lm().reconstruct(&recording, Some(1)).unwrap();
    assert_ne!(one, all);
    for clip in [one, all] {
        assert_eq!(clip.samples.len(), recording.samples.len());
        assert!(clip.samples.iter().all(|it| it.abs() <= 1.0));
    }
}

#[test]
fn models_may_leave_the_last_quantizers_out() {
    let (parent, device) = (tempfile::tempdir().unwrap(), Device::default());
    let [export, out] = ["export", "bundle"].map(|it| parent.path().join(it));
    std::fs::create_dir(&export).unwrap();
    device.seed(0);
    testing::tiny_export(&export, &device).unwrap();
    testing::write_fine(&export, N_QUANTIZERS - 1, &device).unwrap();
    assemble(&export, &out, &testing::tiny_options(), &device).unwrap();
    let fewer = AudioLm::load(&out, &device).unwrap();
    assert_eq!(fewer.n_quantizers(), N_QUANTIZERS - 1);
    assert_eq!(fewer.coder().spec().n_quantizers, N_QUANTIZERS);

    let recording = recording(0.505);
    let codes = fewer.coder().encode(&recording, Some(N_QUANTIZERS - 1)).unwrap();
    let tokens = fewer.tokenize(&recording).unwrap();
    assert_eq!(tokens.codes.len(), N_QUANTIZERS - 1);
    for (quantizer, found) in tokens.codes.iter().enumerate() {
        let expected = codes.codes().iter().skip(quantizer).step_by(N_QUANTIZERS - 1);
        assert!(found.iter().eq(expected.take(found.len())), "quantizer {quantizer}");
    }
    let continued = fewer.continue_from(&recording, &options(0.5, 1)).unwrap();
    assert_eq!(continued.tokens.codes.len(), N_QUANTIZERS - 1);
    assert_eq!(continued.tokens.n_frames(), 50);
}

#[test]
fn long_recordings_are_heard_in_pieces() {
    // One piece of 20 s, and a second of half a second that sees the end of the first.
    let long = recording(20.5);
    let tokens = lm().tokenize(&long).unwrap();
    assert_eq!(tokens.n_frames(), 1025);
    assert_eq!(lm().reconstruct(&long, None).unwrap().samples.len(), long.samples.len());
}

/// A file in blocks gives the codes and the sound of the same file in memory.
#[track_caller]
fn check_blocks(clip: &Clip, quantizers: Option<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.wav");
    clip.write_wav_as(&path, SampleFormat::Float32).unwrap();
    let lm = lm();
    let coder = lm.coder();
    let whole = coder.encode(clip, quantizers).unwrap();
    let file = AudioFile::open(&path).unwrap();
    let blocks = coder.encode_blocks(&file, quantizers).unwrap();
    let header = *blocks.header();
    assert_eq!(&header, whole.header());
    let codes: Vec<Vec<u32>> = blocks.map(Result::unwrap).collect();
    assert!(codes.iter().all(|it| it.len() <= 1000 * N_QUANTIZERS));
    assert!(codes.concat() == whole.codes());

    let bytes = whole.to_bytes(CodePacking::Adaptive);
    let reader = CodeReader::new(&bytes[..]).unwrap();
    let blocks = coder.decode_blocks(&header, reader, None).unwrap();
    let wave: Vec<_> = blocks.map(Result::unwrap).collect();
    assert!(wave.iter().all(|it| it.len() <= 1000 * HOP));
    assert!(wave.concat() == coder.decode_file(&whole).unwrap().samples);
}

#[test]
fn a_file_in_blocks_is_the_whole() {
    check_blocks(&recording(0.505), None);
    check_blocks(&tone(41.3, 22_050), Some(2));
    // Half a sample more or less at the end.
    for extra in 1..7 {
        let mut clip = tone(0.3, 44_100);
        clip.samples.extend(vec![0.1; extra]);
        check_blocks(&clip, None);
    }
}

#[test]
fn minutes_in_blocks_are_the_whole() {
    check_blocks(&tone(180.0, 8_000), None);
}

#[test]
fn fewer_quantizers_decode_in_blocks() {
    let (lm, recording) = (lm(), recording(0.505));
    let coder = lm.coder();
    let all = coder.encode(&recording, None).unwrap();
    let decode = |quantizers| {
        let codes = std::iter::once(Ok::<_, PipelineError>(all.codes().to_vec()));
        let blocks = coder.decode_blocks(all.header(), codes, quantizers)?;
        Ok::<_, PipelineError>(blocks.collect::<Result<Vec<_>, _>>()?.concat())
    };
    let expected = coder.reconstruct(&recording, Some(2)).unwrap().samples;
    assert!(decode(Some(2)).unwrap() == expected);
    check_refused(decode(Some(5)), "quantizers must be between 1 and 4, found 5");
}

#[test]
fn tokens_are_within_their_bounds() {
    let tokens = lm().tokenize(&recording(0.999)).unwrap();
    assert_eq!((tokens.n_frames(), tokens.frames_per_second), (49, 50.0));
    assert_eq!(tokens.durations.iter().sum::<u32>(), 49);
    assert!(tokens.semantic_ids.iter().all(|it| (*it as usize) < N_IDS));
    assert!(tokens.semantic_ids.windows(2).all(|it| it[0] != it[1]));
    assert_eq!(tokens.codes.len(), N_QUANTIZERS);
    assert!(tokens.codes.iter().flatten().all(|it| (*it as usize) < CODEBOOK_SIZE));
    let json = serde_json::to_value(&tokens).unwrap();
    assert_eq!(json["codes"].as_array().unwrap().len(), N_QUANTIZERS);
}

#[test]
fn progress_is_that_of_the_whole() {
    let mut heard: Vec<Progress> = Vec::new();
    let (prompt, options) = (recording(0.5), options(1.5, 1));
    lm().continue_from_with(&prompt, &options, &mut |it| heard.push(it)).unwrap();
    for stage in [Part::Semantic, Part::Coarse, Part::Fine] {
        let of_stage: Vec<&Progress> = heard.iter().filter(|it| it.stage == stage).collect();
        assert!(of_stage.is_sorted_by_key(|it| it.done));
        let last = of_stage.last().unwrap();
        assert_eq!((last.done, last.total), (75, 75));
    }
    let whole: Vec<usize> =
        heard.iter().filter(|it| it.is_of_whole_frames()).map(|it| it.done).collect();
    assert_eq!(whole, (1..=75).collect::<Vec<_>>());
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(found: Result<T, PipelineError>, message: &str) {
    assert_eq!(found.unwrap_err().to_string(), message);
}

#[test]
fn too_little_is_refused() {
    let lm = lm();
    let continued = |seconds| lm.continue_from(&recording(seconds), &options(1.0, 1));
    check_refused(continued(0.0), "the recording lasts 0.000 s, at least 0.2 s are needed");
    check_refused(continued(0.01), "the recording lasts 0.010 s, at least 0.2 s are needed");
    check_refused(continued(0.19), "the recording lasts 0.190 s, at least 0.2 s are needed");
    let message = "the recording lasts 0.050 s, at least 0.2 s are needed";
    check_refused(lm.tokenize(&recording(0.05)), message);
    check_refused(lm.reconstruct(&recording(0.05), None), message);
}

#[test]
fn options_out_of_bounds_are_refused() {
    let (lm, prompt) = (lm(), recording(0.3));
    let message = "seconds must be above 0 and at most 86400, found -1";
    check_refused(lm.continue_from(&prompt, &options(-1.0, 1)), message);
    let message = "seconds must be above 0 and at most 86400, found 100000";
    check_refused(lm.continue_from(&prompt, &options(1e5, 1)), message);
    for (seconds, found) in [(0.1, "0.1"), (f64::NAN, "NaN")] {
        let short = ContinueOptions { prompt_seconds: seconds, ..options(1.0, 1) };
        let message = format!("the seconds of a prompt must be at least 0.2, found {found}");
        check_refused(lm.continue_from(&prompt, &short), &message);
    }
    let message = "quantizers must be between 1 and 4, found 5";
    check_refused(lm.reconstruct(&prompt, Some(5)), message);
    let message = "temperature must be finite and at least 0, found -1";
    let mut cold = options(1.0, 1);
    cold.sampling.fine = Sampling::at(-1.0);
    check_refused(lm.continue_from(&prompt, &cold), message);
    let mut broken = prompt;
    broken.samples[7] = f32::NAN;
    let message = "sample 7 of the recording is NaN, expected numbers of at most 1000000";
    check_refused(lm.continue_from(&broken, &options(1.0, 1)), message);
}
