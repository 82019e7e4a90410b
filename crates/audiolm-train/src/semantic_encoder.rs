//! Training of the semantic encoder: an iteration of HuBERT's, w2v-BERT's, or on transcripts.

mod crops;
mod hubert;
mod transcription;
mod transcription_settings;
mod voices;
mod w2v_bert;

use std::path::{Path, PathBuf};

use audiolm_data::Split;
use audiolm_nn::{Precision, file_fingerprint, fingerprint, save_weights};
use audiolm_semantic::{
    Encoder, EncoderConfig, HubertConfig, SpanMasking, W2vBertPretrainingConfig,
};
use burn::config::Config;
use burn::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::drive::{Drive, Trainee};
use crate::recordings::{Recordings, require_seconds};
use crate::run::StageRun;
use crate::target_features::targets_fingerprint;
use crate::{Cadence, Ending, Measures, Schedule, TrainError};
use crops::Crops;
use hubert::HubertTrainee;
use transcription::TranscriptionTrainee;
pub use transcription_settings::TranscriptionSettings;
pub use voices::VoiceSettings;
use w2v_bert::W2vBertTrainee;

/// Folder of the exported encoder.
pub(crate) const PART: &str = "semantic-encoder";
/// Clusters or codes that held-out frames must be spread over, by the exponential of their entropy.
const LEAST_SPREAD: f64 = 1.5;
/// Batches held out for validation.
const VALIDATION_BATCHES: u64 = 4;

/// How to train the semantic encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemanticEncoderSettings {
    /// HuBERT's encoder.
    pub model: HubertConfig,
    /// Clusters that are to be guessed.
    pub n_targets: usize,
    /// The run whose finished encoder makes what is clustered, as in HuBERT's second iteration; where
    /// it is empty, MFCCs are.
    pub targets_from: PathBuf,
    /// The layer of that encoder.
    pub targets_layer: usize,
    /// Factor on the gradient that reaches the convolutions: 0.1 in HuBERT's long runs, where it
    /// keeps them from collapsing; a short run has to let them learn.
    pub front_end_gradient: f64,
    /// Which frames are hidden.
    pub masking: SpanMasking,
    /// w2v-BERT, trained in place of HuBERT where it is there: of the settings above none is then
    /// looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w2v_bert: Option<W2vBertPretrainingConfig>,
    /// A conformer that learns to spell what is said, in place of either: of the settings above, and of
    /// `batch` and `crop_samples`, none is then looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcription: Option<TranscriptionSettings>,
    /// Crops in a batch.
    pub batch: usize,
    /// Samples of a crop.
    pub crop_samples: usize,
    /// How fast to learn.
    pub schedule: Schedule,
    /// How often to look and to save.
    pub cadence: Cadence,
}

impl SemanticEncoderSettings {
    /// The encoder that is trained.
    pub fn encoder(&self) -> EncoderConfig {
        match (&self.transcription, &self.w2v_bert) {
            (Some(transcription), _) => transcription.model.encoder.clone().into(),
            (None, Some(w2v_bert)) => w2v_bert.encoder.clone().into(),
            (None, None) => self.model.clone().into(),
        }
    }

    /// The run whose encoder makes the targets, if it is not MFCCs that do.
    pub fn targets_from(&self) -> Option<&Path> {
        (!self.targets_from.as_os_str().is_empty()).then_some(&self.targets_from)
    }
}

/// Trains the encoder of a run, or goes on with it, and exports it when it is finished.
///
/// # Errors
/// Where recordings or the run's files cannot be used, or the loss is no longer a number.
pub(crate) fn train_semantic_encoder(
    mut run: StageRun<'_>,
    settings: &SemanticEncoderSettings,
) -> Result<Ending, TrainError> {
    let rate = settings.encoder().sample_rate_hz() as u32;
    if let Some(lexicon) = settings.transcription.as_ref().and_then(|it| it.lexicon()) {
        let hash = file_fingerprint(lexicon)?;
        run.origin = run.origin.with_lineage(json!({ "lexicon": hash }));
    }
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    if let Some(transcription) = &settings.transcription {
        let trainee = TranscriptionTrainee::new(settings, transcription, &recordings, &run);
        return pretrain(&mut run, settings, &mut trainee?, TranscriptionTrainee::encoder);
    }
    let crop_seconds = settings.crop_samples as f64 / f64::from(rate);
    require_seconds(&recordings.train, Split::Train, crop_seconds)?;
    require_seconds(&recordings.valid, Split::Valid, crop_seconds)?;

    let crops = Crops::new(settings, &recordings, &run);
    if let Some(w2v_bert) = &settings.w2v_bert {
        let mut trainee = W2vBertTrainee::new(crops, w2v_bert)?;
        return pretrain(&mut run, settings, &mut trainee, W2vBertTrainee::encoder);
    }
    if let Some(encoder) = targets_fingerprint(settings)? {
        run.origin = run.origin.with_lineage(json!({ "targets": encoder }));
    }
    let mut trainee = HubertTrainee::new(crops)?;
    pretrain(&mut run, settings, &mut trainee, HubertTrainee::encoder)
}

