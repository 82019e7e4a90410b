//! The quantizer, the contrastive task and their gradients against transformers' wav2vec 2.0.

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;

use super::contrastive::{Candidates, ContrastiveTask};
use super::gumbel_quantizer::{CodeChoice, GumbelQuantizer};
use crate::parity::{Reference, check_near};

/// Another precision, 64 bits in place of 32, moves the losses by this much (printed by the script
/// beside the reference); another order of summation is allowed 50 times that.
const ROUNDING: f32 = 50.0 * 7.1e-8;
/// The same of the gradients.
const GRADIENT_ROUNDING: f32 = 50.0 * 1.0e-7;
const TEMPERATURE: f64 = 1.5;

struct Case {
    reference: Reference,
    device: Device,
}

impl Case {
    fn load() -> Self {
        let reference = Reference::read("w2v_bert_pretraining/reference.safetensors");
        Self { reference, device: Device::default().autodiff() }
    }

    fn floats<const D: usize>(&self, name: &str) -> Tensor<D> {
        Tensor::from_data(self.reference.floats::<D>(name).into_data(), &self.device)
    }

    fn param<const D: usize>(&self, name: &str) -> Param<Tensor<D>> {
        Param::from_tensor(self.floats(&format!("weight.{name}")))
    }

    fn linear(&self, name: &str) -> Linear {
        let weight = self.param(&format!("{name}.weight"));
        Linear { weight, bias: Some(self.param(&format!("{name}.bias"))) }
    }

    fn quantizer(&self) -> GumbelQuantizer {
        GumbelQuantizer { logits: self.linear("logits"), entries: self.param("entries") }
    }

    fn task(&self) -> ContrastiveTask {
        ContrastiveTask::of(self.linear("context"), self.linear("codes"), 0.1)
    }

    fn candidates(&self) -> Candidates {
        let counts = self.reference.integers("input.counts");
        let counts: Vec<usize> = counts.into_iter().map(|it| it as usize).collect();
        let indices = self.reference.integers("input.candidates");
        let n_hidden: usize = counts.iter().sum();
        let shape = [n_hidden, indices.len() / n_hidden];
        let indices = Tensor::from_data(TensorData::new(indices, shape), &self.device);
        Candidates::of(indices, counts)
    }

    fn gumbel(&self) -> CodeChoice {
        CodeChoice::Gumbel { noise: self.floats("input.noise"), temperature: TEMPERATURE }
    }

    #[track_caller]
    fn check<const D: usize>(&self, name: &str, found: Tensor<D>, tolerance: f32) {
        check_near(found.inner(), self.reference.floats(name), tolerance);
    }
}

#[test]
fn codes_are_those_of_transformers() {
    let case = Case::load();
    let features = case.floats::<2>("input.features");
    let noisy = case.quantizer().forward(features.clone(), &case.gumbel());
    case.check("output.vectors", noisy.vectors, ROUNDING);
    let greatest = case.quantizer().forward(features, &CodeChoice::Greatest);
    case.check("output.greatest_vectors", greatest.vectors, ROUNDING);
}

#[test]
fn losses_and_their_gradients_are_those_of_transformers() {
    let case = Case::load();
    let (quantizer, task) = (case.quantizer(), case.task());
    let quantized = quantizer.forward(case.floats("input.features"), &case.gumbel());
    let told = task.forward(case.floats("input.context"), &quantized, &case.candidates());
    let diversity = quantized.diversity_loss();
    case.check("output.contrastive_loss", told.loss.clone(), ROUNDING);
    case.check("output.diversity_loss", diversity.clone(), ROUNDING);

    let gradients = (told.loss + diversity).backward();
    let entries = quantizer.entries.val().grad(&gradients).unwrap();
    check_near(entries, case.reference.floats("gradient.entries"), GRADIENT_ROUNDING);
    let weight = quantizer.logits.weight.val().grad(&gradients).unwrap();
    check_near(weight, case.reference.floats("gradient.logits.weight"), GRADIENT_ROUNDING);
    let bias = quantizer.logits.bias.unwrap().val().grad(&gradients).unwrap();
    check_near(bias, case.reference.floats("gradient.logits.bias"), GRADIENT_ROUNDING);
}
