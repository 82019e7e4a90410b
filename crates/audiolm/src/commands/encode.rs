//! `audiolm encode`.

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::sound::{about, read};
use crate::numbers;
use crate::output::Output;
use crate::session::Session;

/// Compress a recording to the codes of the codec
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EncodeArgs {
    /// The recording
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file of codes to write
    #[arg(short, long, value_name = "OUT.alm")]
    output: PathBuf,
    /// The codec: a folder, or a name on Hugging Face such as facebook/encodec_24khz [default: that
    /// of the bundle]
    #[arg(long, value_name = "CODEC", conflicts_with = "bundle")]
    codec: Option<String>,
    /// Keep the codes of so many leading quantizers [default: all]
    #[arg(long, value_name = "Q", value_parser = numbers::count, allow_negative_numbers = true)]
    quantizers: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm encode hello.flac -o hello.alm
  audiolm encode hello.flac -o small.alm --quantizers 6
  audiolm decode small.alm -o hello.wav
  audiolm encode hello.flac -o hello.alm --codec facebook/encodec_24khz";

/// A file that was written.
#[derive(Debug, Serialize)]
struct Encoded {
    output: PathBuf,
    seconds: f64,
    quantizers: u16,
    bytes: usize,
    bits_per_second: f64,
}

impl EncodeArgs {
    /// Encodes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let output = Output::codes(&self.output)?.beside(&self.input)?;
        let recording = read(&self.input)?;
        let file = about(
            &self.input,
            session.coder(self.codec.as_deref())?.encode(&recording, self.quantizers),
        )?;
        let bytes = file.to_bytes();
        output.write(&bytes)?;
        let header = file.header();
        session.print(&Encoded {
            output: output.path().to_owned(),
            seconds: header.n_samples as f64 / f64::from(header.sample_rate_hz),
            quantizers: header.n_quantizers,
            bytes: bytes.len(),
            bits_per_second: header.bits_per_second(),
        })
    }
}

impl fmt::Display for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, seconds, quantizers, bytes, bits_per_second } = self;
        write!(
            f,
            "{}: {seconds:.2} s in {bytes} bytes, {quantizers} quantizers, {:.2} kbit/s",
            output.display(),
            bits_per_second / 1e3
        )
    }
}
