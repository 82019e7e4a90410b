//! Training of every stage, from a folder of audio to the parts of a bundle, resumable to the
//! step.
//!
//! A [`Plan`] holds the settings of all stages; [`train`] trains one of them in a run's folder and
//! goes on where it stopped. Whatever a step draws at random follows from the plan's seed and the
//! number of the step, so an interrupted run and an uninterrupted one are the same run.
//!
//! ```no_run
//! use audiolm_train::{Plan, Preset, Run, Stage, StopSignal, Unobserved, train};
//! use burn::prelude::Device;
//!
//! let mut plan = Plan::preset(Preset::Tiny);
//! plan.data.folder = "recordings".into();
//! for stage in Stage::ALL {
//!     let run = Run {
//!         folder: "runs/mine".as_ref(),
//!         plan: &plan,
//!         device: &Device::default(),
//!         observer: &mut Unobserved,
//!         stop: &StopSignal::default(),
//!     };
//!     train(stage, run)?;
//! }
//! # Ok::<(), audiolm_train::TrainError>(())
//! ```

mod checkpoint;
mod coarse_settings;
mod codec;
mod codec_noise;
mod condition_settings;
mod curves;
mod data_settings;
mod descriptions;
mod drive;
mod error;
mod guard;
mod kmeans;
mod language;
mod layer_rates;
mod learner;
mod measures;
mod observer;
mod origin;
mod parallel;
mod plan;
mod plan_check;
mod published_codec;
mod recordings;
mod run;
mod schedule;
mod semantic_encoder;
mod stage;
mod stages;
mod streamed_kmeans;
mod target_features;
mod tokenizers;
mod tokens;
mod whole_folder;

pub use coarse_settings::CoarseSettings;
pub use codec::{AdversarySettings, CodecSettings, Learns, LossWeights, Weighed};
pub use codec_noise::NoiseSettings;
pub use condition_settings::{ConditionSettings, ConditionerKind, Told, ToldStage};
pub use curves::loss_curves;
pub use data_settings::DataSettings;
pub use drive::{Cadence, Ending};
pub use error::TrainError;
pub use guard::{GuardSettings, Trouble};
pub use kmeans::{KmeansMethod, KmeansSettings};
pub use language::{StageLikelihood, StageSettings};
pub use measures::{MeasuredOn, Measures, MetricsLine, MetricsLog, read_metrics};
pub use observer::{Observer, StopSignal, Unobserved};
pub use plan::{Plan, Preset};
pub use published_codec::{given_codec, take_codec, taken_codec};
pub use schedule::Schedule;
pub use semantic_encoder::{SemanticEncoderSettings, TranscriptionSettings, VoiceSettings};
pub use stage::{Run, Stage, train, train_with};
