//! Hebbian learning based orthogonal projection: each layer of a spiking network has a bank of lateral neurons that learn,
//! by a Hebbian and an anti-Hebbian rule, the subspace in which the layer's inputs lie; the weights of later tasks change
//! only by the part of the inputs that is orthogonal to it (paper 19, Xiao et al., ICLR 2024).
//!
//! - [`Subspace`]: the lateral circuit of one layer, for layers of any kind: add a block of rows, let it learn from the
//!   layer's inputs, finish it, project;
//! - [`Network`]: a spiking network of dense layers, with the gradients of four training rules ([`Rule`]) and three ways to
//!   send errors back ([`Feedback`]);
//! - [`Learner`]: both together, task after task, with replay of a few samples beside or instead of the projection.
//!
//! ```
//! use chiasm_core::Streams;
//! use chiasm_net::continual::hlop::{Birth, Hebb, Subspace};
//! use ndarray::{Array2, array};
//!
//! # fn main() -> Result<(), chiasm_net::continual::ContinualError> {
//! let mut lateral = Subspace::<f64>::new(4);
//! lateral.add_block(1, Birth::Orthogonal, &mut Streams::new(1).stream("rows"))?;
//! // All inputs of the first task lie along one direction.
//! let x = Array2::from_shape_fn((8, 4), |(i, j)| if j == 2 { i as f64 - 3.5 } else { 0.0 });
//! for _ in 0..200 {
//!     lateral.learn(x.view(), &Hebb::default())?;
//! }
//! lateral.finish_block();
//! // What a second task may change: nothing along that direction.
//! let rest = lateral.project(array![[1.0, 2.0, 3.0, 4.0]].view())?;
//! assert!((rest[[0, 1]] - 2.0).abs() < 1e-6 && rest[[0, 2]].abs() < 1e-6);
//! # Ok(())
//! # }
//! ```

mod dsr;
mod learner;
mod network;
mod settings;
mod steps;
mod subspace;
#[cfg(test)]
mod tests;

pub use learner::{Learner, Protection, Training};
pub use network::{Local, Network, Pass};
pub use settings::{Feedback, Layers, Protect, Replay, Rows, Rule, Train};
pub use subspace::{Birth, Code, Hebb, Subspace};
