//! The encoder's layers.

use std::path::Path;

use audiolm_nn::{Buckets, Direction, WeightReader, published_weights};
use burn::prelude::*;
use burn::tensor::activation::{gelu_approximate, relu, softmax};

use super::config::{FeedForward, T5Config};
use crate::TextError;

/// T5's encoder (Raffel et al. 2020, arXiv 1910.10683, section 2.1), as published and frozen: its
/// weights are no parameters of anything, so no optimizer finds them.
#[derive(Debug, Clone)]
pub struct T5Encoder {
    /// `[vocabulary, d_model]`
    pieces: Tensor<2>,
    /// `[buckets, heads]`, of all layers
    position_bias: Tensor<2>,
    layers: Vec<Layer>,
    norm: Norm,
    config: T5Config,
}

/// Attention, then a feed-forward, each after a norm and beside a residual path.
#[derive(Debug, Clone)]
struct Layer {
    attention_norm: Norm,
    query: Tensor<2>,
    key: Tensor<2>,
    value: Tensor<2>,
    output: Tensor<2>,
    feed_forward_norm: Norm,
    feed_forward: FeedForwardWeights,
    n_heads: usize,
}

#[derive(Debug, Clone)]
struct FeedForwardWeights {
    /// That of a gated GELU; without one the layer is a ReLU.
    gate: Option<Tensor<2>>,
    widen: Tensor<2>,
    narrow: Tensor<2>,
}

/// Scales to a root mean square of one, then by a learnt factor: nothing is centred or added.
#[derive(Debug, Clone)]
struct Norm {
    gain: Tensor<1>,
    epsilon: f64,
}

impl T5Encoder {
    /// Reads `config.json` and the weights of a folder: those of the encoder alone, or of the whole
    /// model, whose decoder is left out.
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a variant that
    /// is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, TextError> {
        let config = T5Config::load_from(&folder.join("config.json"))?;
        let mut weights = WeightReader::open(&published_weights(folder)?, device)?;
        for prefix in ["decoder.", "lm_head."] {
            weights.skip_all(prefix);
        }
        let encoder = Self::read(&mut weights, config);
        weights.finish()?;
        Ok(encoder)
    }

    fn read(weights: &mut WeightReader, config: T5Config) -> Self {
        let T5Config { vocab_size, d_model, num_heads, .. } = config;
        let bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
        let shape = [config.relative_attention_num_buckets, num_heads];
        let pieces = weights.take("shared.weight", [vocab_size, d_model]);
        // Some programs save the tied table under its second name too.
        weights.skip("encoder.embed_tokens.weight");
        Self {
            pieces,
            position_bias: weights.take(bias, shape),
            layers: (0..config.num_layers).map(|it| Layer::read(weights, it, &config)).collect(),
            norm: Norm::read(weights, "encoder.final_layer_norm", &config),
            config,
        }
    }

    /// Its sizes.
    pub fn config(&self) -> &T5Config {
        &self.config
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.pieces.device()
    }

    /// The encodings of texts of as many pieces as `lengths` says, filled up on the right with any
    /// pieces: no text sees what follows its own. What is at filled places means nothing.
    ///
    /// # Shapes
    /// - ids: `[batch, time]`, each below the vocabulary's size; lengths: `batch` of 1 to `time`
    /// - output: `[batch, time, d_model]`
    ///
    /// # Panics
    /// On any other shape.
    pub fn forward(&self, ids: Tensor<2, Int>, lengths: &[usize]) -> Tensor<3> {
        let [batch, time] = ids.dims();
        assert_eq!(lengths.len(), batch, "a length for each text");
        let bias = self.bias(time) + hidden(lengths, time, &self.device());
        let hidden = self.pieces.clone().select(0, ids.reshape([batch * time]));
        let hidden = hidden.reshape([batch, time, self.config.d_model]);
        let encoded = self.layers.iter().fold(hidden, |it, layer| layer.forward(it, bias.clone()));
        self.norm.forward(encoded)
    }

    /// What is added to the score of each key for each query: `[1, heads, time, time]`.
    fn bias(&self, time: usize) -> Tensor<4> {
        let buckets = Buckets {
            n_buckets: self.config.relative_attention_num_buckets,
            max_distance: self.config.relative_attention_max_distance,
            direction: Direction::Bidirectional,
        };
        let offsets = (0..time as i64).flat_map(|query| (0..time as i64).map(move |it| it - query));
        let rows: Vec<i32> = offsets.map(|it| buckets.bucket(it) as i32).collect();
        let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &self.device());
        let bias = self.position_bias.clone().select(0, rows).transpose();
        bias.reshape([1, self.config.num_heads, time, time])
    }
}

