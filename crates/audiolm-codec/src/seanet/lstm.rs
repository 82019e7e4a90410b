//! Recurrent layers around a skip.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::activation::{sigmoid, tanh};

/// Long short-term memories in a row, whose output is added to the input of the first
/// (arXiv 2210.13438, section 3.1).
#[derive(Debug, Clone)]
pub(crate) struct SkipLstm {
    layers: Vec<LstmLayer>,
}

/// What every layer of a [`SkipLstm`] remembers of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct SkipLstmState(Vec<Memory>);

#[derive(Debug, Clone)]
struct LstmLayer {
    /// `[width, 4 * width]`: input, forget, cell and output gate, as PyTorch orders them.
    from_input: Tensor<2>,
    /// `[width, 4 * width]`
    from_hidden: Tensor<2>,
    /// `[4 * width]`
    bias: Tensor<1>,
}

/// `[batch, width]` each.
#[derive(Debug, Clone)]
struct Memory {
    hidden: Tensor<2>,
    cell: Tensor<2>,
}

impl SkipLstm {
    /// Takes `NAME.lstm` of so many layers.
    pub(crate) fn read(
        weights: &mut WeightReader,
        name: &str,
        width: usize,
        n_layers: usize,
    ) -> Self {
        let mut layer = |index: usize| {
            let mut take = |part: &str| -> Tensor<2> {
                weights.take(&format!("{name}.lstm.{part}_l{index}"), [4 * width, width])
            };
            let (from_input, from_hidden) = (take("weight_ih"), take("weight_hh"));
            let mut bias = |part: &str| -> Tensor<1> {
                weights.take(&format!("{name}.lstm.{part}_l{index}"), [4 * width])
            };
            LstmLayer {
                from_input: from_input.transpose(),
                from_hidden: from_hidden.transpose(),
                bias: bias("bias_ih") + bias("bias_hh"),
            }
        };
        Self { layers: (0..n_layers).map(&mut layer).collect() }
    }

    /// # Shapes
    /// - chunk and output: `[batch, width, time]`
    pub(crate) fn step(&self, chunk: Tensor<3>, state: &mut SkipLstmState) -> Tensor<3> {
        let [batch, width, _] = chunk.dims();
        if state.0.is_empty() {
            let blank = Tensor::zeros([batch, width], &chunk.device());
            let memory = Memory { hidden: blank.clone(), cell: blank };
            state.0 = vec![memory; self.layers.len()];
        }
        let frames = chunk.clone().swap_dims(1, 2);
        let layers = self.layers.iter().zip(&mut state.0);
        let hidden = layers.fold(frames, |it, (layer, memory)| layer.step(it, memory));
        chunk + hidden.swap_dims(1, 2)
    }
}

impl LstmLayer {
    /// # Shapes
    /// - frames and output: `[batch, time, width]`
    fn step(&self, frames: Tensor<3>, memory: &mut Memory) -> Tensor<3> {
        let driven =
            frames.matmul(self.from_input.clone().unsqueeze()) + self.bias.clone().unsqueeze::<3>();
        let outputs = driven.split(1, 1).into_iter().map(|drive| {
            self.remember(drive.squeeze_dim(1), memory);
            memory.hidden.clone().unsqueeze_dim(1)
        });
        Tensor::cat(outputs.collect(), 1)
    }

    /// One frame (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
    fn remember(&self, drive: Tensor<2>, memory: &mut Memory) {
        let gates = drive + memory.hidden.clone().matmul(self.from_hidden.clone());
        let [input, forget, cell, output] =
            gates.chunk(4, 1).try_into().expect("four gates of equal width");
        memory.cell = sigmoid(forget) * memory.cell.clone() + sigmoid(input) * tanh(cell);
        memory.hidden = sigmoid(output) * tanh(memory.cell.clone());
    }
}
