//! Attention as `attention.rs` does it, beside burn's own, at the shapes of training and of drawing.
//!
//! `cargo bench -p audiolm-transformer --bench attention`

// A benchmark prints, and unwraps where it should fail.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use burn::prelude::*;
use burn::tensor::Distribution;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;

const D_HEAD: usize = 64;
const BLOCK: usize = 128;

/// Queries at the end of keys, of which there is room for more.
#[derive(Clone, Copy)]
struct Shape {
    batch: usize,
    n_heads: usize,
    n_kv_heads: usize,
    rows: usize,
    keys: usize,
    capacity: usize,
}

fn main() {
    let drawing = |n_heads, n_kv_heads, keys| Shape {
        batch: 1,
        n_heads,
        n_kv_heads,
        rows: 1,
        keys,
        capacity: 2048,
    };
    let whole = |batch, n_heads, time| Shape {
        batch,
        n_heads,
        n_kv_heads: n_heads,
        rows: time,
        keys: time,
        capacity: time,
    };
    for shape in [
        drawing(16, 16, 200),
        drawing(16, 16, 1000),
        drawing(16, 16, 2000),
        drawing(8, 1, 200),
        drawing(8, 1, 1000),
        drawing(8, 1, 2000),
        whole(1, 16, 200),
        whole(1, 16, 750),
        whole(4, 4, 450),
        whole(4, 16, 750),
        whole(1, 16, 2000),
    ] {
        measure(shape);
    }
}

fn measure(shape: Shape) {
    let Shape { batch, n_heads, n_kv_heads, rows, keys, capacity } = shape;
    let device = Device::default();
    let random = |dims: [usize; 4]| Tensor::<4>::random(dims, Distribution::Default, &device);
    let queries = random([batch, n_heads, rows, D_HEAD]);
    let bias = causal_bias(n_heads, rows, keys, &device);
    // Each keeps its cache as it likes it best.
    let ours = (
        random([batch, n_kv_heads, D_HEAD, capacity]),
        random([batch, n_kv_heads, D_HEAD + 1, capacity]),
    );
    let theirs = (
        random([batch, n_kv_heads, capacity, D_HEAD]),
        random([batch, n_kv_heads, capacity, D_HEAD]),
    );
    let ours = || {
        let mut start = 0;
        let first = if rows.is_multiple_of(BLOCK) { BLOCK.min(rows) } else { rows % BLOCK };
        let blocks = (first..=rows).step_by(BLOCK).map(|end| {
            let (from, seen) = (start, keys - rows + end);
            start = end;
            let queries = queries.clone().slice_dim(2, from..end);
            let bias = bias.clone().slice_dim(2, from..end).slice_dim(3, 0..seen);
            let of = |it: &Tensor<4>| it.clone().slice_dim(3, 0..seen);
            block(queries, of(&ours.0), of(&ours.1), bias)
        });
        Tensor::cat(blocks.collect(), 2).into_data()
    };
    let theirs = || {
        let of = |it: &Tensor<4>| it.clone().slice_dim(2, 0..keys);
        let options = AttentionModuleOptions::default();
        attention(queries.clone(), of(&theirs.0), of(&theirs.1), None, Some(bias.clone()), options)
            .into_data()
    };
    let [ours, theirs] = in_turns([&ours, &theirs]);
    println!(
        "{batch} x {n_heads:2}/{n_kv_heads:2} heads, {rows:4} queries, {keys:4} keys: \
         ours {ours:9.1} us, burn's {theirs:9.1} us"
    );
}

/// `softmax(q·k + bias)·v`, the last feature of the values being 1.
fn block(queries: Tensor<4>, keys: Tensor<4>, values: Tensor<4>, bias: Tensor<4>) -> Tensor<4> {
    let [batch, heads, rows, d_head] = queries.dims();
    let n_kv_heads = keys.dims()[1];
    let regrouped = |it: Tensor<4>, n: usize| {
        let [_, from, time, features] = it.dims();
        if from == n { it } else { it.reshape([batch, n, from * time / n, features]) }
    };
    let queries = regrouped(queries * 0.125, n_kv_heads);
    let scores = regrouped(queries.matmul(keys), heads) + bias;
    let greatest = scores.clone().max_dim(3);
    let weights = regrouped((scores - greatest).exp(), n_kv_heads);
    let sums = regrouped(weights.matmul(values.swap_dims(2, 3)), heads);
    assert_eq!(sums.dims(), [batch, heads, rows, d_head + 1]);
    sums.clone().slice_dim(3, 0..d_head) / sums.slice_dim(3, d_head..d_head + 1)
}

fn causal_bias(n_heads: usize, rows: usize, keys: usize, device: &Device) -> Tensor<4> {
    let future = Tensor::<2, Bool>::tril_mask([rows, keys], (keys - rows) as i64, device);
    Tensor::<2>::zeros([rows, keys], device)
        .mask_fill(future, f32::NEG_INFINITY)
        .reshape([1, 1, rows, keys])
        .expand([1, n_heads, rows, keys])
}

/// Microseconds of each, the least of many runs in turns.
fn in_turns(runs: [&dyn Fn() -> burn::tensor::TensorData; 2]) -> [f64; 2] {
    let mut least = [f64::INFINITY; 2];
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 2.0 {
        for (least, run) in least.iter_mut().zip(runs) {
            let start = Instant::now();
            std::hint::black_box(run());
            *least = least.min(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    least
}
