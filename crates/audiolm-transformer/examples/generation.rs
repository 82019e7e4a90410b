//! How many tokens a second a decoder draws on this machine: `cargo run --release -p
//! audiolm-transformer --example generation -- semantic`.
//!
//! The weights are random, which costs as much as any. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it reports")]

use std::time::Instant;

use audiolm_nn::{Weights, generator};
use audiolm_transformer::{Decoder, DecoderConfig, Sampling, sample};
use burn::prelude::*;

/// Tokens of a run, from an empty cache.
const N_TOKENS: usize = 300;
const RUNS: usize = 3;

/// A decoder, and as many tokens as it chooses from.
struct Case {
    name: &'static str,
    config: DecoderConfig,
    n_tokens: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    rayon::ThreadPoolBuilder::new().use_current_thread().build_global()?;
    audiolm_flex::install();
    let names: Vec<String> = std::env::args().skip(1).collect();
    for case in
        cases().into_iter().filter(|it| names.is_empty() || names.iter().any(|n| n == it.name))
    {
        let decoder = case.config.init(&Device::flex())?;
        for (weights, batch) in Weights::ALL.into_iter().flat_map(|it| [(it, 1), (it, 4)]) {
            let decoder = decoder.clone().with_weights(weights);
            let seconds =
                (0..RUNS).map(|_| draw(&decoder, case.n_tokens, batch)).fold(f64::MAX, f64::min);
            let rate = (batch * N_TOKENS) as f64 / seconds;
            let gb = (decoder.num_params() + case.n_tokens * case.config.d_model) as f64 * 4e-9;
            println!(
                "{} {} batch {batch}: {rate:.1} tokens/s, {:.2} ms a step, {:.1} GB/s of weights",
                case.name,
                weights.name(),
                1e3 * seconds / N_TOKENS as f64,
                gb * N_TOKENS as f64 / seconds,
            );
        }
    }
    Ok(())
}

fn cases() -> [Case; 3] {
    [
        Case { name: "semantic", config: DecoderConfig::new(1024, 6, 8, 4096), n_tokens: 501 },
        Case { name: "coarse", config: DecoderConfig::new(512, 6, 8, 2048), n_tokens: 1024 },
        Case { name: "paper", config: DecoderConfig::paper(), n_tokens: 1024 },
    ]
}

/// Seconds for the tokens of a batch.
fn draw(decoder: &Decoder, n_tokens: usize, batch: usize) -> f64 {
    let device = decoder.device();
    let std = 1.0 / (decoder.d_model() as f64).sqrt();
    let table = Tensor::<2>::random(
        [n_tokens, decoder.d_model()],
        burn::tensor::Distribution::Normal(0.0, std),
        &device,
    );
    let mut cache = decoder.cache(batch, N_TOKENS);
    let mut rng = generator(1, "bench", 0);
    let mut last = vec![0i32; batch];
    let began = Instant::now();
    for _ in 0..N_TOKENS {
        let ids = Tensor::<1, Int>::from_data(last.as_slice(), &device);
        let embedded = table.clone().select(0, ids).reshape([batch, 1, decoder.d_model()]);
        let hidden: Tensor<2> = decoder.step(embedded, &mut cache).squeeze_dim(1);
        let logits = audiolm_nn::product(hidden, table.clone().transpose());
        let logits: Vec<f32> = logits.into_data().try_to_vec().unwrap_or_default();
        let drawn =
            logits.chunks(n_tokens).map(|it| sample(it, &Sampling::at(1.0), &mut rng) as i32);
        last = drawn.collect();
    }
    began.elapsed().as_secs_f64()
}
