//! From a recording to what it could have become.

mod coding;
mod infill;
mod scoring;
mod takes;
mod telling;
mod voice;

pub use infill::Infill;
pub use takes::{BestTake, Candidate, Take};

use std::path::Path;

use audiolm_audio::Clip;
use audiolm_nn::Weights;
use burn::prelude::*;

use crate::configs::Models;
use crate::draw::{Chance, Drawing, Request};
use crate::finishing::{Continued, Finishing};
use crate::generated_blocks::{BLOCK_SECONDS, Rendering};
use crate::heard::{Heard, Rate};
use crate::listening::Listening;
use crate::tokens::{Frame, FrameTokens};
use crate::{
    AcousticDecoder, Bundle, Coder, ContinueOptions, GenerateOptions, GeneratedBlocks,
    PipelineError, Progress, ResynthesizeOptions, Semantics, StageSampling, Tokens, WindowFrames,
    tempo,
};

/// A language model of audio: a [`Bundle`], ready to be used on a device.
///
/// Recordings of any rate go in; clips at the rate of the models come out. Whatever a recording's
/// loudness is, the models hear it at [`REFERENCE_DBFS`](audiolm_audio::REFERENCE_DBFS), and what they make
/// of it is as loud as it was.
#[derive(Debug)]
pub struct AudioLm {
    models: Models,
    window_frames: WindowFrames,
    rate: Rate,
    frame: Frame,
    coder: Coder,
    listening: Listening,
    device: Device,
}

/// A recording and what follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuation {
    /// The prompt, then the continuation.
    pub clip: Clip,
    /// How many samples of it are the prompt.
    pub prompt_samples: usize,
    /// The tokens of both.
    pub tokens: Tokens,
}

/// Audio that the models made.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// How it sounds.
    pub clip: Clip,
    /// The tokens it was made of.
    pub tokens: Tokens,
}

impl AudioLm {
    /// Opens a bundle and builds its models.
    ///
    /// # Errors
    /// As [`Bundle::open`], and where weights do not fit their configuration.
    pub fn load(folder: impl AsRef<Path>, device: &Device) -> Result<Self, PipelineError> {
        Self::of_bundle(&Bundle::open(folder)?, device)
    }

    /// Builds the models of a bundle that is open.
    ///
    /// # Errors
    /// Where weights do not fit their configuration.
    pub fn of_bundle(bundle: &Bundle, device: &Device) -> Result<Self, PipelineError> {
        let models = bundle.configs().load_models(bundle.folder(), device)?;
        let coder = Coder::new(models.codec.clone(), bundle.codec_id()?, device);
        let rate = coder.rate();
        let layout = models.fine.layout();
        let frame = Frame { layout, n_coarse: models.coarse.layout().n_quantizers() };
        let window_frames = bundle.manifest().window_frames;
        let listening = Listening::of(bundle)?;
        Ok(Self { models, window_frames, rate, frame, coder, listening, device: device.clone() })
    }

    /// The same with the weights of its language models as these: eight bits take a quarter of the
    /// memory, and of the time of a step where memory is what it waits for.
    pub fn with_weights(self, weights: Weights) -> Self {
        Self { models: self.models.with_weights(weights), ..self }
    }

    /// Samples per second of every clip that comes out.
    pub fn sample_rate_hz(&self) -> u32 {
        self.rate.sample_rate_hz
    }

    /// Frames per second, of both kinds of token.
    pub fn frames_per_second(&self) -> f64 {
        self.rate.frames_per_second()
    }

    /// Quantizers that the models make codes for: the codec's, or the first of them.
    pub fn n_quantizers(&self) -> usize {
        self.frame.layout.n_quantizers()
    }

