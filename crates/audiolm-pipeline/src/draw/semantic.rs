//! What is said, run by run. Each window continues the runs of the last.

use audiolm_transformer::{
    Length, Run, Runs, SemanticGenerations, SemanticPrompt, SemanticRequest,
};

use super::{Drawing, Request};
use crate::tempo::{Retiming, n_before};
use crate::window::next_window;
use crate::{Part, PipelineError, Semantics};

/// What the stage has said at its own tempo, and is to say.
#[derive(Debug, Clone)]
pub(super) struct Spoken {
    /// The id of each frame, those of the recording included.
    frames: Vec<u32>,
    /// How many there are to be.
    n_frames: usize,
    /// What makes of them the frames that were asked for.
    retiming: Retiming,
}

impl Spoken {
    /// After the ids of a recording.
    pub(super) fn new(recorded: &[u32], request: &Request) -> Self {
        let n_added = request.n_frames - recorded.len();
        let n_spoken = match request.semantics {
            Semantics::Drawn { tempo } if n_added > 0 => n_before(n_added, tempo),
            Semantics::Drawn { .. } | Semantics::LeftOut => 0,
        };
        Self {
            frames: recorded.to_vec(),
            n_frames: recorded.len() + n_spoken,
            retiming: Retiming::new(n_spoken, n_added),
        }
    }

    /// Takes a run, and gives its frames at the tempo that was asked for.
    fn retimed(&mut self, run: Run) -> impl Iterator<Item = u32> + use<> {
        let Run { id, duration } = run;
        self.frames.extend(std::iter::repeat_n(id, duration as usize));
        std::iter::repeat_n(id, self.retiming.next(duration, 0))
    }
}

impl Drawing<'_> {
    /// Draws until there are as many frames, or a few more: the last run is drawn as a whole.
    pub(super) fn draw_semantic_up_to(&mut self, n_frames: usize) -> Result<(), PipelineError> {
        let stage = &self.request.models.semantic;
        while self.n_semantic_frames() < n_frames {
            let mut window = match self.semantic.current.take() {
                Some(window) => window,
                None => self.begin_semantic()?,
            };
            let rows = self.rows.iter_mut().zip(&mut self.spoken);
            for ((row, spoken), run) in rows.zip(stage.next_runs(&mut window)) {
                row.semantic.extend(run.into_iter().flat_map(|it| spoken.retimed(it)));
            }
            match window.n_left() {
                0 => self.semantic.leave(window.likelihoods()),
                _ => self.semantic.current = Some(window),
            }
            self.report(Part::Semantic, self.n_semantic_frames(), self.semantic.n_recorded);
        }
        Ok(())
    }

    fn n_semantic_frames(&self) -> usize {
        self.n_frames_of(|it| &it.semantic, 1)
    }

    fn begin_semantic(&mut self) -> Result<SemanticGenerations, PipelineError> {
        let Spoken { frames, n_frames, .. } = &self.spoken[0];
        let known = frames.len();
        let window = next_window(known, *n_frames, self.request.window_frames.semantic);
        let starts = window.start == 0;
        let told = &self.request.told.semantic;
        let prompt = |frames: &[u32]| {
            let Runs { ids, durations } = Runs::of(frames);
            SemanticPrompt { ids, durations, starts, condition: told.clone() }
        };
        let prompts: Vec<_> =
            self.spoken.iter().map(|it| prompt(&it.frames[window.start..])).collect();
        let request = SemanticRequest {
            length: Length::Exactly(window.end - known),
            ids: self.request.chance.sampling.semantic,
            durations: self.request.chance.sampling.durations,
            guidance: self.request.chance.sampling.guidance,
        };
        let first = self.n_semantic_frames();
        let rngs = self.semantic.generators(self.request.chance.seed, first);
        let prompts = prompts.iter().zip(rngs).collect();
        Ok(self.request.models.semantic.begin_all(&request, prompts)?)
    }
}
