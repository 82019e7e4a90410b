//! Training of a stage: the same for all of them, once their batches are made.

use std::path::Path;

use audiolm_data::CropSampler;
use audiolm_eval::{Bigram, GivenStart};
use audiolm_nn::{Generator, Precision, generator, save_weights};
use audiolm_text::ConditionerConfig;
use audiolm_transformer::{Activations, Stage, StageLoss, TokenError};
use burn::config::Config;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::drive::{Drive, Trainee};
use crate::learner::Learner;
use crate::run::StageRun;
use crate::{Cadence, Ending, Measures, Schedule, TrainError};

/// How often the crops of a step are drawn before it is given up. Drawing costs next to nothing
/// beside a step, and recordings may be silent for the most part.
const MOST_DRAWS: usize = 1000;

/// How to train a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSettings<C> {
    /// The stage.
    pub model: C,
    /// Crops in a batch.
    pub batch: usize,
    /// Seconds of a crop.
    pub crop_seconds: f64,
    /// How fast to learn.
    pub schedule: Schedule,
    /// How often to look and to save.
    pub cadence: Cadence,
    /// Whether layers are run again for their gradients: a step takes less memory, and longer.
    pub gradient_checkpointing: bool,
}

/// Held-out likelihood of a finished stage, beside that of a bigram model of the same tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageLikelihood {
    /// Mean negative log-likelihood of a token under the stage, in nats.
    pub nats_per_token: f64,
    /// The same under a smoothed bigram model fitted on the train split.
    pub bigram_nats_per_token: f64,
    /// Tokens the first mean is over.
    pub n_tokens: usize,
}

/// Where a crop lies: a recording, and frames of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frames {
    pub(crate) recording: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What differs between the stages.
pub(crate) trait Lesson {
    /// The stage.
    type Stage: Stage<Batch = Self::Batch>;
    /// What it learns from.
    type Batch;

    /// The stage's name.
    fn name(&self) -> &'static str;
    /// Frames of each recording.
    fn lengths(&self, on: Split) -> Vec<usize>;
    /// The rows of crops, and what chance makes of them.
    fn batch(
        &self,
        on: Split,
        crops: &[Frames],
        rng: &mut Generator,
    ) -> Result<Self::Batch, TrainError>;
    /// The tokens of a crop, for the bigram; those that the stage does not predict are given.
    fn sequence(&self, on: Split, crop: Frames) -> GivenStart;
    /// Sizes of the vocabularies that the tokens of a sequence take in turns.
    fn vocabularies(&self) -> Vec<usize>;
    /// Fingerprints of the tokenizers, by part.
    fn lineage(&self) -> serde_json::Value;
    /// What makes vectors of what the stage is told, if it is told anything.
    fn conditioner(&self) -> Option<&ConditionerConfig> {
        None
    }
}

/// Which recordings a batch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    Train,
    Valid,
}

/// Trains, or goes on with, the stage of `lesson`, and exports it when it is finished.
pub(crate) fn train_stage<L: Lesson, C: Config>(
    mut run: StageRun<'_>,
    settings: &StageSettings<C>,
    stage: L::Stage,
    lesson: L,
    crop_frames: usize,
) -> Result<Ending, TrainError> {
    let train_lengths = lesson.lengths(Split::Train);
    let mut trainee = StageTrainee {
        seed: run.seed,
        device: run.device.clone(),
        schedule: settings.schedule,
        batch: settings.batch,
        gradient_checkpointing: settings.gradient_checkpointing,
        crop_frames,
        sampler: CropSampler::new(&train_lengths, crop_frames),
        learner: Learner::new(stage, "stage.bpk"),
        lesson,
    };
    run.origin = run.origin.with_lineage(trainee.lesson.lineage());
    let drive =
        Drive::new(&mut run, trainee.lesson.name(), settings.schedule.steps, settings.cadence)?;
    let ending = drive.run(&mut trainee)?;
    if ending == Ending::Finished {
        run.export(trainee.lesson.name(), |it| trainee.export(it, &settings.model))?;
    }
    Ok(ending)
}

struct StageTrainee<L: Lesson> {
    seed: u64,
    device: Device,
    schedule: Schedule,
    batch: usize,
    gradient_checkpointing: bool,
    crop_frames: usize,
    sampler: CropSampler,
    learner: Learner<L::Stage>,
    lesson: L,
}

