//! Learning rates that suit each layer's width.

use burn::lr_scheduler::{
    LrSchedulerConfig,
    module_lr_scheduler::{ModuleLearningRate, ModuleLrSchedulerConfig},
};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::prelude::*;

/// Numbers that reach one output in a layer that learns at the full rate.
const NARROW: usize = 64;

/// The convolutions of a model, each with the share of the learning rate that suits it.
///
/// Adam moves every weight by about the rate, so that an output which sums `n` of them moves `n`
/// times as far: the rate of a layer has to fall with its width (Yang et al. 2022, arXiv 2203.03466,
/// table 3), or the widest layers are thrown about while the narrowest hardly learn.
///
/// Layers are known by their identity, which a model that is read from a checkpoint brings along:
/// take the rates of the model that is to be moved, not of one that was there before it.
#[derive(Debug, Clone)]
pub(crate) struct LayerRates {
    layers: Vec<(ParamId, f64)>,
}

impl LayerRates {
    pub(crate) fn of(model: &impl Module) -> Self {
        let mut layers = Convolutions(Vec::new());
        model.visit(&mut layers);
        Self { layers: layers.0 }
    }

    /// The rate of each layer, and `rate` for everything else.
    pub(crate) fn at(&self, rate: f64) -> ModuleLearningRate {
        let constant = LrSchedulerConfig::Constant;
        let rates = self.layers.iter().fold(
            ModuleLrSchedulerConfig::new(constant(rate)),
            |rates, (layer, share)| {
                rates.with_group(ParamGroup::from_ids(vec![*layer]), constant(rate * share))
            },
        );
        rates.init().expect("a constant rate is valid").step()
    }
}

struct Convolutions(Vec<(ParamId, f64)>);

impl ModuleVisitor for Convolutions {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let [_, channels, taps] = param.dims()[..] {
            let width = channels * taps;
            if width > NARROW {
                self.0.push((param.id, NARROW as f64 / width as f64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::CausalConv1dConfig;

    #[test]
    fn wider_layers_learn_more_slowly() {
        let layers =
            [4, 16, 32].map(|it| CausalConv1dConfig::new(it, 2, 8).init(&Device::default()));
        let layers = layers.map(Result::unwrap).to_vec();
        let shares: Vec<_> = LayerRates::of(&layers).layers.into_iter().map(|it| it.1).collect();
        assert_eq!(shares, [0.5, 0.25]);
    }

    #[test]
    fn biases_learn_at_the_full_rate() {
        let layer = CausalConv1dConfig::new(16, 2, 8).init(&Device::default()).unwrap();
        let rates = LayerRates::of(&layer);
        let [(weight, _)] = rates.layers[..] else { panic!("one layer") };
        let bias = burn::module::list_param_ids(&layer).into_iter().find(|it| *it != weight);
        let rates = rates.at(0.1);
        assert_eq!(rates.lr_from_param(weight, None), 0.05);
        assert_eq!(rates.lr_from_param(bias.unwrap(), None), 0.1);
    }
}
