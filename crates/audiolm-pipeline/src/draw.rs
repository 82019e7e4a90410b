//! Tokens of one request, drawn when they are asked for, over any number of frames.
//!
//! There may be several sequences that answer it, each from a seed of its own, drawn beside one
//! another: a step reads the weights once for all of them.
//!
//! The stages are a chain: a chunk of fine codes asks for the coarse codes it stands for, a window of
//! coarse codes for the semantic ids that are said in it, and each draws no more than that. So the
//! first frames are whole long before the last ids are drawn, and it makes no difference to any token
//! whether frames are asked for one by one or all at once.
//!
//! Where the parallel stage takes the place of the coarse and the fine one, a window of whole frames
//! asks for its semantic ids, and is drawn at once.
//!
//! Each stage sees at most one window at a time, so memory and time per frame do not depend on the
//! length. Window `i` of a stage draws from a generator of its own, named by seed, stage and `i`.

mod coarse;
mod fine;
mod parallel;
mod semantic;

use audiolm_nn::{Generator, generator};
use audiolm_transformer::{CodeGenerations, LogLikelihood, SemanticGenerations};

use crate::configs::Models;
use crate::listening::Told;
use crate::tokens::{Frame, FrameTokens};
use crate::{
    AcousticDecoder, Likelihood, Part, PipelineError, Progress, Semantics, StageSampling,
    WindowFrames,
};
use semantic::Spoken;

/// What is to be drawn, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) models: &'a Models,
    pub(crate) frame: Frame,
    pub(crate) window_frames: WindowFrames,
    pub(crate) semantics: Semantics,
    pub(crate) told: &'a Told,
    pub(crate) chance: Chance,
    /// How many frames there are to be in the end, those of the recording included.
    pub(crate) n_frames: usize,
}

/// How tokens come about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance {
    pub(crate) sampling: StageSampling,
    /// That of the first sequence; each other one has the next.
    pub(crate) seed: u64,
}

/// A request that is being answered.
pub(crate) struct Drawing<'a> {
    request: Request<'a>,
    /// The tokens of each sequence.
    rows: Vec<FrameTokens>,
    /// What is said in each of them, before it is made faster or slower.
    spoken: Vec<Spoken>,
    semantic: Windows<SemanticGenerations>,
    coarse: Windows<CodeGenerations>,
    fine: Windows<CodeGenerations>,
    /// A window of it is never left half-drawn.
    parallel: Windows<()>,
    /// Frames that have been handed out.
    n_given: usize,
    on_progress: Box<dyn FnMut(Progress) + 'a>,
}

/// The windows in which one stage draws.
struct Windows<G> {
    stage: Part,
    /// Frames that were there before the first.
    n_recorded: usize,
    /// The one that is being drawn.
    current: Option<G>,
    /// The first frame that each of them draws.
    starts: Vec<usize>,
    /// How likely the stage found what it drew of each sequence in those that are complete.
    likelihoods: Vec<LogLikelihood>,
}

impl<'a> Drawing<'a> {
    /// Goes on from the tokens of each sequence, as far as there are some of each kind: of all
    /// sequences, as many.
    ///
    /// # Panics
    /// If there is no sequence.
    pub(crate) fn new(request: Request<'a>, rows: Vec<FrameTokens>) -> Self {
        let (frame, n_rows) = (request.frame, rows.len());
        let FrameTokens { semantic, codes } = &rows[0];
        let (n_coarse, n_fine) =
            (codes.coarse.len() / frame.n_coarse, codes.fine.len() / frame.n_fine());
        Self {
            spoken: rows.iter().map(|it| Spoken::new(&it.semantic, &request)).collect(),
            semantic: Windows::new(Part::Semantic, semantic.len(), n_rows),
            coarse: Windows::new(Part::Coarse, n_coarse, n_rows),
            fine: Windows::new(Part::Fine, n_fine, n_rows),
            parallel: Windows::new(Part::Parallel, n_fine, n_rows),
            request,
            rows,
            n_given: 0,
            on_progress: Box::new(|_| {}),
        }
    }

    /// Draws what is said and how it sounds roughly, to the end; with the parallel stage, all of it,
    /// which counts no likelihood of codes.
    pub(crate) fn draw_coarse(&mut self) -> Result<(), PipelineError> {
        match self.request.chance.sampling.decoder {
            AcousticDecoder::Autoregressive => self.draw_coarse_up_to(self.request.n_frames),
            AcousticDecoder::Parallel => self.draw_parallel_up_to(self.request.n_frames),
        }
    }

