//! Training on transcripts: an encoder that learns to spell what is said.

use std::collections::HashMap;
use std::path::Path;

use audiolm_data::Corpus;
use audiolm_nn::{Generator, generator};
use audiolm_semantic::{
    Alphabet, Clips, Encoder, SemanticError, SpellingErrors, TranscriptionBatch,
    TranscriptionOutput, TranscriptionTraining, frames_to_spell,
};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use rand::{Rng, RngExt};

use super::transcription_settings::TranscriptionSettings;
use super::{PART, SemanticEncoderSettings, VALIDATION_BATCHES, scalar};
use crate::drive::Trainee;
use crate::learner::Learner;
use crate::recordings::{Recordings, Waves};
use crate::run::StageRun;
use crate::{Measures, TrainError};

/// Training on transcripts under way.
pub(super) struct TranscriptionTrainee<'a> {
    settings: &'a SemanticEncoderSettings,
    transcription: &'a TranscriptionSettings,
    train: Utterances<'a>,
    valid: Utterances<'a>,
    seed: u64,
    device: Device,
    learner: Learner<TranscriptionTraining>,
}

/// Recordings of which is known what is said, the shortest first.
struct Utterances<'a> {
    waves: &'a Waves,
    utterances: Vec<Utterance>,
}

struct Utterance {
    recording: usize,
    samples: usize,
    /// What is said: letters or phones.
    symbols: Vec<usize>,
}

impl<'a> TranscriptionTrainee<'a> {
    pub(super) fn new(
        settings: &'a SemanticEncoderSettings,
        transcription: &'a TranscriptionSettings,
        recordings: &'a Recordings,
        run: &StageRun<'_>,
    ) -> Result<Self, TrainError> {
        let corpus = Corpus::open(&run.data.folder, &run.data.options())?;
        let said: HashMap<&str, &str> = corpus
            .recordings()
            .iter()
            .filter_map(|it| Some((it.key.as_str(), it.transcript.as_deref()?)))
            .collect();
        let known = |waves: &'a Waves| (0..waves.len()).filter_map(|it| said.get(waves.key(it)));
        let spelling = transcription.spelling()?;
        let alphabet = Alphabet::of(spelling, known(&recordings.train).copied());
        let of = |split, waves| {
            let all = Utterances::new(waves, &said, &alphabet, transcription);
            match all.utterances.is_empty() {
                true => Err(TrainError::NoTranscripts { split }),
                false => Ok(all),
            }
        };
        let device = run.device.clone();
        device.seed(run.seed);
        let model = transcription
            .model
            .init(&alphabet, &device.clone().autodiff())
            .map_err(SemanticError::from)?;
        Ok(Self {
            settings,
            transcription,
            train: of("train", &recordings.train)?,
            valid: of("valid", &recordings.valid)?,
            seed: run.seed,
            device,
            learner: Learner::new(model, "model.bpk"),
        })
    }

    /// What has been trained.
    pub(super) fn encoder(&self) -> Encoder {
        self.learner.model.valid().encoder.into()
    }

    /// What a step learns from, said by other voices: recordings of several lengths.
    fn training_batches(&self, step: u64) -> Result<Vec<TranscriptionBatch>, TrainError> {
        let mut rng = generator(self.seed, "utterances", step);
        let batches = self.train.batches(self.transcription, &mut rng);
        let device = self.device.clone().autodiff();
        let batch = |utterances: &[Utterance]| {
            let mut waves = self.train.waves_of(utterances)?;
            for wave in &mut waves {
                *wave = self.transcription.voices.vary(std::mem::take(wave), &mut rng);
            }
            let (clips, symbols) = (clips(&waves, &device), symbols(utterances));
            Ok(self.transcription.model.training_batch(clips, symbols, &mut rng))
        };
        batches.into_iter().map(batch).collect()
    }

    fn held_out_batches(&self, index: u64) -> Result<Vec<TranscriptionBatch>, TrainError> {
        let mut rng = generator(self.seed, "valid", index);
        let batch = |utterances: &[Utterance]| {
            let clips = clips(&self.valid.waves_of(utterances)?, &self.device);
            Ok(self.transcription.model.held_out_batch(clips, symbols(utterances)))
        };
        self.valid.batches(self.transcription, &mut rng).into_iter().map(batch).collect()
    }
}

