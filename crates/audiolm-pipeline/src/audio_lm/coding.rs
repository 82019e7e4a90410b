//! The codec alone: recordings as files of codes, and back.

use audiolm_audio::Clip;
use audiolm_codec::CodeFile;

use super::AudioLm;
use crate::{Coder, PipelineError};

impl AudioLm {
    /// The codec of the bundle.
    pub fn coder(&self) -> &Coder {
        &self.coder
    }

    /// As [`Coder::reconstruct`], with the codec of the bundle.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn reconstruct(
        &self,
        recording: &Clip,
        quantizers: Option<usize>,
    ) -> Result<Clip, PipelineError> {
        self.coder.reconstruct(recording, quantizers)
    }

    /// As [`Coder::encode`], with the codec of the bundle.
    ///
    /// # Errors
    /// Where the recording is shorter than [`MIN_SECONDS`](crate::MIN_SECONDS) or not finite, or
    /// the codec has no such number of quantizers.
    pub fn encode(
        &self,
        recording: &Clip,
        quantizers: Option<usize>,
    ) -> Result<CodeFile, PipelineError> {
        self.coder.encode(recording, quantizers)
    }

    /// As [`Coder::decode_file`], with the codec of the bundle.
    ///
    /// # Errors
    /// Where another codec has made them.
    pub fn decode_file(&self, file: &CodeFile) -> Result<Clip, PipelineError> {
        self.coder.decode_file(file)
    }
}
