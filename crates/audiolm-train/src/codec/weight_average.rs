//! The running average of a module's weights, which is smoother than the weights themselves.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;

/// A module whose weights are moved towards another's: `decay` of the old is kept.
///
/// Weights are matched by their identities. Both modules must be of one device, without gradients.
pub(crate) fn averaged<M: Module>(average: M, latest: &M, decay: f64) -> M {
    let mut weights = Weights(HashMap::new());
    latest.visit(&mut weights);
    average.map(&mut Moved { weights: weights.0, decay })
}

struct Weights(HashMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.insert(param.id, param.val().flatten(0, D - 1));
    }
}

struct Moved {
    weights: HashMap<ParamId, Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Moved {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(latest) = self.weights.remove(&param.id) else { return param };
        let decay = self.decay;
        param.map(|it| {
            let latest = latest.reshape(it.dims());
            it * decay + latest * (1.0 - decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;

    #[test]
    fn the_average_moves_by_its_share() {
        let device = Device::default();
        let average = LinearConfig::new(3, 2).init(&device);
        let latest = average.clone().map(&mut Doubled);
        let moved = averaged(average.clone(), &latest, 0.75);
        let expected = average.weight.val() * 1.25;
        let tolerance = burn::tensor::Tolerance::<f32>::absolute(1e-6);
        moved.weight.val().into_data().assert_approx_eq(&expected.into_data(), tolerance);
    }

    struct Doubled;

    impl ModuleMapper for Doubled {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|it| it * 2.0)
        }
    }
}
