//! Kernels for the layers of audiolm on flex, burn's CPU backend.
//!
//! The layers are the same without them, only slower, and on other backends they change nothing. The
//! room knows how flex keeps its numbers, and nobody but the facade knows the room: whoever uses a
//! stage's crate alone on a CPU installs the kernels once.
//!
//! ```
//! use audiolm_nn::elu;
//! use burn::prelude::*;
//!
//! audiolm_flex::install();
//! let y = elu(Tensor::<1>::from_floats([-1.0, 2.0], &Device::flex()));
//! assert_eq!(y.dims(), [2]);
//! ```

mod attention;
mod byte_product;
mod elu;
mod gelu;
mod ops;
mod pointwise;
mod rows_product;
mod vectors;
mod windows_product;

use audiolm_nn::{Kernels, SeenKeys};
use burn::backend::DispatchDevice;
use burn::prelude::*;
use burn::tensor::DType;

/// Those of this crate.
struct FlexKernels;

/// From now on the layers of this process use these kernels where flex holds their signals.
pub fn install() {
    audiolm_nn::install_kernels(&FlexKernels);
}

/// Lets the calling thread be one of those that share work, where no pool of threads is made yet.
/// Otherwise it hands each piece of work to them and sleeps, which costs as much as a small piece
/// itself. To be called once, by a thread that lives as long as the process.
pub fn work_on_this_thread() {
    // An error says that a pool was made before, which will do.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}

impl Kernels for FlexKernels {
    fn serve(&self, device: &Device) -> bool {
        matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
    }

    fn elu(&self, x: Tensor<1>) -> Tensor<1> {
        ops::elu(x)
    }

    fn gelu(&self, x: Tensor<1>) -> Tensor<1> {
        ops::gelu(x)
    }

    fn windows_product(&self, signal: Tensor<3>, matrix: Tensor<2>, step: usize) -> Tensor<3> {
        ops::windows_product(signal, matrix, step)
    }

    fn rows_product(&self, rows: Tensor<2>, matrix: Tensor<2>) -> Tensor<2> {
        match matrix.dtype() {
            DType::QFloat(_) => ops::byte_product(rows, matrix),
            _ => ops::rows_product(rows, matrix),
        }
    }

    fn attend(&self, queries: Tensor<4>, seen: SeenKeys) -> Tensor<4> {
        ops::attend(queries, seen)
    }
}
