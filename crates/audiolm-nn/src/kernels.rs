//! Kernels that one backend brings for itself.
//!
//! The layers here are composed of operations that every backend has. Where a backend can do better
//! than the composition, a crate that knows that backend installs its kernels, once for the process;
//! this crate knows no backend.

use std::sync::OnceLock;

use burn::prelude::*;
use burn::tensor::DType;

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

    /// Every window of consecutive frames, one each `step` frames, times a matrix.
    ///
    /// # Shapes
    /// - signal: `[batch, length, channels_in]`
    /// - matrix: `[frames * channels_in, channels_out]`, `frames` at least `step`
    /// - output: `[batch, (length - frames) / step + 1, channels_out]`
    fn windows_product(&self, signal: Tensor<3>, matrix: Tensor<2>, step: usize) -> Tensor<3>;
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
