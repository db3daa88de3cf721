//! Differentiable networks, the one crate that names Burn.
//!
//! - [`continual`]: learning one task after another;
//! - [`layers`]: operations that Burn would run one by one, in one pass each, with their gradients by hand;
//! - [`network`]: networks as stacks of layers on plain arrays, and their training;
//! - [`perceptrons`]: multi-layer perceptrons on images, and how their error falls with compute;
//! - [`quadratic`]: quadratic neurons and how to train them;
//! - [`recurrent`]: recurrent networks of rate units, and how far learning moves them;
//! - [`spiking`]: whole spiking networks;
//! - [`theory`]: what theory says of learning, beside simulations of it;
//! - [`train`]: parameters and their optimizers on the host, so that training can stop and go on to the same bits;
//! - [`models`]: whole architectures, models of recordings among them.
//!
//! Tensors are Burn's on its `Flex` backend (CPU); precision is the data's own, `f32` to train, `f64` to check gradients.
//! The same inputs give the same bits on any number of threads: every sum is taken in an order that depends on the shapes
//! alone.

mod compiled;
pub mod continual;
pub mod layers;
pub mod models;
pub mod network;
mod number;
pub mod perceptrons;
mod product;
pub mod quadratic;
pub mod recurrent;
pub mod spiking;
pub mod theory;
pub mod train;

pub use burn_tensor as tensor;
pub use number::Real;
