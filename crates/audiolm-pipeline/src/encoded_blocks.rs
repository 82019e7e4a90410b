//! A recording of any length on its way to codes.

use audiolm_codec::CodeFileHeader;

use crate::PipelineError;
use crate::encode_stream::EncodeStream;
use crate::heard_blocks::HeardBlocks;

/// The codes of a recording, `[frame][quantizer]`, made while they are asked for: see
/// [`Coder::encode_blocks`](crate::Coder::encode_blocks).
///
/// After an error nothing comes any more.
pub struct EncodedBlocks<'a> {
    pub(crate) header: CodeFileHeader,
    pub(crate) heard: HeardBlocks,
    /// None at the end.
    pub(crate) stream: Option<EncodeStream<'a>>,
    pub(crate) n_heard: u64,
}

impl EncodedBlocks<'_> {
    /// What a file says of the codes.
    pub fn header(&self) -> &CodeFileHeader {
        &self.header
    }

    fn next_block(&mut self) -> Result<Option<Vec<u32>>, PipelineError> {
        while let Some(mut stream) = self.stream.take() {
            let codes = match self.heard.next_block()? {
                Some(block) => {
                    self.n_heard += block.len() as u64;
                    self.check(self.n_heard <= self.header.n_samples)?;
                    let levelled: Vec<f32> = block.iter().map(|it| it * self.header.gain).collect();
                    let codes = stream.push(&levelled);
                    self.stream = Some(stream);
                    codes
                }
                None => {
                    self.check(self.n_heard == self.header.n_samples)?;
                    stream.finish()
                }
            };
            if !codes.is_empty() {
                return Ok(Some(codes));
            }
        }
        Ok(None)
    }

    /// The recording is read twice, and a file may change in between.
    fn check(&self, is_as_before: bool) -> Result<(), PipelineError> {
        let (expected, found) = (self.header.n_samples, self.n_heard);
        match is_as_before {
            true => Ok(()),
            false => Err(PipelineError::RecordingChanged { expected, found }),
        }
    }
}

impl Iterator for EncodedBlocks<'_> {
    type Item = Result<Vec<u32>, PipelineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heard::Rate;
    use audiolm_audio::{AudioFile, Clip};
    use audiolm_codec::{Codec, CodecId, QuantizerConfig, SoundStreamConfig};
    use burn::prelude::*;

    /// Encodes a second of a recording that had `n_samples` when it was read first.
    fn outcome(n_samples: u64) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("second.wav");
        let clip = Clip { samples: vec![0.1; 16_000], sample_rate_hz: 16_000 };
        clip.write_wav(&path).unwrap();
        let device = Device::default();
        let config = SoundStreamConfig {
            encoder_channels: 2,
            decoder_channels: 2,
            dimension: 8,
            quantizer: QuantizerConfig::residual(2, 4),
            ..SoundStreamConfig::tiny_16khz()
        };
        let codec = Codec::of_sound_stream(config.clone(), config.init(&device).unwrap());
        let header = CodeFileHeader {
            n_quantizers: 2,
            codebook_size: 4,
            sample_rate_hz: 16_000,
            hop_samples: 320,
            n_samples,
            gain: 1.0,
            codec: CodecId::from_sha256(&"0".repeat(64)).unwrap(),
        };
        let rate = Rate { sample_rate_hz: 16_000, hop_samples: 320 };
        let blocks = EncodedBlocks {
            header,
            heard: HeardBlocks::new(&AudioFile::open(&path).unwrap(), rate).unwrap(),
            stream: Some(EncodeStream::new(&codec, 10 * 320, &device)),
            n_heard: 0,
        };
        let codes = blocks.collect::<Result<Vec<_>, _>>();
        codes.map(|it| it.concat().len()).map_err(|it| it.to_string())
    }

    #[test]
    fn a_recording_that_changes_is_refused() {
        assert_eq!(outcome(16_000), Ok(2 * 50));
        for n_samples in [15_000, 17_000] {
            let refusal = outcome(n_samples).unwrap_err();
            assert!(refusal.contains(&format!("expected {n_samples} samples")), "{refusal}");
        }
    }
}
