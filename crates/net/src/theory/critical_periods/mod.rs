//! Critical learning periods in deep linear networks: what a temporary early deficit leaves behind, exactly and by simulation
//! (paper 24, Kleinman, Achille and Soatto, ICLR 2024).
//!
//! - [`TwoPath`]: two pathways of weight matrices whose outputs add, trained by full-batch gradient descent, linear or with a
//!   nonlinearity; [`Deficit`]: a pathway that does not learn for a while, a mode that one pathway lacks;
//! - [`Reduced`]: the same learning, mode by mode, exactly; [`exponential_ratio`] and [`early_gap`] in closed form;
//! - [`sweep`]: what every onset and length of a deficit leaves, at every depth, all at once;
//! - [`Portrait`]: trajectories of one mode from small and from unbalanced starts;
//! - [`Completion`]: a deep linear network that completes a matrix, then another one;
//! - [`Flow`]: how the singular values and vectors of such a network move.
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_net::theory::critical_periods::{Deficit, Reduced, Span, Start, Task, TwoPath};
//! use chiasm_net::theory::side_by_side;
//!
//! # fn main() -> Result<(), chiasm_net::theory::TheoryError> {
//! let task = Task::hierarchy()?;
//! let start = Start { depth: 3, width: 20, ..Start::default() };
//! let strengths = start.strengths(&Streams::new(0))?;
//! // Pathway b does not learn in the first 100 of 400 steps.
//! let deficit = Deficit::gate(Span { start: 0, length: 100 });
//! let mut network = TwoPath::new(&task, &start, deficit, (0.01, 400), &Streams::new(0))?;
//! let mut theory = Reduced::new(task.singular_values(), &strengths, 3, deficit, (0.01, 400))?;
//! let found = side_by_side(&mut theory, &mut network, (400, 10), &Quiet)?;
//! assert!(found.largest() < 1e-12);
//! // Pathway a owns the strongest mode.
//! let shares = theory.shares();
//! assert!(shares[0] > 0.9);
//! # Ok(())
//! # }
//! ```

mod completion;
mod deficit;
mod flow;
mod matrices;
mod portrait;
mod reduced;
mod sweep;
mod task;
#[cfg(test)]
mod tests;
mod two_path;

pub use completion::{Completion, Course, Init, Schedule};
pub use deficit::{Deficit, Span};
pub use flow::{Flow, Velocity};
pub use matrices::{Observed, Target};
pub use portrait::{Portrait, Unfolding};
pub use reduced::{Integrator, Reduced, damage, early_gap, exponential_ratio, largest_rate};
pub use sweep::{Grid, Permanent, sweep};
pub use task::Task;
pub use two_path::{Activation, Start, TwoPath};
