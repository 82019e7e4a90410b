//! Running cargo in the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace").to_owned()
}

/// The cargo that runs this, at the root of the workspace.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command that has to succeed, after showing it.
pub fn run(command: &mut Command) -> Result<()> {
    let arguments = command.get_args().map(|it| it.to_string_lossy());
    let shown = arguments.collect::<Vec<_>>().join(" ");
    say(&format!("cargo {shown}"));
    let status = command.status().with_context(|| format!("cargo {shown} did not start"))?;
    ensure!(status.success(), "cargo {shown} failed ({status})");
    Ok(())
}

/// Tells what is being done.
#[expect(clippy::print_stderr, reason = "the tasks are for people who watch")]
pub fn say(line: &str) {
    eprintln!("xtask: {line}");
}
