//! One interface to every codec.

use std::path::Path;

use burn::prelude::*;

use crate::folder::{CONFIG_FILE, WEIGHTS_FILE};
use crate::hub_config::{HubConfig, Only};
use crate::{
    CodecError, CodecKind, CodecSpec, Dac, DacConfig, EnCodec, EnCodecConfig, Mimi, MimiConfig,
    SoundStream, SoundStreamConfig,
};

/// The configuration of any codec.
#[derive(Debug, Clone)]
pub enum CodecConfig {
    /// Of ours.
    SoundStream(SoundStreamConfig),
    /// Of EnCodec 24 kHz.
    EnCodec(EnCodecConfig),
    /// Of DAC.
    Dac(DacConfig),
    /// Of Mimi.
    Mimi(Box<MimiConfig>),
}

/// Any codec: wave to codes and back.
///
/// All take one channel and end the last frame with what they make up for it; the waves they make
/// are whole frames. Sound that is still arriving is coded as [`EncodeStream`](crate::EncodeStream)
/// and [`DecodeStream`](crate::DecodeStream) say.
#[derive(Debug, Clone)]
pub struct Codec {
    pub(crate) model: CodecModel,
    pub(crate) config: CodecConfig,
    spec: CodecSpec,
}

/// The model behind the interface.
#[derive(Debug, Clone)]
pub(crate) enum CodecModel {
    SoundStream(Box<SoundStream>),
    EnCodec(Box<EnCodec>),
    Dac(Box<Dac>),
    Mimi(Box<Mimi>),
}

impl CodecConfig {
    /// Reads `config.json` of a codec's folder, whose `model_type` says which codec it is; ours has
    /// none.
    ///
    /// # Errors
    /// Where there is no such file, it is damaged, or describes a model that is no codec or of a
    /// variant that is not implemented.
    pub fn load_from(folder: &Path) -> Result<Self, CodecError> {
        let file = HubConfig::load(&folder.join(CONFIG_FILE))?;
        match file.model_type() {
            None => {
                let config = SoundStreamConfig::load_from(folder)?;
                config.require_mono()?;
                Ok(Self::SoundStream(config))
            }
            Some("encodec") => Ok(Self::EnCodec(unscaled(EnCodecConfig::of(&file)?, &file)?)),
            Some("dac") => Ok(Self::Dac(DacConfig::of(&file)?)),
            Some("mimi") => Ok(Self::Mimi(Box::new(MimiConfig::of(&file)?))),
            Some(other) => {
                let (path, found) = (file.path().to_owned(), other.to_owned());
                Err(CodecError::UnknownModel { path, found })
            }
        }
    }

    /// What it takes and makes.
    pub fn spec(&self) -> CodecSpec {
        match self {
            Self::SoundStream(config) => CodecSpec {
                kind: CodecKind::SoundStream,
                sample_rate_hz: config.sample_rate_hz,
                hop_samples: config.hop_samples(),
                n_quantizers: config.quantizer.n_quantizers(),
                codebook_size: config.quantizer.codebook_size(),
            },
            Self::EnCodec(config) => config.spec(),
            Self::Dac(config) => config.spec(),
            Self::Mimi(config) => config.spec(),
        }
    }
}

/// Codes alone do not say how loud a wave was that was divided by its loudness.
fn unscaled(config: EnCodecConfig, file: &HubConfig) -> Result<EnCodecConfig, CodecError> {
    let only = Only { path: file.path(), model: CodecKind::EnCodec.name() };
    only.value("normalize", false, config.normalizes())?;
    Ok(config)
}

impl Codec {
    /// Reads `config.json` and `model.safetensors` of a codec's folder: of ours, or of a published
    /// codec in transformers' format.
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a model that is
    /// no codec or of a variant that is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, CodecError> {
        let config = CodecConfig::load_from(folder)?;
        let weights = folder.join(WEIGHTS_FILE);
        let model = match &config {
            CodecConfig::SoundStream(_) => {
                CodecModel::SoundStream(Box::new(SoundStream::load_from(folder, device)?))
            }
            CodecConfig::EnCodec(it) => {
                CodecModel::EnCodec(Box::new(EnCodec::read(it, &weights, device)?))
            }
            CodecConfig::Dac(it) => CodecModel::Dac(Box::new(Dac::read(it, &weights, device)?)),
            CodecConfig::Mimi(it) => CodecModel::Mimi(Box::new(Mimi::read(it, &weights, device)?)),
        };
        Ok(Self { model, spec: config.spec(), config })
    }

    /// A codec of ours.
    pub fn of_sound_stream(config: SoundStreamConfig, codec: SoundStream) -> Self {
        let config = CodecConfig::SoundStream(config);
        let model = CodecModel::SoundStream(Box::new(codec));
        Self { model, spec: config.spec(), config }
    }

    /// What it takes and makes.
    pub fn spec(&self) -> CodecSpec {
        self.spec
    }

    /// The codec and its configuration, where it is one of ours.
    pub fn as_sound_stream(&self) -> Option<(&SoundStreamConfig, &SoundStream)> {
        match (&self.config, &self.model) {
            (CodecConfig::SoundStream(config), CodecModel::SoundStream(codec)) => {
                Some((config, codec))
            }
            _ => None,
        }
    }

    /// The codes of a wave.
    ///
    /// # Shapes
    /// - wave: `[batch, 1, samples]`, `samples` at least 1
    /// - output: `[batch, quantizer, ceil(samples / hop)]`
    pub fn encode(&self, wave: Tensor<3>) -> Tensor<3, Int> {
        match &self.model {
            CodecModel::SoundStream(codec) => codec.encode(wave),
            CodecModel::EnCodec(codec) => codec.encode(wave),
            CodecModel::Dac(codec) => codec.encode(self.filled(wave)),
            CodecModel::Mimi(codec) => codec.encode(wave),
        }
    }

    /// The wave of codes, from any number of leading quantizers.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at least 1 and at most the number of quantizers
    /// - output: `[batch, 1, time * hop]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        match &self.model {
            CodecModel::SoundStream(codec) => codec.decode(codes),
            CodecModel::EnCodec(codec) => codec.decode(codes),
            CodecModel::Dac(codec) => self.filled(codec.decode(codes)),
            CodecModel::Mimi(codec) => codec.decode(codes),
        }
    }

    /// The same codes as [`encode`](Self::encode), made `chunk_frames` at a time, so that memory
    /// does not grow with the wave.
    ///
    /// # Shapes
    /// As in [`encode`](Self::encode).
    pub fn encode_in_chunks(&self, wave: Tensor<3>, chunk_frames: usize) -> Tensor<3, Int> {
        let mut stream = self.encode_stream();
        let chunk_samples = chunk_frames.max(1) * self.spec.hop_samples;
        let chunks = wave.split(chunk_samples, 2).into_iter();
        let mut codes: Vec<_> = chunks.filter_map(|it| self.encode_step(it, &mut stream)).collect();
        codes.extend(self.encode_end(stream));
        Tensor::cat(codes, 2)
    }

    /// A wave with silence up to a whole number of frames.
    pub(crate) fn filled(&self, wave: Tensor<3>) -> Tensor<3> {
        let [batch, channels, samples] = wave.dims();
        match samples.next_multiple_of(self.spec.hop_samples) - samples {
            0 => wave,
            missing => {
                let silence = Tensor::zeros([batch, channels, missing], &wave.device());
                Tensor::cat(vec![wave, silence], 2)
            }
        }
    }
}
