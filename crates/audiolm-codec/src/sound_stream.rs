//! The codec: encoder, quantizer, decoder.

use std::path::Path;

use audiolm_nn::{ConvError, Generator, Precision, load_weights, save_weights};
use burn::prelude::*;

use crate::quantizer::rows;
use crate::{
    CodecError, Decoder, DecoderState, Denoise, Encoder, EncoderState, FilmSide, QuantizedOutput,
    Quantizer, SoundStreamConfig,
};

/// The file of the configuration in a codec's folder.
const CONFIG_FILE: &str = "config.json";
/// The file of the weights in a codec's folder.
const WEIGHTS_FILE: &str = "model.safetensors";
/// Frames of a clip that are taken at a time. Their layers' signals stay in a processor's caches;
/// fewer frames would make the products of the deepest layers small.
const CHUNK_FRAMES: usize = 100;

/// A causal neural codec (arXiv 2107.03312, figure 2).
#[derive(Module, Debug)]
pub struct SoundStream {
    encoder: Encoder,
    quantizer: Quantizer,
    decoder: Decoder,
    hop_samples: usize,
}

/// What a training pass of a [`SoundStream`] yields.
#[derive(Debug, Clone)]
pub struct ReconstructionOutput {
    /// `[batch, channels, samples]`
    pub wave: Tensor<3>,
    /// What the quantizer saw and made.
    pub quantized: QuantizedOutput,
}

impl SoundStreamConfig {
    /// Builds the codec with fresh weights; its codebooks are all zeros until
    /// [`SoundStream::fit_codebooks`].
    ///
    /// # Errors
    /// Where a number describes no codec; it is named.
    pub fn init(&self, device: &Device) -> Result<SoundStream, CodecError> {
        self.validate()?;
        Ok(self.build(device)?)
    }

    fn build(&self, device: &Device) -> Result<SoundStream, ConvError> {
        Ok(SoundStream {
            encoder: Encoder::new(self, device)?,
            quantizer: self.quantizer.build(self.dimension, device),
            decoder: Decoder::new(self, device)?,
            hop_samples: self.hop_samples(),
        })
    }

    /// Reads the configuration from a codec's folder.
    ///
    /// # Errors
    /// Where there is none, or not one of a codec.
    pub fn load_from(folder: &Path) -> Result<Self, CodecError> {
        let path = folder.join(CONFIG_FILE);
        Self::load(&path)
            .map_err(|it| CodecError::ConfigFile { path: path.clone(), reason: it.to_string() })
    }
}

