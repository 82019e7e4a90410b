//! The codec alone: recordings as files of codes, and back.

use audiolm_audio::Clip;
use audiolm_codec::{CodeFile, CodeFileHeader};

use super::AudioLm;
use crate::PipelineError;
use crate::heard::unlevelled;
use crate::pieces::PIECES;

impl AudioLm {
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
        let heard = self.whole(recording)?;
        let header = CodeFileHeader {
            n_quantizers: n_quantizers as u16,
            codebook_size: self.frame.layout.codebook_size() as u32,
            sample_rate_hz: self.rate.sample_rate_hz,
            hop_samples: self.rate.hop_samples as u32,
            n_samples: heard.clip.samples.len() as u64,
            gain: heard.gain(),
            codec: self.codec_id,
        };
        let mut wave = heard.levelled();
        wave.resize(wave.len().next_multiple_of(self.rate.hop_samples), 0.0);
        let codes = PIECES.encode(&self.models.codec, &wave, &self.device);
        let kept = &codes[..codes.len() / self.n_quantizers() * n_quantizers];
        Ok(CodeFile::new(header, transposed(kept, n_quantizers)))
    }

    /// The sound of codes that this codec has made.
    ///
    /// # Errors
    /// Where another codec has made them.
    pub fn decode_file(&self, file: &CodeFile) -> Result<Clip, PipelineError> {
        let header = file.header();
        self.check_maker(header)?;
        let n_quantizers = usize::from(header.n_quantizers);
        let codes = transposed(file.codes(), header.n_frames() as usize);
        let mut wave = PIECES.decode(&self.models.codec, &codes, n_quantizers, &self.device);
        wave.truncate(header.n_samples as usize);
        Ok(self.rate.clip(unlevelled(wave, header.gain)))
    }

    fn checked_quantizers(&self, quantizers: Option<usize>) -> Result<usize, PipelineError> {
        let available = self.n_quantizers();
        match quantizers.unwrap_or(available) {
            found if (1..=available).contains(&found) => Ok(found),
            found => Err(PipelineError::Quantizers { available, found }),
        }
    }

    fn check_maker(&self, header: &CodeFileHeader) -> Result<(), PipelineError> {
        let is_ours = header.codec == self.codec_id
            && usize::from(header.n_quantizers) <= self.n_quantizers()
            && header.codebook_size as usize == self.frame.layout.codebook_size()
            && header.sample_rate_hz == self.rate.sample_rate_hz
            && header.hop_samples as usize == self.rate.hop_samples;
        match is_ours {
            true => Ok(()),
            false => {
                Err(PipelineError::OtherCodec { expected: self.codec_id, found: header.codec })
            }
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
