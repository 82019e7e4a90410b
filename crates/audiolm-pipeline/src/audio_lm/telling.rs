//! Telling the models what to make.

use std::sync::Arc;

use audiolm_nn::generator;
use audiolm_text::{Conditioner, ConditionerConfig, Description};
use audiolm_transformer::{Length, SemanticPrompt, SemanticRequest};

use super::AudioLm;
use crate::finishing::Finishing;
use crate::tokens::FrameTokens;
use crate::{GenerateOptions, GeneratedBlocks, Generation, Part, PipelineError};

impl AudioLm {
    /// Which conditioner the models have learnt with, where they have learnt to be told something.
    pub fn conditioner(&self) -> Option<&ConditionerConfig> {
        self.listening.config()
    }

    /// The same models, told through a conditioner that the bundle does not hold: a
    /// [`T5`](ConditionerConfig::T5), or one of the caller's own. It has to be the one they have learnt
    /// with.
    ///
    /// # Errors
    /// Where its vectors are not as wide as those, or the models cannot be told anything.
    pub fn with_conditioner(
        self,
        conditioner: Arc<dyn Conditioner>,
    ) -> Result<Self, PipelineError> {
        Ok(Self { listening: self.listening.with(conditioner)?, ..self })
    }

    /// The same models, told what to make: all that they make from now on is like the description, as
    /// far as they have learnt to listen.
    ///
    /// # Errors
    /// Where they have not, the conditioner lies elsewhere and was not given, or it cannot make
    /// anything of the description.
    pub fn told(self, description: &Description<'_>) -> Result<Self, PipelineError> {
        Ok(Self { listening: self.listening.told(description)?, ..self })
    }

    /// As [`generate`](Self::generate), but over when the models say that all is said, at the latest
    /// after the seconds of the options, and after as much as the first stage sees at once.
    ///
    /// # Errors
    /// As [`generate`](Self::generate), and where they say nothing at all.
    pub fn say(&self, options: &GenerateOptions) -> Result<Generation, PipelineError> {
        self.say_stream(options)?.collected()
    }

    /// As [`say`](Self::say), block by block. What is said is drawn before the first of them, since
    /// nobody knows sooner when it ends.
    ///
    /// # Errors
    /// As [`say`](Self::say).
    pub fn say_stream(
        &self,
        options: &GenerateOptions,
    ) -> Result<GeneratedBlocks<'_>, PipelineError> {
        self.check(&options.sampling, options.semantics)?;
        let most = self.rate.frames(options.seconds)?.min(self.window_frames.semantic);
        let condition = self.listening.stages().semantic.clone();
        let prompt = SemanticPrompt { starts: true, condition, ..Default::default() };
        let request = SemanticRequest {
            length: Length::AtMost(most),
            ids: options.sampling.semantic,
            durations: options.sampling.durations,
            guidance: options.sampling.guidance,
        };
        let rng = generator(options.seed, Part::Semantic.folder(), 0);
        let semantic = self.models.semantic.generate(&prompt, &request, rng)?.frames()?;
        if semantic.is_empty() {
            return Err(PipelineError::NothingSaid);
        }
        let n_frames = semantic.len();
        let tokens = FrameTokens::without_codes(semantic);
        let drawing = self.drawing(vec![tokens], n_frames, options.into(), options.semantics);
        Ok(self.blocks(drawing, Finishing::Level(1.0)))
    }
}