impl SoundStream {
    /// Samples of one frame.
    pub fn hop_samples(&self) -> usize {
        self.hop_samples
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The quantizer.
    pub fn quantizer(&self) -> &Quantizer {
        &self.quantizer
    }

    /// The same codec with another quantizer.
    pub fn with_quantizer(self, quantizer: Quantizer) -> Self {
        Self { quantizer, ..self }
    }

    /// Where it can leave noise out, if anywhere.
    pub fn film(&self) -> Option<FilmSide> {
        match (self.encoder.has_film(), self.decoder.has_film()) {
            (true, _) => Some(FilmSide::Encoder),
            (_, true) => Some(FilmSide::Decoder),
            _ => None,
        }
    }

    /// The same decoder behind the encoder and the quantizer of another codec, so that it decodes
    /// the codes of that one.
    pub fn with_codes_of(self, other: Self) -> Self {
        Self { decoder: self.decoder, ..other }
    }

    /// The codes of a wave. Its end is padded with silence to a whole number of frames.
    ///
    /// # Shapes
    /// - wave: `[batch, channels, samples]`
    /// - output: `[batch, quantizer, ceil(samples / hop)]`
    pub fn encode(&self, wave: Tensor<3>) -> Tensor<3, Int> {
        self.encode_with(wave, Denoise::Off)
    }

    /// The codes of a wave with its noise, or without.
    ///
    /// # Shapes
    /// As in [`encode`](Self::encode).
    ///
    /// # Panics
    /// Where noise is to be left out and [`film`](Self::film) is not [`FilmSide::Encoder`].
    pub fn encode_with(&self, wave: Tensor<3>, denoise: Denoise) -> Tensor<3, Int> {
        let wave = self.padded(wave);
        let examples = vec![denoise; wave.dims()[0]];
        let mut state =
            self.encoder.silence(examples.len(), &wave.device()).with_denoise(&examples);
        let chunks = chunks(wave, CHUNK_FRAMES * self.hop_samples, 2);
        let frames = chunks.map(|it| self.encoder.step(it, &mut state)).collect();
        self.quantizer.encode(Tensor::cat(frames, 1))
    }

    /// The same codes as [`encode`](Self::encode), made `chunk_frames` at a time, so that memory
    /// does not grow with the wave.
    ///
    /// # Shapes
    /// As in [`encode`](Self::encode).
    ///
    /// # Panics
    /// On a wave without samples.
    pub fn encode_in_chunks(&self, wave: Tensor<3>, chunk_frames: usize) -> Tensor<3, Int> {
        let wave = self.padded(wave);
        let mut state = self.encoder.silence(wave.dims()[0], &wave.device());
        let chunks = chunks(wave, chunk_frames.max(1) * self.hop_samples, 2);
        Tensor::cat(chunks.map(|it| self.encode_step(it, &mut state)).collect(), 2)
    }

    /// The codes of the next chunk of a stream, whose state begins as the
    /// [`silence`](Encoder::silence) of the [`encoder`](Self::encoder). A frame's codes follow from
    /// the samples up to its end: the delay is one hop.
    ///
    /// # Shapes
    /// - chunk: `[batch, channels, samples]`, `samples` a multiple of the hop
    /// - output: `[batch, quantizer, samples / hop]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn encode_step(&self, chunk: Tensor<3>, state: &mut EncoderState) -> Tensor<3, Int> {
        self.quantizer.encode(self.encoder.step(chunk, state))
    }

