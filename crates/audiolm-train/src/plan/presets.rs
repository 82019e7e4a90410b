//! Plans with a name.

use std::path::PathBuf;

use audiolm_codec::{DiscriminatorConfig, FeatureDistance, SoundStreamConfig};
use audiolm_semantic::{SpanMasking, presets};
use audiolm_transformer::{
    CoarseStageConfig, DecoderConfig, FineStageConfig, ParallelStageConfig, SemanticStageConfig,
};

use super::Plan;
use crate::{
    AdversarySettings, Cadence, CodecSettings, DataSettings, GuardSettings, KmeansMethod,
    KmeansSettings, Learns, LossWeights, NoiseSettings, Schedule, SemanticEncoderSettings,
    StageSettings,
};

fn schedule(steps: u64, peak_learning_rate: f64) -> Schedule {
    Schedule {
        steps,
        warmup_steps: (steps / 50).clamp(1, 1000),
        peak_learning_rate,
        final_share: 0.1,
    }
}

fn cadence(log_every: u64, validate_every: u64, save_every: u64) -> Cadence {
    Cadence { log_every, validate_every, save_every }
}

pub(super) fn tiny() -> Plan {
    Plan {
        seed: 0,
        tokenizers: PathBuf::new(),
        data: DataSettings::default(),
        condition: None,
        semantic_encoder: SemanticEncoderSettings {
            model: presets::tiny(),
            n_targets: 100,
            targets_from: PathBuf::new(),
            targets_layer: 3,
            masking: SpanMasking::new(),
            w2v_bert: None,
            transcription: None,
            batch: 6,
            crop_samples: 32_000,
            front_end_gradient: 1.0,
            schedule: Schedule { warmup_steps: 150, ..schedule(4000, 5e-4) },
            cadence: cadence(10, 150, 50),
        },
        kmeans: KmeansSettings {
            layer: 3,
            beside: Vec::new(),
            n_clusters: 256,
            frames_per_id: 1,
            frames: 60_000,
            iterations: 20,
            crop_samples: 48_000,
            method: KmeansMethod::Lloyd,
            batch_frames: 16_384,
            cadence: cadence(1, 20, 10),
        },
        codec: CodecSettings {
            model: SoundStreamConfig::tiny_16khz(),
            init_from: PathBuf::new(),
            learns: Learns::Everything,
            batch: 6,
            batches_per_step: 1,
            crop_samples: 8_000,
            adam_betas: [0.8, 0.99],
            schedule: Schedule { warmup_steps: 200, final_share: 0.02, ..schedule(3000, 1e-4) },
            wave_weight: 5.0,
            quantizer_dropout: 0.5,
            commitment_weight: 1.0,
            level_dbfs: -26.0,
            level_spread_db: 6.0,
            noise: NoiseSettings::default(),
            average_decay: 0.995,
            adversary: AdversarySettings {
                // What discriminators do at this size is in docs/training.md: so far, harm.
                discriminators: Vec::new(),
                starts_at: 1000,
                warmup_steps: 200,
                peak_learning_rate: 1e-4,
                feature_distance: FeatureDistance::Relative,
                weights: LossWeights::encodec(),
            },
            guard: GuardSettings::default(),
            cadence: cadence(10, 200, 50),
        },
        semantic: StageSettings {
            model: SemanticStageConfig::tiny(),
            batch: 8,
            crop_seconds: 10.0,
            schedule: schedule(1000, 1e-3),
            cadence: cadence(10, 200, 100),
            gradient_checkpointing: false,
        },
        coarse: StageSettings {
            model: CoarseStageConfig::tiny(),
            batch: 4,
            crop_seconds: 4.0,
            schedule: schedule(1000, 1e-3),
            cadence: cadence(10, 200, 100),
            gradient_checkpointing: false,
        }
        .into(),
        fine: StageSettings {
            model: FineStageConfig::tiny(),
            batch: 4,
            crop_seconds: 1.0,
            schedule: schedule(1000, 1e-3),
            cadence: cadence(10, 300, 100),
            gradient_checkpointing: false,
        },
        parallel: StageSettings {
            model: ParallelStageConfig::tiny(),
            batch: 6,
            crop_seconds: 8.0,
            schedule: schedule(1000, 1e-3),
            cadence: cadence(10, 200, 100),
            gradient_checkpointing: false,
        },
    }
}

