//! Attention over the last frames.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::config::MimiConfig;

/// Multi-head attention to a frame itself and those before it in a window, by rotary positions
/// (Su et al. 2021, arXiv 2104.09864).
#[derive(Debug, Clone)]
pub(super) struct WindowedAttention {
    query: Tensor<2>,
    key: Tensor<2>,
    value: Tensor<2>,
    output: Tensor<2>,
    n_heads: usize,
    /// Frames that each frame sees, itself included.
    window: usize,
}

/// Keys and values of the frames that the next one still sees: `[batch, heads, past, d_head]`.
#[derive(Debug, Clone, Default)]
pub(super) struct WindowedAttentionState(Option<Past>);

#[derive(Debug, Clone)]
struct Past {
    keys: Tensor<4>,
    values: Tensor<4>,
}

/// Angles of frames in a row: `[1, 1, time, d_head]` each.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl WindowedAttention {
    pub(super) fn read(weights: &mut WeightReader, name: &str, config: &MimiConfig) -> Self {
        let (width, inner) = (config.hidden_size, config.num_attention_heads * config.d_head());
        let mut linear = |part: &str, shape| -> Tensor<2> {
            let matrix: Tensor<2> = weights.take(&format!("{name}.{part}_proj.weight"), shape);
            matrix.transpose()
        };
        Self {
            query: linear("q", [inner, width]),
            key: linear("k", [inner, width]),
            value: linear("v", [inner, width]),
            output: linear("o", [width, inner]),
            n_heads: config.num_attention_heads,
            window: config.sliding_window,
        }
    }

    /// # Shapes
    /// - frames and output: `[batch, time, width]`
    pub(super) fn step(
        &self,
        frames: Tensor<3>,
        rotation: &Rotation,
        state: &mut WindowedAttentionState,
    ) -> Tensor<3> {
        let [batch, time, _] = frames.dims();
        let heads = |matrix: &Tensor<2>| {
            let mixed = frames.clone().matmul(matrix.clone().unsqueeze());
            mixed.reshape([batch as i64, time as i64, self.n_heads as i64, -1]).swap_dims(1, 2)
        };
        let queries = rotation.turn(heads(&self.query));
        let new = Past { keys: rotation.turn(heads(&self.key)), values: heads(&self.value) };
        let seen = match state.0.take() {
            None => new,
            Some(past) => past.followed_by(new),
        };
        state.0 = Some(seen.last(self.window - 1));
        let d_head = queries.dims()[3] as f64;
        let scores = queries.matmul(seen.keys.clone().swap_dims(2, 3)) / d_head.sqrt();
        let scores = scores.mask_fill(self.hidden(time, &seen), f32::NEG_INFINITY);
        let mixed = softmax(scores, 3).matmul(seen.values);
        mixed.swap_dims(1, 2).flatten::<3>(2, 3).matmul(self.output.clone().unsqueeze())
    }

    /// What each of the last `time` frames does not see: `[1, 1, time, seen]`.
    fn hidden(&self, time: usize, seen: &Past) -> Tensor<4, Bool> {
        let [_, _, n_seen, _] = seen.keys.dims();
        let own = |row: usize| n_seen - time + row;
        let is_hidden =
            |row: usize, column: usize| column > own(row) || column + self.window <= own(row);
        let rows = (0..time).flat_map(|row| (0..n_seen).map(move |column| (row, column)));
        let mask: Vec<bool> = rows.map(|(row, column)| is_hidden(row, column)).collect();
        let data = TensorData::new(mask, [1, 1, time, n_seen]);
        Tensor::from_data(data, &seen.keys.device())
    }
}

impl Past {
    fn followed_by(self, new: Self) -> Self {
        Self {
            keys: Tensor::cat(vec![self.keys, new.keys], 2),
            values: Tensor::cat(vec![self.values, new.values], 2),
        }
    }

    fn last(&self, n: usize) -> Self {
        let [_, _, time, _] = self.keys.dims();
        let start = time.saturating_sub(n);
        let last = |it: &Tensor<4>| it.clone().slice_dim(2, start..);
        Self { keys: last(&self.keys), values: last(&self.values) }
    }
}

impl Rotation {
    /// Of `time` frames from number `start` on. Angles are computed in 64 bits: a stream may be
    /// hours long.
    pub(super) fn new([start, time]: [usize; 2], config: (usize, f64), device: &Device) -> Self {
        let (d_head, theta) = config;
        let angle = |frame: usize, pair: usize| {
            frame as f64 * theta.powf(-2.0 * pair as f64 / d_head as f64)
        };
        let table = |of: fn(f64) -> f64| {
            let frames = (start..start + time).flat_map(|frame| {
                (0..d_head).map(move |at| of(angle(frame, at % (d_head / 2))) as f32)
            });
            let data = TensorData::new(frames.collect::<Vec<_>>(), [1, 1, time, d_head]);
            Tensor::from_data(data, device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }

    /// Turns the pairs that a head's first and second half make.
    fn turn(&self, heads: Tensor<4>) -> Tensor<4> {
        let [_, _, _, d_head] = heads.dims();
        let first = heads.clone().slice_dim(3, ..d_head / 2);
        let second = heads.clone().slice_dim(3, d_head / 2..);
        let quarter_turn = Tensor::cat(vec![second.neg(), first], 3);
        heads * self.cos.clone() + quarter_turn * self.sin.clone()
    }
}
