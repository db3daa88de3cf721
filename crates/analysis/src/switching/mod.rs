//! State-switching generalized linear models of spike counts, with couplings like a connectome (paper 26, Li et al. 2024).
//!
//! A hidden chain chooses, bin by bin, one of S coupling matrices; the filtered history of all units drives each unit
//! through the chosen one: f = link(b + W^s c), counts ~ Poisson(f). Three ways to tie the states' matrices together
//! ([`Coupling`]): not at all, around a common mean, or as a type (inhibitory, none, excitatory) drawn from a common
//! learned prior, times a strength.
//!
//! - [`SwitchingGlm`]: the settings; [`SwitchingGlm::fit`] trains by expectation and maximization;
//! - [`SwitchingFit`]: what was found, with [`Warning`]s where it must be read with care;
//! - [`SwitchingModel`]: a model with known parameters: [`SwitchingModel::decode`], [`SwitchingModel::viterbi`];
//! - [`names_by`]: states named as in a reference; [`cross_validated`]: held-out likelihood for several numbers of states.
//!
//! ```
//! use chiasm_analysis::switching::{Coupling, SwitchingGlm};
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_data::Counting;
//! use chiasm_data::generate::{SwitchingNetwork, switching_network};
//! # fn main() -> Result<(), chiasm_core::Failure> {
//! let planted = SwitchingNetwork { states: 2, units: 4, trials: 2, bins: 300, ..SwitchingNetwork::default() };
//! let (recording, truth) = switching_network(&planted, &Streams::new(1))?;
//! let counting = Counting { trials: Some("trial".into()), ..Counting::default() };
//! let counts = counting.counts(&recording)?;
//! let model = SwitchingGlm { states: 2, restarts: 1, epochs: 5, one_hot_epochs: 3, ..SwitchingGlm::default() };
//! let fit = model.fit(&counts, &Streams::new(1), &Quiet)?;
//! assert_eq!(fit.decoded.posterior.dim(), (600, 2));
//! # Ok(())
//! # }
//! ```

mod adam;
mod blocks;
mod config;
mod cross_validation;
mod design;
mod error;
mod fit;
mod link;
mod model;
mod parameters;
mod passes;
mod share;

#[cfg(test)]
mod tests;

pub use config::{Bias, Coupling, Diagonal, Precision, Start, SwitchingGlm, TypePrior};
pub use cross_validation::{Fold, cross_validated};
pub use design::{convolved, exponential_kernel};
pub use error::SwitchingError;
pub use fit::{Round, SwitchingFit};
pub use link::{Link, Observation};
pub use model::{Decoded, SwitchingModel, Warning, names_by};
