//! Errors as one line on stderr.

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;

/// The exit code of a command that could not do its work.
const FAILED: u8 = 1;
/// The exit code of arguments that make no sense.
const MISUSED: u8 = 2;

/// Shows an error with its causes, and gives the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    say(&format!("error: {}", with_causes(error)));
    ExitCode::from(FAILED)
}

/// Shows what is wrong with the arguments, or the help that was asked for.
pub fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Fails only when nobody reads any more.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(MISUSED);
    }
    say(&one_line(&error.render().to_string()));
    ExitCode::from(MISUSED)
}

/// A panic is our mistake: says so on one line, and leaves the usual text to those who ask for it
/// with `RUST_BACKTRACE`.
pub fn announce_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|it| it != "0") {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("no reason given").replace('\n', " ");
        say(&format!("error: internal error, please report it: {text} ({place})"));
    }));
}

fn say(line: &str) {
    // There is no other place to complain to.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The error and its causes, each once: many errors quote their cause already.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    squeezed(&text)
}

/// The first paragraph of clap's text, with its tips, and where to read on.
fn one_line(text: &str) -> String {
    let message = squeezed(text.split("\n\n").next().unwrap_or_default());
    let tips = text.lines().map(str::trim).filter(|it| it.starts_with("tip: "));
    let tips: String = tips.map(|it| format!("; {it}")).collect();
    format!("{message}{tips}; see --help")
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the reader of our output has left, as `head` does: that is no failure of ours.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|it| it.downcast_ref::<std::io::Error>());
    io.is_some_and(|it| it.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_is_quoted_is_not_repeated() {
        let cause = anyhow::anyhow!("no such file").context("a.wav: no such file");
        assert_eq!(with_causes(&cause), "a.wav: no such file");
    }
    #[test]
    fn causes_follow_on_the_same_line() {
        let cause = anyhow::anyhow!("bad\nheader").context("a.wav: cannot be read");
        assert_eq!(with_causes(&cause), "a.wav: cannot be read: bad header");
    }
    #[test]
    fn usage_errors_are_one_line() {
        let text = "error: missing:\n  <IN>\n\n  tip: try '--in'\n\nUsage: audiolm\n";
        assert_eq!(one_line(text), "error: missing: <IN>; tip: try '--in'; see --help");
    }
}
