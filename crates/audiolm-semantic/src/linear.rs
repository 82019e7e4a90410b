//! How the transformer's linear maps begin.

use burn::nn::{Initializer, Linear};
use burn::prelude::*;

/// A linear map as BERT and fairseq begin it: weights from N(0, 0.02²), no bias yet.
pub(crate) fn bert_linear(d_input: usize, d_output: usize, device: &Device) -> Linear {
    let normal = Initializer::Normal { mean: 0.0, std: 0.02 };
    Linear {
        weight: normal.init([d_input, d_output], device),
        bias: Some(Initializer::Zeros.init([d_output], device)),
    }
}
