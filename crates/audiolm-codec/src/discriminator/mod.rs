//! What tells recordings from reconstructions: the discriminators of SoundStream and of the codecs
//! after it, one interface for all, and how to name a set of them.

mod config;
mod convolution;
mod example_norm;
mod multi_period;
mod multi_scale_stft;
mod multi_scale_wave;
mod set;
mod spectrum;
mod stft;

pub use config::DiscriminatorConfig;
pub use multi_period::MultiPeriodDiscriminator;
pub use multi_scale_stft::MultiScaleStftDiscriminator;
pub use multi_scale_wave::MultiScaleWaveDiscriminator;
pub use set::{DiscriminatorOutput, DiscriminatorSet};
pub use stft::StftDiscriminator;
