//! The option that lets a sound be heard while it is made.

use std::time::Instant;

use anyhow::Result;
use audiolm::pipeline::GeneratedBlocks;
use clap::Args;

use super::sound::Sound;
use crate::destination::Destination;
use crate::growing_sound::{GrowingSound, Promise};
use crate::interrupt::stop_on_ctrl_c;

/// What is said when Ctrl-C is pressed.
const STOPPING: &str = "stopping after this block; press Ctrl-C again to stop at once";

/// When a sound is written: while it is made, or as a whole once it is.
#[derive(Debug, Clone, Copy, Args)]
pub struct StreamArgs {
    /// Write the sound while it is made, so that it can be heard: a file is a whole recording after
    /// every fifth of a second, also after Ctrl-C
    #[arg(long)]
    stream: bool,
}

impl StreamArgs {
    /// Writes what has been made since `began`.
    pub fn write(
        self,
        blocks: GeneratedBlocks<'_>,
        output: &Destination,
        began: Instant,
    ) -> Result<Sound> {
        let n_prompt = blocks.prompt_samples();
        let rate_hz = blocks.sample_rate_hz();
        let sound = match self.stream {
            true => grow(blocks, output, began)?,
            false => Sound::write_blocks(
                blocks.map(|it| it.map_err(Into::into)),
                rate_hz,
                output,
                began,
            )?,
        };
        match n_prompt {
            0 => Ok(sound),
            _ => Ok(sound.with_prompt(n_prompt as f64 / f64::from(rate_hz))),
        }
    }
}

/// Writes each block as soon as it is made, until all are, or Ctrl-C is pressed.
fn grow(blocks: GeneratedBlocks<'_>, output: &Destination, began: Instant) -> Result<Sound> {
    let stop = stop_on_ctrl_c(STOPPING)?;
    let sample_rate_hz = blocks.sample_rate_hz();
    let (n_samples, n_prompt) = (blocks.n_samples(), blocks.prompt_samples() as u64);
    let mut growing = GrowingSound::begin(output, Promise { sample_rate_hz, n_samples })?;
    let mut first_audio_seconds = None;
    for block in blocks {
        growing.push(&block?)?;
        if growing.n_samples() > n_prompt {
            first_audio_seconds.get_or_insert_with(|| began.elapsed().as_secs_f64());
        }
        if stop.is_set() {
            break;
        }
    }
    let seconds = growing.n_samples() as f64 / f64::from(sample_rate_hz);
    let is_whole = growing.n_samples() == n_samples as u64;
    Ok(Sound::new(output.path(), seconds, began).streamed(first_audio_seconds, is_whole))
}
