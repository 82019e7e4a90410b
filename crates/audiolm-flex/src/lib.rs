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

mod activation;
mod attention;
mod byte_product;
mod causal_frames;
mod causal_product;
mod elu;
mod example_norm;
mod example_sums;
mod gelu;
mod gradients;
mod leaky_relu;
mod plane_convolution;
mod plane_rows;
mod pointwise;
mod residual_unit;
mod rows_product;
mod silu;
mod step_ops;
mod tile_product;
mod vectors;
mod whole_attention;
mod windows_product;

use audiolm_nn::{
    AttentionHeads, CausalWindows, Kernels, PlaneConvolution, ResidualKernels, SeenKeys,
};
use burn::backend::DispatchDevice;
use burn::prelude::*;
use burn::tensor::DType;

use crate::activation::Activation;

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
        elu::elu(x)
    }

    fn gelu(&self, x: Tensor<1>) -> Tensor<1> {
        Activation::Gelu.of(x)
    }

    fn silu(&self, x: Tensor<1>) -> Tensor<1> {
        Activation::Silu.of(x)
    }

    fn leaky_relu(&self, x: Tensor<1>, slope: f32) -> Tensor<1> {
        leaky_relu::leaky_relu(x, slope)
    }

    fn example_norm(
        &self,
        x: Tensor<3>,
        scale: Tensor<1>,
        offset: Tensor<1>,
        smallest: f32,
    ) -> Tensor<3> {
        example_norm::example_norm(x, scale, offset, smallest)
    }

    fn causal_product(
        &self,
        past: Tensor<3>,
        chunk: Tensor<3>,
        matrix: Tensor<2>,
        bias: Tensor<1>,
        of: CausalWindows,
    ) -> Tensor<3> {
        causal_product::causal_product([past, chunk], matrix, bias, of)
    }

    fn residual_unit(&self, past: Tensor<3>, chunk: Tensor<3>, of: ResidualKernels) -> Tensor<3> {
        residual_unit::residual_unit(past, chunk, of)
    }

    fn convolve_plane(
        &self,
        signal: Tensor<4>,
        kernels: Tensor<4>,
        bias: Tensor<1>,
        of: PlaneConvolution,
    ) -> Tensor<4> {
        plane_convolution::convolve_plane(signal, kernels, bias, of)
    }

    fn rows_product(&self, rows: Tensor<2>, matrix: Tensor<2>) -> Tensor<2> {
        match matrix.dtype() {
            DType::QFloat(_) => step_ops::byte_product(rows, matrix),
            _ => step_ops::rows_product(rows, matrix),
        }
    }

    fn attend(&self, queries: Tensor<4>, seen: SeenKeys) -> Tensor<4> {
        step_ops::attend(queries, seen)
    }

    fn attend_all(&self, heads: AttentionHeads, bias: Option<Tensor<4>>) -> Tensor<3> {
        step_ops::attend_all(heads, bias)
    }
}
