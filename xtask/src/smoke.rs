//! The whole chain at toy size: train every stage, bundle, continue.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::shell::{self, cargo, root, say};
use crate::tones::write_voices;

/// How much is continued, and from how much.
const SECONDS: u32 = 1;
const PROMPT_SECONDS: u32 = 1;

/// Runs the chain in `target/smoke`, which stays for those who want to look.
pub fn run() -> Result<()> {
    let folder = root().join("target").join("smoke");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let (data, run, bundle) = (folder.join("data"), folder.join("run"), folder.join("bundle"));
    write_voices(&data, 6, 4, 4.0)?;
    audiolm(&["train", "all", "--preset", "smoke", "--data", text(&data), "--run", text(&run)])?;
    audiolm(&["train", "parallel", "--run", text(&run)])?;
    audiolm(&["bundle", "--run", text(&run), "-o", text(&bundle), "--name", "smoke"])?;

    let prompt = data.join("voice-0").join("0.wav");
    for decoder in ["autoregressive", "parallel"] {
        let out = folder.join(decoder).with_extension("wav");
        continue_prompt(&prompt, &bundle, decoder, &out)?;
        check_length(&out)?;
    }
    Ok(())
}

fn continue_prompt(prompt: &Path, bundle: &Path, decoder: &str, out: &Path) -> Result<()> {
    let (seconds, prompt_seconds) = (SECONDS.to_string(), PROMPT_SECONDS.to_string());
    audiolm(&[
        "continue",
        text(prompt),
        "-o",
        text(out),
        "--bundle",
        text(bundle),
        "--decoder",
        decoder,
        "--seconds",
        &seconds,
        "--prompt-seconds",
        &prompt_seconds,
    ])
}

fn audiolm(arguments: &[&str]) -> Result<()> {
    shell::run(cargo().args(["run", "--quiet", "--package", "audiolm", "--"]).args(arguments))
}

fn check_length(path: &Path) -> Result<()> {
    let sound = hound::WavReader::open(path)?;
    let found = f64::from(sound.duration()) / f64::from(sound.spec().sample_rate);
    let expected = f64::from(SECONDS + PROMPT_SECONDS);
    ensure!((found - expected).abs() <= 0.02, "expected {expected} s, found {found} s");
    say(&format!("the whole chain works: {}", path.display()));
    Ok(())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the workspace has a name in UTF-8")
}
