//! Ctrl-C during long work: the first asks for an end that leaves something, the second kills.

use std::io::Write;
use std::process::exit;

use anyhow::{Context, Result};
use audiolm::train::StopSignal;

/// The exit code of a process that was interrupted, as shells count it.
pub const INTERRUPTED: i32 = 130;

/// A signal that Ctrl-C sets; `notice` says what happens then.
pub fn stop_on_ctrl_c(notice: &'static str) -> Result<StopSignal> {
    let stop = StopSignal::default();
    let asked = stop.clone();
    let handler = move || {
        if asked.is_set() {
            exit(INTERRUPTED);
        }
        asked.stop();
        // Whoever pressed the keys may have closed the terminal.
        let _ = writeln!(std::io::stderr().lock(), "\n{notice}");
    };
    ctrlc::set_handler(handler).context("Ctrl-C cannot be listened for")?;
    Ok(stop)
}
