//! Codes of any length on their way to sound.

use crate::PipelineError;
use crate::decode_stream::DecodeStream;
use crate::heard::unlevelled;

/// Frames that are decoded at once.
const FRAMES_AT_ONCE: usize = 1000;

/// The samples of codes, made while they are asked for: see
/// [`Coder::decode_blocks`](crate::Coder::decode_blocks).
///
/// After an error nothing comes any more.
pub struct DecodedBlocks<'a, I> {
    pub(crate) codes: I,
    /// What is left of the latest block of them.
    pub(crate) block: std::vec::IntoIter<u32>,
    /// None at the end.
    pub(crate) stream: Option<DecodeStream<'a>>,
    /// Codes of a frame as they come.
    pub(crate) n_given: usize,
    /// Those that are used.
    pub(crate) n_used: usize,
    pub(crate) gain: f32,
    /// Samples that are still to be made: the last frame may reach beyond.
    pub(crate) n_left: u64,
}

impl<I, E> DecodedBlocks<'_, I>
where
    I: Iterator<Item = Result<Vec<u32>, E>>,
    PipelineError: From<E>,
{
    fn next_block(&mut self) -> Result<Option<Vec<f32>>, PipelineError> {
        while let Some(mut stream) = self.stream.take() {
            let mut wave = match self.next_codes()? {
                Some(codes) => {
                    let frames = codes.chunks(self.n_given).map(|it| &it[..self.n_used]);
                    let wave = stream.push(&frames.collect::<Vec<_>>().concat());
                    self.stream = Some(stream);
                    wave
                }
                None => stream.finish(),
            };
            wave.truncate(usize::try_from(self.n_left).unwrap_or(usize::MAX));
            self.n_left -= wave.len() as u64;
            if !wave.is_empty() {
                return Ok(Some(unlevelled(wave, self.gain)));
            }
        }
        Ok(None)
    }

    /// The codes of a few frames: a block may hold those of many minutes.
    fn next_codes(&mut self) -> Result<Option<Vec<u32>>, PipelineError> {
        while self.block.as_slice().is_empty() {
            match self.codes.next().transpose()? {
                Some(block) => self.block = block.into_iter(),
                None => return Ok(None),
            }
        }
        Ok(Some(self.block.by_ref().take(FRAMES_AT_ONCE * self.n_given).collect()))
    }
}

impl<I, E> Iterator for DecodedBlocks<'_, I>
where
    I: Iterator<Item = Result<Vec<u32>, E>>,
    PipelineError: From<E>,
{
    type Item = Result<Vec<f32>, PipelineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}
