//! What is missed of held-out vectors, and how many codes are in use.

use std::time::Duration;

use audiolm_codec::CodebookUsage;
use burn::prelude::*;

use crate::contestant::Contestant;
use crate::vectors::Vectors;

/// Numbers of leading quantizers that are looked at.
const NUMBERS: [usize; 4] = [1, 2, 4, 8];

pub struct Score {
    /// The share of the vectors' energy that so many quantizers miss.
    missed: Vec<f32>,
    usage: Vec<CodebookUsage>,
}

impl Score {
    pub fn of_vectors(quantizer: &Contestant, vectors: &Vectors) -> Self {
        Self::of(quantizer, vectors.test.clone(), |it| it, |it| it)
    }

    /// Of a quantizer between an encoder and a decoder.
    pub fn of(
        quantizer: &Contestant,
        vectors: Tensor<2>,
        encode: impl Fn(Tensor<3>) -> Tensor<3>,
        decode: impl Fn(Tensor<3>) -> Tensor<3>,
    ) -> Self {
        let vectors: Tensor<3> = vectors.unsqueeze();
        let frames = encode(vectors.clone());
        let dimension = frames.dims()[2];
        let codes = quantizer.encode(frames);
        let missed = NUMBERS.map(|n| {
            let leading = codes.clone().slice_dim(1, ..n);
            let found = decode(quantizer.decode(leading, dimension));
            let error = (found - vectors.clone()).square().mean();
            (error / vectors.clone().square().mean()).into_scalar::<f32>()
        });
        let usage = CodebookUsage::of_quantizers(codes, quantizer.codebook_size()).unwrap();
        Self { missed: missed.to_vec(), usage }
    }

    pub fn print(&self, name: &str, took: Duration) {
        let mean = |of: fn(&CodebookUsage) -> f64| {
            self.usage.iter().map(of).sum::<f64>() / self.usage.len() as f64
        };
        let missed: Vec<String> = self.missed.iter().map(|it| format!("{it:.4}")).collect();
        println!(
            "| {name} | {} | {:.0} % | {:.0} | {:.1} | {:.0} s |",
            missed.join(" | "),
            100.0 * mean(CodebookUsage::used_fraction),
            mean(CodebookUsage::perplexity),
            mean(CodebookUsage::entropy_nats) * self.usage.len() as f64 / std::f64::consts::LN_2,
            took.as_secs_f64(),
        );
    }
}

pub fn print_heading(what: &str) {
    println!("\nQuantizers {what}\n");
    let numbers = NUMBERS.map(|it| format!("{it}")).join(" | ");
    println!("| quantizer | {numbers} | used | perplexity | bits of a frame | took |");
    println!("|---|{}", "---|".repeat(NUMBERS.len() + 4));
}
