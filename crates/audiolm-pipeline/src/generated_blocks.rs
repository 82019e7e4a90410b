//! Sound on its way from the models to the listener.

use audiolm_audio::Clip;

use crate::decode_stream::DecodeStream;
use crate::draw::Drawing;
use crate::finishing::Finishing;
use crate::heard::Rate;
use crate::{Generation, Part, PipelineError, Progress, Tokens};

/// How much sound is decoded at once, in seconds: a listener waits for so much, and the codec is slower
/// with less.
pub(crate) const BLOCK_SECONDS: f64 = 0.2;

/// The samples that the models make, block by block, made while they are asked for: see
/// [`AudioLm::continue_stream`](crate::AudioLm::continue_stream).
///
/// Nothing is drawn that the next block does not need. The blocks are, to the last bit, what the whole
/// at once is cut from. After an error nothing comes any more.
pub struct GeneratedBlocks<'a> {
    drawing: Drawing<'a>,
    /// None at the end.
    rendering: Option<Rendering<'a>>,
    rate: Rate,
    prompt_samples: usize,
    /// Frames at the start that are not heard: a voice that another recording is said in.
    n_unheard: usize,
}

/// What makes sound of codes.
pub(crate) struct Rendering<'a> {
    pub(crate) decoding: DecodeStream<'a>,
    pub(crate) finishing: Finishing,
}

impl<'a> GeneratedBlocks<'a> {
    /// Of no recording.
    pub(crate) fn new(drawing: Drawing<'a>, rendering: Rendering<'a>, rate: Rate) -> Self {
        Self { drawing, rendering: Some(rendering), rate, prompt_samples: 0, n_unheard: 0 }
    }

    /// The same, beginning with a recording of so many samples.
    pub(crate) fn with_prompt(self, prompt_samples: usize) -> Self {
        Self { prompt_samples, ..self }
    }

    /// The same, of which so many frames at the start are not heard.
    pub(crate) fn with_unheard(self, n_unheard: usize) -> Self {
        Self { n_unheard, ..self }
    }

    /// The same, with reports of progress.
    pub fn with_progress(self, on_progress: impl FnMut(Progress) + 'a) -> Self {
        Self { drawing: self.drawing.with_progress(Box::new(on_progress)), ..self }
    }

    /// How many samples there will be in all.
    pub fn n_samples(&self) -> usize {
        (self.drawing.n_frames() - self.n_unheard) * self.rate.hop_samples
    }

    /// How many of the first samples are a recording that is continued.
    pub fn prompt_samples(&self) -> usize {
        self.prompt_samples
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.rate.sample_rate_hz
    }

    /// The tokens that have been decoded so far, or wait for it.
    ///
    /// # Errors
    /// Where a stage has made tokens that are none.
    pub fn tokens(&self) -> Result<Tokens, PipelineError> {
        let frame = self.drawing.frame();
        let heard = self.drawing.given().after(self.n_unheard, frame);
        Ok(heard.to_tokens(frame, self.rate.frames_per_second())?)
    }

    /// The first frame that each window of a stage has drawn so far: where seams would be, if they
    /// could be heard.
    pub fn window_starts(&self, stage: Part) -> &[usize] {
        self.drawing.window_starts(stage)
    }

    /// All that is left, at once.
    ///
    /// # Errors
    /// Where a stage refuses what it was given.
    pub fn collected(mut self) -> Result<Generation, PipelineError> {
        let mut samples = Vec::with_capacity(self.n_samples());
        for block in &mut self {
            samples.extend(block?);
        }
        let clip = Clip { samples, sample_rate_hz: self.sample_rate_hz() };
        Ok(Generation { clip, tokens: self.tokens()? })
    }

    fn next_block(&mut self) -> Result<Option<Vec<f32>>, PipelineError> {
        while let Some(mut rendering) = self.rendering.take() {
            let block = match self.drawing.next_frame()? {
                Some(codes) => {
                    let block = rendering.push(&codes);
                    self.rendering = Some(rendering);
                    block
                }
                None => rendering.finish(),
            };
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }
}

impl Rendering<'_> {
    fn push(&mut self, codes: &[u32]) -> Vec<f32> {
        let wave = self.decoding.push(codes);
        self.finishing.push(wave)
    }

    fn finish(mut self) -> Vec<f32> {
        let mut block = self.finishing.push(self.decoding.finish());
        block.extend(self.finishing.finish());
        block
    }
}

impl Iterator for GeneratedBlocks<'_> {
    type Item = Result<Vec<f32>, PipelineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}
