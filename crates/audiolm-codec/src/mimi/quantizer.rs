//! The two quantizers of Mimi.

use audiolm_nn::WeightReader;
use burn::prelude::*;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;

use super::config::MimiConfig;
use crate::seanet::ResidualCodebooks;

/// Keeps the average of an entry that was never used finite.
const LEAST_USAGE: f64 = 1e-5;

/// Semantic codes and acoustic ones of the same frame, side by side: neither refines the other
/// (arXiv 2410.00037, section 3.3.2).
#[derive(Debug, Clone)]
pub(super) struct SplitQuantizer {
    semantic: ProjectedQuantizer,
    acoustic: ProjectedQuantizer,
}

/// Codebooks between two projections, where they have other dimensions than frames do.
#[derive(Debug, Clone)]
struct ProjectedQuantizer {
    codebooks: ResidualCodebooks,
    projections: Option<Projections>,
}

/// Kernels of one frame.
#[derive(Debug, Clone)]
struct Projections {
    /// `[codebook_dim, dimension, 1]`
    input: Tensor<3>,
    /// `[dimension, codebook_dim, 1]`
    output: Tensor<3>,
}

impl SplitQuantizer {
    pub(super) fn read(weights: &mut WeightReader, config: &MimiConfig) -> Self {
        let mut read = |part: &str, n_codebooks| {
            let name = format!("quantizer.{part}_residual_vector_quantizer");
            ProjectedQuantizer::read(weights, &name, n_codebooks, config)
        };
        Self {
            semantic: read("semantic", config.num_semantic_quantizers),
            acoustic: read("acoustic", config.num_quantizers - config.num_semantic_quantizers),
        }
    }

    /// # Shapes
    /// - frames: `[batch, dimension, time]`
    /// - output: `[batch, quantizer, time]`
    pub(super) fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        let semantic = self.semantic.encode(frames.clone());
        Tensor::cat(vec![semantic, self.acoustic.encode(frames)], 1)
    }

    /// # Shapes
    /// - codes: `[batch, n, time]`
    /// - output: `[batch, dimension, time]`
    ///
    /// # Panics
    /// Where there are no codes, or more rows of them than codebooks.
    pub(super) fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        let n_semantic = self.semantic.codebooks.tables.len().min(codes.dims()[1]);
        let semantic = self.semantic.decode(codes.clone().slice_dim(1, ..n_semantic));
        match codes.dims()[1] - n_semantic {
            0 => semantic,
            _ => semantic + self.acoustic.decode(codes.slice_dim(1, n_semantic..)),
        }
    }
}

impl ProjectedQuantizer {
    fn read(
        weights: &mut WeightReader,
        name: &str,
        n_codebooks: usize,
        config: &MimiConfig,
    ) -> Self {
        let (wide, narrow) = (config.hidden_size, config.codebook_dim());
        let mut table = |index| read_table(weights, &format!("{name}.layers.{index}"), config);
        let codebooks = ResidualCodebooks { tables: (0..n_codebooks).map(&mut table).collect() };
        let mut projections = || Projections {
            input: weights.take_kernels(&format!("{name}.input_proj"), [narrow, wide, 1]),
            output: weights.take_kernels(&format!("{name}.output_proj"), [wide, narrow, 1]),
        };
        Self { codebooks, projections: (wide != narrow).then(&mut projections) }
    }

    fn encode(&self, frames: Tensor<3>) -> Tensor<3, Int> {
        match &self.projections {
            None => self.codebooks.encode(frames),
            Some(it) => self.codebooks.encode(projected(frames, &it.input)),
        }
    }

    fn decode(&self, codes: Tensor<3, Int>) -> Tensor<3> {
        let frames = self.codebooks.decode(codes);
        match &self.projections {
            None => frames,
            Some(it) => projected(frames, &it.output),
        }
    }
}

fn projected(frames: Tensor<3>, kernels: &Tensor<3>) -> Tensor<3> {
    conv1d(frames, kernels.clone(), None, ConvOptions::new([1], [0], [1], 1))
}

/// A codebook's entries: the averages that training has kept as sums and counts.
fn read_table(weights: &mut WeightReader, name: &str, config: &MimiConfig) -> Tensor<2> {
    let name = format!("{name}.codebook");
    weights.skip(&format!("{name}.initialized"));
    let (size, dimension) = (config.codebook_size, config.codebook_dim());
    let sums: Tensor<2> = weights.take(&format!("{name}.embed_sum"), [size, dimension]);
    let usage: Tensor<1> = weights.take(&format!("{name}.cluster_usage"), [size]);
    sums / usage.clamp_min(LEAST_USAGE).unsqueeze_dim(1)
}
