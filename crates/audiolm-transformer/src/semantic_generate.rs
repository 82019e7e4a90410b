//! Continuing semantic tokens for a number of frames.

use audiolm_nn::Generator;
use burn::prelude::*;

use crate::condition::Condition;
use crate::dedup::Runs;
use crate::error::{GenerateError, TokenError};
use crate::sampler::{Sampling, sample};
use crate::semantic::SemanticStage;
use crate::semantic_sequence::{SemanticRow, SemanticSequences};
use crate::stage::on_host;

/// What is known of a clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SemanticPrompt {
    /// Its ids, one per run; none to let the model start on its own.
    pub ids: Vec<u32>,
    /// How many frames each run lasts.
    pub durations: Vec<u32>,
    /// Whether the prompt starts where a recording starts. Without ids it has to.
    pub starts: bool,
    /// What it is told, and what follows it, if anything.
    pub condition: Option<Condition>,
}

/// When a continuation is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// After exactly as many frames: the model is not let to end.
    Exactly(usize),
    /// When the model ends, or after as many frames.
    AtMost(usize),
}

/// How to continue a [`SemanticPrompt`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SemanticRequest {
    /// When the continuation is over; the prompt does not count.
    pub length: Length,
    /// How to draw each id.
    pub ids: Sampling,
    /// How to draw how long it lasts.
    pub durations: Sampling,
}

impl Length {
    /// The most frames that can come.
    pub fn n_frames(self) -> usize {
        match self {
            Length::Exactly(n_frames) | Length::AtMost(n_frames) => n_frames,
        }
    }
}

impl SemanticStage {
    /// Draws the runs that follow the prompt. The last is cut to the frames that were asked for.
    ///
    /// `on_run` is called after each run with the number of frames drawn so far.
    pub fn generate(
        &self,
        prompt: &SemanticPrompt,
        request: &SemanticRequest,
        rng: &mut Generator,
        on_run: &mut dyn FnMut(usize),
    ) -> Result<Runs, GenerateError> {
        request.ids.validate()?;
        request.durations.validate()?;
        let mut read = self.prompt_row(prompt)?;
        let n_frames = request.length.n_frames();
        let mut draw = Draw { ids: &request.ids, durations: &request.durations, rng };
        let conditions = self.decoder.conditions(&[prompt.condition.as_ref()])?;
        let capacity = prompt.ids.len() + 1 + n_frames;
        let mut cache = self.decoder.cache(1, capacity, conditions.as_ref());
        let mut runs = Runs::default();
        let mut frames = 0;
        while frames < n_frames {
            let hidden = self.decoder.step(self.read(&read), &mut cache);
            let [_, time, _] = hidden.dims();
            let last = hidden.slice_dim(1, time - 1..time).squeeze_dim(1);
            let Some(run) = self.draw_run(last, request.length, &mut draw) else { break };
            let duration = run.duration.min((n_frames - frames) as u32);
            runs.ids.push(run.id);
            runs.durations.push(duration);
            frames += duration as usize;
            on_run(frames);
            read = SemanticRow { ids: vec![run.id], durations: vec![run.duration], ..read };
            read.starts = false;
        }
        Ok(runs)
    }

    fn prompt_row(&self, prompt: &SemanticPrompt) -> Result<SemanticRow, TokenError> {
        let SemanticPrompt { ids, durations, starts, .. } = prompt.clone();
        if ids.is_empty() && !starts {
            return Err(TokenError::EmptyPrompt);
        }
        let row = SemanticRow { ids, durations, starts, ends: false, condition: None };
        row.validate(self.n_ids)?;
        Ok(row)
    }

    fn read(&self, row: &SemanticRow) -> Tensor<3> {
        self.embed(&SemanticSequences::reading(self, std::slice::from_ref(row)))
    }

    /// The next run, or nothing where the model ends.
    fn draw_run(&self, hidden: Tensor<2>, length: Length, draw: &mut Draw) -> Option<Run> {
        let logits = on_host(self.id_logits(hidden.clone()).flatten(0, 1));
        let allowed = match length {
            // The end stands behind the ids: a shorter slice cannot choose it.
            Length::Exactly(_) => &logits[..self.n_ids],
            Length::AtMost(_) => &logits[..],
        };
        let id = sample(allowed, draw.ids, draw.rng) as u32;
        if id == self.end() {
            return None;
        }
        let logits = on_host(self.duration_logits(hidden, &[id as i32]).flatten(0, 1));
        let duration = sample(&logits, draw.durations, draw.rng) as u32 + 1;
        Some(Run { id, duration })
    }
}

/// How to draw, and from where.
struct Draw<'a> {
    ids: &'a Sampling,
    durations: &'a Sampling,
    rng: &'a mut Generator,
}

/// One token and its frames.
struct Run {
    id: u32,
    duration: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;
    use crate::semantic::SemanticStageConfig;
    use audiolm_nn::generator;

    fn stage() -> SemanticStage {
        let config = SemanticStageConfig::new(laws::tiny_decoder(), 6).with_max_duration(4);
        laws::seeded(config.init(&Device::default()).unwrap())
    }

    fn drawn(prompt: &SemanticPrompt, length: Length, seed: u64) -> Runs {
        let request =
            SemanticRequest { length, ids: Sampling::at(1.0), durations: Sampling::at(1.0) };
        let mut heard = 0;
        let runs = stage()
            .generate(prompt, &request, &mut generator(seed, "test", 0), &mut |it| heard = it)
            .unwrap();
        assert_eq!(heard, runs.n_frames());
        runs
    }

    fn prompt() -> SemanticPrompt {
        SemanticPrompt { ids: vec![1, 5], durations: vec![2, 9], ..Default::default() }
    }

    #[test]
    fn an_exact_length_is_kept() {
        for seed in 0..10 {
            assert_eq!(drawn(&prompt(), Length::Exactly(37), seed).n_frames(), 37);
        }
    }

    #[test]
    fn ends_where_the_model_ends() {
        let n_frames = |seed| drawn(&prompt(), Length::AtMost(200), seed).n_frames();
        // One in seven tokens of a model that knows nothing is the end.
        assert!((0..5).all(|seed| n_frames(seed) < 200));
    }

    #[test]
    fn continues_the_same_for_the_same_seed() {
        let draw = |seed| drawn(&prompt(), Length::Exactly(40), seed);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn starts_without_a_prompt() {
        let prompt = SemanticPrompt { starts: true, ..Default::default() };
        assert_eq!(drawn(&prompt, Length::Exactly(12), 1).n_frames(), 12);
    }

    #[track_caller]
    fn check_refused(prompt: SemanticPrompt, ids: Sampling, expected: GenerateError) {
        let request =
            SemanticRequest { length: Length::Exactly(3), ids, durations: Sampling::GREEDY };
        let mut rng = generator(1, "test", 0);
        let error = stage().generate(&prompt, &request, &mut rng, &mut |_| {}).unwrap_err();
        assert_eq!(error, expected);
    }

    #[test]
    fn refuses_what_cannot_be_continued() {
        let empty = SemanticPrompt::default();
        check_refused(empty, Sampling::GREEDY, TokenError::EmptyPrompt.into());
        let timeless =
            SemanticPrompt { ids: vec![1], durations: vec![0], starts: true, ..Default::default() };
        check_refused(timeless, Sampling::GREEDY, TokenError::ZeroDuration { position: 0 }.into());
        let temperature = -1.0;
        let error = crate::error::SamplingError::Temperature { temperature };
        check_refused(prompt(), Sampling::at(temperature), error.into());
    }
}
