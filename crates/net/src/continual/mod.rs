//! Learning one task after another.
//!
//! - [`hlop`]: lateral Hebbian circuits that keep later tasks from disturbing earlier ones (paper 19);
//! - [`Task`], [`permutation`]: what is learned, such as images of which each task sees the pixels in an order of its own;
//! - [`Accuracies`]: how well each task is done after each, and what that says of learning and forgetting.
//!
//! Plain arrays; Burn is not needed here.

mod accuracies;
pub(crate) mod arrays;
mod error;
pub mod hlop;
mod tasks;

pub use accuracies::Accuracies;
pub use error::ContinualError;
pub use tasks::{Part, Task, permutation};