    /// Draws all that is left.
    pub(crate) fn draw_fine(&mut self) -> Result<(), PipelineError> {
        self.draw_frames_up_to(self.request.n_frames)
    }

    fn draw_frames_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        match self.request.chance.sampling.decoder {
            AcousticDecoder::Autoregressive => self.draw_fine_up_to(n_frames),
            AcousticDecoder::Parallel => self.draw_parallel_up_to(n_frames),
        }
    }

    /// How likely what was drawn of each sequence is.
    pub(crate) fn likelihoods(&self) -> Vec<Likelihood> {
        let both = self.semantic.likelihoods.iter().zip(&self.coarse.likelihoods);
        both.map(|(semantic, coarse)| Likelihood::of(*semantic, *coarse)).collect()
    }

    /// The sequence at `idx` alone, from between two windows.
    pub(crate) fn alone(&self, idx: usize) -> Self {
        let seed = self.request.chance.seed.wrapping_add(idx as u64);
        let chance = Chance { seed, ..self.request.chance };
        Self {
            request: Request { chance, ..self.request },
            rows: vec![self.rows[idx].clone()],
            spoken: vec![self.spoken[idx].clone()],
            semantic: self.semantic.alone(idx),
            coarse: self.coarse.alone(idx),
            fine: self.fine.alone(idx),
            parallel: self.parallel.alone(idx),
            n_given: 0,
            on_progress: Box::new(|_| {}),
        }
    }

    /// The same, with reports of progress.
    pub(crate) fn with_progress(self, on_progress: Box<dyn FnMut(Progress) + 'a>) -> Self {
        Self { on_progress, ..self }
    }

    /// The codes of the next frame of the first sequence, those of the recording first; none after the
    /// last.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Vec<u32>>, PipelineError> {
        if self.n_given == self.request.n_frames {
            return Ok(None);
        }
        let at = self.n_given;
        self.draw_frames_up_to(at + 1)?;
        self.n_given += 1;
        Ok(Some(self.request.frame.codes_at(&self.rows[0].codes, at)))
    }

    /// How codes lie in a frame.
    pub(crate) fn frame(&self) -> Frame {
        self.request.frame
    }

    /// The seed of the first sequence.
    pub(crate) fn seed(&self) -> u64 {
        self.request.chance.seed
    }

    /// How many frames there will be.
    pub(crate) fn n_frames(&self) -> usize {
        self.request.n_frames
    }

    /// The tokens of the frames that have been handed out.
    pub(crate) fn given(&self) -> FrameTokens {
        self.rows[0].first(self.n_given, self.request.frame)
    }

    /// Frames that each sequence has of one kind of token, `width` to a frame.
    fn n_frames_of(&self, tokens: impl Fn(&FrameTokens) -> &Vec<u32>, width: usize) -> usize {
        self.rows.iter().map(|it| tokens(it).len() / width).min().unwrap_or(0)
    }

    /// The first frame that each window of a stage has drawn so far.
    pub(crate) fn window_starts(&self, stage: Part) -> &[usize] {
        match stage {
            Part::Semantic => &self.semantic.starts,
            Part::Coarse => &self.coarse.starts,
            Part::Fine => &self.fine.starts,
            Part::Parallel => &self.parallel.starts,
            Part::SemanticTokenizer | Part::Codec => &[],
        }
    }

    fn report(&mut self, stage: Part, done: usize, n_recorded: usize) {
        let total = self.request.n_frames - n_recorded;
        (self.on_progress)(Progress { stage, done: done - n_recorded, total });
    }
}

impl<G> Windows<G> {
    fn new(stage: Part, n_recorded: usize, n_rows: usize) -> Self {
        let likelihoods = vec![LogLikelihood::default(); n_rows];
        Self { stage, n_recorded, current: None, starts: Vec::new(), likelihoods }
    }

    /// What the next window, from frame `start`, draws each sequence from.
    fn generators(&mut self, seed: u64, start: usize) -> Vec<Generator> {
        let idx = self.starts.len() as u64;
        self.starts.push(start);
        let rows = 0..self.likelihoods.len() as u64;
        rows.map(|row| generator(seed.wrapping_add(row), self.stage.folder(), idx)).collect()
    }

