//! What the parallel stage learns from: codes under semantic tokens, a part of them hidden.

use audiolm_eval::GivenStart;
use audiolm_nn::Generator;
use audiolm_transformer::{
    CodeLayout, Mask, ParallelBatch, ParallelRow, ParallelStage, ParallelStageConfig,
};
use serde_json::json;

use crate::language::{Frames, Lesson, Split, StageSettings, train_stage};
use crate::run::StageRun;
use crate::stages::frames;
use crate::tokens::{
    CODEC_PART, Tokens, agree, codec_spec, codec_tokens, enough, in_step, semantic_tokens,
};
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
    let lesson =
        ParallelLesson { semantic, codes: codec_tokens(&mut run)?, layout: stage.layout() };
    let crop = frames(settings.crop_seconds, &lesson.codes);
    train_stage(run, settings, stage, lesson, crop)
}

struct ParallelLesson {
    semantic: Tokens,
    codes: Tokens,
    layout: CodeLayout,
}

impl ParallelLesson {
    fn codes(&self, on: Split, crop: Frames) -> Vec<u32> {
        self.codes.leading(on, crop, self.layout.n_quantizers())
    }
}

impl Lesson for ParallelLesson {
    type Stage = ParallelStage;
    type Batch = ParallelBatch;

    fn name(&self) -> &'static str {
        "parallel"
    }

    /// Frames that both kinds of token have.
    fn lengths(&self, on: Split) -> Vec<usize> {
        let both = self.codes.of(on).lengths().into_iter().zip(self.semantic.of(on).lengths());
        both.map(|(a, b)| a.min(b)).collect()
    }

    fn batch(
        &self,
        on: Split,
        crops: &[Frames],
        rng: &mut Generator,
    ) -> Result<ParallelBatch, TrainError> {
        let row = |crop: &Frames| ParallelRow {
            semantic: self.semantic.crop(on, *crop),
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
        json!({ kmeans::PART: self.semantic.made_with, CODEC_PART: self.codes.made_with })
    }
}
