//! What a causal convolution makes of a chunk and of what came before it.

use burn::prelude::*;

use crate::kernels::kernels_of;
use crate::windows_product::windows_product;

/// How a causal convolution goes through its signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CausalWindows {
    /// Frames from one window to the next; 1 where there are several phases.
    pub step: usize,
    /// Interleaved signals that see nothing of one another: the frames from one tap to the next.
    pub phases: usize,
}

impl CausalWindows {
    /// Every window of the frames times a kernel, and a bias: by a [kernel](crate::Kernels) of the
    /// backend where it has one.
    ///
    /// # Shapes
    /// - past: `[batch, history, channels_in]`, all that the first output sees but its own step
    /// - chunk: `[batch, time, channels_in]`, `time` a multiple of the step
    /// - kernel: `[frames, channels_in, channels_out]`
    /// - bias: `[channels_out]`
    /// - output: `[batch, time / step, channels_out]`
    pub(crate) fn product(
        self,
        past: Tensor<3>,
        chunk: Tensor<3>,
        kernel: Tensor<3>,
        bias: Tensor<1>,
    ) -> Tensor<3> {
        match kernels_of(&chunk) {
            Some(native) => {
                let [frames, channels_in, channels_out] = kernel.dims();
                let matrix = kernel.reshape([frames * channels_in, channels_out]);
                native.causal_product(past, chunk, matrix, bias, self)
            }
            None => self.composed(past, chunk, kernel) + bias.unsqueeze(),
        }
    }

    fn composed(self, past: Tensor<3>, chunk: Tensor<3>, kernel: Tensor<3>) -> Tensor<3> {
        let ([batch, time, channels_in], phases) = (chunk.dims(), self.phases);
        let [_, _, channels_out] = kernel.dims();
        let unequal = time.next_multiple_of(phases) - time;
        let mut parts = vec![past, chunk];
        parts.retain(|it| it.dims()[1] > 0);
        if unequal > 0 {
            parts.push(Tensor::zeros([batch, unequal, channels_in], &parts[0].device()));
        }
        let seen = Tensor::cat(parts, 1);
        if phases == 1 {
            return windows_product(seen, kernel, self.step);
        }
        let length = seen.dims()[1];
        let signal = seen.reshape([batch, length / phases, phases, channels_in]).swap_dims(1, 2);
        let signal = signal.reshape([batch * phases, length / phases, channels_in]);
        let products = windows_product(signal, kernel, 1);
        let n = products.dims()[1];
        let products = products.reshape([batch, phases, n, channels_out]).swap_dims(1, 2);
        products.reshape([batch, n * phases, channels_out]).slice_dim(1, ..time)
    }
}

/// Every window of a signal times a kernel, and a bias if there is one, where a backend has a
/// [kernel](crate::Kernels) for it, and nothing elsewhere: a layer of many channels may know better
/// than the composition here.
///
/// # Shapes
/// - signal: `[batch, length, channels_in]`
/// - kernel: `[frames, channels_in, channels_out]`, `frames` at least `step`
/// - bias: `[channels_out]`
/// - output: `[batch, (length - frames) / step + 1, channels_out]`
pub fn native_windows_product(
    signal: &Tensor<3>,
    kernel: &Tensor<3>,
    bias: Option<Tensor<1>>,
    step: usize,
) -> Option<Tensor<3>> {
    let kernels = kernels_of(signal)?;
    let [frames, channels_in, channels_out] = kernel.dims();
    let matrix = kernel.clone().reshape([frames * channels_in, channels_out]);
    let past = Tensor::zeros([signal.dims()[0], 0, channels_in], &signal.device());
    let bias = bias.unwrap_or_else(|| Tensor::zeros([0], &signal.device()));
    let windows = CausalWindows { step, phases: 1 };
    Some(kernels.causal_product(past, signal.clone(), matrix, bias, windows))
}

/// The last frames of what was seen, as many as there were of the past.
pub(crate) fn latest(past: &Tensor<3>, chunk: &Tensor<3>) -> Tensor<3> {
    let (history, time) = (past.dims()[1], chunk.dims()[1]);
    match history {
        0 => past.clone(),
        _ if time >= history => chunk.clone().slice_dim(1, time - history..),
        _ => Tensor::cat(vec![past.clone(), chunk.clone()], 1).slice_dim(1, time..),
    }
}
