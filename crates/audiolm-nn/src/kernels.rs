//! Kernels that one backend brings for itself.
//!
//! The layers here are composed of operations that every backend has. Where a backend can do better
//! than the composition, a crate that knows that backend installs its kernels, once for the process;
//! this crate knows no backend.

use std::sync::OnceLock;

use burn::prelude::*;

static INSTALLED: OnceLock<&'static dyn Kernels> = OnceLock::new();

/// What a backend does in fewer passes than the composition takes, with its gradients. Each function
/// gives its input back where the tensor lives on another backend.
pub trait Kernels: Sync {
    /// [`elu`](crate::elu).
    ///
    /// # Errors
    /// `x`, where another backend holds it.
    fn elu(&self, x: Tensor<1>) -> Result<Tensor<1>, Tensor<1>>;

    /// Every window of consecutive frames, one each `step` frames, times a matrix.
    ///
    /// # Shapes
    /// - signal: `[batch, length, channels_in]`
    /// - matrix: `[frames * channels_in, channels_out]`, `frames` at least `step`
    /// - output: `[batch, (length - frames) / step + 1, channels_out]`
    ///
    /// # Errors
    /// `signal`, where another backend holds it.
    fn windows_product(
        &self,
        signal: Tensor<3>,
        matrix: &Tensor<2>,
        step: usize,
    ) -> Result<Tensor<3>, Tensor<3>>;
}

/// From now on the layers of this process offer their signals to `kernels`. Those that are installed
/// first stay.
pub fn install_kernels(kernels: &'static dyn Kernels) {
    INSTALLED.get_or_init(|| kernels);
}

pub(crate) fn installed() -> Option<&'static dyn Kernels> {
    INSTALLED.get().copied()
}
