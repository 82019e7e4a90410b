//! `audiolm encode`.

use std::fmt;
use std::io::Seek;
use std::path::PathBuf;

use anyhow::{Context, Result};
use audiolm::codec::{CodePacking, CodeWriter};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::sound::{about, open};
use crate::destination::Destination;
use crate::numbers;
use crate::session::Session;

/// Compress a recording of any length to the codes of the codec
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EncodeArgs {
    /// The recording, or - for the standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file of codes to write, or - for the standard output
    #[arg(short, long, value_name = "OUT.alm")]
    output: PathBuf,
    /// The codec: a folder, or a name on Hugging Face such as facebook/encodec_24khz [default: that
    /// of the bundle]
    #[arg(long, value_name = "CODEC", conflicts_with = "bundle")]
    codec: Option<String>,
    /// Keep the codes of so many leading quantizers [default: all]
    #[arg(long, value_name = "Q", value_parser = numbers::count, allow_negative_numbers = true)]
    quantizers: Option<usize>,
    /// How codes become bytes
    #[arg(long, value_enum, default_value_t)]
    packing: Packing,
}

/// A [`CodePacking`] to choose.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Packing {
    /// Each code in as many bits
    Bits,
    /// Frequent codes in fewer bits, by range coding
    #[default]
    Adaptive,
}

const EXAMPLES: &str = "\
Examples:
  audiolm encode hello.flac -o hello.alm
  audiolm encode hello.flac -o small.alm --quantizers 6
  audiolm encode - -o - < hello.flac > hello.alm
  audiolm decode small.alm -o hello.wav
  audiolm encode hello.flac -o hello.alm --codec facebook/encodec_24khz";

/// A file that was written.
#[derive(Debug, Serialize)]
struct Encoded {
    output: PathBuf,
    seconds: f64,
    quantizers: u16,
    bytes: u64,
    bits_per_second: f64,
}

impl EncodeArgs {
    /// Encodes.
    pub fn run(&self, session: &Session) -> Result<()> {
        let output = Destination::codes(&self.output)?.beside(&self.input)?;
        let recording = open(&self.input)?;
        let coder = session.coder(self.codec.as_deref())?;
        let codes = about(&self.input, coder.encode_blocks(&recording, self.quantizers))?;
        let header = *codes.header();
        let written = || output.path().display().to_string();
        let mut out = output.open()?;
        let mut writer =
            CodeWriter::new(&mut out, header, self.packing.into()).with_context(written)?;
        for block in codes {
            writer.push(&about(&self.input, block)?).with_context(written)?;
        }
        writer.finish().with_context(written)?;
        let bytes = out.stream_position()?;
        out.keep()?;
        if output.is_standard() {
            return Ok(());
        }
        session.print(&Encoded {
            output: output.path().to_owned(),
            seconds: header.seconds(),
            quantizers: header.n_quantizers,
            bytes,
            bits_per_second: 8.0 * bytes as f64 / header.seconds(),
        })
    }
}

impl From<Packing> for CodePacking {
    fn from(packing: Packing) -> Self {
        match packing {
            Packing::Bits => Self::Bits,
            Packing::Adaptive => Self::Adaptive,
        }
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