    /// Continues the start of a recording (AudioLM, section III-D).
    ///
    /// The clip starts with the prompt's own samples, cut to whole frames; its last 20 ms fade into
    /// what the codec makes of prompt and continuation together. What follows is filtered by what
    /// the codec takes from the colour of the prompt.
    ///
    /// # Errors
    /// Where the prompt is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite, or an
    /// option is out of bounds.
    pub fn continue_from(
        &self,
        prompt: &Clip,
        options: &ContinueOptions,
    ) -> Result<Continuation, PipelineError> {
        self.continue_from_with(prompt, options, &mut |_| {})
    }

    /// As [`continue_from`](Self::continue_from), with reports of progress.
    ///
    /// # Errors
    /// As [`continue_from`](Self::continue_from).
    pub fn continue_from_with(
        &self,
        prompt: &Clip,
        options: &ContinueOptions,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Continuation, PipelineError> {
        let blocks = self.continue_stream(prompt, options)?.with_progress(on_progress);
        let prompt_samples = blocks.prompt_samples();
        let Generation { clip, tokens } = blocks.collected()?;
        Ok(Continuation { clip, prompt_samples, tokens })
    }

    /// As [`continue_from`](Self::continue_from), block by block, each as soon as it can be heard:
    /// the same samples, and nothing is drawn before it is needed.
    ///
    /// # Errors
    /// As [`continue_from`](Self::continue_from).
    pub fn continue_stream(
        &self,
        prompt: &Clip,
        options: &ContinueOptions,
    ) -> Result<GeneratedBlocks<'_>, PipelineError> {
        let heard = self.continued(prompt, options)?;
        let prompt_samples = heard.clip.samples.len();
        let drawing = self.takes(&heard, options, 1)?;
        let finishing = Finishing::Continued(Box::new(Continued::new(heard)));
        Ok(self.blocks(drawing, finishing).with_prompt(prompt_samples))
    }

    /// Makes audio from nothing (AudioLM, section III-D).
    ///
    /// # Errors
    /// Where an option is out of bounds.
    pub fn generate(&self, options: &GenerateOptions) -> Result<Generation, PipelineError> {
        self.generate_with(options, &mut |_| {})
    }

    /// As [`generate`](Self::generate), with reports of progress.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_with(
        &self,
        options: &GenerateOptions,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Generation, PipelineError> {
        self.generate_stream(options)?.with_progress(on_progress).collected()
    }

