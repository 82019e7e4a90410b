//! The bundled model keeps its promises: on its own prompt, and where recordings are at hand, on
//! speakers it has not heard.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm::data::{Corpus, CorpusOptions, Recording, Split};
use audiolm::eval::{NearestPrompts, Seams, stoi};
use audiolm::pipeline::{Gap, Part, Scored};
use audiolm::{AudioLm, Clip, ContinueOptions, Device, InfillOptions, ResynthesizeOptions, Tokens};
use audiolm_tests::{bundled_model, recordings};

/// A frame of the codec.
const FRAME_SECONDS: f64 = 0.02;
/// Below it, a clip is taken to be silent.
const AUDIBLE_RMS: f32 = 1e-3;
/// Intelligibility of what the codec makes of speakers it has not heard.
const MIN_STOI: f64 = 0.88;
/// How many of them are listened to, and how long: tests are short.
const N_CODED: usize = 3;
const CLIP_SECONDS: f64 = 3.0;

/// Speakers who say what others did.
const N_VOICES: usize = 8;
/// How many of them are nearest to what is said in their voice: by chance it would be one.
const MIN_NEAREST_VOICE: usize = 3;

/// Speakers of whom a clip is mended.
const N_GAPS: usize = 4;

/// Speakers of whom a clip is scored.
const N_SCORED: usize = 12;

/// Speakers whose prompts are continued.
const N_CONTINUED: usize = 12;
/// How many continuations are nearest their own prompt: by chance it would be one.
const MIN_NEAREST_OWN: usize = 4;

/// Seconds that are drawn in a dozen windows of coarse codes, and in 46 chunks of fine ones.
const MANY_WINDOWS_SECONDS: f64 = 12.0;
/// How likely more happens where a window begins than elsewhere: 0.5, and by chance up to this.
const MAX_SEAM_RANK: f64 = 0.75;
/// The most that happens there, as a share of the most elsewhere.
const MAX_SEAM: f64 = 1.25;

fn model() -> AudioLm {
    AudioLm::load(bundled_model(), &Device::default()).unwrap()
}

/// Clips of as many speakers that the model has not heard: those of the test split of `sets` first,
/// then of the validation split.
fn held_out_clips(lm: &AudioLm, sets: &[&str], n_speakers: usize) -> Vec<Clip> {
    let Some(folder) = recordings() else { return Vec::new() };
    let options = CorpusOptions {
        sets: sets.iter().map(|it| (*it).to_owned()).collect(),
        ..Default::default()
    };
    let corpus = Corpus::open(folder, &options).unwrap();
    let longest = |split| {
        let mut recordings: Vec<&Recording> = corpus.of(split);
        recordings.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        recordings
    };
    let mut chosen: Vec<&Recording> = Vec::new();
    for recording in [longest(Split::Test), longest(Split::Valid)].concat() {
        if chosen.len() < n_speakers && chosen.iter().all(|it| it.speaker != recording.speaker) {
            chosen.push(recording);
        }
    }
    let read = |it: &Recording| Clip::read_at(&it.path, lm.sample_rate_hz()).unwrap();
    chosen.into_iter().map(|it| read(it).excerpt(0.0, CLIP_SECONDS)).collect()
}

/// Mean intelligibility of clips decoded from so many quantizers.
fn mean_stoi(lm: &AudioLm, clips: &[Clip], quantizers: usize) -> f64 {
    let one = |clip: &Clip| {
        let decoded = lm.reconstruct(clip, Some(quantizers)).unwrap();
        stoi(&clip.samples, &decoded.samples, clip.sample_rate_hz).unwrap()
    };
    clips.iter().map(one).sum::<f64>() / clips.len() as f64
}

