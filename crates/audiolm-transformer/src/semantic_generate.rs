//! Continuing semantic tokens for a number of frames.

use audiolm_nn::Generator;
use burn::prelude::*;

use crate::condition::{Condition, Conditions};
use crate::dedup::Runs;
use crate::error::{GenerateError, TokenError};
use crate::guidance::Guidance;
use crate::kv_cache::KvCache;
use crate::likelihood::LogLikelihood;
use crate::reading::{Beginning, Begun, Reader, Reading};
use crate::repetition::Recent;
use crate::sampler::{Sampling, sample_after};
use crate::semantic::SemanticStage;
use crate::semantic_sequence::{SemanticRow, SemanticSequences};
use crate::stage::rows_on_host;

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
    /// How much what the sequence is told counts.
    pub guidance: Guidance,
}

/// Runs of one sequence while they are drawn: where the stage is in it, what it remembers of it, and
/// what the rest will be drawn from.
///
/// Room for the whole sequence is taken at the beginning; nothing grows afterwards.
#[derive(Debug)]
pub struct SemanticGeneration(SemanticGenerations);

/// Runs of several sequences that are drawn together, each from its own generator: a step reads the
/// weights once for all of them.
///
/// Every sequence gets the runs that it would get alone, whatever the others are, but for rounding:
/// products of several rows may sum in another order, so that logits differ in their last bits.
#[derive(Debug)]
pub struct SemanticGenerations {
    reading: Reading<SemanticRow>,
    /// Sequences that are not complete, in the order of the cache.
    drawn: Vec<Drawn>,
    /// How likely the ids of each sequence are, in the order in which they were asked for.
    likelihoods: Vec<LogLikelihood>,
}

/// One of several sequences while it is drawn.
#[derive(Debug)]
struct Drawn {
    /// Its place among those that were asked for.
    asked: usize,
    request: SemanticRequest,
    recent_ids: Recent,
    recent_durations: Recent,
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
        self.0.n_left()
    }

    /// How many numbers it remembers the sequence by: the same from the first run to the last.
    pub fn n_numbers(&self) -> usize {
        self.0.n_numbers()
    }

    /// How likely the stage found the ids that it drew, and the end if it did; durations do not count.
    pub fn likelihood(&self) -> LogLikelihood {
        self.0.likelihoods[0]
    }
}

impl SemanticGenerations {
    /// How many frames are still to come, at most, of a sequence.
    pub fn n_left(&self) -> usize {
        self.drawn.iter().map(|it| it.n_left).max().unwrap_or(0)
    }

    /// How many numbers it remembers the sequences by: no more after the first run than before it.
    pub fn n_numbers(&self) -> usize {
        self.reading.cache().n_numbers()
    }

    /// How likely the stage found the ids that it drew of each sequence, and their ends; durations do
    /// not count.
    pub fn likelihoods(&self) -> &[LogLikelihood] {
        &self.likelihoods
    }

