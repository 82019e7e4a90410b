//! Language modelling of raw audio: continue speech or music from a few seconds of sound.
//!
//! [`AudioLm`] is a bundle of trained models on a device. It continues a recording, makes audio
//! from nothing, says the same in another voice, and shows what its tokens are, as AudioLM does
//! (Borsos et al., [arXiv 2209.03143](https://arxiv.org/abs/2209.03143)). This crate is a facade:
//! the rooms behind it are its modules, each a crate of its own. It also is the only one that
//! compiles backends in, by its features `flex` (the default), `wgpu`, `vulkan`, `metal`, `cuda`
//! and `rocm`; [`device`] chooses among them.
//!
//! ```
//! use audiolm::{Clip, ContinueOptions};
//!
//! # let folder = tempfile::tempdir()?;
//! # let bundle = folder.path().join("bundle");
//! # let recording = folder.path().join("hello.wav");
//! # audiolm::pipeline::testing::tiny_bundle(&bundle, &audiolm::device(None)?)?;
//! # let tone = (0..24_000).map(|n| 0.1 * (n as f32 * 0.05).sin()).collect();
//! # Clip { samples: tone, sample_rate_hz: 24_000 }.write_wav(&recording)?;
//! # let out = folder.path().join("out.wav");
//! let clip = Clip::read(recording)?;
//! let options = ContinueOptions { seconds: 0.5, seed: 7, ..Default::default() };
//! let device = audiolm::device(None)?;
//! let continuation = audiolm::AudioLm::load(bundle, &device)?.continue_from(&clip, &options)?;
//! continuation.clip.write_wav(out)?;
//! # assert_eq!(continuation.clip.seconds(), 1.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! On a CPU a program whose main thread waits for what it asks for does well to call
//! `work_on_this_thread` first: up to twice as fast on machines whose cores are slow to wake.

mod device;
pub mod discrimination;
pub mod evaluation;
pub mod preference;

pub use audiolm_audio::Clip;
#[cfg(feature = "flex")]
pub use audiolm_flex::work_on_this_thread;
pub use audiolm_nn::Weights;
pub use audiolm_pipeline::{
    AcousticDecoder, AudioLm, Continuation, ContinueOptions, GenerateOptions, Generation,
    InfillOptions, ResynthesizeOptions, StageSampling, Tokens,
};
pub use audiolm_transformer::{Guidance, Recall, Repetition, Sampling};
pub use burn::tensor::Device;
pub use device::{Backend, DeviceError, DeviceName, device};
pub use evaluation::{EvaluateOptions, Evaluation, HeldOut, evaluate};

pub use audiolm_audio as audio;
pub use audiolm_codec as codec;
pub use audiolm_data as data;
pub use audiolm_eval as eval;
pub use audiolm_hub as hub;
pub use audiolm_nn as nn;
pub use audiolm_pickle as pickle;
pub use audiolm_pipeline as pipeline;
pub use audiolm_plot as plot;
pub use audiolm_semantic as semantic;
pub use audiolm_text as text;
pub use audiolm_train as train;
pub use audiolm_transformer as transformer;
