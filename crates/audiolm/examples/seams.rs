//! Whether more happens in a long continuation where windows begin than elsewhere.
//!
//! ```text
//! cargo run --release --example seams -- models/speech-tiny 300
//! ```
//!
//! continues the bundle's own prompt by so many seconds, and prints a line for each stage: how many
//! windows, and for steps and bumps the rank and the greatest (see `Seams` of `audiolm-eval`); then the
//! same of places at regular distances.

#![allow(clippy::print_stdout, reason = "it reports")]

use std::error::Error;
use std::path::PathBuf;

use audiolm::eval::Seams;
use audiolm::pipeline::{Part, PipelineError};
use audiolm::{AudioLm, Clip, ContinueOptions};

/// What is drawn depends on.
const SEED: u64 = 0;
/// Places that nothing singles out.
const N_OTHERS: usize = 271;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, seconds] = &arguments[..] else {
        return Err("expected a bundle and seconds, as in: models/speech-tiny 300".into());
    };
    let bundle = PathBuf::from(bundle);
    let lm = AudioLm::load(&bundle, &audiolm::device(None)?)?;
    let prompt = Clip::read(bundle.join("prompt.wav"))?;
    let options =
        ContinueOptions { seconds: seconds.parse()?, seed: SEED, ..ContinueOptions::default() };
    let mut blocks = lm.continue_stream(&prompt, &options)?;
    let (n_prompt, n_samples) = (blocks.prompt_samples(), blocks.n_samples());
    let wave: Vec<Vec<f32>> = blocks.by_ref().collect::<Result<_, PipelineError>>()?;
    let wave = wave.concat().split_off(n_prompt);
    let n_frames = blocks.tokens()?.n_frames();
    let hop = n_samples / n_frames;
    for stage in [Part::Semantic, Part::Coarse, Part::Fine] {
        let starts = blocks.window_starts(stage);
        let starts = starts.iter().map(|frame| frame * hop).filter(|it| *it > n_prompt);
        let starts: Vec<usize> = starts.map(|it| it - n_prompt).collect();
        println!("{stage}: {}", shown(&Seams::find(&wave, lm.sample_rate_hz(), &starts)?));
    }
    let places: Vec<usize> = (0..wave.len()).step_by(wave.len() / N_OTHERS).collect();
    println!("elsewhere: {}", shown(&Seams::find(&wave, lm.sample_rate_hz(), &places)?));
    Ok(())
}

fn shown(seams: &Seams) -> String {
    let Seams { steps, bumps, n_places } = seams;
    format!(
        "{n_places} places, ranks {:.2} and {:.2}, greatest {:.2} and {:.2}",
        steps.rank, bumps.rank, steps.greatest, bumps.greatest
    )
}
