//! How likely recordings are: the stages as judges (AudioLM, table IV).

use audiolm_audio::Clip;
use audiolm_transformer::{
    CoarseBatch, CoarseRow, FineBatch, FineRow, LogLikelihood, Runs, SemanticBatch, SemanticRow,
    SplitCodes, Stage, TokenError,
};

use super::AudioLm;
use crate::run_windows::{RunWindow, run_windows};
use crate::window::next_window;
use crate::{CodeScore, PipelineError, Score, Scored, Tokens};

/// Log-likelihoods of ids and of durations.
#[derive(Default)]
struct SemanticScore {
    ids: LogLikelihood,
    durations: LogLikelihood,
}

impl AudioLm {
    /// How likely a recording is to the language models, in nats.
    ///
    /// It counts as the start of a recording and not as its end, so that excerpts can be compared:
    /// the first id is predicted, the end is not, and the last id may last longer. Long recordings
    /// are read in windows, each token in the first that holds it.
    ///
    /// # Errors
    /// Where the recording is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite.
    pub fn score(&self, recording: &Clip, scored: Scored) -> Result<Score, PipelineError> {
        self.score_tokens(&self.tokenize(recording)?, scored)
    }

    /// The same of a recording's tokens, or of any others.
    ///
    /// # Errors
    /// Where the models know no such tokens, or ids and codes do not last equally long.
    pub fn score_tokens(&self, tokens: &Tokens, scored: Scored) -> Result<Score, PipelineError> {
        let runs = Runs { ids: tokens.semantic_ids.clone(), durations: tokens.durations.clone() };
        let SemanticScore { ids, durations } = self.score_semantic(&runs)?;
        let codes = match scored {
            Scored::Semantic => None,
            Scored::Everything => Some(self.score_codes(&runs.frames()?, &tokens.codes)?),
        };
        let seconds = runs.n_frames() as f64 / tokens.frames_per_second;
        Ok(Score { seconds, semantic: ids, durations, codes })
    }

    fn score_codes(
        &self,
        semantic: &[u32],
        by_quantizer: &[Vec<u32>],
    ) -> Result<CodeScore, PipelineError> {
        let codes = self.frame.split(&by_quantizer.concat())?;
        let (expected, found) = (semantic.len(), codes.coarse.len() / self.frame.n_coarse);
        if expected != found {
            return Err(TokenError::TooManyFrames {
                expected: expected.min(found),
                found: expected.max(found),
            }
            .into());
        }
        let (coarse, fine) =
            (self.score_coarse(semantic, &codes)?, self.score_fine(expected, &codes)?);
        Ok(CodeScore { coarse, fine })
    }

    fn score_semantic(&self, runs: &Runs) -> Result<SemanticScore, PipelineError> {
        let mut score = SemanticScore::default();
        let n_runs = runs.ids.len();
        for RunWindow { runs: read, first_new } in
            run_windows(&runs.durations, self.window_frames.semantic)
        {
            let row = SemanticRow {
                ids: runs.ids[read.clone()].to_vec(),
                durations: runs.durations[read.clone()].to_vec(),
                starts: read.start == 0,
                ends: false,
                condition: None,
            };
            let scored =
                self.models.semantic.run_likelihoods(&SemanticBatch { rows: vec![row] })?.remove(0);
            let first_scored = read.start + usize::from(read.start > 0);
            score.ids += sum(&scored.ids[first_new - first_scored..]);
            // The last duration of a window is that of the next to tell.
            let first = first_new.saturating_sub(1) - first_scored;
            let last = if read.end == n_runs { n_runs } else { read.end - 1 } - first_scored;
            score.durations += sum(&scored.durations[first..last]);
        }
        Ok(score)
    }

    fn score_coarse(
        &self,
        semantic: &[u32],
        codes: &SplitCodes,
    ) -> Result<LogLikelihood, PipelineError> {
        let width = self.frame.n_coarse;
        self.score_windows(semantic.len(), width, self.window_frames.coarse, |start, end| {
            let runs = Runs::of(&semantic[start..end]);
            let row = CoarseRow {
                semantic_frames: runs.middles(1.0),
                semantic: runs.ids,
                codes: codes.coarse[start * width..end * width].to_vec(),
                condition: None,
            };
            Ok(self.models.coarse.log_likelihoods(&CoarseBatch { rows: vec![row] })?.remove(0))
        })
    }

    fn score_fine(
        &self,
        n_frames: usize,
        codes: &SplitCodes,
    ) -> Result<LogLikelihood, PipelineError> {
        let (n_coarse, n_fine) = (self.frame.n_coarse, self.frame.n_fine());
        self.score_windows(n_frames, n_fine, self.window_frames.fine, |start, end| {
            let part = SplitCodes {
                coarse: codes.coarse[start * n_coarse..end * n_coarse].to_vec(),
                fine: codes.fine[start * n_fine..end * n_fine].to_vec(),
            };
            let codes = self.frame.layout.join(&part, n_coarse)?;
            let row = FineRow { codes, condition: None };
            Ok(self.models.fine.log_likelihoods(&FineBatch { rows: vec![row] })?.remove(0))
        })
    }

    /// The sum over windows of frames, `width` tokens each, of those that are new in each.
    fn score_windows(
        &self,
        n_frames: usize,
        width: usize,
        window: usize,
        likelihoods: impl Fn(usize, usize) -> Result<Vec<f32>, PipelineError>,
    ) -> Result<LogLikelihood, PipelineError> {
        let (mut score, mut known) = (LogLikelihood::default(), 0);
        while known < n_frames {
            let view = next_window(known, n_frames, window);
            let tokens = likelihoods(view.start, view.end)?;
            score += sum(&tokens[(known - view.start) * width..]);
            known = view.end;
        }
        Ok(score)
    }
}

fn sum(tokens: &[f32]) -> LogLikelihood {
    let nats = tokens.iter().map(|it| f64::from(*it)).sum();
    LogLikelihood { nats, tokens: tokens.len() }
}
