//! What one recording says in the voice of another.

use audiolm_audio::Clip;

use super::{AudioLm, Generation};
use crate::finishing::{Continued, Finishing};
use crate::{GeneratedBlocks, PipelineError, ResynthesizeOptions, Semantics};

impl AudioLm {
    /// Says what a recording says in the voice of another, which is the prompt of the coarse and the
    /// fine stage: its tokens come first, then the semantic ids of the recording, to which codes are
    /// drawn (AudioLM, section III-D; SPEAR-TTS, arXiv 2302.03540, section 3.3).
    ///
    /// All of `voice` is listened to; three seconds are enough. What comes out is as loud as the
    /// recording, in the colour of the voice.
    ///
    /// # Errors
    /// Where a recording is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite, or an
    /// option is out of bounds.
    pub fn resynthesize_as(
        &self,
        recording: &Clip,
        voice: &Clip,
        options: &ResynthesizeOptions,
    ) -> Result<Generation, PipelineError> {
        self.resynthesize_as_stream(recording, voice, options)?.collected()
    }

    /// As [`resynthesize_as`](Self::resynthesize_as), block by block, each as soon as it can be heard:
    /// the same samples, and nothing is drawn before it is needed.
    ///
    /// # Errors
    /// As [`resynthesize_as`](Self::resynthesize_as).
    pub fn resynthesize_as_stream(
        &self,
        recording: &Clip,
        voice: &Clip,
        options: &ResynthesizeOptions,
    ) -> Result<GeneratedBlocks<'_>, PipelineError> {
        self.check(&options.sampling, Semantics::default())?;
        let heard = self.whole(recording)?.whole_frames(self.rate);
        let voice = self.whole(voice)?.whole_frames(self.rate);
        let mut tokens = self.frame_tokens(&voice)?;
        let n_unheard = tokens.semantic.len();
        tokens.semantic.extend(self.said(&heard, options.tempo)?);
        let n_frames = tokens.semantic.len();
        let (rows, semantics) = (vec![tokens], Semantics::default());
        let drawing = self.drawing(rows, n_frames, options.into(), semantics);
        let finishing = Finishing::Continued(Box::new(Continued::without(voice, heard.gain())));
        Ok(self.blocks(drawing, finishing).with_unheard(n_unheard))
    }
}
