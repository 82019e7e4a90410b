//! A small encoder and decoder around a quantizer, and how all three learn.

use audiolm_nn::{Generator, generator};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::activation::gelu;
use rand::RngExt;

use crate::N_QUANTIZERS;
use crate::contestant::{Contestant, Gradient};
use crate::score::Score;
use crate::vectors::Vectors;

/// Examples in a batch, and vectors of each.
const BATCH: [usize; 2] = [16, 64];
/// Vectors that codebooks start from.
const FITTED_TO: [usize; 2] = [1, 16_384];
const HIDDEN: usize = 256;
/// The highest learning rate; it falls to nothing in a straight line.
const RATE: f64 = 1e-3;

#[derive(Module, Debug)]
pub struct Autoencoder {
    around: Option<Around>,
    quantizer: Contestant,
    #[module(skip)]
    gradient: Gradient,
}

/// What lies around a quantizer.
#[derive(Module, Debug)]
struct Around {
    encoder: Perceptron,
    decoder: Perceptron,
}

/// One hidden layer beside a straight line.
#[derive(Module, Debug)]
struct Perceptron {
    inner: Linear,
    outer: Linear,
    straight: Linear,
}

impl Autoencoder {
    pub fn new(
        [outer, inner]: [usize; 2],
        quantizer: Contestant,
        gradient: Gradient,
        device: &Device,
    ) -> Self {
        let encoder = Perceptron::new([outer, inner], device);
        let decoder = Perceptron::new([inner, outer], device);
        Self { around: Some(Around { encoder, decoder }), quantizer, gradient }
    }

    /// The quantizer alone.
    pub fn of_nothing(quantizer: Contestant) -> Self {
        Self { around: None, quantizer, gradient: Gradient::StraightThrough }
    }

    /// A quantizer that suits what the fresh encoder makes.
    pub fn fitted(self, vectors: &Vectors, seed: u64) -> Self {
        let plain = self.valid();
        let batch = vectors.batch(FITTED_TO, &mut generator(seed, "fit", 0));
        let frames: Tensor<2> = plain.encoded(batch).flatten(0, 1);
        let rng = &mut generator(seed, "fit", 1);
        Self { quantizer: plain.quantizer.fitted(frames, rng).train(), ..self }
    }

    pub fn taught(mut self, vectors: &Vectors, steps: u64, seed: u64) -> Self {
        let mut optimizer = AdamWConfig::new().with_weight_decay(0.0).init();
        let mut averages = self.quantizer.averages(BATCH[0] * BATCH[1]);
        for step in 0..steps {
            let rng = &mut generator(seed, "batch", step);
            let batch = Tensor::from_inner(vectors.batch(BATCH, rng));
            let frames = self.encoded(batch.clone());
            let pass = self.quantizer.forward(frames, &active(rng), self.gradient);
            let error = (self.decoded(pass.quantized) - batch).square().mean();
            let gradients = GradientsParams::from_grads((error + pass.loss).backward(), &self);
            self = optimizer.step(RATE * (1.0 - step as f64 / steps as f64), self, gradients);
            let (learnt, quantizer) = self.quantizer.learn(averages, &pass.seen, rng);
            (averages, self.quantizer) = (learnt, quantizer);
        }
        self
    }

    pub fn score(&self, vectors: &Vectors) -> Score {
        let plain = self.valid();
        let (encode, decode) = (|it| plain.encoded(it), |it| plain.decoded(it));
        Score::of(&plain.quantizer, vectors.test.clone(), encode, decode)
    }

    fn encoded(&self, vectors: Tensor<3>) -> Tensor<3> {
        self.around.iter().fold(vectors, |it, around| around.encoder.forward(it))
    }

    fn decoded(&self, frames: Tensor<3>) -> Tensor<3> {
        self.around.iter().fold(frames, |it, around| around.decoder.forward(it))
    }
}

impl Perceptron {
    fn new([input, output]: [usize; 2], device: &Device) -> Self {
        Self {
            inner: LinearConfig::new(input, HIDDEN).init(device),
            outer: LinearConfig::new(HIDDEN, output).init(device),
            straight: LinearConfig::new(input, output).init(device),
        }
    }

    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let bent = self.outer.forward(gelu(self.inner.forward(input.clone())));
        self.straight.forward(input) + bent
    }
}

/// All quantizers for half the examples, a random number for the others.
fn active(rng: &mut Generator) -> Vec<usize> {
    let mut drawn = || match rng.random::<f64>() < 0.5 {
        true => rng.random_range(1..=N_QUANTIZERS),
        false => N_QUANTIZERS,
    };
    (0..BATCH[0]).map(|_| drawn()).collect()
}
