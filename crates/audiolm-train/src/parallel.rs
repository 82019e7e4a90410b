//! What the parallel stage learns from: codes under semantic tokens, a part of them hidden.

use audiolm_eval::GivenStart;
use audiolm_nn::Generator;
use audiolm_transformer::{
    CodeLayout, Mask, ParallelBatch, ParallelRow, ParallelStage, ParallelStageConfig,
};

use crate::language::{Frames, Lesson, Split, StageSettings, train_stage};
use crate::run::StageRun;
use crate::stages::{BothTokens, frames};
use crate::tokens::{agree, codec_spec, codec_tokens, enough, in_step, semantic_tokens};
use crate::{Ending, TrainError, kmeans};

/// Trains the stage in place of the second and the third.
///
/// # Errors
/// Where an earlier stage is missing, files cannot be used, or the loss is no longer a number.
pub(crate) fn train_parallel(
    mut run: StageRun<'_>,
    settings: &StageSettings<ParallelStageConfig>,
) -> Result<Ending, TrainError> {
    let ParallelStageConfig { n_quantizers, codebook_size, .. } = settings.model;
    run.exported(kmeans::PART, "kmeans")?;
    let codec = codec_spec(&run)?;
    let size = ("parallel.model.codebook_size", codebook_size);
    agree("codes per quantizer", codec.codebook_size, size)?;
    enough(&codec, ("parallel.model.n_quantizers", n_quantizers))?;
    let semantic = semantic_tokens(&mut run)?;
    in_step(&codec, &semantic)?;
    run.device.seed(run.seed);
    let stage = settings.model.init(&run.device.clone().autodiff())?;
    let tokens = BothTokens { semantic, codes: codec_tokens(&mut run)? };
    let crop = frames(settings.crop_seconds, &tokens.codes);
    let lesson = ParallelLesson { tokens, layout: stage.layout() };
    train_stage(run, settings, stage, lesson, crop)
}

struct ParallelLesson {
    tokens: BothTokens,
    layout: CodeLayout,
}

impl ParallelLesson {
    fn codes(&self, on: Split, crop: Frames) -> Vec<u32> {
        self.tokens.codes.leading(on, crop, self.layout.n_quantizers())
    }
}

impl Lesson for ParallelLesson {
    type Stage = ParallelStage;
    type Batch = ParallelBatch;

    fn name(&self) -> &'static str {
        "parallel"
    }

    fn lengths(&self, on: Split) -> Vec<usize> {
        self.tokens.lengths(on)
    }

    fn batch(
        &self,
        on: Split,
        crops: &[Frames],
        rng: &mut Generator,
    ) -> Result<ParallelBatch, TrainError> {
        let row = |crop: &Frames| ParallelRow {
            semantic: self.tokens.semantic.crop(on, *crop),
            codes: self.codes(on, *crop),
            mask: Mask::draw(self.layout, crop.end - crop.start, rng),
        };
        Ok(ParallelBatch { rows: crops.iter().map(row).collect() })
    }

    /// All codes: what is hidden of them is drawn level by level alike.
    fn sequence(&self, on: Split, crop: Frames) -> GivenStart {
        GivenStart { ids: self.codes(on, crop), n_given: 0 }
    }

    fn vocabularies(&self) -> Vec<usize> {
        vec![self.layout.codebook_size(); self.layout.n_quantizers()]
    }

    fn lineage(&self) -> serde_json::Value {
        self.tokens.lineage()
    }
}
