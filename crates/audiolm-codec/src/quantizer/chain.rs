//! Quantizers in a row: what all kinds share, whatever one of them makes of a vector.

use burn::prelude::*;

use crate::QuantizedOutput;

/// One of the quantizers in a row.
pub(crate) trait Link {
    /// # Shapes
    /// - vectors: `[n, dimension]`
    /// - output: `[n]`
    fn encode(&self, vectors: Tensor<2>) -> Tensor<1, Int>;

    /// # Shapes
    /// - codes: `[n]`
    /// - output: `[n, dimension]`
    fn decode(&self, codes: Tensor<1, Int>) -> Tensor<2>;
}

/// A [`Link`] that gradients pass through.
pub(crate) trait LearntLink: Link {
    /// # Shapes
    /// - vectors: `[n, dimension]`
    fn forward(&self, vectors: Tensor<2>) -> LinkOutput;
}

/// What a training pass of one [`LearntLink`] yields.
#[derive(Debug)]
pub(crate) struct LinkOutput {
    /// `[n, dimension]`
    pub vectors: Tensor<2>,
    /// `[n]`
    pub codes: Tensor<1, Int>,
    /// Of each vector, `[n, 1]`; as in [`QuantizedOutput`].
    pub commitment: Tensor<2>,
    /// Of each vector, `[n, 1]`; as in [`QuantizedOutput`].
    pub codebook: Tensor<2>,
}

/// The codes of frames, each link quantising what the ones before it left over.
///
/// # Shapes
/// - frames: `[batch, time, dimension]`
/// - output: `[batch, quantizer, time]`
pub(crate) fn encode<L: Link>(links: &[L], frames: Tensor<3>) -> Tensor<3, Int> {
    let [batch, time, _] = frames.dims();
    let mut residual = rows(frames).detach();
    let codes = links.iter().map(|link| {
        let codes = link.encode(residual.clone());
        residual = residual.clone() - link.decode(codes.clone());
        codes.reshape([batch, 1, time])
    });
    Tensor::cat(codes.collect(), 1)
}

/// The sum of what codes of any number of leading links stand for.
///
/// # Shapes
/// - codes: `[batch, n, time]`
/// - output: `[batch, time, dimension]`
///
/// # Panics
/// Where there are no codes, or more rows of them than links.
pub(crate) fn decode<L: Link>(links: &[L], codes: Tensor<3, Int>) -> Tensor<3> {
    let [batch, n, time] = codes.dims();
    let available = links.len();
    assert!((1..=available).contains(&n), "{n} rows of codes for {available} quantizers");
    let vectors = codes.split(1, 1).into_iter().zip(links);
    let sum = vectors
        .map(|(codes, link)| link.decode(codes.reshape([batch * time])))
        .reduce(|sum, it| sum + it);
    frames(sum.expect("at least one row of codes"), batch)
}

/// Quantises with gradients through every link, each example by its own number of leading ones.
///
/// # Shapes
/// - input: `[batch, time, dimension]`
/// - active: one number for each example
///
/// # Panics
/// Where `active` has another length than the batch.
pub(crate) fn forward<L: LearntLink>(
    links: &[L],
    input: Tensor<3>,
    active: &[usize],
) -> QuantizedOutput {
    let [batch, time, _] = input.dims();
    assert_eq!(active.len(), batch, "one number of quantizers for each example");
    let mut residual = rows(input);
    let device = residual.device();
    let mut sum = residual.zeros_like();
    let (mut commitment, mut codebook) = (Tensor::zeros([1], &device), Tensor::zeros([1], &device));
    let mut codes = Vec::new();
    for (level, link) in links.iter().enumerate() {
        let used = used_at(level, active, time, &device);
        let output = link.forward(residual.clone());
        sum = sum + output.vectors.clone() * used.clone();
        commitment = commitment + (output.commitment * used.clone()).mean();
        codebook = codebook + (output.codebook * used).mean();
        codes.push(output.codes.reshape([batch, 1, time]));
        residual = residual - output.vectors;
    }
    QuantizedOutput {
        quantized: frames(sum, batch),
        codes: Tensor::cat(codes, 1),
        commitment,
        codebook,
        residuals: Vec::new(),
    }
}

/// Links that each `fit` what the ones before them leave over of `vectors` `[n, dimension]`.
/// `on_link` is called after each with the number of those that are done.
pub(crate) fn fitted<L: Link>(
    links: Vec<L>,
    vectors: Tensor<2>,
    mut fit: impl FnMut(L, Tensor<2>) -> L,
    mut on_link: impl FnMut(usize),
) -> Vec<L> {
    let mut residual = vectors.detach();
    let fit = |(index, link): (usize, L)| {
        let link = fit(link, residual.clone());
        residual = residual.clone() - link.decode(link.encode(residual.clone())).detach();
        on_link(index + 1);
        link
    };
    links.into_iter().enumerate().map(fit).collect()
}

/// One for each row whose example uses link `level`: `[batch * time, 1]`.
pub(crate) fn used_at(level: usize, active: &[usize], time: usize, device: &Device) -> Tensor<2> {
    let used = active.iter().flat_map(|it| std::iter::repeat_n(f32::from(level < *it), time));
    let used: Vec<f32> = used.collect();
    let rows = used.len();
    Tensor::from_data(TensorData::new(used, [rows, 1]), device)
}

/// `[batch, time, dimension]` as `[batch * time, dimension]`.
pub(crate) fn rows(frames: Tensor<3>) -> Tensor<2> {
    frames.flatten(0, 1)
}

/// `[batch * time, dimension]` as `[batch, time, dimension]`.
pub(crate) fn frames(rows: Tensor<2>, batch: usize) -> Tensor<3> {
    let [n, dimension] = rows.dims();
    rows.reshape([batch, n / batch, dimension])
}
