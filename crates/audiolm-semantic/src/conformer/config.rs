//! The numbers that describe a conformer encoder.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{FrameGeometry, HubertError};

/// Mel filters of the published weights.
const PUBLISHED_MELS: usize = 80;
/// Samples of a window of the log-mels: 25 ms at 16 kHz.
pub(super) const WINDOW_SAMPLES: usize = 400;
/// Samples from one window to the next: 10 ms.
pub(super) const HOP_SAMPLES: usize = 160;
/// The lowest frequency that a mel filter hears.
pub(super) const LOWEST_HZ: f64 = 20.0;
/// Samples per second: those of the published weights.
const SAMPLE_RATE_HZ: usize = 16_000;

/// Configuration of a [`Conformer`](crate::Conformer); defaults as in w2v-BERT 2.0.
///
/// A key that is none of these is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformerConfig {
    /// Width of the layers.
    pub d_model: usize,
    /// Conformer layers.
    pub n_layers: usize,
    /// Attention heads of each layer.
    pub n_heads: usize,
    /// Width inside each feed-forward block.
    pub d_feed_forward: usize,
    /// Taps of each layer's convolution.
    pub conv_kernel_size: usize,
    /// Which frames the convolution sees.
    #[serde(default)]
    pub conv_padding: ConvPadding,
    /// Frames before the query whose distances are told apart.
    pub frames_before: usize,
    /// Frames after the query whose distances are told apart.
    pub frames_after: usize,
    /// Frames of log-mels, one each 10 ms, that make one of the encoder: 2 give 50 a second, 4 give
    /// 25.
    pub frames_stacked: usize,
    /// Mel filters: the log-mels of a window.
    #[serde(default = "published_mels")]
    pub n_mels: usize,
    /// The highest frequency they hear: half the sample rate, or less where recordings hold nothing
    /// above it.
    #[serde(default = "nyquist_hz")]
    pub highest_hz: f64,
    /// What log-mels are compared with before they enter.
    #[serde(default)]
    pub mel_normalisation: MelNormalisation,
    /// Share of values dropped in training: of the attention weights and of each block's output.
    pub dropout: f64,
}

/// Which frames the convolution of a layer sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConvPadding {
    /// This one and those before, as in w2v-BERT 2.0.
    #[default]
    Causal,
    /// As many on both sides, as in the first conformers; one fewer before where the taps are even.
    Same,
}

impl ConvPadding {
    /// Frames of silence before and after a clip.
    pub(super) fn frames(self, taps: usize) -> (usize, usize) {
        match self {
            Self::Causal => (taps - 1, 0),
            Self::Same => ((taps - 1) / 2, taps / 2),
        }
    }
}

/// What log-mels are compared with before they enter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelNormalisation {
    /// Each mel with itself over the clip, then all mels of a frame with one another: as w2v-BERT 2.0
    /// does. In a clip of a single word that takes away much of what tells it from others.
    #[default]
    Clip,
    /// All with the same two numbers, for waves at the reference level of recordings: what a frame is
    /// depends on no other.
    Fixed,
    /// All with the level of the clip, which is the mean of the louder half of its frames: how loud it
    /// was recorded does not count, nor how much of it is silence, up to half.
    Level,
}

fn published_mels() -> usize {
    PUBLISHED_MELS
}

fn nyquist_hz() -> f64 {
    SAMPLE_RATE_HZ as f64 / 2.0
}

impl Config for ConformerConfig {}

impl ConformerConfig {
    /// The shape of w2v-BERT 2.0 in all but these sizes.
    pub fn new(d_model: usize, n_layers: usize, n_heads: usize, d_feed_forward: usize) -> Self {
        Self {
            d_model,
            n_layers,
            n_heads,
            d_feed_forward,
            conv_kernel_size: 31,
            conv_padding: ConvPadding::Causal,
            frames_before: 64,
            frames_after: 8,
            frames_stacked: 2,
            n_mels: published_mels(),
            highest_hz: nyquist_hz(),
            mel_normalisation: MelNormalisation::Clip,
            dropout: 0.1,
        }
    }

    /// With another share of dropped values.
    pub fn with_dropout(mut self, dropout: f64) -> Self {
        self.dropout = dropout;
        self
    }

    /// Samples per second of the waves.
    pub fn sample_rate_hz(&self) -> usize {
        SAMPLE_RATE_HZ
    }

    /// How many frames a wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        let stacked = self.frames_stacked;
        FrameGeometry::of_layers([(WINDOW_SAMPLES, HOP_SAMPLES), (stacked, stacked)])
    }

    /// Frames that a wave of `samples` gives.
    pub fn frames(&self, samples: usize) -> usize {
        self.geometry().frames(samples)
    }

    /// Log-mels of one frame of the encoder.
    pub(crate) fn n_features(&self) -> usize {
        self.n_mels * self.frames_stacked
    }

    /// Distances that are told apart.
    pub(crate) fn n_distances(&self) -> usize {
        self.frames_before + 1 + self.frames_after
    }

    /// Checks that the numbers describe a model.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn validate(&self) -> Result<(), HubertError> {
        let sizes = [
            ("d_model", self.d_model),
            ("n_heads", self.n_heads),
            ("d_feed_forward", self.d_feed_forward),
            ("conv_kernel_size", self.conv_kernel_size),
            ("frames_stacked", self.frames_stacked),
            ("n_mels", self.n_mels),
        ];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(HubertError::ZeroSize { name });
        }
        if !self.d_model.is_multiple_of(self.n_heads) {
            let (d_model, parts) = (self.d_model, self.n_heads);
            return Err(HubertError::DoesNotDivide { d_model, name: "n_heads", parts });
        }
        let (found, nyquist) = (self.highest_hz, nyquist_hz());
        if !(LOWEST_HZ < found && found <= nyquist) {
            return Err(HubertError::HighestHz { lowest: LOWEST_HZ, nyquist, found });
        }
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err(HubertError::Dropout { found: self.dropout }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[track_caller]
    fn check_refused(change: impl Fn(&mut ConformerConfig), expected: HubertError) {
        let mut config = presets::w2v_bert_tiny();
        change(&mut config);
        assert_eq!(config.init(&Device::default()).unwrap_err(), expected);
    }

    #[test]
    fn names_what_describes_no_model() {
        check_refused(|it| it.frames_stacked = 0, HubertError::ZeroSize { name: "frames_stacked" });
        check_refused(|it| it.n_mels = 0, HubertError::ZeroSize { name: "n_mels" });
        let refused = |found| HubertError::HighestHz { lowest: 20.0, nyquist: 8000.0, found };
        check_refused(|it| it.highest_hz = 20.0, refused(20.0));
        check_refused(|it| it.highest_hz = 8001.0, refused(8001.0));
        check_refused(|it| it.dropout = 1.0, HubertError::Dropout { found: 1.0 });
        let expected = HubertError::DoesNotDivide { d_model: 144, name: "n_heads", parts: 7 };
        check_refused(|it| it.n_heads = 7, expected);
    }

    #[test]
    fn two_windows_of_mels_make_a_frame() {
        let expected = FrameGeometry { window_samples: 560, hop_samples: 320 };
        assert_eq!(presets::w2v_bert_2().geometry(), expected);
        let expected = FrameGeometry { window_samples: 880, hop_samples: 640 };
        assert_eq!(presets::w2v_bert_xl().geometry(), expected);
    }

    #[test]
    fn json_keeps_every_number() {
        let json = burn::config::config_to_json(&presets::w2v_bert_xl());
        assert_eq!(ConformerConfig::load_binary(json.as_bytes()).unwrap(), presets::w2v_bert_xl());
    }
}
