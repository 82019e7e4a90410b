//! A recording as the models hear it, block by block.

use audiolm_audio::{AudioBlocks, AudioFile, Level};

use crate::PipelineError;
use crate::heard::{MIN_SECONDS, Rate};

/// The same samples as those of [`Heard`](crate::heard::Heard), with their own loudness.
pub(crate) struct HeardBlocks {
    blocks: AudioBlocks,
    rate: Rate,
    /// The latest sample: the last one of all belongs to the recording only where more than half of
    /// it does.
    held: Option<f32>,
    n_samples: u64,
}

impl HeardBlocks {
    /// From the beginning of a recording.
    pub(crate) fn new(recording: &AudioFile, rate: Rate) -> Result<Self, PipelineError> {
        let blocks = recording.blocks()?.resampled(rate.sample_rate_hz)?;
        Ok(Self { blocks, rate, held: None, n_samples: 0 })
    }

    /// The loudness and the length of the whole.
    pub(crate) fn level(mut self) -> Result<Level, PipelineError> {
        let mut level = Level::default();
        while let Some(block) = self.next_block()? {
            level.push(&block);
        }
        let seconds = self.blocks.source_seconds();
        match seconds < MIN_SECONDS {
            true => Err(PipelineError::TooShort { seconds }),
            false => Ok(level),
        }
    }

    /// The next samples; none after the last.
    pub(crate) fn next_block(&mut self) -> Result<Option<Vec<f32>>, PipelineError> {
        let Some(mut block) = self.blocks.next_block()? else {
            return Ok(self.last().map(|it| vec![it]));
        };
        self.n_samples += block.len() as u64;
        let latest = block.pop();
        if let Some(earlier) = std::mem::replace(&mut self.held, latest) {
            block.insert(0, earlier);
        }
        Ok(Some(block))
    }

    fn last(&mut self) -> Option<f32> {
        let whole = self.blocks.source_seconds() * f64::from(self.rate.sample_rate_hz);
        self.held.take().filter(|_| self.n_samples <= whole.round() as u64)
    }
}
