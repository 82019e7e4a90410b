//! What each of AudioLM's three stages learns from.

use audiolm_data::TokenStore;
use audiolm_eval::GivenStart;
use audiolm_nn::Generator;
use audiolm_text::ConditionerConfig;
use audiolm_transformer::{
    CoarseBatch, CoarseRow, CoarseStage, Condition, ConditionConfig, DecoderConfig, FineBatch,
    FineRow, FineStage, FineStageConfig, Runs, SemanticBatch, SemanticRow, SemanticStage,
    SemanticStageConfig,
};
use serde_json::json;

use crate::coarse_settings::{CoarseSettings, SemanticDropout};
use crate::descriptions::Descriptions;
use crate::language::{Frames, Lesson, Split, StageSettings, train_stage};
use crate::run::StageRun;
use crate::tokens::{
    CODEC_PART, Tokens, agree, codec_spec, codec_tokens, enough, in_step, semantic_tokens,
};
use crate::{Ending, TrainError, kmeans};

/// Trains the first stage of a run: semantic tokens.
///
/// # Errors
/// Where an earlier stage is missing, files cannot be used, or the loss is no longer a number.
pub(crate) fn train_semantic(
    mut run: StageRun<'_>,
    settings: &StageSettings<SemanticStageConfig>,
) -> Result<Ending, TrainError> {
    let tokens = semantic_tokens(&mut run)?;
    let told = Descriptions::of_run(&mut run, &tokens)?;
    let mut settings = settings.clone();
    settings.model.decoder.condition = condition(told.as_ref(), &settings.model.decoder);
    let lesson = SemanticLesson { tokens, told, n_ids: settings.model.n_ids };
    run.device.seed(run.seed);
    let stage = settings.model.init(&run.device.clone().autodiff())?;
    let crop = frames(settings.crop_seconds, &lesson.tokens);
    train_stage(run, &settings, stage, lesson, crop)
}

/// Trains the second stage of a run: coarse codes under semantic tokens.
///
/// # Errors
/// Where an earlier stage is missing, files cannot be used, or the loss is no longer a number.
pub(crate) fn train_coarse(
    mut run: StageRun<'_>,
    settings: &CoarseSettings,
) -> Result<Ending, TrainError> {
    run.exported(kmeans::PART, "kmeans")?;
    let codec = codec_spec(&run)?;
    let size = ("coarse.model.codebook_size", settings.model.codebook_size);
    agree("codes per quantizer", codec.codebook_size, size)?;
    enough(&codec, ("coarse.model.n_quantizers", settings.model.n_quantizers))?;
    let semantic = semantic_tokens(&mut run)?;
    in_step(&codec, &semantic)?;
    let codes = codec_tokens(&mut run)?;
    let told = Descriptions::of_run(&mut run, &codes)?;
    let mut settings = settings.clone();
    settings.model.decoder.condition = condition(told.as_ref(), &settings.model.decoder);
    let lesson = CoarseLesson {
        tokens: BothTokens { semantic, codes },
        told,
        n_coarse: settings.model.n_quantizers,
        codebook_size: settings.model.codebook_size,
        dropout: settings.dropout(run.seed),
    };
    run.device.seed(run.seed);
    let stage = settings.model.init(&run.device.clone().autodiff())?;
    let crop = frames(settings.crop_seconds, &lesson.tokens.codes);
    train_stage(run, &settings.stage(), stage, lesson, crop)
}

/// Trains the third stage of a run: fine codes under coarse ones.
///
/// # Errors
/// Where an earlier stage is missing, files cannot be used, or the loss is no longer a number.
pub(crate) fn train_fine(
    mut run: StageRun<'_>,
    settings: &StageSettings<FineStageConfig>,
) -> Result<Ending, TrainError> {
    let codec = codec_spec(&run)?;
    let size = ("fine.model.codebook_size", settings.model.codebook_size);
    agree("codes per quantizer", codec.codebook_size, size)?;
    enough(&codec, ("fine.model.n_quantizers", settings.model.n_quantizers))?;
    let lesson = FineLesson {
        codes: codec_tokens(&mut run)?,
        n_quantizers: settings.model.n_quantizers,
        n_coarse: settings.model.n_coarse,
        codebook_size: settings.model.codebook_size,
    };
    run.device.seed(run.seed);
    let stage = settings.model.init(&run.device.clone().autodiff())?;
    let crop = frames(settings.crop_seconds, &lesson.codes);
    train_stage(run, settings, stage, lesson, crop)
}

