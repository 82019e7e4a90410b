//! Continuing semantic tokens for a number of frames.

use audiolm_nn::Generator;
use burn::prelude::*;

use crate::dedup::Runs;
use crate::error::{GenerateError, TokenError};
use crate::kv_cache::KvCache;
use crate::sampler::{Sampling, sample};
use crate::semantic::SemanticStage;
use crate::semantic_sequence::{SemanticRow, SemanticSequences};
use crate::stage::on_host;

/// What is known of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SemanticPrompt {
    /// Its ids, one per run; none to let the model start on its own.
    pub ids: Vec<u32>,
    /// How many frames each run lasts.
    pub durations: Vec<u32>,
    /// Whether the prompt starts where a recording starts. Without ids it has to.
    pub starts: bool,
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

/// Runs while they are drawn: where the stage is in one sequence, what it remembers of it, and what
/// the rest will be drawn from.
///
/// Room for the whole sequence is taken at the beginning; nothing grows afterwards.
#[derive(Debug)]
pub struct SemanticGeneration {
    cache: KvCache,
    /// What is to be read before the next run: the prompt, then the latest run.
    unread: SemanticRow,
    request: SemanticRequest,
    rng: Generator,
    /// Frames that are still to come.
    n_left: usize,
}

/// One id and how many frames it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The id.
    pub id: u32,
    /// Its frames.
    pub duration: u32,
}

impl Length {
    /// The most frames that can come.
    pub fn n_frames(self) -> usize {
        match self {
            Length::Exactly(n_frames) | Length::AtMost(n_frames) => n_frames,
        }
    }
}

impl SemanticGeneration {
    /// How many frames are still to come, unless the model ends before.
    pub fn n_left(&self) -> usize {
        self.n_left
    }

    /// How many numbers it remembers the sequence by: the same from the first run to the last.
    pub fn n_numbers(&self) -> usize {
        self.cache.n_numbers()
    }
}

impl SemanticStage {
    /// Draws the runs that follow the prompt. The last is cut to the frames that were asked for.
    pub fn generate(
        &self,
        prompt: &SemanticPrompt,
        request: &SemanticRequest,
        rng: Generator,
    ) -> Result<Runs, GenerateError> {
        let mut generation = self.begin(prompt, request, rng)?;
        Ok(std::iter::from_fn(|| self.next_run(&mut generation)).collect())
    }

    /// Begins to draw the same.
    pub fn begin(
        &self,
        prompt: &SemanticPrompt,
        request: &SemanticRequest,
        rng: Generator,
    ) -> Result<SemanticGeneration, GenerateError> {
        request.ids.validate()?;
        request.durations.validate()?;
        let unread = self.prompt_row(prompt)?;
        let n_left = request.length.n_frames();
        let cache = self.decoder.cache(1, prompt.ids.len() + 1 + n_left);
        Ok(SemanticGeneration { cache, unread, request: *request, rng, n_left })
    }

    /// Draws the next run; none after the last.
    ///
    /// # Panics
    /// Where another stage has begun.
    pub fn next_run(&self, generation: &mut SemanticGeneration) -> Option<Run> {
        if generation.n_left == 0 {
            return None;
        }
        let hidden = self.decoder.step(self.read(&generation.unread), &mut generation.cache);
        let [_, time, _] = hidden.dims();
        let last = hidden.slice_dim(1, time - 1..time).squeeze_dim(1);
        let Some(Run { id, duration }) = self.draw_run(last, generation) else {
            generation.n_left = 0;
            return None;
        };
        generation.unread =
            SemanticRow { ids: vec![id], durations: vec![duration], ..Default::default() };
        let duration = duration.min(generation.n_left as u32);
        generation.n_left -= duration as usize;
        Some(Run { id, duration })
    }

    fn prompt_row(&self, prompt: &SemanticPrompt) -> Result<SemanticRow, TokenError> {
        let SemanticPrompt { ids, durations, starts } = prompt.clone();
        if ids.is_empty() && !starts {
            return Err(TokenError::EmptyPrompt);
        }
        let row = SemanticRow { ids, durations, starts, ends: false };
        row.validate(self.n_ids)?;
        Ok(row)
    }