#[test]
fn its_prompt_is_continued() {
    let lm = model();
    let prompt = Clip::read(bundled_model().join("prompt.wav")).unwrap();
    let continued = |seed| {
        let options = ContinueOptions { seconds: 1.0, seed, ..Default::default() };
        lm.continue_from(&prompt, &options).unwrap()
    };
    let (one, other) = (continued(1), continued(2));
    assert_eq!(one.clip, continued(1).clip);
    assert_ne!(one.clip, other.clip);

    let prompt_seconds = prompt.seconds().min(ContinueOptions::default().prompt_seconds);
    let added = one.clip.seconds() - prompt_seconds;
    assert!((added - 1.0).abs() <= FRAME_SECONDS, "{added} s were added");
    let continuation = one.clip.excerpt(prompt_seconds, added);
    assert!(continuation.rms() > AUDIBLE_RMS, "the continuation is silent");
}

#[test]
fn its_codec_is_intelligible_and_more_so_with_more_quantizers() {
    let lm = model();
    let clips = held_out_clips(&lm, &["speech/en"], N_CODED);
    if clips.is_empty() {
        return;
    }
    let steps = [1, 3, 6, lm.coder().spec().n_quantizers].map(|it| mean_stoi(&lm, &clips, it));
    assert!(steps.is_sorted(), "STOI by number of quantizers: {steps:?}");
    assert!(steps[3] >= MIN_STOI, "STOI with all quantizers: {}", steps[3]);
}

#[test]
fn what_one_says_sounds_like_the_voice_of_another() {
    let lm = model();
    let voices = held_out_clips(&lm, &["speech/en", "speech/fr"], N_VOICES);
    if voices.is_empty() {
        return;
    }
    assert_eq!(voices.len(), N_VOICES);
    // Each voice says what the next speaker does.
    let said = |idx: usize| &voices[(idx + 1) % N_VOICES];
    let options = ResynthesizeOptions::default();
    let with = |idx: usize| lm.resynthesize_as(said(idx), &voices[idx], &options).unwrap();
    let without = |idx: usize| lm.resynthesize(said(idx), &options).unwrap();
    let n_own = |clips: Vec<Vec<f32>>| {
        let voices: Vec<Vec<f32>> = voices.iter().map(|it| it.samples.clone()).collect();
        NearestPrompts::find(&voices, &clips, lm.sample_rate_hz()).unwrap().n_own()
    };
    let with = n_own((0..N_VOICES).map(|it| with(it).clip.samples).collect());
    let without = n_own((0..N_VOICES).map(|it| without(it).clip.samples).collect());
    assert!(with >= MIN_NEAREST_VOICE && with > without, "{with}, without a voice {without}");
}

#[test]
fn gaps_fit_what_follows() {
    let lm = model();
    let clips = held_out_clips(&lm, &["speech/en", "speech/fr"], N_GAPS);
    let (mut semantic, mut coarse) = (0.0, 0.0);
    for clip in &clips {
        let filled =
            lm.infill(clip, Gap { from: 1.2, to: 1.7 }, &InfillOptions::default()).unwrap();
        let gap = filled.gap_samples;
        let places = [gap.start, gap.end];
        let seams = Seams::find(&filled.clip.samples, lm.sample_rate_hz(), &places).unwrap();
        for edges in [seams.steps, seams.bumps] {
            assert!(edges.greatest < 1.0, "more happens at an edge than anywhere: {seams:?}");
        }
        assert_eq!(filled.clip.samples[..gap.start - 320], clip.samples[..gap.start - 320]);
        assert_eq!(filled.clip.samples[gap.end + 320..], clip.samples[gap.end + 320..]);
        semantic += filled.semantic.gain();
        coarse += filled.coarse.gain();
    }
    // Of one candidate alone both would be 0.
    assert!(clips.is_empty() || (semantic > 0.0 && coarse > 0.0), "{semantic} {coarse}");
}

#[test]
fn speech_is_likelier_than_the_same_in_disorder() {
    let lm = model();
    let clips = held_out_clips(&lm, &["speech/en", "speech/fr"], N_SCORED);
    let (mut reversed, mut shuffled) = (0, 0);
    for clip in &clips {
        let tokens = lm.tokenize(clip).unwrap();
        let mean = |tokens: &Tokens| {
            lm.score_tokens(tokens, Scored::Semantic).unwrap().semantic.per_token()
        };
        let backwards = Clip { samples: clip.samples.iter().rev().copied().collect(), ..*clip };
        reversed += usize::from(mean(&tokens) > mean(&lm.tokenize(&backwards).unwrap()));
        shuffled += usize::from(mean(&tokens) > mean(&in_disorder(&tokens)));
    }
    let n_clips = clips.len();
    assert!(shuffled == n_clips, "likelier than in disorder: {shuffled} of {n_clips}");
    assert!(reversed >= n_clips * 3 / 4, "likelier than backwards: {reversed} of {n_clips}");
}

