//! Ctrl-C while training: the first asks for a checkpoint, the second kills.

use std::io::Write;
use std::process::exit;

use anyhow::{Context, Result};
use audiolm::train::StopSignal;

/// The exit code of a process that was interrupted, as shells count it.
pub const INTERRUPTED: i32 = 130;

/// A signal that Ctrl-C sets.
pub fn stop_on_ctrl_c() -> Result<StopSignal> {
    let stop = StopSignal::default();
    let asked = stop.clone();
    let handler = move || {
        if asked.is_set() {
            exit(INTERRUPTED);
        }
        asked.stop();
        let line = "saving a checkpoint after this step; press Ctrl-C again to stop without one";
        // Whoever pressed the keys may have closed the terminal.
        let _ = writeln!(std::io::stderr().lock(), "\n{line}");
    };
    ctrlc::set_handler(handler).context("Ctrl-C cannot be listened for")?;
    Ok(stop)
}
