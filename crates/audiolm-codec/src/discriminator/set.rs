//! Several discriminators that judge one wave.

use burn::prelude::*;

use crate::{
    MultiPeriodDiscriminator, MultiScaleStftDiscriminator, MultiScaleWaveDiscriminator,
    StftDiscriminator,
};

/// Discriminators that judge one wave together; built by
/// [`DiscriminatorConfig::init_set`](crate::DiscriminatorConfig::init_set).
#[derive(Module, Debug)]
pub struct DiscriminatorSet {
    members: Vec<Discriminator>,
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a set has a handful, and a box is no module")]
pub(crate) enum Discriminator {
    MultiScaleWave(MultiScaleWaveDiscriminator),
    Stft(StftDiscriminator),
    MultiScaleStft(MultiScaleStftDiscriminator),
    MultiPeriod(MultiPeriodDiscriminator),
}

/// What one discriminator makes of a wave, at one of its scales.
#[derive(Debug, Clone)]
pub struct DiscriminatorOutput {
    /// Above zero where the wave is taken for a recording: `[batch, rows, columns, 1]`.
    pub logits: Tensor<4>,
    /// What each layer but the last makes: `[batch, rows, columns, channels]`.
    pub features: Vec<Tensor<4>>,
}

impl DiscriminatorSet {
    pub(crate) fn new(members: Vec<Discriminator>) -> Self {
        Self { members }
    }

    /// One output for each scale of each discriminator.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`
    ///
    /// # Panics
    /// Where the wave is shorter than
    /// [`shortest_samples`](crate::DiscriminatorConfig::shortest_samples) of a discriminator.
    pub fn forward(&self, wave: Tensor<3>) -> Vec<DiscriminatorOutput> {
        let outputs = self.members.iter().map(|it| it.forward(wave.clone()));
        outputs.collect::<Vec<_>>().concat()
    }
}

impl Discriminator {
    fn forward(&self, wave: Tensor<3>) -> Vec<DiscriminatorOutput> {
        match self {
            Self::MultiScaleWave(it) => it.forward(wave),
            Self::Stft(it) => vec![it.forward(wave)],
            Self::MultiScaleStft(it) => it.forward(wave),
            Self::MultiPeriod(it) => it.forward(wave),
        }
    }
}

impl DiscriminatorOutput {
    /// The examples of a batch from `first` on, up to `end`.
    pub fn examples(&self, first: usize, end: usize) -> Self {
        let cut = |it: &Tensor<4>| it.clone().slice_dim(0, first..end);
        Self { logits: cut(&self.logits), features: self.features.iter().map(cut).collect() }
    }

    /// The same without gradients.
    pub fn detached(&self) -> Self {
        let features = self.features.iter().map(|it| it.clone().detach()).collect();
        Self { logits: self.logits.clone().detach(), features }
    }
}
