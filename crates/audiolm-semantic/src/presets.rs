//! Configurations with a name.

use crate::{
    ConformerConfig, ConvLayerConfig, ConvPadding, FrontEndNorm, GumbelQuantizerConfig,
    HubertConfig, MelMasking, MelNormalisation, NormPlacement, PositionBias, TranscriptionConfig,
    W2vBertPretrainingConfig, WaveScale,
};

/// Kernel and stride of HuBERT's convolutions: 400 samples seen, a frame every 320.
const FRONT_END: [(usize, usize); 7] = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];

/// WavLM's distances: 320 kinds up to 800 frames, which are 16 s.
const WAVLM_BIAS: PositionBias = PositionBias::Gated { n_buckets: 320, max_distance: 800 };

/// HuBERT base, 94.4 M parameters (Hsu et al. 2021, arXiv 2106.07447, Table I; heads and the
/// positional convolution as in the published weights).
pub fn base() -> HubertConfig {
    HubertConfig::new(front_end([512; 7]), 768, 12, 12, 3072)
}

/// HuBERT large, 316 M parameters (Hsu et al. 2021, arXiv 2106.07447, Table I; norms, biases and
/// waves as in the published weights, `facebook/hubert-large-ll60k`).
pub fn hubert_large() -> HubertConfig {
    HubertConfig {
        front_end_norm: FrontEndNorm::Frame,
        conv_bias: true,
        norm_placement: NormPlacement::Before,
        wave_scale: WaveScale::UnitVariance,
        ..HubertConfig::new(front_end([512; 7]), 1024, 24, 16, 4096)
    }
}

/// HuBERT extra large, 963 M parameters (Hsu et al. 2021, arXiv 2106.07447, Table I).
pub fn hubert_extra_large() -> HubertConfig {
    HubertConfig { d_model: 1280, n_layers: 48, d_feed_forward: 5120, ..hubert_large() }
}

/// wav2vec 2.0 base, 94.4 M parameters (Baevski et al. 2020, arXiv 2006.11477, section 4.2): HuBERT
/// took its shape from here.
pub fn wav2vec2_base() -> HubertConfig {
    base()
}

/// wav2vec 2.0 large as it was trained on Libri-Light, 315 M parameters (Baevski et al. 2020, arXiv
/// 2006.11477, section 4.2; norms, biases and waves as in the published weights,
/// `facebook/wav2vec2-large-lv60`).
pub fn wav2vec2_large() -> HubertConfig {
    hubert_large()
}

/// WavLM base and base+, 94.4 M parameters (Chen et al. 2021, arXiv 2110.13900, section IV-B): the
/// two differ in what they were trained on.
pub fn wavlm_base() -> HubertConfig {
    HubertConfig { position_bias: WAVLM_BIAS, ..base() }
}

/// WavLM large, 315 M parameters (Chen et al. 2021, arXiv 2110.13900, section IV-B; norms, biases
/// and waves as in the published weights, `microsoft/wavlm-large`).
pub fn wavlm_large() -> HubertConfig {
    HubertConfig { conv_bias: false, position_bias: WAVLM_BIAS, ..hubert_large() }
}

/// MERT with 95 M parameters, for music at 24 kHz, 75 frames a second (Li et al. 2023, arXiv
/// 2306.00107, section 4.2; `m-a-p/MERT-v1-95M`).
pub fn mert_95m() -> HubertConfig {
    HubertConfig { sample_rate_hz: 24_000, ..base() }
}

/// w2v-BERT 2.0, 580 M parameters (Communication et al. 2023, arXiv 2312.05187, section 3.2.1;
/// `facebook/w2v-bert-2.0`).
pub fn w2v_bert_2() -> ConformerConfig {
    ConformerConfig::new(1024, 24, 16, 4096)
}

/// w2v-BERT XL's conformer, 0.6 B parameters, 25 frames a second as AudioLM taps it (Chung et al.
/// 2021, arXiv 2108.06209, Table 1: 24 layers of width 1024; Borsos et al. 2022, arXiv 2209.03143,
/// section III-B). Its weights are not published. Here the log-mels of four frames are stacked where
/// the paper has two strided convolutions, and positions are those of w2v-BERT 2.0.
pub fn w2v_bert_xl() -> ConformerConfig {
    ConformerConfig { frames_stacked: 4, ..ConformerConfig::new(1024, 24, 8, 4096) }
}