/// How a stack is told what is told of its recordings.
fn condition(told: Option<&Descriptions>, decoder: &DecoderConfig) -> Option<ConditionConfig> {
    told.map(Descriptions::condition).or(decoder.condition)
}

pub(crate) fn frames(seconds: f64, tokens: &Tokens) -> usize {
    (seconds * tokens.train.frames_per_second()).round().max(1.0) as usize
}

impl Tokens {
    pub(crate) fn of(&self, on: Split) -> &TokenStore {
        match on {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
        }
    }

    /// The ids of a crop, row-major.
    pub(crate) fn crop(&self, on: Split, crop: Frames) -> Vec<u32> {
        let store = self.of(on);
        let ids =
            &store.tokens(crop.recording)[crop.start * store.width()..crop.end * store.width()];
        ids.iter().map(|it| u32::from(*it)).collect()
    }

    /// The first `n` ids of every frame of a crop.
    pub(crate) fn leading(&self, on: Split, crop: Frames, n: usize) -> Vec<u32> {
        let width = self.of(on).width();
        self.crop(on, crop).chunks_exact(width).flat_map(|it| it[..n].to_vec()).collect()
    }
}

/// What is told of a crop of a recording of so many frames.
fn told(
    told: Option<&Descriptions>,
    on: Split,
    crop: Frames,
    n_frames: usize,
) -> Result<Option<Condition>, TrainError> {
    Ok(told.map(|it| it.of(on, crop, n_frames)).transpose()?.flatten())
}

struct SemanticLesson {
    tokens: Tokens,
    told: Option<Descriptions>,
    n_ids: usize,
}

impl SemanticLesson {
    fn row(&self, on: Split, crop: Frames) -> SemanticRow {
        let Runs { ids, durations } = Runs::of(&self.tokens.crop(on, crop));
        SemanticRow {
            ids,
            durations,
            starts: crop.start == 0,
            ends: crop.end == self.tokens.of(on).frames(crop.recording),
            condition: None,
        }
    }
}

impl Lesson for SemanticLesson {
    type Stage = SemanticStage;
    type Batch = SemanticBatch;

    fn name(&self) -> &'static str {
        "semantic"
    }

    fn lengths(&self, on: Split) -> Vec<usize> {
        self.tokens.of(on).lengths()
    }

    fn batch(
        &self,
        on: Split,
        crops: &[Frames],
        _: &mut Generator,
    ) -> Result<SemanticBatch, TrainError> {
        let row = |crop: &Frames| -> Result<SemanticRow, TrainError> {
            let n_frames = self.tokens.of(on).frames(crop.recording);
            let condition = told(self.told.as_ref(), on, *crop, n_frames)?;
            Ok(SemanticRow { condition, ..self.row(on, *crop) })
        };
        Ok(SemanticBatch { rows: crops.iter().map(row).collect::<Result<_, _>>()? })
    }

    /// With the end where the recording ends, as the stage predicts it.
    fn sequence(&self, on: Split, crop: Frames) -> GivenStart {
        let row = self.row(on, crop);
        let end = row.ends.then_some(self.n_ids as u32);
        let n_given = usize::from(!row.starts);
        GivenStart { ids: row.ids.into_iter().chain(end).collect(), n_given }
    }

    fn vocabularies(&self) -> Vec<usize> {
        vec![self.n_ids + 1]
    }

    fn conditioner(&self) -> Option<&ConditionerConfig> {
        self.told.as_ref().map(Descriptions::conditioner)
    }

    fn lineage(&self) -> serde_json::Value {
        json!({ kmeans::PART: self.tokens.made_with })
    }
}

