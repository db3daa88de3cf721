//! Most discriminative stimuli and the functional cell types they give (paper 25).
//!
//! For each cluster of neurons the stimulus is sought, through a differentiable model of the neurons, that drives this
//! cluster and no other; every neuron then moves to the cluster whose stimulus drives it most; and so on. What is left
//! is a small set of stimuli that types any new neuron on the fly: show them, take the largest normalized response.
//!
//! - [`ResponseModel`]: what is asked of a model; [`LinearNonlinear`], [`Energy`], [`Movie`] and [`Dense`] are built in;
//! - [`Normalization`]: each neuron's scores over reference stimuli, by which its responses are z-scored;
//! - [`Objective`]: how well a stimulus drives one cluster alone (paper's eq. 1);
//! - [`Ascent`]: the search for such stimuli, all clusters at once;
//! - [`Config::fit`]: the clustering, which gives [`Types`];
//! - [`baseline`]: random and most exciting stimuli, to compare with;
//! - [`Training`]: a network fitted to responses, whose neurons can be clustered in place of the true ones;
//! - [`receptive_fields`]: linear-nonlinear models from a recording and the frames that were shown.
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_probe::stimuli::{Config, LinearNonlinear, Nonlinearity, Normalization, StimulusShape};
//! use ndarray::Array2;
//!
//! // 42 neurons that see the mean of an image: half of them ON, half of them OFF.
//! let filters = Array2::from_shape_fn((42, 36), |(i, _)| if i < 21 { 1.0 } else { -1.0 } / 36.0);
//! let shape = StimulusShape::image(6, 6);
//! let model = LinearNonlinear::new(shape, filters, Nonlinearity::Identity)?;
//! let config = Config { clusters: 5, norm: None, ..Config::default() };
//! let types = config.fit(&model, &Normalization::none(42), &Streams::new(1), &Quiet)?;
//! assert_eq!(types.n_clusters(), 2);
//! # Ok::<(), chiasm_probe::stimuli::StimuliError>(())
//! ```

mod ascent;
pub mod baseline;
mod cluster;
mod config;
mod error;
mod groups;
mod linkage;
mod model;
mod models;
mod normalization;
mod objective;
mod product;
pub mod receptive_fields;
mod split;
mod stop;
#[cfg(test)]
mod tests;
mod transform;
mod types;

pub use ascent::{Ascended, Ascent, StepRule};
pub use cluster::Iteration;
pub use config::Config;
pub use error::StimuliError;
pub use groups::Groups;
pub use linkage::average_linkage_order;
pub use model::{ResponseModel, StimulusShape};
pub use models::{
    Dense, Energy, LinearNonlinear, Movie, MovieFilters, Nonlinearity, Precision, Training,
};
pub use normalization::Normalization;
pub use objective::Objective;
pub use stop::Stop;
pub use transform::{Postprocess, laplace_loss};
pub use types::{Confusion, Types};
