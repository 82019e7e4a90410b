//! The numbers that describe a DAC.

use serde::Deserialize;

use super::layers::DacResidualUnit;
use crate::hub_config::{HubConfig, Only};
use crate::{CodecError, CodecKind, CodecSpec};

/// Sizes of a [`Dac`](crate::Dac), under the names they have in `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct DacConfig {
    pub(super) encoder_hidden_size: usize,
    pub(super) downsampling_ratios: Vec<usize>,
    pub(super) decoder_hidden_size: usize,
    pub(super) n_codebooks: usize,
    pub(super) codebook_size: usize,
    pub(super) codebook_dim: usize,
    sampling_rate: usize,
    /// What follows from the above, where the file states it all the same.
    hidden_size: Option<usize>,
    hop_length: Option<usize>,
    upsampling_ratios: Option<Vec<usize>>,
}

impl Default for DacConfig {
    /// DAC 44.1 kHz (arXiv 2306.06546, section 4), at the rate that transformers
    /// assumes where none is given.
    fn default() -> Self {
        Self {
            encoder_hidden_size: 64,
            downsampling_ratios: vec![2, 4, 8, 8],
            decoder_hidden_size: 1536,
            n_codebooks: 9,
            codebook_size: 1024,
            codebook_dim: 8,
            sampling_rate: 16_000,
            hidden_size: None,
            hop_length: None,
            upsampling_ratios: None,
        }
    }
}

impl DacConfig {
    pub(crate) fn of(file: &HubConfig) -> Result<Self, CodecError> {
        let config: Self = file.parse()?;
        config.validate(&Only { path: file.path(), model: CodecKind::Dac.name() })?;
        Ok(config)
    }

    /// What it takes and makes.
    pub fn spec(&self) -> CodecSpec {
        CodecSpec {
            kind: CodecKind::Dac,
            sample_rate_hz: self.sampling_rate,
            hop_samples: self.hop_samples(),
            n_quantizers: self.n_codebooks,
            codebook_size: self.codebook_size,
        }
    }

    /// Channels of a frame.
    pub(super) fn hidden_size(&self) -> usize {
        self.encoder_hidden_size << self.downsampling_ratios.len()
    }

    /// Frames to either side of a frame that its codes depend on, at most.
    pub(crate) fn encoder_reach(&self) -> usize {
        // From the last layer to the first, in steps of each layer's input.
        let mut reach = 1;
        for stride in self.downsampling_ratios.iter().rev() {
            reach = (reach + 1) * stride + DacResidualUnit::REACH;
        }
        (reach + 3).div_ceil(self.hop_samples())
    }

    /// Frames to either side of a frame that its samples depend on, at most.
    pub(crate) fn decoder_reach(&self) -> usize {
        let mut reach = 3;
        for stride in &self.downsampling_ratios {
            reach = (reach + DacResidualUnit::REACH).div_ceil(*stride) + 1;
        }
        reach + 3
    }

    fn hop_samples(&self) -> usize {
        self.downsampling_ratios.iter().product()
    }

    fn validate(&self, only: &Only<'_>) -> Result<(), CodecError> {
        only.strides("downsampling_ratios", &self.downsampling_ratios)?;
        // Halved at each stride.
        let least = 1 << self.downsampling_ratios.len();
        only.between("decoder_hidden_size", least..=1 << 20, self.decoder_hidden_size)?;
        only.sizes(&[
            ("encoder_hidden_size", self.encoder_hidden_size),
            ("codebook_dim", self.codebook_dim),
            ("sampling_rate", self.sampling_rate),
        ])?;
        only.between("n_codebooks", 1..=1024, self.n_codebooks)?;
        only.codebook_size(self.codebook_size)?;
        let backwards = self.downsampling_ratios.iter().rev().copied().collect::<Vec<_>>();
        if let Some(found) = &self.upsampling_ratios {
            only.value("upsampling_ratios", &backwards, found)?;
        }
        if let Some(found) = self.hidden_size {
            only.value("hidden_size", self.hidden_size(), found)?;
        }
        if let Some(found) = self.hop_length {
            only.value("hop_length", self.hop_samples(), found)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_reach(downsampling_ratios: &[usize], encoder: usize, decoder: usize) {
        let downsampling_ratios = downsampling_ratios.to_vec();
        let config = DacConfig { downsampling_ratios, ..DacConfig::default() };
        assert_eq!((config.encoder_reach(), config.decoder_reach()), (encoder, decoder));
    }

    #[test]
    fn published_models_see_so_many_frames_around_each() {
        check_reach(&[2, 4, 5, 8], 9, 11);
        check_reach(&[2, 4, 8, 8], 8, 10);
    }
}
