//! From conditions to what the layers of a stack read.

use audiolm_nn::product;
use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig, RmsNorm, RmsNormConfig};
use burn::prelude::*;

use crate::attention::UNSEEN;
use crate::condition::{ConditionConfig, Conditioning, Conditions};

/// Projects conditions, and knows what to read where there is none.
#[derive(Module, Debug)]
pub struct Conditioner {
    norm: RmsNorm,
    project: Linear,
    /// What is read of a sequence that is told nothing, `[1, d_model]`.
    null: Param<Tensor<2>>,
    dropout: Dropout,
    #[module(skip)]
    by: Conditioning,
}

/// Conditions as the layers read them.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// `[batch, time, d_model]`.
    pub(crate) vectors: Tensor<3>,
    /// What keeps a sequence from seeing filling, `[batch, 1, 1, time]`, if there is any.
    pub(crate) hidden: Option<Tensor<4>>,
}

impl Told {
    /// Vectors of each sequence, filling among them.
    pub(crate) fn len(&self) -> usize {
        self.vectors.dims()[1]
    }
}

impl Conditioner {
    pub(crate) fn init(config: &ConditionConfig, d_model: usize, device: &Device) -> Self {
        let ConditionConfig { d_condition, by, dropout } = *config;
        let std = (d_condition as f64).powf(-0.5);
        Self {
            norm: RmsNormConfig::new(d_condition).init(device),
            project: LinearConfig::new(d_condition, d_model)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device),
            null: Initializer::Normal { mean: 0.0, std: 1.0 }.init([1, d_model], device),
            dropout: DropoutConfig::new(dropout).init(),
            by,
        }
    }

    /// How the stack is told.
    pub(crate) fn by(&self) -> Conditioning {
        self.by
    }

    /// Width of the vectors.
    pub(crate) fn d_condition(&self) -> usize {
        self.norm.gamma.dims()[0]
    }

    /// Training tells some of the sequences nothing.
    pub(crate) fn forward(&self, conditions: &Conditions) -> Told {
        let Conditions { vectors, lengths, told } = conditions;
        let [batch, time, _] = vectors.dims();
        let device = vectors.device();
        let told: Vec<f32> = told.iter().map(|it| f32::from(u8::from(*it))).collect();
        let told = Tensor::<1>::from_data(told.as_slice(), &device).reshape([batch, 1, 1]);
        // What is dropped is 0, what is kept is scaled.
        let told = self.dropout.forward(told).sign();
        let null = self.null.val().unsqueeze_dim::<3>(0);
        let projected = product(self.norm.forward(vectors.clone()), self.project.weight.val());
        let hidden = (lengths.iter().any(|it| *it < time) || self.drops(&device)).then(|| {
            let told = told.clone().unsqueeze_dim::<4>(3);
            filling(lengths, time, &device) * told.clone()
                + filling(&vec![1; batch], time, &device) * (-told + 1.0)
        });
        Told { vectors: projected * told.clone() + null * (-told + 1.0), hidden }
    }

    /// What is read of `batch` sequences that are told nothing.
    pub(crate) fn forward_null(&self, batch: usize) -> Told {
        let null = self.null.val();
        let [_, d_model] = null.dims();
        Told { vectors: null.unsqueeze_dim::<3>(0).expand([batch, 1, d_model]), hidden: None }
    }

    fn drops(&self, device: &Device) -> bool {
        device.is_autodiff() && self.dropout.prob > 0.0
    }
}

/// [`UNSEEN`] before the last `lengths` of `time` places, 0 in these.
fn filling(lengths: &[usize], time: usize, device: &Device) -> Tensor<4> {
    let row = |length: &usize| {
        let n_hidden = time - length;
        (0..time).map(move |at| if at < n_hidden { UNSEEN } else { 0.0 })
    };
    let values: Vec<f32> = lengths.iter().flat_map(row).collect();
    Tensor::<1>::from_data(values.as_slice(), device).reshape([lengths.len(), 1, 1, time])
}
