//! A codec alone: recordings as files of codes, and back.

use std::path::Path;

use audiolm_audio::Clip;
use audiolm_codec::{CodeFile, CodeFileHeader, Codec, CodecId, CodecKind, CodecSpec};
use burn::prelude::*;

use crate::heard::{Heard, Rate, unlevelled};
use crate::part::WEIGHTS_FILE;
use crate::pieces::PIECES;
use crate::{BundleError, PipelineError, files};

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
        let header = CodeFileHeader {
            n_quantizers: n_quantizers as u16,
            codebook_size: self.spec().codebook_size as u32,
            sample_rate_hz: self.rate().sample_rate_hz,
            hop_samples: self.rate().hop_samples as u32,
            n_samples: heard.clip.samples.len() as u64,
            gain: heard.gain(),
            codec: self.id,
        };
        let codes = self.codes(&heard.levelled());
        let kept = &codes[..codes.len() / self.spec().n_quantizers * n_quantizers];
        Ok(CodeFile::new(header, transposed(kept, n_quantizers)))
    }

    /// The sound of codes that this codec has made.
    ///
    /// # Errors
    /// Where another codec has made them.
    pub fn decode_file(&self, file: &CodeFile) -> Result<Clip, PipelineError> {
        let header = file.header();
        self.check_maker(header)?;
        let codes = transposed(file.codes(), header.n_frames() as usize);
        let mut wave = self.wave(&codes, usize::from(header.n_quantizers));
        wave.truncate(header.n_samples as usize);
        Ok(self.rate().clip(unlevelled(wave, header.gain)))
    }

    /// The codes of a wave at the codec's rate, `[quantizer][frame]`.
    pub(crate) fn codes(&self, wave: &[f32]) -> Vec<u32> {
        PIECES.encode(&self.codec, wave, &self.device)
    }

    /// The wave of codes, `[quantizer][frame]`, of the first `n_quantizers`.
    pub(crate) fn wave(&self, codes: &[u32], n_quantizers: usize) -> Vec<f32> {
        PIECES.decode(&self.codec, codes, n_quantizers, &self.device)
    }

    pub(crate) fn rate(&self) -> Rate {
        let CodecSpec { sample_rate_hz, hop_samples, .. } = self.spec();
        Rate { sample_rate_hz: sample_rate_hz as u32, hop_samples }
    }

    fn hear(&self, recording: &Clip) -> Result<Heard, PipelineError> {
        let heard = Heard::new(recording, f64::INFINITY, self.rate())?;
        Ok(match self.spec().kind {
            CodecKind::SoundStream => heard,
            CodecKind::EnCodec | CodecKind::Dac | CodecKind::Mimi => heard.as_it_is(),
        })
    }

    fn checked_quantizers(&self, quantizers: Option<usize>) -> Result<usize, PipelineError> {
        let available = self.spec().n_quantizers;
        match quantizers.unwrap_or(available) {
            found if (1..=available).contains(&found) => Ok(found),
            found => Err(PipelineError::Quantizers { available, found }),
        }
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

/// Rows as columns: a matrix of `n_rows` rows, row by row, becomes one of as many columns.
fn transposed(matrix: &[u32], n_rows: usize) -> Vec<u32> {
    let n_columns = matrix.len() / n_rows;
    let column = |column: usize| matrix[column..].iter().step_by(n_columns).copied();
    (0..n_columns).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 2), [1, 4, 2, 5, 3, 6]);
        assert_eq!(transposed(&[1, 4, 2, 5, 3, 6], 3), [1, 2, 3, 4, 5, 6]);
    }
}