/// −∞ for keys past the end of their text: `[batch, 1, 1, time]`.
fn hidden(lengths: &[usize], time: usize, device: &Device) -> Tensor<4> {
    let mut scores = Vec::with_capacity(lengths.len() * time);
    for length in lengths {
        assert!((1..=time).contains(length), "{length} pieces of {time}");
        scores.extend((0..time).map(|it| if it < *length { 0.0 } else { f32::NEG_INFINITY }));
    }
    Tensor::<1>::from_data(scores.as_slice(), device).reshape([lengths.len(), 1, 1, time])
}

impl Layer {
    fn read(weights: &mut WeightReader, index: usize, config: &T5Config) -> Self {
        let (d_model, d_heads) = (config.d_model, config.d_heads());
        let name = format!("encoder.block.{index}.layer");
        let mut product = |part: &str, shape| {
            weights.take::<2>(&format!("{name}.0.SelfAttention.{part}.weight"), shape).transpose()
        };
        let (query, key) = (product("q", [d_heads, d_model]), product("k", [d_heads, d_model]));
        let (value, output) = (product("v", [d_heads, d_model]), product("o", [d_model, d_heads]));
        Self {
            attention_norm: Norm::read(weights, &format!("{name}.0.layer_norm"), config),
            query,
            key,
            value,
            output,
            feed_forward_norm: Norm::read(weights, &format!("{name}.1.layer_norm"), config),
            feed_forward: FeedForwardWeights::read(weights, &name, config),
            n_heads: config.num_heads,
        }
    }

    /// # Shapes
    /// - input and output: `[batch, time, d_model]`; bias: `[batch, heads, time, time]`
    fn forward(&self, input: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let hidden = self.attended(input, bias);
        let normed = self.feed_forward_norm.forward(hidden.clone());
        hidden + self.feed_forward.forward(normed)
    }

    /// The first half. The scores are not scaled: the weights have learnt to do without.
    fn attended(&self, input: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let [batch, time, _] = input.dims();
        let normed = self.attention_norm.forward(input.clone());
        let heads = |weight: &Tensor<2>| {
            let projected = normed.clone().matmul(weight.clone().unsqueeze());
            let [_, _, d_heads] = projected.dims();
            let [n_heads, d_head] = [self.n_heads, d_heads / self.n_heads];
            projected.reshape([batch, time, n_heads, d_head]).swap_dims(1, 2)
        };
        let scores = heads(&self.query).matmul(heads(&self.key).transpose()) + bias;
        let mixed = softmax(scores, 3).matmul(heads(&self.value)).swap_dims(1, 2);
        let [d_heads, _] = self.output.dims();
        input + mixed.reshape([batch, time, d_heads]).matmul(self.output.clone().unsqueeze())
    }
}

impl FeedForwardWeights {
    fn read(weights: &mut WeightReader, name: &str, config: &T5Config) -> Self {
        let (d_model, d_ff) = (config.d_model, config.d_ff);
        let mut product = |part: &str, shape| {
            weights.take::<2>(&format!("{name}.1.DenseReluDense.{part}.weight"), shape).transpose()
        };
        let narrow = product("wo", [d_model, d_ff]);
        let wide = [d_ff, d_model];
        let (gate, widen) = match config.feed_forward() {
            FeedForward::Relu => (None, product("wi", wide)),
            FeedForward::GatedGelu => (Some(product("wi_0", wide)), product("wi_1", wide)),
        };
        Self { gate, widen, narrow }
    }

