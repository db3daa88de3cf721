//! Bayesian biclustering of spike counts: neurons are clustered by shared low-dimensional latent paths, and time bins by
//! shared linear dynamics of those paths, both numbers found along the way (Wei 2023, arXiv:2309.02213).
//!
//! Neuron i of cluster c has the log rate offset_i + mu_c(t) + loadings_i' X_c(t), its counts are negative binomial or
//! Poisson. The paths of all clusters, stacked, move as x_t = A_s x_{t-1} + b_s + noise of covariance Q_s, s the state of
//! bin t. States follow a sticky hierarchical Dirichlet process, clusters a mixture of finite mixtures.
//!
//! - [`Biclustering`]: settings; [`Biclustering::run`] gives [`Chain`]s, [`Biclustering::start`] and
//!   [`Biclustering::advance`] give them piece by piece, to be kept on disk in between;
//! - [`Counts`]: what goes in, missing bins and all;
//! - [`Summary`]: what comes out: co-clustering, point partitions, latents with bands, diagnostics.
//!
//! ```
//! use chiasm_analysis::biclustering::{Biclustering, Counts};
//! use chiasm_core::{Quiet, Streams};
//! // Two groups of neurons that fire in turn.
//! let counts = ndarray::Array2::from_shape_fn((6, 60), |(i, t)| {
//!     let on = (t / 15) % 2 == i % 2;
//!     if on { 4.0 + ((t * 7 + i) % 3) as f64 } else { ((t + i) % 2) as f64 }
//! });
//! let counts = Counts::new(counts.view())?;
//! let method = Biclustering { latents: 1, states: 3, sweeps: 40, burn_in: 20, ..Biclustering::default() };
//! let chains = method.run(&counts, &[], &Streams::new(1), &Quiet)?;
//! let summary = method.summarize(&chains)?;
//! assert_eq!(summary.neurons.labels.len(), 6);
//! assert_eq!(summary.bins.labels.len(), 60);
//! # Ok::<(), chiasm_analysis::biclustering::BiclusteringError>(())
//! ```

mod assign;
mod births;
mod boundaries;
mod chain;
mod columns;
mod config;
mod counts;
mod dense;
mod dynamics;
mod error;
mod exact;
mod expectations;
mod lanes;
mod laplace;
mod latents;
mod left_out;
mod likelihood;
mod loadings;
mod negative_binomial;
mod partition_prior;
mod project;
mod pseudo_data;
mod released;
mod search;
mod start;
mod state;
mod states;
mod summary;
mod sweep;
#[cfg(test)]
mod tests;

pub use chain::{Chain, Draw, HeldOut, Trace};
pub use config::{Assignment, Biclustering, Kernel, LatentScale, Observation, Start};
pub use counts::Counts;
pub use error::BiclusteringError;
pub use expectations::Expectations;
pub use partition_prior::{ClusterPrior, PartitionPrior};
pub use state::{Acceptance, ChainState, Dynamics, MAX_LOG_RATE};
pub use summary::{ClusterLatents, Mixing, Summary, identified};
