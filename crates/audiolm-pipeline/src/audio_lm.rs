//! From a recording to what it could have become.

mod coding;

use std::path::Path;

use audiolm_audio::Clip;
use audiolm_nn::Weights;
use audiolm_transformer::SplitCodes;
use burn::prelude::*;

use crate::configs::Models;
use crate::draw::Draw;
use crate::heard::{Heard, Rate};
use crate::tokens::{Frame, FrameTokens};
use crate::{
    Bundle, Coder, ContinueOptions, GenerateOptions, PipelineError, Progress, ResynthesizeOptions,
    StageSampling, Tokens, WindowFrames,
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
        Ok(Self { models, window_frames, rate, frame, coder, device: device.clone() })
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
        options.sampling.validate()?;
        let added = self.rate.frames(options.seconds)?;
        let heard = Heard::new(prompt, options.prompt_seconds, self.rate)?.whole_frames(self.rate);
        let mut tokens = self.frame_tokens(&heard)?;
        let total = tokens.semantic.len() + added;
        self.draw(options.seed, &options.sampling, on_progress).extend(&mut tokens, total)?;
        let wave = heard.continued(&self.decode(&tokens.codes)?);
        Ok(Continuation {
            clip: self.rate.clip(wave),
            prompt_samples: heard.clip.samples.len(),
            tokens: self.public(&tokens)?,
        })
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
        options.sampling.validate()?;
        let total = self.rate.frames(options.seconds)?;
        let mut tokens = FrameTokens::none();
        self.draw(options.seed, &options.sampling, on_progress).extend(&mut tokens, total)?;
        let wave = self.decode(&tokens.codes)?;
        self.generation(in_range(wave), &tokens)
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
        options.sampling.validate()?;
        let heard = self.whole(recording)?.whole_frames(self.rate);
        let mut tokens = FrameTokens::without_codes(self.semantic(&heard.levelled()));
        let total = tokens.semantic.len();
        self.draw(options.seed, &options.sampling, on_progress).extend(&mut tokens, total)?;
        let wave = self.decode(&tokens.codes)?;
        self.generation(heard.unlevelled(wave), &tokens)
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

    fn draw<'a>(
        &'a self,
        seed: u64,
        sampling: &'a StageSampling,
        on_progress: &'a mut dyn FnMut(Progress),
    ) -> Draw<'a> {
        let Self { models, window_frames, frame, .. } = self;
        let (window_frames, frame) = (*window_frames, *frame);
        Draw { models, frame, window_frames, sampling, seed, on_progress }
    }

    fn frame_tokens(&self, heard: &Heard) -> Result<FrameTokens, PipelineError> {
        let wave = heard.levelled();
        let codes = self.coder.codes(&wave, self.n_quantizers());
        Ok(FrameTokens { semantic: self.semantic(&wave), codes: self.frame.split(&codes)? })
    }

    /// The semantic id of each frame.
    fn semantic(&self, wave: &[f32]) -> Vec<u32> {
        let wave = Tensor::<1>::from_floats(wave, &self.device);
        self.models.tokenizer.frame_ids(wave.unsqueeze()).remove(0)
    }

    fn decode(&self, codes: &SplitCodes) -> Result<Vec<f32>, PipelineError> {
        let codes = self.frame.by_quantizer(codes)?;
        Ok(self.coder.wave(&codes, self.n_quantizers()))
    }

    fn public(&self, tokens: &FrameTokens) -> Result<Tokens, PipelineError> {
        Ok(tokens.to_tokens(self.frame, self.frames_per_second())?)
    }

    fn generation(
        &self,
        wave: Vec<f32>,
        tokens: &FrameTokens,
    ) -> Result<Generation, PipelineError> {
        Ok(Generation { clip: self.rate.clip(wave), tokens: self.public(tokens)? })
    }
}

fn in_range(wave: Vec<f32>) -> Vec<f32> {
    wave.into_iter().map(|it| it.clamp(-1.0, 1.0)).collect()
}
