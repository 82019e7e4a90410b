//! Tries every quantizer on what the bundled codec's encoder makes of recordings, at the same
//! number of bits, and prints how much of held-out vectors each number of quantizers misses.
//!
//! ```sh
//! cargo run -p audiolm-codec --example quantizers -- DATA/speech/en
//! cargo run -p audiolm-codec --example quantizers -- DATA/speech/en "rotation trick" 1
//! ```
//!
//! The folder has recordings to learn from in `train` and others in `test`. What follows it narrows
//! the trial down to quantizers with this in their name, and sets the seed. The outcome is in
//! `docs/quantizers.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a trial that is run by hand")]

mod autoencoder;
mod contestant;
mod lookup_free;
mod rotation;
mod score;
mod vectors;

use std::path::PathBuf;
use std::time::Instant;

use audiolm_codec::{FactorizedQuantizerConfig, FiniteScalarQuantizerConfig, QuantizerConfig};
use audiolm_nn::generator;
use burn::prelude::*;

use autoencoder::Autoencoder;
use contestant::{Contestant, Gradient};
use lookup_free::LookupFree;
use score::{Score, print_heading};
use vectors::Vectors;

/// Quantizers in a row, of about ten bits each.
const N_QUANTIZERS: usize = 8;
/// Dimensions between the small encoder and decoder.
const INNER: usize = 64;
/// Steps that quantizers of given vectors learn for.
const STEPS_ALONE: u64 = 1000;
/// Steps that they learn for within an encoder and a decoder.
const STEPS_WITHIN: u64 = 2000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder with train and test"));
    let only = arguments.next().unwrap_or_default();
    let seed = arguments.next().map_or(0, |it| it.parse().expect("a number as the seed"));
    let vectors = Vectors::read(&folder, &Device::default());
    let [n_train, n_test] = [&vectors.train, &vectors.test].map(|it| it.dims()[0]);
    println!("{n_train} vectors to learn from, {n_test} held out");
    let trial = Trial { vectors, only, seed };
    print_heading("of the encoder's vectors");
    trial.fit();
    trial.teach_alone();
    print_heading("between an encoder and a decoder that learn with them");
    trial.teach_within();
}

/// Who is tried, on what.
struct Trial {
    vectors: Vectors,
    /// Part of the names of those who are tried.
    only: String,
    seed: u64,
}

impl Trial {
    /// Quantizers of the encoder's very vectors, fitted to them.
    fn fit(&self) {
        for (name, n_groups, config) in [
            ("residual, k-means", 1, residual(N_QUANTIZERS)),
            ("2 groups, k-means", 2, residual(N_QUANTIZERS / 2)),
            ("4 groups, k-means", 4, residual(N_QUANTIZERS / 4)),
            ("factorised 8, fitted", 1, factorized(8)),
            ("finite scalar 8·5·5·5, fitted", 1, finite_scalar(&[8, 5, 5, 5])),
        ] {
            self.run(name, || Score::of_vectors(&self.fitted(n_groups, &config), &self.vectors));
        }
    }

    /// The same, and then taught by gradients.
    fn teach_alone(&self) {
        for (name, config) in [
            ("factorised 8, taught", factorized(8)),
            ("factorised 16, taught", factorized(16)),
            ("finite scalar 8·5·5·5, taught", finite_scalar(&[8, 5, 5, 5])),
            ("finite scalar 4·4·4·4·4, taught", finite_scalar(&[4; 5])),
        ] {
            self.run(name, || self.taught_alone(self.fitted(1, &config).train()));
        }
        self.run("lookup-free 10 bits, taught", || {
            let dimension = self.vectors.dimension();
            let device = self.vectors.device().autodiff();
            device.seed(self.seed);
            let fresh = LookupFree::new(N_QUANTIZERS, 10, dimension, &device);
            self.taught_alone(Contestant::LookupFree(fresh))
        });
    }

    /// Quantizers between an encoder and a decoder that learn with them.
    fn teach_within(&self) {
        use Gradient::{Rotated, StraightThrough};
        for (name, n_groups, config, gradient) in [
            ("residual, averages", 1, residual(N_QUANTIZERS), StraightThrough),
            ("residual, averages, rotation trick", 1, residual(N_QUANTIZERS), Rotated),
            ("2 groups, averages", 2, residual(N_QUANTIZERS / 2), StraightThrough),
            ("factorised 8", 1, factorized(8), StraightThrough),
            ("finite scalar 8·5·5·5", 1, finite_scalar(&[8, 5, 5, 5]), StraightThrough),
            ("finite scalar 4·4·4·4·4", 1, finite_scalar(&[4; 5]), StraightThrough),
        ] {
            self.run(name, || {
                let device = self.vectors.device().autodiff();
                let quantizer = Contestant::grouped(n_groups, &config, INNER, &device);
                self.taught_within(quantizer, gradient)
            });
        }
        self.run("lookup-free 10 bits", || {
            let device = self.vectors.device().autodiff();
            device.seed(self.seed);
            let quantizer = LookupFree::new(N_QUANTIZERS, 10, INNER, &device);
            self.taught_within(Contestant::LookupFree(quantizer), StraightThrough)
        });
    }

    fn run(&self, name: &str, score: impl FnOnce() -> Score) {
        if name.contains(&self.only) {
            let begun = Instant::now();
            score().print(name, begun.elapsed());
        }
    }

    fn fitted(&self, n_groups: usize, config: &QuantizerConfig) -> Contestant {
        let Vectors { train, .. } = &self.vectors;
        let fresh =
            Contestant::grouped(n_groups, config, self.vectors.dimension(), &train.device());
        fresh.fitted(train.clone(), &mut generator(self.seed, "fit", 0))
    }

    fn taught_alone(&self, quantizer: Contestant) -> Score {
        let alone = Autoencoder::of_nothing(quantizer);
        alone.taught(&self.vectors, STEPS_ALONE, self.seed).score(&self.vectors)
    }

    fn taught_within(&self, quantizer: Contestant, gradient: Gradient) -> Score {
        let device = self.vectors.device().autodiff();
        device.seed(self.seed);
        let sizes = [self.vectors.dimension(), INNER];
        let fresh = Autoencoder::new(sizes, quantizer, gradient, &device);
        let fitted = fresh.fitted(&self.vectors, self.seed);
        fitted.taught(&self.vectors, STEPS_WITHIN, self.seed).score(&self.vectors)
    }
}

fn residual(n_quantizers: usize) -> QuantizerConfig {
    QuantizerConfig::residual(n_quantizers, 1024)
}

fn factorized(codebook_dimension: usize) -> QuantizerConfig {
    let config = FactorizedQuantizerConfig::new(N_QUANTIZERS, 1024, codebook_dimension);
    QuantizerConfig::Factorized(config)
}

fn finite_scalar(levels: &[usize]) -> QuantizerConfig {
    QuantizerConfig::FiniteScalar(FiniteScalarQuantizerConfig::new(N_QUANTIZERS, levels.to_vec()))
}
