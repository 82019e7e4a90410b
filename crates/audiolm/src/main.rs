//! The `audiolm` command: reads arguments, shows progress and errors, and leaves the work to the
//! library. Results go to stdout, everything else to stderr.

mod bundle_folder;
mod cli;
mod commands;
mod destination;
mod failure;
mod growing_sound;
mod interrupt;
mod new_folder;
mod numbers;
mod output;
mod progress;
mod published;
mod session;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

fn main() -> ExitCode {
    failure::announce_panics();
    #[cfg(feature = "flex")]
    audiolm::work_on_this_thread();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(it) => return failure::usage(&it),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(it) => failure::report(&it),
    }
}
