//! A gap in a recording, made anew so that it fits both sides.

use std::ops::Range;

use audiolm_audio::Clip;

use super::AudioLm;
use crate::bridge::{Bridge, Bridged};
use crate::colour::Colour;
use crate::heard::{Heard, Sides};
use crate::tokens::FrameTokens;
use crate::{
    AcousticDecoder, Candidates, Gap, InfillOptions, PipelineError, Progress, Tokens, seam,
};

/// How much sound is decoded at once, in seconds.
const PIECE_SECONDS: f64 = 20.0;

/// A recording whose gap was filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Infill {
    /// The recording with what fills its gap.
    pub clip: Clip,
    /// The samples that were made. Outside of them are the recording's own, but for 20 ms on both
    /// sides, in which these fade into what the codec makes of them.
    pub gap_samples: Range<usize>,
    /// The tokens of all.
    pub tokens: Tokens,
    /// What was chosen among to say,
    pub semantic: Candidates,
    /// and to sound like.
    pub coarse: Candidates,
}

impl AudioLm {
    /// Makes a gap of a recording anew, so that it fits what comes before and what follows.
    ///
    /// The models hear nothing of what was in the gap. Of what is said in it, and then of its coarse
    /// codes, several candidates are drawn from the left side, and one is chosen by how likely it makes
    /// the right side (sampling importance resampling).
    ///
    /// # Errors
    /// Where the gap is not within the recording, is empty, or leaves less than
    /// [`MIN_SECONDS`](crate::MIN_SECONDS) of it, where the recording is not finite, or an option is out
    /// of bounds.
    pub fn infill(
        &self,
        recording: &Clip,
        gap: Gap,
        options: &InfillOptions,
    ) -> Result<Infill, PipelineError> {
        self.infill_with(recording, gap, options, &mut |_| {})
    }

    /// As [`infill`](Self::infill), with reports of progress.
    ///
    /// # Errors
    /// As [`infill`](Self::infill).
    pub fn infill_with(
        &self,
        recording: &Clip,
        gap: Gap,
        options: &InfillOptions,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Infill, PipelineError> {
        options.validate()?;
        if options.sampling.decoder == AcousticDecoder::Parallel {
            return Err(PipelineError::NotInParallel { what: "a gap" });
        }
        let heard = self.whole(recording)?;
        let frames = gap.frames(heard.clip.seconds(), self.rate)?;
        let n_frames = match options.seconds {
            Some(seconds) => self.rate.frames(seconds)?,
            None => frames.len(),
        };
        if n_frames == 0 {
            return Err(PipelineError::EmptyGap { from: gap.from });
        }
        let sides = heard.sides(gap.samples(&frames, &heard.clip, self.rate))?;
        let bridge = Bridge {
            models: &self.models,
            frame: self.frame,
            window_frames: self.window_frames,
            told: self.listening.stages(),
            chance: options.into(),
            n_candidates: options.candidates,
            left: self.side_tokens(&sides.left)?,
            n_frames,
            right: self.side_tokens(&sides.right)?,
        };
        let Bridged { tokens, semantic, coarse } = bridge.fill(on_progress)?;
        let clip = self.rate.clip(self.joined(&sides, &tokens)?);
        let gap_samples =
            sides.left.clip.samples.len()..clip.samples.len() - sides.right.clip.samples.len();
        Ok(Infill { clip, gap_samples, tokens: self.public(&tokens)?, semantic, coarse })
    }

    /// The tokens of the whole frames of a side, if there are any.
    fn side_tokens(&self, side: &Heard) -> Result<FrameTokens, PipelineError> {
        match side.clip.samples.len() < self.rate.hop_samples {
            true => Ok(FrameTokens::none()),
            false => self.frame_tokens(&side.clone().whole_frames(self.rate)),
        }
    }

    /// Both sides as they are, and between them what the codec makes of the tokens, in their colour.
    fn joined(&self, sides: &Sides, tokens: &FrameTokens) -> Result<Vec<f32>, PipelineError> {
        let Sides { left, right } = sides;
        let codes = self.frame.layout.join(&tokens.codes, self.frame.n_coarse)?;
        let mut decoding = self.coder.decoding(self.n_quantizers(), PIECE_SECONDS);
        let mut wave = decoding.push(&codes);
        wave.extend(decoding.finish());
        let whole = |side: &Heard| side.clone().whole_frames(self.rate).levelled();
        let (left_frames, right_frames) = (whole(left), whole(right));
        let copy = [&wave[..left_frames.len()], &wave[wave.len() - right_frames.len()..]].concat();
        let outside = [left_frames, right_frames].concat();
        let colour = Colour::between(&copy, &outside, self.rate.sample_rate_hz);
        let mut wave = left.unlevelled(colour.applied(&wave));
        wave.extend(vec![0.0; right.clip.samples.len() % self.rate.hop_samples]);
        seam::keep_start(&mut wave, 0, &left.clip);
        seam::keep_end(&mut wave, &right.clip);
        Ok(wave)
    }
}
