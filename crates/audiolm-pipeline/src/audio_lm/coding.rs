//! The codec alone: recordings as files of codes, and back.

use audiolm_audio::{AudioFile, Clip};
use audiolm_codec::{CodeFile, CodeFileHeader};

use super::AudioLm;
use crate::heard_blocks::HeardBlocks;
use crate::pieces::PIECES;
use crate::{DecodedBlocks, EncodedBlocks, PipelineError};

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
        let header = self.header(n_quantizers, heard.clip.samples.len() as u64, heard.gain());
        let mut stream =
            PIECES.encoding(&self.models.codec, &self.device).with_quantizers(n_quantizers);
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
        Ok(self.rate.clip(wave.concat()))
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
        let level = HeardBlocks::new(recording, self.rate)?.level()?;
        let header = self.header(n_quantizers, level.n_samples(), level.reference_gain());
        let stream = PIECES.encoding(&self.models.codec, &self.device);
        Ok(EncodedBlocks {
            header,
            heard: HeardBlocks::new(recording, self.rate)?,
            stream: Some(stream.with_quantizers(n_quantizers)),
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
        let stream = PIECES.decoding(&self.models.codec, &self.device).with_quantizers(n_used);
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

    fn header(&self, n_quantizers: usize, n_samples: u64, gain: f32) -> CodeFileHeader {
        CodeFileHeader {
            n_quantizers: n_quantizers as u16,
            codebook_size: self.frame.layout.codebook_size() as u32,
            sample_rate_hz: self.rate.sample_rate_hz,
            hop_samples: self.rate.hop_samples as u32,
            n_samples,
            gain,
            codec: self.codec_id,
        }
    }

    fn checked_quantizers(&self, quantizers: Option<usize>) -> Result<usize, PipelineError> {
        checked(quantizers, self.n_quantizers())
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

/// As many quantizers as were asked for, of those that are there.
fn checked(quantizers: Option<usize>, available: usize) -> Result<usize, PipelineError> {
    match quantizers.unwrap_or(available) {
        found if (1..=available).contains(&found) => Ok(found),
        found => Err(PipelineError::Quantizers { available, found }),
    }
}