/// The pretraining of w2v-BERT XL: half of the layers are the contrastive module, and one codebook of
/// 1024 entries as wide as the layers makes the codes (Chung et al. 2021, arXiv 2108.06209, section
/// 3.2 and Table 1).
pub fn w2v_bert_xl_pretraining() -> W2vBertPretrainingConfig {
    W2vBertPretrainingConfig::new(w2v_bert_xl(), 12).with_d_projection(1024)
}

/// The same for [`w2v_bert_tiny`].
pub fn w2v_bert_tiny_pretraining() -> W2vBertPretrainingConfig {
    let quantizer = GumbelQuantizerConfig::new().with_n_entries(64).with_d_entry(64);
    W2vBertPretrainingConfig::new(w2v_bert_tiny(), 2)
        .with_quantizer(quantizer)
        .with_d_projection(64)
}

/// [`w2v_bert_tiny`] over 40 log-mels up to 4 kHz, whatever the level, and with short convolutions that
/// see both sides, to learn from transcripts; its second layer has to spell too.
pub fn transcription_tiny() -> TranscriptionConfig {
    let encoder = ConformerConfig {
        conv_kernel_size: 15,
        conv_padding: ConvPadding::Same,
        n_mels: 40,
        highest_hz: 4000.0,
        mel_normalisation: MelNormalisation::Level,
        dropout: 0.1,
        ..w2v_bert_tiny()
    };
    TranscriptionConfig::new(encoder, 2).with_masking(MelMasking::new().with_band_mels(8))
}

/// w2v-BERT's shape at 1.9 M parameters, to be trained on a CPU. No published model.
pub fn w2v_bert_tiny() -> ConformerConfig {
    ConformerConfig { dropout: 0.0, ..ConformerConfig::new(144, 4, 4, 576) }
}

/// HuBERT's shape at 1.6 M parameters, to be trained on a CPU in minutes. No published model.
///
/// The channels of the front end grow while its frame rate falls: the first two convolutions see
/// 64 and 32 times the frames of the last, so their width alone decides the cost on a CPU.
pub fn tiny() -> HubertConfig {
    HubertConfig::new(front_end([32, 64, 96, 128, 160, 160, 160]), 160, 4, 4, 640)
        .with_position_kernel_size(64)
        .with_dropout(0.0)
}

fn front_end(channels: [usize; 7]) -> Vec<ConvLayerConfig> {
    let layer =
        |(channels, (kernel_size, stride))| ConvLayerConfig::new(channels, kernel_size, stride);
    channels.into_iter().zip(FRONT_END).map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncoderConfig;
    use burn::prelude::*;

    /// Compares with what transformers counts in a model of this shape (5.23.0, `HubertModel`,
    /// `Wav2Vec2Model`, `WavLMModel`, `Wav2Vec2BertModel`), less the embedding of masked frames.
    #[track_caller]
    fn check_size(config: impl Into<EncoderConfig>, theirs: usize) {
        let config = config.into();
        let encoder = config.init(&Device::default()).unwrap();
        assert_eq!(encoder.num_params(), theirs - config.d_model());
    }

    #[test]
    fn hubert_has_its_published_size() {
        check_size(base(), 94_371_712);
        check_size(hubert_large(), 315_438_720);
        check_size(hubert_extra_large(), 962_497_408);
    }

    #[test]
    fn its_relatives_have_their_published_sizes() {
        check_size(wav2vec2_base(), 94_371_712);
        check_size(wav2vec2_large(), 315_438_720);
        check_size(wavlm_base(), 94_381_936);
        check_size(wavlm_large(), 315_453_120);
        check_size(mert_95m(), 94_371_712);
    }

    #[test]
    fn w2v_bert_2_has_its_published_size() {
        check_size(w2v_bert_2(), 580_493_120);
    }

    #[test]
    fn tiny_models_are_tiny() {
        let device = Device::default();
        assert_eq!(tiny().init(&device).unwrap().num_params(), 1_591_808);
        let size = w2v_bert_tiny().init(&device).unwrap().num_params();
        assert!((1_500_000..2_500_000).contains(&size), "{size}");
    }
}