pub(super) fn smoke() -> Plan {
    let decoder = || DecoderConfig::new(16, 1, 2, 32);
    let mut codec = SoundStreamConfig::tiny_16khz();
    codec.encoder_channels = 2;
    codec.decoder_channels = 2;
    codec.dimension = 8;
    codec.quantizer = audiolm_codec::QuantizerConfig::residual(4, 16);
    let mut encoder = presets::tiny();
    for layer in &mut encoder.conv_layers {
        layer.channels = 16;
    }
    encoder = audiolm_semantic::HubertConfig {
        d_model: 16,
        n_layers: 2,
        n_heads: 2,
        d_feed_forward: 32,
        ..encoder
    };
    let tiny = tiny();
    let short =
        |peak| Schedule { steps: 4, warmup_steps: 1, peak_learning_rate: peak, final_share: 0.1 };
    let cadence = cadence(1, 4, 2);
    Plan {
        seed: 0,
        tokenizers: PathBuf::new(),
        data: DataSettings::default(),
        condition: None,
        semantic_encoder: SemanticEncoderSettings {
            model: encoder,
            n_targets: 8,
            batch: 2,
            crop_samples: 8_000,
            schedule: short(1e-3),
            cadence,
            ..tiny.semantic_encoder
        },
        kmeans: KmeansSettings {
            layer: 1,
            beside: Vec::new(),
            n_clusters: 8,
            frames_per_id: 1,
            frames: 400,
            iterations: 3,
            crop_samples: 8_000,
            batch_frames: 200,
            cadence,
            ..tiny.kmeans
        },
        codec: CodecSettings {
            model: codec,
            batch: 2,
            batches_per_step: 2,
            crop_samples: 3_200,
            schedule: short(1e-3),
            adversary: AdversarySettings {
                discriminators: smallest_discriminators(),
                starts_at: 1,
                warmup_steps: 1,
                peak_learning_rate: 1e-3,
                ..tiny.codec.adversary
            },
            cadence,
            ..tiny.codec
        },
        semantic: StageSettings {
            model: SemanticStageConfig::new(decoder(), 8),
            batch: 2,
            crop_seconds: 1.0,
            schedule: short(1e-3),
            cadence,
            gradient_checkpointing: false,
        },
        coarse: StageSettings {
            model: CoarseStageConfig::new(decoder(), 8, 2, 16),
            batch: 2,
            crop_seconds: 0.5,
            schedule: short(1e-3),
            cadence,
            gradient_checkpointing: false,
        }
        .into(),
        fine: StageSettings {
            model: FineStageConfig::new(decoder(), 4, 2, 16),
            batch: 2,
            crop_seconds: 0.5,
            schedule: short(1e-3),
            cadence,
            gradient_checkpointing: false,
        },
        parallel: StageSettings {
            model: ParallelStageConfig::new(decoder(), 8, 4, 16),
            batch: 2,
            crop_seconds: 1.0,
            schedule: short(1e-3),
            cadence,
            gradient_checkpointing: false,
        },
    }
}

/// One of each kind, as narrow as it can be.
fn smallest_discriminators() -> Vec<DiscriminatorConfig> {
    vec![
        DiscriminatorConfig::MultiScaleWave { channels: 4, most_channels: 8 },
        DiscriminatorConfig::Stft { channels: 1 },
        DiscriminatorConfig::MultiScaleStft { channels: 2, windows: vec![256, 128] },
        DiscriminatorConfig::MultiPeriod { channels: 2, most_channels: 4, periods: vec![2, 3] },
    ]
}

/// The sizes and crops of AudioLM, arXiv 2209.03143.
///
/// Section IV-A: crops of 30, 10 and 3 s, batches of 256, a million steps. What the papers leave
/// open (the codec's batch and rate) is EnCodec's (arXiv 2210.13438). Crops of the parallel stage are
/// as long as SoundStorm's longest (arXiv 2305.09636), which counts epochs where AudioLM counts steps.
pub(super) fn paper() -> Plan {
    let tiny = tiny();
    let often = cadence(100, 5_000, 1_000);
    Plan {
        semantic_encoder: SemanticEncoderSettings {
            model: presets::base(),
            n_targets: 100,
            targets_layer: 6,
            batch: 32,
            crop_samples: 250_000,
            front_end_gradient: 0.1,
            schedule: Schedule { warmup_steps: 20_000, ..schedule(250_000, 5e-4) },
            cadence: often,
            ..tiny.semantic_encoder
        },
        kmeans: KmeansSettings {
            layer: 9,
            beside: Vec::new(),
            n_clusters: 1024,
            frames_per_id: 1,
            frames: 1_000_000,
            iterations: 50,
            crop_samples: 160_000,
            ..tiny.kmeans
        },
        codec: CodecSettings {
            model: SoundStreamConfig::audiolm_16khz(),
            batch: 64,
            crop_samples: 16_000,
            schedule: schedule(600_000, 3e-4),
            adam_betas: [0.5, 0.9],
            wave_weight: 0.0,
            quantizer_dropout: 1.0,
            average_decay: 0.999,
            adversary: AdversarySettings {
                discriminators: DiscriminatorConfig::sound_stream(),
                starts_at: 0,
                warmup_steps: 1_000,
                peak_learning_rate: 3e-4,
                feature_distance: FeatureDistance::Absolute,
                weights: LossWeights::sound_stream(),
            },
            cadence: often,
            ..tiny.codec
        },
        semantic: StageSettings {
            model: SemanticStageConfig::paper(),
            batch: 256,
            crop_seconds: 30.0,
            schedule: schedule(1_000_000, 3e-4),
            cadence: often,
            gradient_checkpointing: true,
        },
        coarse: StageSettings {
            model: CoarseStageConfig::paper(),
            batch: 256,
            crop_seconds: 10.0,
            schedule: schedule(1_000_000, 3e-4),
            cadence: often,
            gradient_checkpointing: true,
        }
        .into(),
        fine: StageSettings {
            model: FineStageConfig::paper(),
            batch: 256,
            crop_seconds: 3.0,
            schedule: schedule(1_000_000, 3e-4),
            cadence: often,
            gradient_checkpointing: true,
        },
        parallel: StageSettings {
            model: ParallelStageConfig::paper(),
            batch: 256,
            crop_seconds: 30.0,
            schedule: schedule(1_000_000, 3e-4),
            cadence: often,
            gradient_checkpointing: true,
        },
        ..tiny
    }
}
