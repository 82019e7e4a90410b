//! What a pass leaves behind for its gradients.
//!
//! A stack that learns keeps all that its layers compute until the gradients are known: scores of
//! attention and wide hidden states, many times what flows between layers. Gradient checkpointing
//! (Chen et al. 2016, arXiv 1604.06174) keeps only what went into each layer, and runs each layer
//! again when its gradients are due, last layer first:
//!
//! ```text
//! forth   x0 ─ layer 1 ─ x1 ─ layer 2 ─ x2 ─ … ─ xn ─ loss      no graph but of what is beside layers
//! back    for each layer from the last: y = layer(x), graph of this layer alone, d(y · pull)
//! ```

use audiolm_nn::generator;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use rand::Rng;

use crate::attention::Relation;
use crate::block::Block;
use crate::conditioner::Told;

/// What a pass leaves behind for its gradients: memory, or work.
#[derive(Debug, Default)]
pub enum Activations {
    /// All that its layers computed.
    #[default]
    Kept,
    /// What went into each layer. A step costs about a third more time.
    Recomputed(Recomputation),
}

impl Activations {
    /// Those of passes whose layers shall be run again. Layers that drop out draw what from `seed`,
    /// the same both times; the device's own generator is left in another state.
    pub fn recomputed(seed: u64) -> Self {
        Self::Recomputed(Recomputation { seed, passes: Vec::new() })
    }

    /// The gradients of a loss that came out of the passes, for the parameters of `module`, which the
    /// layers are part of.
    ///
    /// # Panics
    /// If the loss depends on no parameter, as where the module is not on an autodiff device.
    pub fn gradients<M: Module>(self, loss: &Tensor<1>, module: &M) -> GradientsParams {
        match self {
            Self::Kept => GradientsParams::from_grads(loss.backward(), module),
            Self::Recomputed(recomputation) => recomputation.gradients(loss, module),
        }
    }

    /// What `stream` is after all layers.
    ///
    /// # Shapes
    /// - stream, output: `[batch, time, d_model]`
    pub(crate) fn through(
        &mut self,
        blocks: &[Block],
        stream: Tensor<3>,
        beside: &Beside,
    ) -> Tensor<3> {
        match self {
            Self::Kept => blocks.iter().fold(stream, |it, block| beside.through(block, it)),
            Self::Recomputed(recomputation) => recomputation.through(blocks, stream, beside),
        }
    }
}

/// What all layers of a pass read beside the stream.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    pub(crate) relation: Relation,
    /// What every layer looks at, if anything.
    pub(crate) told: Option<Told>,
}

impl Beside {
    fn through(&self, block: &Block, stream: Tensor<3>) -> Tensor<3> {
        let told = self.told.as_ref().and_then(|told| block.cross_seen(told));
        block.forward(stream, &self.relation, told.as_ref(), None)
    }

    /// Every part that has a gradient, as `f` makes it.
    fn map(&self, mut f: impl FnMut(Tensor<4>) -> Tensor<4>) -> Self {
        let told = self.told.clone().map(|told| Told {
            vectors: f(told.vectors.unsqueeze_dim(0)).squeeze_dim(0),
            hidden: told.hidden,
        });
        let Relation { bias, angles, clock, hidden } = self.relation.clone();
        let bias = match &angles {
            // Positions are told by angles, which are not learnt.
            Some(_) => bias,
            None => bias.into_iter().map(&mut f).collect(),
        };
        let clock = clock.map(|it| it.map_queries(f));
        Self { relation: Relation { bias, angles, clock, hidden }, told }
    }

    /// The parts that have a gradient, in the order of [`map`](Self::map).
    fn learnt(&self) -> Vec<Tensor<4>> {
        let mut parts = Vec::new();
        self.map(|part| {
            parts.push(part.clone());
            part
        });
        parts
    }
}

/// Layers that have been passed, to be passed again.
#[derive(Debug)]
pub struct Recomputation {
    seed: u64,
    passes: Vec<Passed>,
}