    /// Lets go of the sequences that are complete.
    fn drop_complete(&mut self) {
        let places: Vec<usize> =
            (0..self.drawn.len()).filter(|it| self.drawn[*it].n_left > 0).collect();
        if places.len() < self.drawn.len() {
            self.reading.keep(&places);
            self.drawn.retain(|it| it.n_left > 0);
        }
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

    /// Begins to draw the same: reads the prompt.
    pub fn begin(
        &self,
        prompt: &SemanticPrompt,
        request: &SemanticRequest,
        rng: Generator,
    ) -> Result<SemanticGeneration, GenerateError> {
        Ok(SemanticGeneration(self.begin_all(request, vec![(prompt, rng)])?))
    }

    /// Begins to draw what follows several prompts together, each from its own generator.
    ///
    /// # Panics
    /// If there are none.
    pub fn begin_all(
        &self,
        request: &SemanticRequest,
        prompts: Vec<(&SemanticPrompt, Generator)>,
    ) -> Result<SemanticGenerations, GenerateError> {
        request.ids.validate()?;
        request.durations.validate()?;
        request.guidance.validate()?;
        let rows: Result<Vec<_>, _> = prompts.iter().map(|it| self.prompt_row(it.0)).collect();
        let rows = rows?;
        let guidance = request.guidance;
        let beginning = |(step, (prompt, _)): (SemanticRow, &(&SemanticPrompt, Generator))| {
            let conditions = self.decoder.conditions(&[prompt.condition.as_ref()])?;
            Ok(Beginning { step, conditions, guidance })
        };
        let beginnings: Result<Vec<_>, TokenError> =
            rows.into_iter().zip(&prompts).map(beginning).collect();
        let Begun { reading, .. } = Reading::begin(self, &beginnings?, request.length.n_frames());
        let likelihoods = vec![LogLikelihood::default(); prompts.len()];
        let drawn = |(asked, (prompt, rng)): (usize, (&SemanticPrompt, Generator))| {
            let recent_ids = Recent::of(prompt.ids.iter().copied(), request.ids.repetition);
            let classes = prompt.durations.iter().map(|it| self.duration_class(*it));
            let recent_durations = Recent::of(classes, request.durations.repetition);
            let n_left = request.length.n_frames();
            Drawn { asked, request: *request, recent_ids, recent_durations, rng, n_left }
        };
        let drawn = prompts.into_iter().enumerate().map(drawn).collect();
        Ok(SemanticGenerations { reading, drawn, likelihoods })
    }

    /// Draws the next run; none after the last.
    ///
    /// # Panics
    /// Where another stage has begun.
    pub fn next_run(&self, generation: &mut SemanticGeneration) -> Option<Run> {
        self.next_runs(&mut generation.0)[0]
    }

    /// Draws the next run of each sequence; none of one that is complete.
    ///
    /// # Panics
    /// Where another stage has begun.
    pub fn next_runs(&self, all: &mut SemanticGenerations) -> Vec<Option<Run>> {
        let mut runs = vec![None; all.likelihoods.len()];
        if all.n_left() == 0 {
            return runs;
        }
        all.drop_complete();
        let states = all.reading.states(self);
        let ids = self.draw_ids(all, &states);
        // Where a sequence ends, the duration is of no id, and not looked at.
        let chosen = ids.iter().map(|it| it.unwrap_or(0) as i32).collect();
        let logits = rows_on_host(self.duration_logits(states, &all.reading.twice(chosen)));
        for (at, (drawn, id)) in all.drawn.iter_mut().zip(ids).enumerate() {
            let logits = all.reading.guided(&logits, at);
            runs[drawn.asked] = id.map(|id| Run { id, duration: drawn.draw_duration(&logits) });
        }
        all.reading.put(all.drawn.iter().map(|it| read_again(runs[it.asked])).collect());
        all.drawn.iter_mut().for_each(|it| runs[it.asked] = it.take(runs[it.asked]));
        runs
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

    /// The next id of each sequence, or nothing where the model ends it.
    fn draw_ids(&self, all: &mut SemanticGenerations, states: &Tensor<2>) -> Vec<Option<u32>> {
        let logits = rows_on_host(self.id_logits(states.clone()));
        let mut ids = Vec::with_capacity(all.drawn.len());
        for (at, drawn) in all.drawn.iter_mut().enumerate() {
            let guided = all.reading.guided(&logits, at);
            let allowed = match drawn.request.length {
                // The end stands behind the ids: a shorter slice cannot choose it.
                Length::Exactly(_) => &guided[..self.n_ids],
                Length::AtMost(_) => &guided[..],
            };
            let id = drawn.draw_id(allowed);
            all.likelihoods[drawn.asked].count(&logits[at], id as usize);
            ids.push((id != self.end()).then_some(id));
        }
        ids
    }
}

impl Reader for SemanticStage {
    type Step = SemanticRow;

    fn n_tokens(step: &SemanticRow) -> usize {
        step.n_read()
    }

    fn n_prefix(&self, conditions: Option<&Conditions>) -> usize {
        self.decoder.n_prefix(conditions)
    }

    fn cache_behind(
        &self,
        n_skipped: usize,
        capacity: usize,
        conditions: Option<&Conditions>,
    ) -> KvCache {
        self.decoder.cache_behind(n_skipped, capacity, conditions)
    }

    fn read(&self, steps: &[SemanticRow], cache: &mut KvCache) -> Tensor<3> {
        self.decoder.step(self.embed(&SemanticSequences::reading(self, steps)), cache)
    }
}

impl Drawn {
    fn draw_id(&mut self, logits: &[f32]) -> u32 {
        let Self { request, recent_ids: recent, rng, .. } = self;
        let id = sample_after(logits, &request.ids, recent.tokens(), rng) as u32;
        recent.push(id);
        id
    }

    fn draw_duration(&mut self, logits: &[f32]) -> u32 {
        let Self { request, recent_durations: recent, rng, .. } = self;
        let class = sample_after(logits, &request.durations, recent.tokens(), rng) as u32;
        recent.push(class);
        class + 1
    }

    /// The run as long as there is room for it, and nothing once there is none.
    fn take(&mut self, run: Option<Run>) -> Option<Run> {
        let run = run.map(|it| Run { duration: it.duration.min(self.n_left as u32), ..it });
        self.n_left -= run.map_or(self.n_left, |it| it.duration as usize);
        run
    }
}

/// What is read of a run.
fn read_again(run: Option<Run>) -> SemanticRow {
    let Run { id, duration } = run.unwrap_or(Run { id: 0, duration: 1 });
    SemanticRow { ids: vec![id], durations: vec![duration], ..Default::default() }
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
    use crate::decoder_config::DecoderConfig;
    use crate::laws;
    use crate::repetition::Repetition;
    use crate::semantic::SemanticStageConfig;
    use crate::semantic_sequence::SemanticBatch;
    use crate::stage::Stage;
    use audiolm_nn::generator;
    use proptest::prelude::*;

    fn stage() -> SemanticStage {
        stage_of(laws::tiny_decoder())
    }

    fn stage_of(decoder: DecoderConfig) -> SemanticStage {
        let config = SemanticStageConfig::new(decoder, 6).with_max_duration(4);
        laws::seeded(config.init(&Device::default()).unwrap())
    }

    fn request(length: Length) -> SemanticRequest {
        let at_one = Sampling::at(1.0);
        SemanticRequest { length, ids: at_one, durations: at_one, guidance: Guidance::NONE }
    }

    fn drawn(prompt: &SemanticPrompt, length: Length, seed: u64) -> Runs {
        let request = request(length);
        stage().generate(prompt, &request, generator(seed, "test", 0)).unwrap()
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

    #[test]
    fn two_sequences_can_be_drawn_in_turns() {
        let (stage, length) = (stage(), Length::Exactly(40));
        let request = request(length);
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
        let request = request(length);
        let mut generation = stage.begin(&prompt(), &request, generator(1, "test", 0)).unwrap();
        while stage.next_run(&mut generation).is_some() {}
        assert_eq!((generation.n_left(), stage.next_run(&mut generation)), (0, None));
    }

    #[test]
    fn likelihoods_are_those_of_the_stage() {
        let (stage, prompt) = (stage(), prompt());
        let ids = Sampling { top_k: Some(3), ..Sampling::at(0.5) };
        let length = Length::AtMost(60);
        let request = SemanticRequest { ids, ..request(length) };
        for seed in 0..4 {
            let mut generation =
                stage.begin(&prompt, &request, generator(seed, "test", 0)).unwrap();
            let runs: Runs = std::iter::from_fn(|| stage.next_run(&mut generation)).collect();
            let row = SemanticRow {
                ids: [prompt.ids.clone(), runs.ids.clone()].concat(),
                durations: [prompt.durations.clone(), runs.durations.clone()].concat(),
                ends: runs.n_frames() < 60,
                ..Default::default()
            };
            let all = stage.log_likelihoods(&SemanticBatch { rows: vec![row] }).unwrap().concat();
            // All ids but the first are predicted; the second is of the prompt.
            let expected: f32 = all[1..].iter().sum();
            let found = generation.likelihood();
            assert_eq!(found.tokens, all.len() - 1);
            assert!((found.nats - f64::from(expected)).abs() < 1e-3, "{found:?} for {expected}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_sequence_is_drawn_in_a_batch_as_it_is_alone(
            lengths in proptest::collection::vec((0..7usize, 0..4usize), 1..6),
            n_frames in 0..40usize, temperature in 0.0..2.0f64, scale in 0.0..3.0f64,
            is_guided: bool, is_prefix: bool, seed: u64,
        ) {
            let by = laws::WAYS[usize::from(is_prefix)];
            let stage = stage_of(laws::told_decoder(by));
            let repetition = Repetition::Penalty { divisor: 2.0, window: 3 };
            let request = SemanticRequest {
                length: Length::AtMost(n_frames),
                ids: Sampling { repetition, ..Sampling::at(temperature) },
                durations: Sampling::at(1.0),
                guidance: if is_guided { Guidance { scale } } else { Guidance::NONE },
            };
            let prompt = |&(n, n_vectors): &(usize, usize)| SemanticPrompt {
                ids: laws::tokens(n, 6, 3),
                durations: laws::tokens(n, 5, 4).iter().map(|it| it + 1).collect(),
                starts: n % 2 == 0,
                condition: (n_vectors > 0).then(|| laws::condition(n_vectors, 1)),
            };
            let prompts: Vec<_> = lengths.iter().map(prompt).collect();
            let rng = |at: usize| generator(seed, "test", at as u64);
            let asked = prompts.iter().enumerate().map(|(at, it)| (it, rng(at))).collect();
            let mut together = stage.begin_all(&request, asked).unwrap();
            let mut runs = vec![Runs::default(); prompts.len()];
            while together.n_left() > 0 {
                for (runs, run) in runs.iter_mut().zip(stage.next_runs(&mut together)) {
                    runs.ids.extend(run.map(|it| it.id));
                    runs.durations.extend(run.map(|it| it.duration));
                }
            }
            for (at, runs) in runs.into_iter().enumerate() {
                let mut alone = stage.begin(&prompts[at], &request, rng(at)).unwrap();
                let expected: Runs = std::iter::from_fn(|| stage.next_run(&mut alone)).collect();
                prop_assert_eq!(runs, expected);
                let (found, expected) = (together.likelihoods()[at], alone.likelihood());
                prop_assert!((found.nats - expected.nats).abs() < 1e-3);
                prop_assert_eq!(found.tokens, expected.tokens);
            }
        }
    }

    #[track_caller]
    fn check_refused(prompt: SemanticPrompt, ids: Sampling, expected: GenerateError) {
        let request = SemanticRequest { ids, ..request(Length::Exactly(3)) };
        let error = stage().generate(&prompt, &request, generator(1, "test", 0)).unwrap_err();
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