    fn read(&self, row: &SemanticRow) -> Tensor<3> {
        self.embed(&SemanticSequences::reading(self, std::slice::from_ref(row)))
    }

    /// The next run, or nothing where the model ends.
    fn draw_run(&self, hidden: Tensor<2>, generation: &mut SemanticGeneration) -> Option<Run> {
        let SemanticGeneration { request, rng, .. } = generation;
        let logits = on_host(self.id_logits(hidden.clone()).flatten(0, 1));
        let allowed = match request.length {
            // The end stands behind the ids: a shorter slice cannot choose it.
            Length::Exactly(_) => &logits[..self.n_ids],
            Length::AtMost(_) => &logits[..],
        };
        let id = sample(allowed, &request.ids, rng) as u32;
        if id == self.end() {
            return None;
        }
        let logits = on_host(self.duration_logits(hidden, &[id as i32]).flatten(0, 1));
        let duration = sample(&logits, &request.durations, rng) as u32 + 1;
        Some(Run { id, duration })
    }
}

impl FromIterator<Run> for Runs {
    fn from_iter<I: IntoIterator<Item = Run>>(runs: I) -> Self {
        let (ids, durations) = runs.into_iter().map(|it| (it.id, it.duration)).unzip();
        Self { ids, durations }
    }
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
        stage().generate(prompt, &request, generator(seed, "test", 0)).unwrap()
    }

    fn prompt() -> SemanticPrompt {
        SemanticPrompt { ids: vec![1, 5], durations: vec![2, 9], starts: false }
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

    #[test]
    fn two_sequences_can_be_drawn_in_turns() {
        let (stage, length) = (stage(), Length::Exactly(40));
        let request =
            SemanticRequest { length, ids: Sampling::at(1.0), durations: Sampling::at(1.0) };
        let begin = |seed| stage.begin(&prompt(), &request, generator(seed, "test", 0)).unwrap();
        let (mut one, mut other) = (begin(1), begin(2));
        let n_numbers = one.n_numbers();
        let (mut runs, mut others) = (Vec::new(), Vec::new());
        while one.n_left() + other.n_left() > 0 {
            runs.extend(stage.next_run(&mut one));
            others.extend(stage.next_run(&mut other));
            assert_eq!(one.n_numbers(), n_numbers);
        }
        assert_eq!(stage.next_run(&mut one), None);
        for (seed, runs) in [(1, runs), (2, others)] {
            assert_eq!(Runs::from_iter(runs), drawn(&prompt(), length, seed));
        }
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let (stage, length) = (stage(), Length::AtMost(200));
        let request =
            SemanticRequest { length, ids: Sampling::at(1.0), durations: Sampling::at(1.0) };
        let mut generation = stage.begin(&prompt(), &request, generator(1, "test", 0)).unwrap();
        while stage.next_run(&mut generation).is_some() {}
        assert_eq!((generation.n_left(), stage.next_run(&mut generation)), (0, None));
    }

    #[track_caller]
    fn check_refused(prompt: SemanticPrompt, ids: Sampling, expected: GenerateError) {
        let request =
            SemanticRequest { length: Length::Exactly(3), ids, durations: Sampling::GREEDY };
        let error = stage().generate(&prompt, &request, generator(1, "test", 0)).unwrap_err();
        assert_eq!(error, expected);
    }

    #[test]
    fn refuses_what_cannot_be_continued() {
        let empty = SemanticPrompt::default();
        check_refused(empty, Sampling::GREEDY, TokenError::EmptyPrompt.into());
        let timeless = SemanticPrompt { ids: vec![1], durations: vec![0], starts: true };
        check_refused(timeless, Sampling::GREEDY, TokenError::ZeroDuration { position: 0 }.into());
        let temperature = -1.0;
        let error = crate::error::SamplingError::Temperature { temperature };
        check_refused(prompt(), Sampling::at(temperature), error.into());
    }
}