    /// The wave of the next codes of a stream, whose state begins as the
    /// [`silence`](Decoder::silence) of the [`decoder`](Self::decoder). There is no delay: each
    /// frame yields its hop of samples.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at least 1 and at most the number of quantizers
    /// - output: `[batch, channels, time * hop]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn decode_step(&self, codes: Tensor<3, Int>, state: &mut DecoderState) -> Tensor<3> {
        self.decoder.step(self.quantizer.decode(codes), state)
    }

    /// The wave of codes, from any number of leading quantizers.
    ///
    /// # Shapes
    /// - codes: `[batch, n, time]`, `n` at least 1 and at most the number of quantizers
    /// - output: `[batch, channels, time * hop]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        self.decode_with(codes, Denoise::Off)
    }

    /// The wave of codes with the noise they hold, or without.
    ///
    /// # Shapes
    /// As in [`decode`](Self::decode).
    ///
    /// # Panics
    /// Where noise is to be left out and [`film`](Self::film) is not [`FilmSide::Decoder`].
    pub fn decode_with(&self, codes: Tensor<3, Int>, denoise: Denoise) -> Tensor<3> {
        let frames = self.quantizer.decode(codes);
        let examples = vec![denoise; frames.dims()[0]];
        let mut state =
            self.decoder.silence(examples.len(), &frames.device()).with_denoise(&examples);
        let waves = chunks(frames, CHUNK_FRAMES, 1).map(|it| self.decoder.step(it, &mut state));
        Tensor::cat(waves.collect(), 2)
    }

    /// Encodes and decodes with gradients, each example through its own number of leading
    /// quantizers.
    ///
    /// # Shapes
    /// - wave: `[batch, channels, samples]`, `samples` a multiple of the hop
    /// - active: one number for each example
    pub fn forward(&self, wave: Tensor<3>, active: &[usize]) -> ReconstructionOutput {
        let [batch, _, _] = wave.dims();
        self.forward_with(wave, active, &vec![Denoise::Off; batch])
    }

    /// As [`forward`](Self::forward), each example with its noise or without.
    ///
    /// # Shapes
    /// - denoise: one for each example
    ///
    /// # Panics
    /// Where noise is to be left out and the codec has no [`film`](Self::film).
    pub fn forward_with(
        &self,
        wave: Tensor<3>,
        active: &[usize],
        denoise: &[Denoise],
    ) -> ReconstructionOutput {
        let off = vec![Denoise::Off; denoise.len()];
        let (encoding, decoding) = match self.film() {
            Some(FilmSide::Decoder) => (&off[..], denoise),
            _ => (denoise, &off[..]),
        };
        let quantized = self.quantizer.forward(self.encoded(wave, encoding), active);
        let wave = self.decoded(quantized.quantized.clone(), decoding);
        ReconstructionOutput { wave, quantized }
    }

    fn encoded(&self, wave: Tensor<3>, denoise: &[Denoise]) -> Tensor<3> {
        let silence = self.encoder.silence(wave.dims()[0], &wave.device());
        self.encoder.step(wave, &mut silence.with_denoise(denoise))
    }

    fn decoded(&self, frames: Tensor<3>, denoise: &[Denoise]) -> Tensor<3> {
        let silence = self.decoder.silence(frames.dims()[0], &frames.device());
        self.decoder.step(frames, &mut silence.with_denoise(denoise))
    }

    /// Encodes and decodes without quantising: what the quantizer's loss is to be measured against.
    ///
    /// # Shapes
    /// - wave and output: `[batch, channels, samples]`, `samples` a multiple of the hop
    pub fn autoencode(&self, wave: Tensor<3>) -> Tensor<3> {
        self.decoder.forward(self.encoder.forward(wave))
    }

    /// The vectors the quantizer is to learn: `[batch * time, dimension]`, without gradients.
    pub fn embed(&self, wave: Tensor<3>) -> Tensor<2> {
        rows(self.encoder.forward(self.padded(wave))).detach()
    }

    /// Initialises the codebooks by k-means on `vectors` of [`embed`](Self::embed). `on_codebook`
    /// is called after each with the number of those that are done.
    pub fn fit_codebooks(
        self,
        vectors: Tensor<2>,
        rng: &mut Generator,
        on_codebook: impl FnMut(usize),
    ) -> Self {
        Self { quantizer: self.quantizer.fitted(vectors, rng, on_codebook), ..self }
    }

    /// Writes configuration and weights into a folder.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn save_to(
        &self,
        folder: &Path,
        config: &SoundStreamConfig,
        precision: Precision,
    ) -> Result<(), CodecError> {
        let path = folder.join(CONFIG_FILE);
        config.save(&path).map_err(|it| CodecError::ConfigFile { path, reason: it.to_string() })?;
        Ok(save_weights(self, &folder.join(WEIGHTS_FILE), precision)?)
    }

    /// Reads what [`save_to`](Self::save_to) wrote.
    ///
    /// # Errors
    /// Where a file is missing or damaged, or they do not fit one another.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, CodecError> {
        let codec = SoundStreamConfig::load_from(folder)?.init(device)?;
        Ok(load_weights(codec, &folder.join(WEIGHTS_FILE))?)
    }

    fn padded(&self, wave: Tensor<3>) -> Tensor<3> {
        let [batch, channels, samples] = wave.dims();
        match samples.next_multiple_of(self.hop_samples) - samples {
            0 => wave,
            missing => {
                let silence = Tensor::zeros([batch, channels, missing], &wave.device());
                Tensor::cat(vec![wave, silence], 2)
            }
        }
    }
}

/// A signal in pieces of `length` along `dim`: one piece where it is shorter, though it be empty.
fn chunks(signal: Tensor<3>, length: usize, dim: usize) -> impl Iterator<Item = Tensor<3>> {
    let whole = signal.dims()[dim];
    (0..whole.max(1))
        .step_by(length)
        .map(move |start| signal.clone().slice_dim(dim, start..(start + length).min(whole)))
}
