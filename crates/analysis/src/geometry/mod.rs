//! The geometry of a representation: does a code look like its inputs, or like the labels it serves (paper 23, Alleman,
//! Lindsey & Fusi 2024)?
//!
//! Points are conditions or clusters, `[condition, unit]`; [`Samples`] are trials of them. What is to be told apart is a
//! [`Dichotomy`] of the conditions.
//!
//! - [`FeasibleArc`]: how well a code can agree with inputs and labels at once (alignments are [`crate::kernel::cka`]);
//! - [`parallelism`]: whether a dichotomy is coded alike in all contexts; [`ccgp`]: whether a readout of it carries over
//!   to conditions it never saw;
//! - [`decode`], [`cross_validated`]: whether a linear readout tells a dichotomy at all, by [`Svm`], a linear
//!   support vector machine;
//! - [`selectivity`], [`sparsity`], [`specialists`]: single units; dimensions are
//!   [`crate::kernel::participation_ratio`] and [`crate::kernel::effective_rank`];
//! - [`null_of`]: what these measures come to by chance;
//! - [`weight_field`]: where the gradient pushes each unit's weights at the start of training.
//!
//! ```
//! use chiasm_analysis::geometry::{Dichotomy, Pairing, Samples, Svm, ccgp, parallelism};
//! use ndarray::array;
//! # fn main() -> Result<(), chiasm_analysis::geometry::GeometryError> {
//! // Two variables, one unit each: a square.
//! let square = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let first = Dichotomy::new(vec![false, false, true, true])?;
//! let found = parallelism(square.view(), &first, Pairing::Nearest)?;
//! assert!((found.score - 1.0).abs() < 1e-12);
//! let across = ccgp(&Samples::of_means(square.view())?, &first, &found.pairs, 100, &Svm::default())?;
//! assert_eq!(across.accuracy, 1.0);
//! # Ok(())
//! # }
//! ```

mod arc;
mod decoding;
mod dichotomy;
mod error;
mod field;
mod null;
mod parallelism;
mod samples;
mod svm;
mod units;

#[cfg(test)]
mod tests;

pub use arc::FeasibleArc;
pub use decoding::{Ccgp, ccgp, cross_validated, decode};
pub use dichotomy::Dichotomy;
pub use error::GeometryError;
pub use field::{class_axes, weight_field};
pub use null::{Null, NullValues, null_of};
pub use parallelism::{Pairing, Parallelism, parallelism};
pub use samples::Samples;
pub use svm::{Margin, Separator, Svm};
pub use units::{selectivity, sparsity, specialists};