fn pretrain<T: Trainee>(
    run: &mut StageRun<'_>,
    settings: &SemanticEncoderSettings,
    trainee: &mut T,
    encoder: impl Fn(&T) -> Encoder,
) -> Result<Ending, TrainError> {
    let drive = Drive::new(run, PART, settings.schedule.steps, settings.cadence)?;
    let ending = drive.run(trainee)?;
    if ending == Ending::Finished {
        let config = settings.encoder();
        run.export(PART, |folder| save_encoder(&config, &encoder(trainee), folder))?;
    }
    Ok(ending)
}

fn save_encoder(
    config: &EncoderConfig,
    encoder: &Encoder,
    folder: &Path,
) -> Result<(), TrainError> {
    let path = folder.join("config.json");
    config.save(&path).map_err(|it| TrainError::malformed(&path, it))?;
    Ok(save_weights(encoder, &folder.join("model.safetensors"), Precision::Full)?)
}

/// The finished encoder of a run.
pub(crate) fn load_encoder(
    run: &StageRun<'_>,
    device: &Device,
) -> Result<(EncoderConfig, Encoder), TrainError> {
    let folder = run.exported(PART, PART)?;
    Ok((EncoderConfig::load_from(&folder)?, Encoder::load_from(&folder, device)?))
}

/// What tells the finished encoder of a run from others.
pub(crate) fn encoder_fingerprint(run: &StageRun<'_>) -> Result<String, TrainError> {
    Ok(fingerprint(&run.exported(PART, PART)?)?)
}

fn scalar(tensor: &Tensor<1>) -> f64 {
    f64::from(tensor.clone().into_scalar::<f32>())
}

/// The means of these measures over the batches held out.
fn validated(
    names: &[&str],
    measure: impl Fn(u64) -> Result<Measures, TrainError>,
) -> Result<Measures, TrainError> {
    let mut means = Measures::default();
    for index in 0..VALIDATION_BATCHES {
        let measured = measure(index)?;
        let named =
            |all: Measures, name: &&str| all.with(name, measured.get(name).unwrap_or(f64::NAN));
        let measured = names.iter().fold(Measures::default(), named);
        means = means.plus(measured, 1.0 / VALIDATION_BATCHES as f64);
    }
    Ok(means)
}

/// How many clusters something is spread over.
struct Spread {
    /// What is.
    of: &'static str,
    /// The exponential of its entropy.
    over: f64,
    n_clusters: usize,
}

impl Spread {
    /// Refuses to go on with what is all the same. While a model still warms up, that is how it
    /// begins.
    fn check(&self, step: u64, settings: &SemanticEncoderSettings) -> Result<(), TrainError> {
        let Self { of, over: clusters, n_clusters } = *self;
        match step <= settings.schedule.warmup_steps || clusters >= LEAST_SPREAD {
            true => Ok(()),
            false => Err(TrainError::Collapsed { stage: PART, step, of, clusters, n_clusters }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Plan, Preset};

    /// Of a plan that warms up for one step.
    #[track_caller]
    fn check(of: &'static str, over: f64, [step, collapsed]: [u64; 2]) {
        let settings = Plan::preset(Preset::Smoke).semantic_encoder;
        let checked = Spread { of, over, n_clusters: 8 }.check(step, &settings);
        assert_eq!(u64::from(checked.is_err()), collapsed, "{checked:?}");
        if let Err(error) = checked {
            assert!(error.to_string().contains(&format!("{of} of held-out frames")), "{error}");
        }
    }

    #[test]
    fn what_is_all_the_same_after_the_warm_up_has_collapsed() {
        check("guesses", 1.4, [2, 1]);
        check("codes", 1.0, [2, 1]);
        check("codes", f64::NAN, [2, 1]);
        check("codes", 1.6, [2, 0]);
        check("codes", 1.0, [1, 0]);
    }
}