/// The recordings of a run in both kinds of token.
pub(crate) struct BothTokens {
    pub(crate) semantic: Tokens,
    pub(crate) codes: Tokens,
}

impl BothTokens {
    /// Frames of each recording that both have.
    pub(crate) fn lengths(&self, on: Split) -> Vec<usize> {
        let n_recordings = self.codes.of(on).lengths().len();
        (0..n_recordings).map(|it| self.frames(on, it)).collect()
    }

    fn frames(&self, on: Split, recording: usize) -> usize {
        self.codes.of(on).frames(recording).min(self.semantic.of(on).frames(recording))
    }

    pub(crate) fn lineage(&self) -> serde_json::Value {
        json!({ kmeans::PART: self.semantic.made_with, CODEC_PART: self.codes.made_with })
    }
}

struct CoarseLesson {
    tokens: BothTokens,
    told: Option<Descriptions>,
    n_coarse: usize,
    codebook_size: usize,
    dropout: SemanticDropout,
}

impl Lesson for CoarseLesson {
    type Stage = CoarseStage;
    type Batch = CoarseBatch;

    fn name(&self) -> &'static str {
        "coarse"
    }

    fn lengths(&self, on: Split) -> Vec<usize> {
        self.tokens.lengths(on)
    }

    fn batch(
        &self,
        on: Split,
        crops: &[Frames],
        _: &mut Generator,
    ) -> Result<CoarseBatch, TrainError> {
        let row = |crop: &Frames| -> Result<CoarseRow, TrainError> {
            let runs = match self.dropout.has(on, *crop) {
                true => Runs::default(),
                false => Runs::of(&self.tokens.semantic.crop(on, *crop)),
            };
            let n_frames = self.tokens.frames(on, crop.recording);
            Ok(CoarseRow {
                semantic_frames: runs.middles(1.0),
                semantic: runs.ids,
                codes: self.tokens.codes.leading(on, *crop, self.n_coarse),
                condition: told(self.told.as_ref(), on, *crop, n_frames)?,
            })
        };
        Ok(CoarseBatch { rows: crops.iter().map(row).collect::<Result<_, _>>()? })
    }

    fn sequence(&self, on: Split, crop: Frames) -> GivenStart {
        GivenStart { ids: self.tokens.codes.leading(on, crop, self.n_coarse), n_given: 0 }
    }

    fn vocabularies(&self) -> Vec<usize> {
        vec![self.codebook_size; self.n_coarse]
    }

    fn conditioner(&self) -> Option<&ConditionerConfig> {
        self.told.as_ref().map(Descriptions::conditioner)
    }

    fn lineage(&self) -> serde_json::Value {
        self.tokens.lineage()
    }
}

struct FineLesson {
    codes: Tokens,
    n_quantizers: usize,
    n_coarse: usize,
    codebook_size: usize,
}

impl Lesson for FineLesson {
    type Stage = FineStage;
    type Batch = FineBatch;

    fn name(&self) -> &'static str {
        "fine"
    }

    fn lengths(&self, on: Split) -> Vec<usize> {
        self.codes.of(on).lengths()
    }

    fn batch(
        &self,
        on: Split,
        crops: &[Frames],
        _: &mut Generator,
    ) -> Result<FineBatch, TrainError> {
        let row = |crop: &Frames| FineRow {
            codes: self.codes.leading(on, *crop, self.n_quantizers),
            condition: None,
        };
        Ok(FineBatch { rows: crops.iter().map(row).collect() })
    }

    /// The fine codes alone: the coarse ones are not predicted here.
    fn sequence(&self, on: Split, crop: Frames) -> GivenStart {
        let codes = self.codes.leading(on, crop, self.n_quantizers);
        let frames = codes.chunks_exact(self.n_quantizers);
        let fine = frames.flat_map(|it| it[self.n_coarse..].to_vec());
        GivenStart { ids: fine.collect(), n_given: 0 }
    }

    fn vocabularies(&self) -> Vec<usize> {
        vec![self.codebook_size; self.n_quantizers - self.n_coarse]
    }

    fn lineage(&self) -> serde_json::Value {
        json!({ CODEC_PART: self.codes.made_with })
    }
}