/// The same ids, each as long as before, every third of them first.
fn in_disorder(tokens: &Tokens) -> Tokens {
    let order: Vec<usize> =
        (0..3).flat_map(|first| (first..tokens.durations.len()).step_by(3)).collect();
    let sorted = |values: &[u32]| order.iter().map(|it| values[*it]).collect();
    let (semantic_ids, durations) = (sorted(&tokens.semantic_ids), sorted(&tokens.durations));
    Tokens { semantic_ids, durations, ..tokens.clone() }
}

#[test]
fn continuations_sound_like_their_prompts() {
    let lm = model();
    let prompts = held_out_clips(&lm, &["speech/en", "speech/fr"], N_CONTINUED);
    if prompts.is_empty() {
        return;
    }
    assert_eq!(prompts.len(), N_CONTINUED);
    let continuation = |prompt: &Clip| {
        let continued = lm.continue_from(prompt, &ContinueOptions::default()).unwrap();
        continued.clip.samples[continued.prompt_samples..].to_vec()
    };
    let continuations: Vec<Vec<f32>> = prompts.iter().map(continuation).collect();
    let prompts: Vec<Vec<f32>> = prompts.into_iter().map(|it| it.samples).collect();
    let found = NearestPrompts::find(&prompts, &continuations, lm.sample_rate_hz()).unwrap();
    assert!(found.n_own() >= MIN_NEAREST_OWN, "{} of {N_CONTINUED}", found.n_own());
}

#[test]
fn no_window_begins_with_a_seam_that_could_be_heard() {
    let lm = model();
    let prompt = Clip::read(bundled_model().join("prompt.wav")).unwrap();
    let options = ContinueOptions { seconds: MANY_WINDOWS_SECONDS, ..Default::default() };
    let mut blocks = lm.continue_stream(&prompt, &options).unwrap();
    let (n_prompt, n_samples) = (blocks.prompt_samples(), blocks.n_samples());
    let wave: Vec<f32> = blocks.by_ref().flat_map(Result::unwrap).collect();
    let hop = n_samples / blocks.tokens().unwrap().n_frames();
    for stage in [Part::Coarse, Part::Fine] {
        let places = blocks.window_starts(stage).iter().map(|frame| frame * hop);
        let places: Vec<usize> =
            places.filter(|it| *it > n_prompt).map(|it| it - n_prompt).collect();
        let found = Seams::find(&wave[n_prompt..], lm.sample_rate_hz(), &places).unwrap();
        assert!(found.n_places >= 10, "{} windows of {stage}", found.n_places);
        for standout in [found.steps, found.bumps] {
            assert!(standout.rank < MAX_SEAM_RANK, "{stage}: {found:?}");
            assert!(standout.greatest < MAX_SEAM, "{stage}: {found:?}");
        }
    }
}

#[test]
fn a_prompt_longer_than_every_window_is_continued() {
    let lm = model();
    let once = Clip::read(bundled_model().join("prompt.wav")).unwrap();
    // Longer than the ten seconds of ids that are in view at once.
    let n_times = (12.0 / once.seconds()).ceil() as usize;
    let prompt = Clip { samples: once.samples.repeat(n_times), ..once };
    let options =
        ContinueOptions { seconds: 2.0, prompt_seconds: f64::INFINITY, ..Default::default() };
    let continued = lm.continue_from(&prompt, &options).unwrap();
    let prompt_seconds = continued.prompt_samples as f64 / f64::from(lm.sample_rate_hz());
    assert!((prompt_seconds - prompt.seconds()).abs() <= FRAME_SECONDS);
    let continuation = continued.clip.excerpt(prompt_seconds, 2.0);
    assert!(continuation.rms() > AUDIBLE_RMS, "the continuation is silent");
}