    /// Leaves a window that is complete.
    fn leave(&mut self, likelihoods: &[LogLikelihood]) {
        self.likelihoods.iter_mut().zip(likelihoods).for_each(|(sum, it)| *sum += *it);
    }

    /// Those of one sequence, between two windows.
    fn alone(&self, idx: usize) -> Self {
        let Self { stage, n_recorded, starts, likelihoods, .. } = self;
        let (starts, likelihoods) = (starts.clone(), vec![likelihoods[idx]]);
        Self { stage: *stage, n_recorded: *n_recorded, current: None, starts, likelihoods }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::Bundle;
    use crate::testing::{CODEBOOK_SIZE, N_IDS, tiny_bundle};
    use audiolm_transformer::{Sampling, SplitCodes};
    use burn::prelude::*;
    use proptest::prelude::*;
    use rand::RngExt;
    use tempfile::TempDir;

    const WINDOWS: WindowFrames =
        WindowFrames { semantic: 40, coarse: 20, fine: 15, parallel: Some(20) };

    /// The same models for every test.
    fn models() -> Models {
        static FOLDER: OnceLock<(TempDir, Bundle)> = OnceLock::new();
        let device = Device::default();
        let (_, bundle) = FOLDER.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            device.seed(0);
            let bundle = tiny_bundle(&folder.path().join("bundle"), &device).unwrap();
            (folder, bundle)
        });
        bundle.configs().load_models(bundle.folder(), &device).unwrap()
    }

    fn frame(models: &Models) -> Frame {
        let n_coarse = models.coarse.layout().n_quantizers();
        Frame { layout: models.fine.layout(), n_coarse }
    }

    /// Tokens of a recording that is noise.
    fn recorded(n_frames: usize, frame: Frame) -> FrameTokens {
        let mut rng = generator(0, "recording", 0);
        let mut tokens = |n: usize, bound: usize| -> Vec<u32> {
            (0..n).map(|_| rng.random_range(0..bound as u32)).collect()
        };
        FrameTokens {
            semantic: tokens(n_frames, N_IDS),
            codes: SplitCodes {
                coarse: tokens(n_frames * frame.n_coarse, CODEBOOK_SIZE),
                fine: tokens(n_frames * frame.n_fine(), CODEBOOK_SIZE),
            },
        }
    }

    fn request(models: &Models, window_frames: WindowFrames, n_frames: usize) -> Request<'_> {
        let at_one = Sampling::at(1.0);
        let sampling = StageSampling {
            semantic: at_one,
            durations: at_one,
            coarse: at_one,
            fine: at_one,
            ..Default::default()
        };
        let chance = Chance { sampling, seed: 7 };
        static NOTHING: Told = Told { semantic: None, coarse: None };
        let (frame, told, semantics) = (frame(models), &NOTHING, Semantics::default());
        Request { models, frame, window_frames, semantics, told, chance, n_frames }
    }

    /// Stage after stage, each to its end before the next begins.
    fn one_after_another(mut drawing: Drawing) -> FrameTokens {
        let n_frames = drawing.n_frames();
        drawing.draw_semantic_up_to(n_frames).unwrap();
        drawing.draw_coarse_up_to(n_frames).unwrap();
        drawing.draw_fine_up_to(n_frames).unwrap();
        drawing.rows.swap_remove(0)
    }

    /// Frame by frame.
    fn in_turns(mut drawing: Drawing) -> (FrameTokens, Vec<u32>) {
        let mut codes = Vec::new();
        while let Some(frame) = drawing.next_frame().unwrap() {
            codes.extend(frame);
        }
        (drawing.given(), codes)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]
        #[test]
        fn stages_in_turns_draw_what_they_draw_one_after_another(
            (semantic, coarse, fine) in (2..30usize, 2..20usize, 2..12usize),
            n_recorded in 0..25usize, n_more in 1..40usize,
        ) {
            let models = models();
            let windows = WindowFrames { semantic, coarse, fine, parallel: Some(coarse) };
            let drawing = || {
                let request = request(&models, windows, n_recorded + n_more);
                Drawing::new(request, vec![recorded(n_recorded, frame(&models))])
            };
            let (tokens, codes) = in_turns(drawing());
            prop_assert_eq!(tokens.semantic.len(), n_recorded + n_more);
            let layout = models.fine.layout();
            prop_assert_eq!(&layout.split(&codes, frame(&models).n_coarse).unwrap(), &tokens.codes);
            prop_assert_eq!(tokens, one_after_another(drawing()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]
        #[test]
        fn sequences_are_drawn_beside_one_another_as_alone(
            (semantic, coarse, fine) in (2..30usize, 2..20usize, 2..12usize),
            n_recorded in 0..25usize, n_more in 1..40usize, n_rows in 1..4usize,
        ) {
            let models = models();
            let windows = WindowFrames { semantic, coarse, fine, parallel: Some(coarse) };
            let tokens = recorded(n_recorded, frame(&models));
            let request = request(&models, windows, n_recorded + n_more);
            let mut together = Drawing::new(request, vec![tokens.clone(); n_rows]);
            together.draw_fine().unwrap();
            for idx in 0..n_rows {
                let chance = Chance { seed: request.chance.seed + idx as u64, ..request.chance };
                let mut alone = Drawing::new(Request { chance, ..request }, vec![tokens.clone()]);
                alone.draw_fine().unwrap();
                prop_assert_eq!(&together.rows[idx], &alone.rows[0]);
                let found = together.likelihoods()[idx];
                let expected = alone.likelihoods()[0];
                prop_assert!((found.semantic - expected.semantic).abs() < 1e-3);
                prop_assert!((found.coarse - expected.coarse).abs() < 1e-3);
                prop_assert_eq!(in_turns(together.alone(idx)), in_turns(alone));
            }
        }
    }

    #[test]
    fn no_stage_draws_more_than_the_next_one_asks_for() {
        let models = models();
        let recorded = recorded(25, frame(&models));
        let mut drawing = Drawing::new(request(&models, WINDOWS, 200), vec![recorded]);
        let drawn = |it: &Drawing| (it.rows[0].semantic.len(), it.n_coarse_frames());
        for _ in 0..25 {
            drawing.next_frame().unwrap();
        }
        assert_eq!(drawn(&drawing), (25, 25), "codes of the recording are there");
        for n_more in 1..=175_usize {
            drawing.next_frame().unwrap().unwrap();
            let (semantic, coarse) = drawn(&drawing);
            // Beside 7 frames of the recording and 4 of the latest, a chunk has room for 4; beside 10
            // and 5, a window has room for 5.
            assert_eq!(coarse, 200.min(25 + n_more.next_multiple_of(4)));
            let said = 200.min(25 + (coarse - 25).next_multiple_of(5));
            assert!((said..said + 4).contains(&semantic), "{semantic} ids of at least {said}");
        }
        assert!(drawing.next_frame().unwrap().is_none());
    }

    #[test]
    fn windows_are_remembered_by_where_they_begin() {
        let models = models();
        let recorded = recorded(25, frame(&models));
        let mut drawing = Drawing::new(request(&models, WINDOWS, 60), vec![recorded]);
        while drawing.next_frame().unwrap().is_some() {}
        assert_eq!(drawing.window_starts(Part::Semantic), [25, 40]);
        assert_eq!(drawing.window_starts(Part::Coarse), [25, 30, 35, 40, 45, 50, 55]);
        assert_eq!(drawing.window_starts(Part::Fine), [25, 29, 33, 37, 41, 45, 49, 53, 57]);
        assert!(drawing.window_starts(Part::Codec).is_empty());
    }

    #[test]
    fn however_long_it_goes_on_no_stage_remembers_more_than_a_window() {
        let models = models();
        let recorded = recorded(25, frame(&models));
        let mut drawing = Drawing::new(request(&models, WINDOWS, 600), vec![recorded]);
        let (mut most, mut most_at_first) = ([0; 3], [0; 3]);
        for idx in 0..600 {
            drawing.next_frame().unwrap();
            let Drawing { semantic, coarse, fine, .. } = &drawing;
            let now = [
                semantic.current.as_ref().map_or(0, SemanticGenerations::n_numbers),
                coarse.current.as_ref().map_or(0, CodeGenerations::n_numbers),
                fine.current.as_ref().map_or(0, CodeGenerations::n_numbers),
            ];
            most = std::array::from_fn(|stage| most[stage].max(now[stage]));
            if idx < 200 {
                most_at_first = most;
            }
        }
        assert!(most.iter().all(|it| *it > 0));
        // How many runs of ids there are in a window is a matter of chance; all else is not.
        assert_eq!(most[2], most_at_first[2]);
        assert!((0..2).all(|it| 4 * most[it] <= 5 * most_at_first[it]), "{most:?}");
    }
}