    /// # Shapes
    /// - input and output: `[batch, time, d_model]`
    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let product =
            |input: Tensor<3>, weight: &Tensor<2>| input.matmul(weight.clone().unsqueeze());
        let wide = product(input.clone(), &self.widen);
        let hidden = match &self.gate {
            None => relu(wide),
            Some(gate) => gelu_approximate(product(input, gate)) * wide,
        };
        product(hidden, &self.narrow)
    }
}

impl Norm {
    fn read(weights: &mut WeightReader, name: &str, config: &T5Config) -> Self {
        let gain = weights.take(&format!("{name}.weight"), [config.d_model]);
        Self { gain, epsilon: config.layer_norm_epsilon }
    }

    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let square = input.clone().square().mean_dim(2);
        input / (square + self.epsilon).sqrt() * self.gain.clone().unsqueeze::<3>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::{Reference, fixture};

    /// 50 times what the same run in double precision differs by; see the README of each fixture.
    const ROUNDING: f32 = 50.0 * 2.1e-6;

    fn encoder(name: &str) -> T5Encoder {
        T5Encoder::load_from(&fixture(name), &Device::default()).unwrap()
    }

    /// Compares all layers of all rows, as far as the rows go.
    #[track_caller]
    fn check_parity(name: &str) {
        let (encoder, reference) = (encoder(name), Reference::of(name));
        let lengths = reference.lengths("input.attention_mask");
        let ids = reference.ids("input.input_ids");
        let [batch, time] = ids.dims();
        let check = |output: &str, found: Tensor<3>| {
            let expected = reference.floats::<3>(output);
            for (row, length) in lengths.iter().enumerate() {
                let part = |it: &Tensor<3>| it.clone().narrow(0, row, 1).narrow(1, 0, *length);
                let apart = (part(&found) - part(&expected)).abs().max().into_scalar::<f32>();
                assert!(apart <= ROUNDING, "{output}: {apart} apart, {ROUNDING} allowed");
            }
        };
        let bias = encoder.bias(time) + hidden(&lengths, time, &Device::default());
        let embedded = encoder.pieces.clone().select(0, ids.clone().reshape([batch * time]));
        let mut stream = embedded.reshape([batch, time, encoder.config.d_model]);
        for (index, layer) in encoder.layers.iter().enumerate() {
            check(&format!("output.hidden_states.{index}"), stream.clone());
            if index == 0 {
                check("output.layer0.self_attention", layer.attended(stream.clone(), bias.clone()));
            }
            stream = layer.forward(stream, bias.clone());
        }
        check("output.last_hidden_state", encoder.forward(ids, &lengths));
    }

    #[test]
    fn gated_gelu_answers_as_in_pytorch() {
        check_parity("t5_encoder");
    }

    #[test]
    fn plain_relu_answers_as_in_pytorch() {
        check_parity("t5_relu");
    }

    #[test]
    fn the_position_bias_is_equal() {
        let reference = Reference::of("t5_encoder");
        let expected: Tensor<4> = reference.floats("output.position_bias_40");
        let apart = (encoder("t5_encoder").bias(40) - expected).abs().max();
        assert_eq!(apart.into_scalar::<f32>(), 0.0, "it is looked up");
    }

    #[test]
    fn a_text_is_encoded_as_it_is_alone() {
        let encoder = encoder("t5_encoder");
        let ids = |values: &[i32], rows| {
            Tensor::<1, Int>::from_data(values, &Device::default()).reshape([rows, 4])
        };
        let together = encoder.forward(ids(&[7, 8, 9, 1, 5, 1, 99, 98], 2), &[4, 2]);
        let alone = encoder.forward(ids(&[5, 1, 0, 0], 1).narrow(1, 0, 2), &[2]);
        let apart = (together.narrow(0, 1, 1).narrow(1, 0, 2) - alone).abs().max();
        assert!(apart.into_scalar::<f32>() <= ROUNDING);
    }
}
