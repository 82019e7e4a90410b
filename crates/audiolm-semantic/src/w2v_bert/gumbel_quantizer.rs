//! Vectors to codes that are learnt along: wav2vec 2.0's product quantizer.

use audiolm_nn::Generator;
use burn::module::Param;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::softmax;
use rand::RngExt;
use rand::distr::Open01;

use crate::HubertError;

/// Shares below this count as none in an entropy.
const SMALLEST_SHARE: f64 = 1e-9;

/// Configuration of a Gumbel quantizer; defaults as in w2v-BERT (Chung et al. 2021, arXiv
/// 2108.06209): one codebook of 1024 entries.
#[derive(Config, Debug, PartialEq)]
pub struct GumbelQuantizerConfig {
    /// G in wav2vec 2.0: codebooks, each of which gives one code.
    #[config(default = 1)]
    pub n_groups: usize,
    /// V: entries of each codebook.
    #[config(default = 1024)]
    pub n_entries: usize,
    /// Width of an entry.
    #[config(default = 1024)]
    pub d_entry: usize,
}

/// How the temperature of the Gumbel-softmax falls: by a factor at each step, to a floor. Defaults
/// as in wav2vec 2.0 base (Baevski et al. 2020, arXiv 2006.11477, section 4.2).
#[derive(Config, Debug, PartialEq)]
pub struct GumbelTemperature {
    /// Before the first step.
    #[config(default = 2.0)]
    pub start: f64,
    /// What each step multiplies it by.
    #[config(default = 0.999995)]
    pub factor: f64,
    /// Where it stays.
    #[config(default = 0.5)]
    pub floor: f64,
}

/// The product quantizer of wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477, section 2): each
/// codebook has a logit for each of its entries, and the entries chosen are put side by side.
#[derive(Module, Debug)]
pub struct GumbelQuantizer {
    pub(crate) logits: Linear,
    /// `[n_groups, n_entries, d_entry]`
    pub(crate) entries: Param<Tensor<3>>,
}

/// How entries are chosen.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one for each step")]
pub(crate) enum CodeChoice {
    /// The greatest logit.
    Greatest,
    /// The greatest logit with noise from Gumbel's distribution added, the gradient being that of
    /// a softmax at this temperature (Jang et al. 2016, arXiv 1611.01144, section 2.2).
    Gumbel {
        /// `[n, n_groups, n_entries]`
        noise: Tensor<3>,
        temperature: f64,
    },
}

/// What the vectors have become.
#[derive(Debug, Clone)]
pub(crate) struct Quantized {
    /// The entries chosen, side by side: `[n, n_groups * d_entry]`
    pub(crate) vectors: Tensor<2>,
    /// Which they are: `[n, n_groups]`
    pub(crate) ids: Tensor<2, Int>,
    /// The same as ones among zeros: `[n, n_groups, n_entries]`
    pub(crate) chosen: Tensor<3>,
    /// The mean softmax of the logits, without noise: `[n_groups, n_entries]`
    pub(crate) shares: Tensor<2>,
}

