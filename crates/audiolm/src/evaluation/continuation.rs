//! Whether continuations sound like their prompts, and how long they take.

use std::time::Instant;

use audiolm_audio::Clip;
use audiolm_eval::NearestPrompts;
use audiolm_pipeline::{AudioLm, ContinueOptions};

use super::{
    ContinuationReport, EvaluationError, HeldOut, Measured::Continuations, Progress, Sounds,
    report::mean,
};

/// The figures, and the sounds behind them.
pub(super) struct Continued {
    pub(super) report: ContinuationReport,
    pub(super) sounds: Vec<Sounds>,
}

/// Continues the prompt of each speaker, and compares what was added with all prompts.
pub(super) fn measure(
    lm: &AudioLm,
    held_out: &[HeldOut],
    options: &ContinueOptions,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Continued, EvaluationError> {
    let total = held_out.len();
    let (mut sounds, mut elapsed_seconds) = (Vec::new(), 0.0);
    for (done, speaker) in held_out.iter().enumerate() {
        on_progress(Progress { measured: Continuations, done, total });
        let made = continue_prompt(lm, speaker, options)?;
        sounds.push(made.sounds);
        elapsed_seconds += made.elapsed_seconds;
    }
    on_progress(Progress { measured: Continuations, done: total, total });
    let nearest = nearest(&sounds, lm.sample_rate_hz())?;
    let seconds = mean(sounds.iter().map(|it| it.continuation.seconds()));
    let elapsed_seconds = elapsed_seconds / total as f64;
    let report = ContinuationReport {
        speakers: sounds.iter().map(|it| it.speaker.clone()).collect(),
        n_own: nearest.n_own(),
        n_own_by_chance: 1.0,
        nearest_prompts: nearest.nearest,
        prompt_seconds: mean(sounds.iter().map(|it| it.prompt.seconds())),
        seconds,
        seed: options.seed,
        elapsed_seconds,
        real_time_factor: seconds / elapsed_seconds,
    };
    Ok(Continued { report, sounds })
}

/// What was made of one prompt, and how long the continuation took.
struct Made {
    sounds: Sounds,
    elapsed_seconds: f64,
}

fn continue_prompt(
    lm: &AudioLm,
    of: &HeldOut,
    options: &ContinueOptions,
) -> Result<Made, EvaluationError> {
    let speaker = of.speaker.as_str();
    let began = Instant::now();
    let continued =
        lm.continue_from(&of.prompt, options).map_err(EvaluationError::refused(speaker))?;
    let elapsed_seconds = began.elapsed().as_secs_f64();
    let sample_rate_hz = lm.sample_rate_hz();
    let clip = |samples: &[f32]| Clip { samples: samples.to_vec(), sample_rate_hz };
    let (_, added) = continued.clip.samples.split_at(continued.prompt_samples);
    // The end of the prompt in the continued clip fades already into what the codec makes of it.
    let prompt = of.prompt.resampled(sample_rate_hz)?;
    let prompt = clip(&prompt.samples[..continued.prompt_samples.min(prompt.samples.len())]);
    let reconstruction =
        lm.reconstruct(&prompt, None).map_err(EvaluationError::refused(speaker))?;
    let continuation = clip(added);
    let sounds = Sounds { speaker: speaker.to_owned(), prompt, continuation, reconstruction };
    Ok(Made { sounds, elapsed_seconds })
}

fn nearest(sounds: &[Sounds], sample_rate_hz: u32) -> Result<NearestPrompts, EvaluationError> {
    let prompts: Vec<&[f32]> = sounds.iter().map(|it| &it.prompt.samples[..]).collect();
    let continuations: Vec<&[f32]> = sounds.iter().map(|it| &it.continuation.samples[..]).collect();
    NearestPrompts::find(&prompts, &continuations, sample_rate_hz)
        .map_err(EvaluationError::Incomparable)
}