impl<'a> Utterances<'a> {
    /// Those whose letters or phones are known and fit into their frames, even where they are said
    /// faster.
    fn new(
        waves: &'a Waves,
        said: &HashMap<&str, &str>,
        alphabet: &Alphabet,
        settings: &TranscriptionSettings,
    ) -> Self {
        let lengths = waves.lengths();
        let fastest = settings.voices.fastest();
        let utterance = |recording: usize| {
            let symbols = alphabet.classes(said.get(waves.key(recording))?)?;
            let samples = lengths[recording];
            let geometry = settings.model.encoder.geometry();
            let frames = geometry.frames((samples as f64 / fastest) as usize);
            let fits = !symbols.is_empty() && frames > frames_to_spell(&symbols);
            fits.then_some(Utterance { recording, samples, symbols })
        };
        let mut utterances: Vec<_> = (0..waves.len()).filter_map(utterance).collect();
        utterances.sort_by_key(|it| (it.samples, it.recording));
        Self { waves, utterances }
    }

    /// A batch of each length: from equal parts of all, the shortest first.
    fn batches(&self, settings: &TranscriptionSettings, rng: &mut Generator) -> Vec<&[Utterance]> {
        let (all, parts) = (&self.utterances, settings.lengths.min(self.utterances.len()));
        let part = |index| all.len() * index / parts;
        (0..parts)
            .map(|it| neighbours(&all[part(it)..part(it + 1)], settings.batch_samples(), rng))
            .collect()
    }

    fn waves_of(&self, utterances: &[Utterance]) -> Result<Vec<Vec<f32>>, TrainError> {
        utterances.iter().map(|it| self.waves.whole(it.recording)).collect()
    }
}

/// Neighbours of one drawn by lot, so that all are about as long, together so many samples or a little
/// more.
fn neighbours<'a>(all: &'a [Utterance], samples: usize, rng: &mut Generator) -> &'a [Utterance] {
    let mut first = rng.random_range(0..all.len());
    let (mut end, mut total) = (first, 0);
    while total < samples && (first > 0 || end < all.len()) {
        let longer = end < all.len() && (first == 0 || rng.random());
        total += match longer {
            true => {
                end += 1;
                all[end - 1].samples
            }
            false => {
                first -= 1;
                all[first].samples
            }
        };
    }
    &all[first..end]
}

fn symbols(utterances: &[Utterance]) -> Vec<Vec<usize>> {
    utterances.iter().map(|it| it.symbols.clone()).collect()
}

/// Waves of several lengths side by side.
fn clips(waves: &[Vec<f32>], device: &Device) -> Clips {
    let lengths: Vec<_> = waves.iter().map(Vec::len).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut samples = Vec::with_capacity(waves.len() * longest);
    for wave in waves {
        samples.extend(wave);
        samples.resize(samples.len() + longest - wave.len(), 0.0);
    }
    let wave = Tensor::from_data(TensorData::new(samples, [waves.len(), longest]), device);
    Clips::of_lengths(wave, &lengths)
}

impl Trainee for TranscriptionTrainee<'_> {
    fn stage(&self) -> &'static str {
        PART
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let batches = self.training_batches(step)?;
        self.device.seed(generator(self.seed, "dropout", step).next_u64());
        let outputs =
            batches.into_iter().map(|it| self.learner.model.forward(it)).collect::<Vec<_>>();
        let loss = mean_loss(&outputs);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.learner.model);
        let rate = self.settings.schedule.learning_rate(step);
        self.learner.descend(gradients, rate);
        Ok(Measures::default().with("loss", scalar(&loss)).with("learning_rate", rate))
    }

    fn validate(&mut self, _step: u64) -> Result<Measures, TrainError> {
        let model = self.learner.model.valid();
        let (mut loss, mut errors) = (0.0, SpellingErrors::default());
        for index in 0..VALIDATION_BATCHES {
            let batches = self.held_out_batches(index)?;
            let outputs = batches.into_iter().map(|it| model.forward(it)).collect::<Vec<_>>();
            loss += scalar(&mean_loss(&outputs)) / VALIDATION_BATCHES as f64;
            errors =
                outputs.iter().map(TranscriptionOutput::errors).fold(errors, SpellingErrors::plus);
        }
        Ok(Measures::default().with("loss", loss).with("spelling_errors", errors.rate()))
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        self.learner.save(folder)
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.learner.restore(folder)
    }
}

/// The mean of what the batches of a step lose.
fn mean_loss(outputs: &[TranscriptionOutput]) -> Tensor<1> {
    let losses = outputs.iter().map(|it| it.loss.clone()).collect();
    Tensor::cat(losses, 0).mean()
}