    /// As [`generate`](Self::generate), block by block, each as soon as it can be heard: the same
    /// samples, and nothing is drawn before it is needed.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_stream(
        &self,
        options: &GenerateOptions,
    ) -> Result<GeneratedBlocks<'_>, PipelineError> {
        self.check(&options.sampling, options.semantics)?;
        let n_frames = self.rate.frames(options.seconds)?;
        let rows = vec![FrameTokens::none()];
        let drawing = self.drawing(rows, n_frames, options.into(), options.semantics);
        Ok(self.blocks(drawing, Finishing::Level(1.0)))
    }

    /// Says the same in another voice: keeps the semantic tokens of a recording, and draws anew how
    /// it sounds (AudioLM, section III-D).
    ///
    /// # Errors
    /// Where the recording is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite, or an
    /// option is out of bounds.
    pub fn resynthesize(
        &self,
        recording: &Clip,
        options: &ResynthesizeOptions,
    ) -> Result<Generation, PipelineError> {
        self.resynthesize_with(recording, options, &mut |_| {})
    }

    /// As [`resynthesize`](Self::resynthesize), with reports of progress.
    ///
    /// # Errors
    /// As [`resynthesize`](Self::resynthesize).
    pub fn resynthesize_with(
        &self,
        recording: &Clip,
        options: &ResynthesizeOptions,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Generation, PipelineError> {
        self.resynthesize_stream(recording, options)?.with_progress(on_progress).collected()
    }

    /// As [`resynthesize`](Self::resynthesize), block by block, each as soon as it can be heard: the
    /// same samples, and nothing is drawn before it is needed.
    ///
    /// # Errors
    /// As [`resynthesize`](Self::resynthesize).
    pub fn resynthesize_stream(
        &self,
        recording: &Clip,
        options: &ResynthesizeOptions,
    ) -> Result<GeneratedBlocks<'_>, PipelineError> {
        self.check(&options.sampling, Semantics::default())?;
        let heard = self.whole(recording)?.whole_frames(self.rate);
        let tokens = FrameTokens::without_codes(self.said(&heard, options.tempo)?);
        let n_frames = tokens.semantic.len();
        let (rows, semantics) = (vec![tokens], Semantics::default());
        let drawing = self.drawing(rows, n_frames, options.into(), semantics);
        Ok(self.blocks(drawing, Finishing::Level(heard.gain())))
    }

    /// A recording's tokens; a last frame that is not whole gives none.
    ///
    /// # Errors
    /// Where the recording is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite.
    pub fn tokenize(&self, recording: &Clip) -> Result<Tokens, PipelineError> {
        let heard = self.whole(recording)?.whole_frames(self.rate);
        self.public(&self.frame_tokens(&heard)?)
    }

    fn whole(&self, recording: &Clip) -> Result<Heard, PipelineError> {
        Heard::new(recording, f64::INFINITY, self.rate)
    }

    /// What there is of a recording to be continued.
    fn continued(&self, prompt: &Clip, options: &ContinueOptions) -> Result<Heard, PipelineError> {
        self.check(&options.sampling, options.semantics)?;
        self.rate.frames(options.seconds)?;
        Ok(Heard::new(prompt, options.prompt_seconds, self.rate)?.whole_frames(self.rate))
    }

    /// Refuses sampling and semantics that are none, or what the stage that is to draw cannot do.
    fn check(&self, sampling: &StageSampling, semantics: Semantics) -> Result<(), PipelineError> {
        if sampling.decoder == AcousticDecoder::Parallel {
            if self.models.parallel.is_none() {
                return Err(PipelineError::NoParallelStage);
            }
            if semantics == Semantics::LeftOut {
                return Err(PipelineError::NotInParallel { what: "codes without semantic tokens" });
            }
        }
        sampling.validate()?;
        semantics.validate()
    }

    /// Draws what is missing of each kind of token of some sequences up to `n_frames`.
    fn drawing(
        &self,
        rows: Vec<FrameTokens>,
        n_frames: usize,
        chance: Chance,
        semantics: Semantics,
    ) -> Drawing<'_> {
        let Self { models, window_frames, frame, .. } = self;
        let (window_frames, frame) = (*window_frames, *frame);
        let told = self.listening.stages();
        let request = Request { models, frame, window_frames, semantics, told, chance, n_frames };
        Drawing::new(request, rows)
    }

    fn blocks<'a>(&'a self, drawing: Drawing<'a>, finishing: Finishing) -> GeneratedBlocks<'a> {
        let decoding = self.coder.decoding(self.n_quantizers(), BLOCK_SECONDS);
        GeneratedBlocks::new(drawing, Rendering { decoding, finishing }, self.rate)
    }

    fn frame_tokens(&self, heard: &Heard) -> Result<FrameTokens, PipelineError> {
        let wave = heard.levelled();
        let codes = self.coder.codes(&wave, self.n_quantizers());
        Ok(FrameTokens { semantic: self.semantic(&wave), codes: self.frame.split(&codes)? })
    }

    /// The semantic id of each frame of a recording at another tempo.
    fn said(&self, heard: &Heard, tempo: f64) -> Result<Vec<u32>, PipelineError> {
        tempo::validate(tempo)?;
        let frames = self.semantic(&heard.levelled());
        Ok(tempo::retimed(&frames, tempo::n_retimed(frames.len(), tempo)))
    }

    /// The semantic id of each frame.
    fn semantic(&self, wave: &[f32]) -> Vec<u32> {
        let wave = Tensor::<1>::from_floats(wave, &self.device);
        self.models.tokenizer.frame_ids(wave.unsqueeze()).remove(0)
    }

    fn public(&self, tokens: &FrameTokens) -> Result<Tokens, PipelineError> {
        Ok(tokens.to_tokens(self.frame, self.frames_per_second())?)
    }
}