/// One pass through a stack.
#[derive(Debug)]
struct Passed {
    /// What went in, and what stood beside, with their graphs.
    stream: Tensor<3>,
    beside: Beside,
    /// The layers and what went into each, without a graph.
    layers: Vec<(Block, Tensor<3>)>,
    /// What came out: where the graph of what follows begins.
    output: Tensor<3>,
}

impl Recomputation {
    fn through(&mut self, blocks: &[Block], stream: Tensor<3>, beside: &Beside) -> Tensor<3> {
        let fixed = beside.map(Tensor::detach);
        let mut layers = Vec::with_capacity(blocks.len());
        let mut flowing = stream.clone().detach();
        for (idx, block) in blocks.iter().enumerate() {
            layers.push((block.clone(), flowing.clone()));
            block.visit(&mut Drawn);
            self.reseed(self.passes.len(), idx, &flowing.device());
            flowing = fixed.through(&block.clone().no_grad(), flowing);
        }
        let output = flowing.require_grad();
        let beside = beside.clone();
        self.passes.push(Passed { stream, beside, layers, output: output.clone() });
        output
    }

    /// The device draws the same whenever this layer of this pass is run.
    fn reseed(&self, pass: usize, layer: usize, device: &Device) {
        let place = ((pass as u64) << 32) + layer as u64;
        device.seed(generator(self.seed, "layer", place).next_u64());
    }

    fn gradients<M: Module>(self, loss: &Tensor<1>, module: &M) -> GradientsParams {
        let mut sum = GradientsAccumulator::new();
        let mut graph = loss.backward();
        let pulls: Vec<_> =
            self.passes.iter().map(|it| it.output.grad_remove(&mut graph)).collect();
        sum.accumulate(module, GradientsParams::from_grads(graph, module));
        for (idx, (passed, pull)) in self.passes.iter().zip(pulls).enumerate() {
            let Some(pull) = pull else { continue };
            self.back_through(idx, passed, pull, |graph| {
                sum.accumulate(module, GradientsParams::from_grads(graph, module));
            });
        }
        sum.grads()
    }

    /// Hands on the gradients of each layer, from the last to the first, then of what went in.
    fn back_through(
        &self,
        pass: usize,
        passed: &Passed,
        mut pull: Tensor<3>,
        mut hand_on: impl FnMut(burn::tensor::Gradients),
    ) {
        let learnt = passed.beside.learnt();
        let mut pulls: Vec<Option<Tensor<4>>> = vec![None; learnt.len()];
        for (idx, (block, input)) in passed.layers.iter().enumerate().rev() {
            let input = input.clone().require_grad();
            let mut leaves = Vec::new();
            let beside = passed.beside.map(|part| {
                leaves.push(part.detach().require_grad());
                leaves[leaves.len() - 1].clone()
            });
            self.reseed(pass, idx, &input.device());
            let output = beside.through(block, input.clone());
            let mut graph = (output * Tensor::from_inner(pull)).sum().backward();
            pull = input.grad_remove(&mut graph).expect("the stream goes on beside every layer");
            for (leaf, pull) in leaves.iter().zip(&mut pulls) {
                *pull = match (leaf.grad_remove(&mut graph), pull.take()) {
                    (Some(new), Some(sum)) => Some(sum + new),
                    (new, sum) => new.or(sum),
                };
            }
            hand_on(graph);
        }
        let mut pulled = pulled_by(passed.stream.clone(), pull);
        for (part, pull) in learnt.into_iter().zip(pulls) {
            if let Some(pull) = pull {
                pulled = pulled + pulled_by(part, pull);
            }
        }
        if pulled.is_tracked() {
            hand_on(pulled.backward());
        }
    }
}

/// Draws weights that are not drawn yet: until then, what is set for a copy is set for all.
struct Drawn;

impl ModuleVisitor for Drawn {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}

/// A number whose gradient for `tensor` is `pull`.
fn pulled_by<const D: usize>(tensor: Tensor<D>, pull: Tensor<D>) -> Tensor<1> {
    (tensor * Tensor::from_inner(pull)).sum()
}
