//! What the options of every command stand for.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use audiolm::hub::Hub;
use audiolm::pipeline::{Bundle, Coder};
use audiolm::text::{ConditionerConfig, Description, T5};
use audiolm::{AudioLm, Device};
use serde::Serialize;

use crate::bundle_folder;
use crate::cli::Global;
use crate::{progress, published};

/// The files of a codec, the largest first.
const CODEC_FILES: [&str; 2] = ["model.safetensors", "config.json"];

/// One call of the program.
#[derive(Debug)]
pub struct Session {
    options: Global,
}

impl Session {
    /// A call with these options.
    pub fn new(options: Global) -> Self {
        Self { options }
    }

    /// The seed, where one was given.
    pub fn named_seed(&self) -> Option<u64> {
        self.options.seed
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.options.seed.unwrap_or(0)
    }

    /// The folder of the bundle.
    pub fn bundle_folder(&self) -> Result<PathBuf> {
        bundle_folder::find(self.options.bundle.as_deref())
    }

    /// The device.
    pub fn device(&self) -> Result<Device> {
        Ok(audiolm::device(self.options.device)?)
    }

    /// The models of the bundle, on the device. The bundle is checked first, whatever the device.
    pub fn load(&self) -> Result<AudioLm> {
        let bundle = Bundle::open(self.bundle_folder()?)?;
        let lm = AudioLm::of_bundle(&bundle, &self.device()?)?;
        Ok(lm.with_weights(self.options.weights))
    }

    /// The same, told a text: through the T5 that the bundle names, where it names one.
    pub fn load_told(&self, text: &str) -> Result<AudioLm> {
        let lm = self.load()?;
        let lm = match lm.conditioner() {
            Some(ConditionerConfig::T5 { name }) => {
                let folder = published::find_text_encoder(name)?;
                lm.with_conditioner(Arc::new(T5::load_from(&folder, &self.device()?)?))?
            }
            _ => lm,
        };
        Ok(lm.told(&Description::Text(text))?)
    }

    /// The codec of this name, or that of the bundle where none is named.
    pub fn coder(&self, named: Option<&str>) -> Result<Coder> {
        match named {
            None => Ok(Coder::of_bundle(self.bundle_folder()?, &self.device()?)?),
            Some(name) => Ok(Coder::load(&self.codec_folder(name)?, &self.device()?)?),
        }
    }

    /// The folder of a codec, by path or by its name on Hugging Face.
    pub fn codec_folder(&self, name: &str) -> Result<PathBuf> {
        Ok(Hub::from_env().folder(name, &CODEC_FILES, &mut progress::downloading())?)
    }

    /// The files of a published encoder, by path or by its name on Hugging Face.
    pub fn published(&self, name: &str) -> Result<PathBuf> {
        published::find(name)
    }

    /// Prints a result for people, or with `--json` for programs.
    pub fn print(&self, result: &(impl Serialize + Display)) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if self.options.json {
            serde_json::to_writer(&mut out, result).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{result}")?;
        }
        Ok(out.flush()?)
    }
}