impl GumbelQuantizerConfig {
    /// Checks that the numbers describe a quantizer.
    pub(crate) fn validate(&self) -> Result<(), HubertError> {
        let sizes = [("quantizer.n_groups", self.n_groups), ("quantizer.d_entry", self.d_entry)];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(HubertError::ZeroSize { name });
        }
        match self.n_entries {
            0 | 1 => Err(HubertError::TooFewEntries { found: self.n_entries }),
            _ => Ok(()),
        }
    }

    /// Weights begin as in fairseq, where logits are far apart from the first step on.
    pub(crate) fn init(&self, n_features: usize, device: &Device) -> GumbelQuantizer {
        let Self { n_groups, n_entries, d_entry } = *self;
        let normal = Initializer::Normal { mean: 0.0, std: 1.0 };
        let uniform = Initializer::Uniform { min: 0.0, max: 1.0 };
        let logits = LinearConfig::new(n_features, n_groups * n_entries).with_initializer(normal);
        let logits = logits.init(device);
        let zeros = Initializer::Zeros.init([n_groups * n_entries], device);
        GumbelQuantizer {
            logits: Linear { bias: Some(zeros), ..logits },
            entries: uniform.init([n_groups, n_entries, d_entry], device),
        }
    }

    /// Noise for `n` vectors, drawn on the host.
    pub(crate) fn noise(&self, n: usize, rng: &mut Generator, device: &Device) -> Tensor<3> {
        let shape = [n, self.n_groups, self.n_entries];
        let gumbel = |_| {
            let uniform: f64 = rng.sample(Open01);
            -(-uniform.ln()).ln() as f32
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(gumbel).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

impl GumbelTemperature {
    /// The temperature of `step`, the first being 0.
    pub fn at(&self, step: u64) -> f64 {
        (self.start * self.factor.powf(step as f64)).max(self.floor)
    }
}

impl GumbelQuantizer {
    /// # Shapes
    /// - features: `[n, n_features]`
    pub(crate) fn forward(&self, features: Tensor<2>, choice: &CodeChoice) -> Quantized {
        let ([n_groups, n_entries, d_entry], n) = (self.entries.dims(), features.dims()[0]);
        let logits = self.logits.forward(features).reshape([n, n_groups, n_entries]);
        let shares = softmax(logits.clone(), 2).mean_dim(0).squeeze_dim(0);
        let Chosen { ids, hard, passed } = choice.choose(logits);
        let vectors = passed.swap_dims(0, 1).matmul(self.entries.val()).swap_dims(0, 1);
        let vectors = vectors.reshape([n, n_groups * d_entry]);
        Quantized { vectors, ids, chosen: hard, shares }
    }
}

struct Chosen {
    ids: Tensor<2, Int>,
    hard: Tensor<3>,
    /// The same, with a gradient where there is one.
    passed: Tensor<3>,
}

impl CodeChoice {
    fn choose(&self, logits: Tensor<3>) -> Chosen {
        let shape = logits.dims();
        let (ranked, temperature) = match self {
            Self::Greatest => (logits, None),
            Self::Gumbel { noise, temperature } => (logits + noise.clone(), Some(*temperature)),
        };
        let ids = ranked.clone().detach().argmax(2);
        let entries = Tensor::<1, Int>::arange(0..shape[2] as i64, &ids.device()).unsqueeze::<3>();
        let hard = ids.clone().expand(shape).equal(entries.expand(shape)).float();
        let passed = match temperature {
            None => hard.clone(),
            Some(temperature) => {
                let soft = softmax(ranked / temperature, 2);
                hard.clone() - soft.clone().detach() + soft
            }
        };
        Chosen { ids: ids.squeeze_dim(2), hard, passed }
    }
}

impl Quantized {
    /// How far the mean softmax is from giving all entries the same share (wav2vec 2.0, section
    /// 2.2, in the form its code has): 0 where it does, and nearly 1 where it gives all to one.
    pub(crate) fn diversity_loss(&self) -> Tensor<1> {
        let n_entries = self.shares.dims()[1] as f64;
        -mean_perplexity(self.shares.clone()) / n_entries + 1.0
    }

    /// Entries of equal frequency that would be as hard to foretell as those chosen; the mean over
    /// codebooks.
    pub(crate) fn perplexity(&self) -> Tensor<1> {
        mean_perplexity(self.frequencies())
    }

    /// How often the most frequent entry was chosen, as a share; the mean over codebooks.
    pub(crate) fn majority(&self) -> Tensor<1> {
        self.frequencies().max_dim(1).mean()
    }

    fn frequencies(&self) -> Tensor<2> {
        self.chosen.clone().mean_dim(0).squeeze_dim(0)
    }
}

/// The exponential of each row's entropy, and the mean of these: `[rows, n]` to `[1]`.
pub(crate) fn mean_perplexity(shares: Tensor<2>) -> Tensor<1> {
    let entropy = -(shares.clone() * shares.clamp_min(SMALLEST_SHARE).log()).sum_dim(1);
    entropy.exp().mean()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a softmax of these shares gives, each frame having the same.
    fn quantized(shares: &[[f32; 4]]) -> Quantized {
        let device = Device::default();
        let values = shares.concat();
        let shares = Tensor::<2>::from_data(TensorData::new(values, [shares.len(), 4]), &device);
        let chosen = shares.clone().unsqueeze::<3>();
        let ids = Tensor::zeros([1, chosen.dims()[1]], &device);
        Quantized { vectors: Tensor::zeros([1, 1], &device), ids, chosen, shares }
    }

    #[track_caller]
    fn check_diversity(shares: &[[f32; 4]], expected: f32) {
        let found = quantized(shares).diversity_loss().into_scalar::<f32>();
        assert!((found - expected).abs() < 1e-5, "{found}");
    }

    #[test]
    fn diversity_is_lost_with_the_entries() {
        let (uniform, one) = ([0.25; 4], [0.0, 1.0, 0.0, 0.0]);
        check_diversity(&[uniform, uniform], 0.0);
        check_diversity(&[one, one], 1.0 - 1.0 / 4.0);
        check_diversity(&[uniform, one], (1.0 - 1.0 / 4.0) / 2.0);
        check_diversity(&[[0.5, 0.5, 0.0, 0.0]], 0.5);
    }

    #[test]
    fn perplexity_counts_entries_in_use() {
        let used = quantized(&[[0.25; 4], [0.0, 1.0, 0.0, 0.0]]);
        assert!((used.perplexity().into_scalar::<f32>() - 2.5).abs() < 1e-5);
        assert!((used.majority().into_scalar::<f32>() - 0.625).abs() < 1e-5);
    }

    #[test]
    fn the_temperature_falls_to_its_floor() {
        let gumbel = GumbelTemperature::new();
        assert_eq!(gumbel.at(0), 2.0);
        // 2 * 0.999995^n = 0.5 at n = ln 4 / 5e-6.
        assert!(gumbel.at(277_000) > 0.5);
        assert_eq!(gumbel.at(278_000), 0.5);
    }

    #[test]
    fn noise_has_the_mean_of_gumbels_distribution() {
        let config = GumbelQuantizerConfig::new().with_n_entries(64);
        let rng = &mut audiolm_nn::generator(0, "noise", 0);
        let mean = config.noise(1000, rng, &Device::default()).mean().into_scalar::<f32>();
        // Euler's constant; the deviation of one value is pi / sqrt(6), that of the mean 0.005.
        assert!((mean - 0.5772).abs() < 0.02, "{mean}");
    }
}