impl<L: Lesson> StageTrainee<L> {
    /// The loss of a step's crops and its gradients. Crops are drawn anew where none of them holds
    /// anything to predict, as in long silences.
    fn learnt(&self, step: u64) -> Result<(StageLoss, GradientsParams), TrainError> {
        let mut rng = generator(self.seed, self.lesson.name(), step);
        let mut draw = || -> Result<(StageLoss, GradientsParams), TrainError> {
            let crops = self.crops(rng.next_u64(), step);
            let batch = self.lesson.batch(Split::Train, &crops, &mut rng)?;
            let seed = generator(self.seed, "dropout", step).next_u64();
            let mut activations = match self.gradient_checkpointing {
                true => Activations::recomputed(seed),
                false => Activations::Kept,
            };
            self.device.seed(seed);
            let loss = self.learner.model.loss_leaving(&batch, &mut activations)?;
            let gradients = activations.gradients(&loss.loss, &self.learner.model);
            Ok((loss, gradients))
        };
        for _ in 1..MOST_DRAWS {
            match draw() {
                Err(TrainError::Tokens(TokenError::NothingToPredict)) => {}
                drawn => return drawn,
            }
        }
        draw()
    }

    fn crops(&self, seed: u64, step: u64) -> Vec<Frames> {
        let crops = self.sampler.batch(seed, step, self.batch);
        let frames = |it: audiolm_data::Crop| Frames {
            recording: it.recording,
            start: it.start,
            end: it.start + it.length,
        };
        crops.into_iter().map(frames).collect()
    }

    /// Every frame of a split, in crops that do not overlap.
    fn all_crops(&self, on: Split) -> Vec<Frames> {
        let of_recording = |(recording, length): (usize, usize)| {
            let starts = (0..length).step_by(self.crop_frames);
            starts.map(move |start| {
                let end = (start + self.crop_frames).min(length);
                Frames { recording, start, end }
            })
        };
        self.lesson.lengths(on).into_iter().enumerate().flat_map(of_recording).collect()
    }

    /// Mean negative log-likelihood over all held-out tokens, and how many they are.
    fn held_out(&self) -> Result<(f64, usize), TrainError> {
        let stage = self.learner.model.valid();
        let (mut sum, mut n) = (0.0, 0);
        for (idx, crops) in self.all_crops(Split::Valid).chunks(self.batch).enumerate() {
            // The same whenever it is measured.
            let mut rng = generator(self.seed, "held out", idx as u64);
            let loss = match stage.loss(&self.lesson.batch(Split::Valid, crops, &mut rng)?) {
                Err(TokenError::NothingToPredict) => continue,
                loss => loss?,
            };
            sum += f64::from(loss.nll.into_scalar::<f32>()) * loss.tokens as f64;
            n += loss.tokens;
        }
        match n {
            0 => Err(TokenError::NothingToPredict.into()),
            _ => Ok((sum / n as f64, n)),
        }
    }

    fn bigram(&self) -> Result<f64, TrainError> {
        let sequences = |on| -> Vec<GivenStart> {
            let crops = self.all_crops(on).into_iter();
            crops.map(|it| self.lesson.sequence(on, it)).filter(|it| !it.ids.is_empty()).collect()
        };
        let bigram = Bigram::fit(&sequences(Split::Train), &self.lesson.vocabularies())?;
        Ok(bigram.evaluate_after(&sequences(Split::Valid))?.nats_per_token)
    }

    fn export<C: Config>(&self, folder: &Path, config: &C) -> Result<(), TrainError> {
        let (nats_per_token, n_tokens) = self.held_out()?;
        let likelihood =
            StageLikelihood { nats_per_token, bigram_nats_per_token: self.bigram()?, n_tokens };
        let likelihood = serde_json::to_value(likelihood).expect("three numbers");
        write_json(&folder.join("likelihood.json"), &likelihood)?;
        write_json(&folder.join("lineage.json"), &self.lesson.lineage())?;
        if let Some(conditioner) = self.lesson.conditioner() {
            let conditioner = serde_json::to_value(conditioner).expect("names");
            write_json(&folder.join("conditioner.json"), &conditioner)?;
        }
        let path = folder.join("config.json");
        config.save(&path).map_err(|it| TrainError::malformed(&path, it))?;
        let weights = folder.join("model.safetensors");
        Ok(save_weights(&self.learner.model.valid(), &weights, Precision::Full)?)
    }
}

fn write_json(path: &Path, value: &serde_json::Value) -> Result<(), TrainError> {
    std::fs::write(path, format!("{value:#}\n")).map_err(TrainError::io(path))
}

impl<L: Lesson> Trainee for StageTrainee<L> {
    fn stage(&self) -> &'static str {
        self.lesson.name()
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let (loss, gradients) = self.learnt(step)?;
        let rate = self.schedule.learning_rate(step);
        self.learner.descend(gradients, rate);
        let mut measures = Measures::default()
            .with("loss", f64::from(loss.loss.into_scalar::<f32>()))
            .with("nll", f64::from(loss.nll.into_scalar::<f32>()));
        if let Some(duration) = loss.duration_nll {
            measures = measures.with("duration_nll", f64::from(duration.into_scalar::<f32>()));
        }
        Ok(measures.with("learning_rate", rate))
    }

    fn validate(&mut self, _: u64) -> Result<Measures, TrainError> {
        Ok(Measures::default().with("nll", self.held_out()?.0))
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        self.learner.save(folder)
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.learner.restore(folder)
    }
}
