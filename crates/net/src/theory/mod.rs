//! What theory says of learning, beside simulations of it.
//!
//! - [`critical_periods`]: deep linear networks whose early deficits stay, exactly and by simulation (paper 24);
//! - [`oscillation`]: what steps so large that predictions oscillate learn (paper 55);
//! - [`side_by_side`]: a theory and a simulation run step for step, how far they part, and what the theory conserves.
//!
//! Pure arrays, in `f64` where identities are to hold; Burn is not needed here. Products of matrices go through `faer` on one
//! thread, so that bits do not depend on threads.

mod compare;
pub mod critical_periods;
mod error;
mod matrix;
pub mod oscillation;

pub use compare::{Comparison, Course, Dynamics, course, side_by_side};
pub use error::TheoryError;
