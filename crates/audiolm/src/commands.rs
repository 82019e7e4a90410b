//! One file for each command.

mod abx;
mod bundle;
mod card;
mod continue_audio;
mod decode;
mod encode;
mod evaluate;
mod generate;
mod import;
mod info;
mod plot;
mod reconstruct;
mod recordings;
mod resynthesize;
mod sampling;
mod sound;
mod spectrogram;
mod streaming;
mod tokenize;
mod train;

pub use abx::AbxArgs;
pub use bundle::BundleArgs;
pub use card::CardArgs;
pub use continue_audio::ContinueArgs;
pub use decode::DecodeArgs;
pub use encode::EncodeArgs;
pub use evaluate::EvaluateArgs;
pub use generate::GenerateArgs;
pub use import::ImportArgs;
pub use info::InfoArgs;
pub use plot::PlotArgs;
pub use reconstruct::ReconstructArgs;
pub use resynthesize::ResynthesizeArgs;
pub use spectrogram::SpectrogramArgs;
pub use tokenize::TokenizeArgs;
pub use train::TrainArgs;
