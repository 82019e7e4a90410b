//! Kernels that one backend brings for itself.
//!
//! The layers here are composed of operations that every backend has. Where a backend can do better
//! than the composition, a crate that knows that backend installs its kernels, once for the process;
//! this crate knows no backend.

use std::sync::OnceLock;

use burn::prelude::*;
use burn::tensor::DType;

use crate::attention::{AttentionHeads, SeenKeys};
use crate::{CausalWindows, PlaneConvolution, ResidualKernels};

static INSTALLED: OnceLock<&'static dyn Kernels> = OnceLock::new();

/// What a backend does in fewer passes than the composition takes, with its gradients, for signals of
/// single precision.
pub trait Kernels: Sync {
    /// Whether these are kernels for the backend of a device.
    fn serve(&self, device: &Device) -> bool;

    /// [`elu`](crate::elu).
    fn elu(&self, x: Tensor<1>) -> Tensor<1>;

    /// [`gelu`](crate::gelu).
    fn gelu(&self, x: Tensor<1>) -> Tensor<1>;

    /// [`silu`](crate::silu).
    fn silu(&self, x: Tensor<1>) -> Tensor<1>;

    /// [`leaky_relu`](crate::leaky_relu).
    fn leaky_relu(&self, x: Tensor<1>, slope: f32) -> Tensor<1>;

    /// [`example_norm`](crate::example_norm).
    ///
    /// # Shapes
    /// - x and output: `[batch, n, channels]`; scale and offset: `[channels]`
    fn example_norm(
        &self,
        x: Tensor<3>,
        scale: Tensor<1>,
        offset: Tensor<1>,
        smallest_variance: f32,
    ) -> Tensor<3>;

    /// Every window of what was and what comes times a matrix, and a bias.
    ///
    /// # Shapes
    /// - past: `[batch, history, channels_in]`; chunk: `[batch, time, channels_in]`
    /// - matrix: `[frames * channels_in, channels_out]`, `frames` at least the step
    /// - bias: `[channels_out]`, or `[0]` for none
    /// - output: `[batch, n, channels_out]`, as many as there are windows; of several phases as many as
    ///   the chunk has frames, which is all but the history
    fn causal_product(
        &self,
        past: Tensor<3>,
        chunk: Tensor<3>,
        matrix: Tensor<2>,
        bias: Tensor<1>,
        of: CausalWindows,
    ) -> Tensor<3>;

    /// [`step_residual`](crate::step_residual), which needs no gradient.
    ///
    /// # Shapes
    /// - past: `[batch, (taps - 1) * dilation, channels]`, of what ELU made of it
    /// - chunk and output: `[batch, time, channels]`
    fn residual_unit(&self, past: Tensor<3>, chunk: Tensor<3>, of: ResidualKernels) -> Tensor<3>;

    /// [`PlaneConvolution::forward`].
    fn convolve_plane(
        &self,
        signal: Tensor<4>,
        kernels: Tensor<4>,
        bias: Tensor<1>,
        of: PlaneConvolution,
    ) -> Tensor<4>;

    /// [`product`](crate::product) of a few rows, or of any number with a matrix of
    /// [bytes](crate::Weights::Int8). It needs no gradient. A row's is the same whatever few stand
    /// beside it.
    ///
    /// # Shapes
    /// - rows: `[n, d_in]`; matrix: `[d_in, d_out]`; output: `[n, d_out]`
    fn rows_product(&self, rows: Tensor<2>, matrix: Tensor<2>) -> Tensor<2>;

    /// [`native_attention`](crate::native_attention) of a few queries, which need no gradient.
    fn attend(&self, queries: Tensor<4>, seen: SeenKeys) -> Tensor<4>;

    /// [`native_whole_attention`](crate::native_whole_attention), which needs no gradient.
    fn attend_all(&self, heads: AttentionHeads, bias: Option<Tensor<4>>) -> Tensor<3>;
}

/// From now on the layers of this process use `kernels` on the devices that they
/// serve. Those that are installed first stay.
pub fn install_kernels(kernels: &'static dyn Kernels) {
    INSTALLED.get_or_init(|| kernels);
}

/// Those for a signal, if there are any: kernels are for single precision alone.
pub(crate) fn kernels_of<const D: usize>(signal: &Tensor<D>) -> Option<&'static dyn Kernels> {
    let kernels = INSTALLED.get().copied().filter(|it| it.serve(&signal.device()));
    kernels.filter(|_| signal.dtype() == DType::F32)
}

/// Whether a signal asks for no gradient and is on a backend that has [kernels](Kernels): one of a CPU,
/// where it pays to keep what is computed small enough for caches.
pub fn listens_natively<const D: usize>(signal: &Tensor<D>) -> bool {
    inference_kernels_of(signal).is_some()
}

/// Those that have no gradient.
pub(crate) fn inference_kernels_of<const D: usize>(
    signal: &Tensor<D>,
) -> Option<&'static dyn Kernels> {
    kernels_of(signal).filter(|_| !signal.device().is_autodiff())
}

/// Those that have no gradient, for the few rows of a decoder's step.
pub(crate) fn step_kernels_of<const D: usize>(
    rows: &Tensor<D>,
    n_rows: usize,
) -> Option<&'static dyn Kernels> {
    /// From so many rows on a backend's own products are as fast.
    const FEW: usize = 16;
    inference_kernels_of(rows).filter(|_| n_rows < FEW)
}
