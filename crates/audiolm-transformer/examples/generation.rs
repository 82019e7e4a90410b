//! How fast decoders draw tokens on this machine, in the shapes that `xtask/peers/generation.py`
//! measures PyTorch in:
//!
//! ```text
//! cargo run --release -p audiolm-transformer --example generation -- semantic 1 float32
//! ```
//!
//! names the case, the sequences in a batch and the weights, and prints how many tokens were drawn in
//! how many seconds. A token is embedded, goes through the decoder, and the next is drawn from the scores
//! of all. The weights are random, which costs as much as any. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it reports")]

use std::error::Error;
use std::time::Instant;

use audiolm_nn::{Weights, generator, product};
use audiolm_transformer::{Decoder, DecoderConfig, Sampling, sample};
use burn::prelude::*;
use burn::tensor::Distribution;

/// Runs, of which the fastest counts, after one that does not.
const RUNS: usize = 3;

/// A decoder, and what it shall draw.
struct Case {
    name: &'static str,
    config: DecoderConfig,
    /// Tokens it chooses from.
    vocabulary: usize,
    /// Tokens it is given.
    n_given: usize,
    /// Tokens it draws.
    n_drawn: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    audiolm_flex::work_on_this_thread();
    audiolm_flex::install();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, batch, weights] = &arguments[..] else {
        return Err("expected a case, a batch and weights, as in: semantic 1 float32".into());
    };
    let case = cases().into_iter().find(|it| it.name == name).ok_or("expected a known case")?;
    let weights = Weights::from_name(weights).ok_or("expected float32 or int8")?;
    let (batch, decoder) = (batch.parse()?, case.config.init(&Device::flex())?);
    let run = Run::new(&case, batch, decoder.with_weights(weights));
    let seconds = (0..=RUNS).map(|_| run.seconds()).skip(1).fold(f64::MAX, f64::min);
    println!("{{\"tokens\": {}, \"seconds\": {seconds}}}", batch * case.n_drawn);
    Ok(())
}

/// 100 frames: of ids, of 3 codes each after as many ids, of 5 codes each after 3 each; and 100 tokens
/// of AudioLM's own size.
fn cases() -> [Case; 4] {
    let case = |name, config, vocabulary, [n_given, n_drawn]: [usize; 2]| Case {
        name,
        config,
        vocabulary,
        n_given,
        n_drawn,
    };
    [
        case("semantic", DecoderConfig::audiolm_pytorch(1024), 501, [1, 100]),
        case("coarse", DecoderConfig::audiolm_pytorch(512), 1024, [101, 300]),
        case("fine", DecoderConfig::audiolm_pytorch(512), 1024, [301, 500]),
        case("paper", DecoderConfig::paper(), 1025, [1, 100]),
    ]
}

struct Run<'a> {
    case: &'a Case,
    batch: usize,
    decoder: Decoder,
    /// `[vocabulary, d_model]`: embeds and scores.
    table: Tensor<2>,
}

impl<'a> Run<'a> {
    fn new(case: &'a Case, batch: usize, decoder: Decoder) -> Self {
        let (d_model, device) = (decoder.d_model(), decoder.device());
        let like_weights = Distribution::Normal(0.0, (d_model as f64).powf(-0.5));
        let table = Tensor::random([case.vocabulary, d_model], like_weights, &device);
        Self { case, batch, decoder, table }
    }

    /// How long it takes to read what is given, and to draw.
    fn seconds(&self) -> f64 {
        let Case { n_given, n_drawn, .. } = *self.case;
        let mut cache = self.decoder.cache(self.batch, n_given + n_drawn, None);
        let mut rng = generator(1, "generation", 0);
        let mut next = vec![0; self.batch * n_given];
        let began = Instant::now();
        for _ in 0..n_drawn {
            let hidden = self.decoder.step(self.embedded(&next), &mut cache);
            let [_, time, _] = hidden.dims();
            let last: Tensor<2> = hidden.slice_dim(1, time - 1..time).squeeze_dim(1);
            let scores = product(last, self.table.clone().transpose()).into_data();
            let scores: Vec<f32> = scores.try_to_vec().unwrap_or_default();
            let of_rows = scores.chunks(self.case.vocabulary);
            next = of_rows.map(|it| sample(it, &Sampling::at(1.0), &mut rng) as i32).collect();
        }
        began.elapsed().as_secs_f64()
    }

    fn embedded(&self, tokens: &[i32]) -> Tensor<3> {
        let [_, d_model] = self.table.dims();
        let ids = Tensor::<1, Int>::from_data(tokens, &self.table.device());
        let time = tokens.len() / self.batch;
        self.table.clone().select(0, ids).reshape([self.batch, time, d_model])
    }
}
