//! What a token costs at the end of a longer and longer context: its time, and what memory is resident.
//!
//! ```text
//! cargo run --release -p audiolm-transformer --example generation_cost -- docs
//! ```
//!
//! draws `generation-time.png` and `generation-memory.png` into a folder. The decoder is 512 wide and 6
//! layers deep, its weights are random. The cache is allocated at the start, for all positions.

#![allow(clippy::print_stdout, reason = "it reports")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use audiolm_nn::Weights;
use audiolm_plot::{LineChart, Scale, Series};
use audiolm_transformer::DecoderConfig;
use burn::prelude::*;
use burn::tensor::Distribution;

const CAPACITY: usize = 8192;
/// Tokens that make a point.
const WINDOW: usize = 128;

/// Some tokens at the end of a context.
struct Cost {
    seen: f64,
    milliseconds: f64,
    megabytes: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    audiolm_flex::work_on_this_thread();
    audiolm_flex::install();
    let folder = std::env::args().nth(1).ok_or("expected a folder")?;
    let curves: Vec<(&str, Vec<Cost>)> = Weights::ALL
        .into_iter()
        .map(|it| Ok((it.name(), costs(it)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let chart = |title: &str, y_label: &str, of: fn(&Cost) -> f64| {
        let points = |it: &[Cost]| it.iter().map(|it| (it.seen, of(it))).collect();
        LineChart {
            title: title.to_owned(),
            x_label: "tokens seen before".to_owned(),
            y_label: y_label.to_owned(),
            series: curves.iter().map(|(name, it)| Series::new(*name, points(it))).collect(),
            scale: Scale::Linear,
        }
    };
    let path = |name: &str| Path::new(&folder).join(name);
    chart("Time of a token", "ms", |it| it.milliseconds).save(path("generation-time.png"))?;
    chart("Resident memory", "MB", |it| it.megabytes).save(path("generation-memory.png"))?;
    Ok(())
}

fn costs(weights: Weights) -> Result<Vec<Cost>, Box<dyn Error>> {
    let device = Device::flex();
    let decoder = DecoderConfig::new(512, 6, 8, 2048).init(&device)?.with_weights(weights);
    let token = Tensor::random([1, 1, 512], Distribution::Normal(0.0, 1.0), &device);
    let mut cache = decoder.cache(1, CAPACITY, None);
    let mut costs = Vec::new();
    for seen in (0..CAPACITY).step_by(WINDOW) {
        let mut best = f64::MAX;
        for _ in 0..WINDOW {
            let began = Instant::now();
            decoder.step(token.clone(), &mut cache);
            best = best.min(began.elapsed().as_secs_f64());
        }
        let cost = Cost { seen: seen as f64, milliseconds: 1e3 * best, megabytes: resident() };
        println!(
            "{} {seen}: {:.2} ms, {:.0} MB",
            weights.name(),
            cost.milliseconds,
            cost.megabytes
        );
        costs.push(cost);
    }
    Ok(costs)
}

/// Megabytes of this process that are in memory, where the system says so.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |it| it * 1024.0 / 1e6)
}
