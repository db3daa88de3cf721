//! Operations in one pass each, with their gradients by hand.
//!
//! Burn runs a dense layer as a product, a sum and four more passes for its activation, each into memory of its own, on
//! one thread. Here each is one pass on all threads after the product. On a backend other than Flex, and for other
//! precisions than `f32` and `f64`, the same function is composed of Burn's operations; the tests hold the two together.

mod dense;
mod losses;
mod real;
pub mod spiking;

pub use dense::{Activation, dense, dense_composed};
pub use losses::{poisson_energy, poisson_energy_composed, squared_error, squared_error_composed};

use burn_dispatch::backends::{Autodiff, Flex};
use burn_tensor::{DType, Tensor};

/// A tensor's Flex primitive inside an autodiff graph, if that is what it is.
fn primitive<const D: usize>(
    tensor: &Tensor<D>,
) -> Option<burn_backend::tensor::FloatTensor<Autodiff<Flex>>> {
    matches!(tensor.dtype(), DType::F32 | DType::F64)
        .then(|| tensor.clone().try_into_primitive::<Autodiff<Flex>>().ok())
        .flatten()
}

/// A tensor's Flex primitive outside any graph, if that is what it is.
fn plain<const D: usize>(tensor: &Tensor<D>) -> Option<burn_backend::tensor::FloatTensor<Flex>> {
    matches!(tensor.dtype(), DType::F32 | DType::F64)
        .then(|| tensor.clone().try_into_primitive::<Flex>().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
