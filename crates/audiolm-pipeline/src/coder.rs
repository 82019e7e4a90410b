//! A codec alone: recordings as files of codes, and back.

use std::path::Path;

use audiolm_audio::{AudioFile, Clip};
use audiolm_codec::{CodeFile, CodeFileHeader, Codec, CodecId, CodecKind, CodecSpec};
use burn::prelude::*;

use crate::decode_stream::DecodeStream;
use crate::encode_stream::EncodeStream;
use crate::heard::{Heard, Rate};
use crate::heard_blocks::HeardBlocks;
use crate::part::WEIGHTS_FILE;
use crate::pieces::{PIECES, Pieces};
use crate::{Bundle, BundleError, DecodedBlocks, EncodedBlocks, Part, PipelineError, files};

/// Any codec on a device: of a bundle, or from a folder of its own.
///
/// Our codecs hear every recording at [`REFERENCE_DBFS`](audiolm_audio::REFERENCE_DBFS), as they
/// did when they learnt; published ones hear it as it is.
#[derive(Debug, Clone)]
pub struct Coder {
    codec: Codec,
    id: CodecId,
    device: Device,
}

impl Coder {
    /// Reads a folder with `config.json` and `model.safetensors`: of a codec of ours, or of a
    /// published one in transformers' format.
    ///
    /// # Errors
    /// Where it holds no codec, or one of a variant that is not implemented.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, PipelineError> {
        let codec = Codec::load_from(folder, device).map_err(BundleError::from)?;
        let digits = files::sha256(&folder.join(WEIGHTS_FILE))?;
        let id = CodecId::from_sha256(&digits).expect("a hash that was just computed");
        Ok(Self::new(codec, id, device))
    }

    /// Builds the codec of a bundle. Of the rest of it nothing is read but what the bundle says about
    /// itself.
    ///
    /// # Errors
    /// Where the codec is not the one the bundle was made with, or cannot be built.
    pub fn of_bundle(folder: impl AsRef<Path>, device: &Device) -> Result<Self, PipelineError> {
        let folder = folder.as_ref();
        let id = Bundle::check_codec(folder)?;
        let codec = Codec::load_from(&folder.join(Part::Codec.folder()), device);
        Ok(Self::new(codec.map_err(BundleError::from)?, id, device))
    }

    pub(crate) fn new(codec: Codec, id: CodecId, device: &Device) -> Self {
        Self { codec, id, device: device.clone() }
    }

    /// What the codec takes and makes.
    pub fn spec(&self) -> CodecSpec {
        self.codec.spec()
    }

    /// What the codec makes of a recording with its first `quantizers`, all of them without a
    /// value. As long as the recording.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn reconstruct(
        &self,
        recording: &Clip,
        quantizers: Option<usize>,
    ) -> Result<Clip, PipelineError> {
        self.decode_file(&self.encode(recording, quantizers)?)
    }

    /// A recording as codes of the first `quantizers`, all of them without a value, with what
    /// [`decode_file`](Self::decode_file) needs to give it back its length and loudness.
    ///
    /// # Errors
    /// Where the recording is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite, or
    /// the codec has no such number of quantizers.
    pub fn encode(
        &self,
        recording: &Clip,
        quantizers: Option<usize>,
    ) -> Result<CodeFile, PipelineError> {
        let n_quantizers = self.checked_quantizers(quantizers)?;
        let heard = self.hear(recording)?;
        let header = self.header(n_quantizers, heard.clip.samples.len() as u64, heard.gain());
        let mut stream = self.encoding(n_quantizers);
        let mut codes = stream.push(&heard.levelled());
        codes.extend(stream.finish());
        Ok(CodeFile::new(header, codes))
    }

    /// The sound of codes that this codec has made.
    ///
    /// # Errors
    /// Where another codec has made them.
    pub fn decode_file(&self, file: &CodeFile) -> Result<Clip, PipelineError> {
        let codes = std::iter::once(Ok::<_, PipelineError>(file.codes().to_vec()));
        let blocks = self.decode_blocks(file.header(), codes, None)?;
        let wave = blocks.collect::<Result<Vec<_>, _>>()?;
        Ok(self.rate().clip(wave.concat()))
    }

    /// A recording of any length as the codes that [`encode`](Self::encode) makes of it, block by
    /// block, so that memory does not grow with it. It is read twice: to know how loud and how long
    /// it is, and to encode it.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and where the recording cannot be read.
    pub fn encode_blocks(
        &self,
        recording: &AudioFile,
        quantizers: Option<usize>,
    ) -> Result<EncodedBlocks<'_>, PipelineError> {
        let n_quantizers = self.checked_quantizers(quantizers)?;
        let level = HeardBlocks::new(recording, self.rate())?.level()?;
        let gain = if self.levels() { level.reference_gain() } else { 1.0 };
        Ok(EncodedBlocks {
            header: self.header(n_quantizers, level.n_samples(), gain),
            heard: HeardBlocks::new(recording, self.rate())?,
            stream: Some(self.encoding(n_quantizers)),
            n_heard: 0,
        })
    }

    /// The sound of codes, `[frame][quantizer]`, that this codec has made, block by block, so that
    /// memory does not grow with them; of the first `quantizers`, all of them without a value.
    ///
    /// # Errors
    /// Where another codec has made them, or they have no such number of quantizers.
    pub fn decode_blocks<I, E>(
        &self,
        header: &CodeFileHeader,
        codes: I,
        quantizers: Option<usize>,
    ) -> Result<DecodedBlocks<'_, I>, PipelineError>
    where
        I: Iterator<Item = Result<Vec<u32>, E>>,
        PipelineError: From<E>,
    {
        self.check_maker(header)?;
        let n_given = usize::from(header.n_quantizers);
        let n_used = checked(quantizers, n_given)?;
        let stream = PIECES.decoding(&self.codec, &self.device).with_quantizers(n_used);
        Ok(DecodedBlocks {
            codes,
            block: Vec::new().into_iter(),
            stream: Some(stream),
            n_given,
            n_used,
            gain: header.gain,
            n_left: header.n_samples,
        })
    }

    /// The codes of a wave at the codec's rate, `[quantizer][frame]`, of the first `n_quantizers`.
    pub(crate) fn codes(&self, wave: &[f32], n_quantizers: usize) -> Vec<u32> {
        let mut codes = PIECES.encode(&self.codec, wave, &self.device);
        codes.truncate(codes.len() / self.spec().n_quantizers * n_quantizers);
        codes
    }

    /// For codes of the first `n_quantizers`, in pieces of so many seconds.
    pub(crate) fn decoding(&self, n_quantizers: usize, piece_seconds: f64) -> DecodeStream<'_> {
        let samples = (piece_seconds * f64::from(self.rate().sample_rate_hz)) as usize;
        Pieces { samples }.decoding(&self.codec, &self.device).with_quantizers(n_quantizers)
    }

    pub(crate) fn rate(&self) -> Rate {
        let CodecSpec { sample_rate_hz, hop_samples, .. } = self.spec();
        Rate { sample_rate_hz: sample_rate_hz as u32, hop_samples }
    }

    fn hear(&self, recording: &Clip) -> Result<Heard, PipelineError> {
        let heard = Heard::new(recording, f64::INFINITY, self.rate())?;
        Ok(if self.levels() { heard } else { heard.at_own_level() })
    }

    /// Whether it hears recordings at one loudness.
    fn levels(&self) -> bool {
        match self.spec().kind {
            CodecKind::SoundStream => true,
            CodecKind::EnCodec | CodecKind::Dac | CodecKind::Mimi => false,
        }
    }

    fn encoding(&self, n_quantizers: usize) -> EncodeStream<'_> {
        PIECES.encoding(&self.codec, &self.device).with_quantizers(n_quantizers)
    }

    fn header(&self, n_quantizers: usize, n_samples: u64, gain: f32) -> CodeFileHeader {
        CodeFileHeader {
            n_quantizers: n_quantizers as u16,
            codebook_size: self.spec().codebook_size as u32,
            sample_rate_hz: self.rate().sample_rate_hz,
            hop_samples: self.rate().hop_samples as u32,
            n_samples,
            gain,
            codec: self.id,
        }
    }

    fn checked_quantizers(&self, quantizers: Option<usize>) -> Result<usize, PipelineError> {
        checked(quantizers, self.spec().n_quantizers)
    }

    fn check_maker(&self, header: &CodeFileHeader) -> Result<(), PipelineError> {
        let spec = self.spec();
        let is_ours = header.codec == self.id
            && usize::from(header.n_quantizers) <= spec.n_quantizers
            && header.codebook_size as usize == spec.codebook_size
            && header.sample_rate_hz as usize == spec.sample_rate_hz
            && header.hop_samples as usize == spec.hop_samples;
        match is_ours {
            true => Ok(()),
            false => Err(PipelineError::OtherCodec { expected: self.id, found: header.codec }),
        }
    }
}

/// As many quantizers as were asked for, of those that are there.
fn checked(quantizers: Option<usize>, available: usize) -> Result<usize, PipelineError> {
    match quantizers.unwrap_or(available) {
        found if (1..=available).contains(&found) => Ok(found),
        found => Err(PipelineError::Quantizers { available, found }),
    }
}
