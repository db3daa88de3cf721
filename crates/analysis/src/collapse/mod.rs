//! Neural collapse: how features of one class draw together and the classes' means spread into a simplex, measured and in
//! theory (papers 22 and 50).
//!
//! Samples come in batches and are never held: [`Sums`] gives [`Means`], then [`Spread`] the scatter within classes, then
//! [`Decisions`] how often a classifier agrees with the nearest mean. Each pass can be kept, gone on with and merged with
//! that of another shard, and is bound to its means by their SHA-256. On the means stand
//!
//! - [`Collapse`]: NC1 (two forms), NC2, NC3 and NC4 of one set of features at once;
//! - [`Pairs`]: measures over pairs of classes for vocabularies of many thousands, without a matrix of classes by classes;
//! - [`norms`], [`simplex_error`], [`duality_error`], [`duality`], [`orthogonality`]: how means and classifier lie;
//! - [`correlate`]: whether a measure goes with another over models, with a permutation test.
//!
//! The theory (paper 22) is [`FeatureModel`], features on a spring: its minimum, in closed form or found, its [`Flow`], and
//! the operator by which small changes pass through it ([`Perturbation`]).

mod between;
mod correlate;
mod decisions;
mod dense;
mod error;
mod features;
mod flow;
mod geometry;
mod measures;
mod model;
mod moments;
mod pairs;
mod perturbation;
mod spread;
#[cfg(test)]
mod tests;

pub use correlate::{Correlation, correlate};
pub use decisions::{Agreement, Classifier, Decisions};
pub use error::CollapseError;
pub use features::{Features, Scatter};
pub use flow::{Course, Flow, Rule, Violations};
pub use geometry::{
    Duality, Norms, Stats, duality, duality_error, norms, orthogonality, simplex_error,
    simplex_error_floor,
};
pub use measures::Collapse;
pub use model::{FeatureModel, Minimum, Stop};
pub use moments::{Feature, Means, Sums};
pub use pairs::{Duplicates, PairMeasures, Pairs};
pub use perturbation::{Form, Perturbation, Staircase, block_spectrum};
pub use spread::{Spread, Within};
