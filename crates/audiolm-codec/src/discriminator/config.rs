//! Which discriminators, and how wide.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::discriminator::set::Discriminator;
use crate::{
    CodecError, DiscriminatorSet, MultiPeriodDiscriminator, MultiScaleStftDiscriminator,
    MultiScaleWaveDiscriminator, StftDiscriminator,
};

/// One discriminator of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DiscriminatorConfig {
    /// A [`MultiScaleWaveDiscriminator`].
    MultiScaleWave {
        /// Channels of the first layer, a multiple of 4; each grouped one has four times those of
        /// the one before.
        channels: usize,
        /// Most channels of a layer, a multiple of `channels`.
        most_channels: usize,
    },
    /// A [`StftDiscriminator`].
    Stft {
        /// Channels of the first layer; the last has sixteen times as many.
        channels: usize,
    },
    /// A [`MultiScaleStftDiscriminator`].
    MultiScaleStft {
        /// Channels of every layer.
        channels: usize,
        /// Samples of each window, powers of two.
        windows: Vec<usize>,
    },
    /// A [`MultiPeriodDiscriminator`].
    MultiPeriod {
        /// Channels of the first layer; each strided one has four times those of the one before.
        channels: usize,
        /// Most channels of a layer.
        most_channels: usize,
        /// The periods, in samples.
        periods: Vec<usize>,
    },
}

impl DiscriminatorConfig {
    /// Those of SoundStream (arXiv 2107.03312, section III-D).
    pub fn sound_stream() -> Vec<Self> {
        vec![
            Self::MultiScaleWave { channels: 16, most_channels: 1024 },
            Self::Stft { channels: 32 },
        ]
    }

    /// That of EnCodec (arXiv 2210.13438, section 3.4): five windows.
    pub fn encodec() -> Vec<Self> {
        let windows = vec![2048, 1024, 512, 256, 128];
        vec![Self::MultiScaleStft { channels: 32, windows }]
    }

    /// After the Descript Audio Codec (arXiv 2306.06546, section 3.4): the multi-period
    /// discriminator of HiFi-GAN (arXiv 2010.05646), and one of spectra at its three windows, here
    /// without its cut into bands.
    pub fn multi_period() -> Vec<Self> {
        let periods = vec![2, 3, 5, 7, 11];
        vec![
            Self::MultiPeriod { channels: 32, most_channels: 1024, periods },
            Self::MultiScaleStft { channels: 32, windows: vec![2048, 1024, 512] },
        ]
    }

    /// Samples of the shortest wave it can look at.
    pub fn shortest_samples(&self) -> usize {
        match self {
            Self::MultiScaleWave { .. } => 4,
            Self::Stft { .. } => StftDiscriminator::SHORTEST_SAMPLES,
            Self::MultiScaleStft { windows, .. } => windows.iter().copied().max().unwrap_or(1),
            Self::MultiPeriod { periods, .. } => periods.iter().copied().max().unwrap_or(1),
        }
    }

    /// Builds a set with fresh weights.
    ///
    /// # Errors
    /// Where a number describes no discriminator; it is named.
    pub fn init_set(set: &[Self], device: &Device) -> Result<DiscriminatorSet, CodecError> {
        let members = set.iter().map(|it| it.init(device)).collect::<Result<_, _>>()?;
        Ok(DiscriminatorSet::new(members))
    }

    fn init(&self, device: &Device) -> Result<Discriminator, CodecError> {
        self.validate()?;
        Ok(match self {
            Self::MultiScaleWave { channels, most_channels } => Discriminator::MultiScaleWave(
                MultiScaleWaveDiscriminator::new(*channels, *most_channels, device),
            ),
            Self::Stft { channels } => {
                Discriminator::Stft(StftDiscriminator::new(*channels, device))
            }
            Self::MultiScaleStft { channels, windows } => Discriminator::MultiScaleStft(
                MultiScaleStftDiscriminator::new(*channels, windows, device),
            ),
            Self::MultiPeriod { channels, most_channels, periods } => Discriminator::MultiPeriod(
                MultiPeriodDiscriminator::new(*channels, *most_channels, periods, device),
            ),
        })
    }

    /// Names the first number that describes no discriminator.
    fn validate(&self) -> Result<(), CodecError> {
        match self {
            Self::MultiScaleWave { channels, most_channels } => {
                let holds = *channels > 0 && channels.is_multiple_of(4);
                require(holds, "channels", "a multiple of 4", channels)?;
                let holds = *most_channels >= *channels && most_channels.is_multiple_of(*channels);
                require(holds, "most_channels", "a multiple of channels", most_channels)
            }
            Self::Stft { channels } => require(*channels > 0, "channels", "at least 1", channels),
            Self::MultiScaleStft { channels, windows } => {
                require(*channels > 0, "channels", "at least 1", channels)?;
                let holds = windows.iter().all(|it| *it >= 32 && it.is_power_of_two());
                let expected = "powers of two from 32 on, at least one";
                require(holds && !windows.is_empty(), "windows", expected, format!("{windows:?}"))
            }
            Self::MultiPeriod { channels, most_channels, periods } => {
                require(*channels > 0, "channels", "at least 1", channels)?;
                require(*most_channels > 0, "most_channels", "at least 1", most_channels)?;
                let holds = !periods.is_empty() && !periods.contains(&0);
                require(holds, "periods", "one or more, each at least 1", format!("{periods:?}"))
            }
        }
    }
}

fn require(
    holds: bool,
    field: &'static str,
    expected: &'static str,
    found: impl ToString,
) -> Result<(), CodecError> {
    match holds {
        true => Ok(()),
        false => Err(CodecError::Discriminator { field, expected, found: found.to_string() }),
    }
}
