//! Hidden Markov chains over given emission log-probabilities: what any model with discrete states shares.
//!
//! A model computes `log p(observation_t | state s)` as a matrix `[time, state]`; the chain does the rest.
//!
//! - [`HiddenChain`]: initial and transition probabilities, checked once;
//! - [`HiddenChain::smooth`]: state posteriors, expected transitions and the log-likelihood, by the scaled
//!   forward-backward recursions; [`HiddenChain::smooth_in_logs`]: the same in log space, slower and the oracle;
//! - [`HiddenChain::viterbi`]: the most probable path;
//! - [`HiddenChain::sample`]: a path from the posterior (forward filtering, backward sampling).
//!
//! A bin without observation has a row of zeros. A state that cannot emit what was seen has `-inf` there.
//!
//! Source: Rabiner, A tutorial on hidden Markov models, Proc. IEEE 1989, sections III and V.
//!
//! ```
//! use chiasm_analysis::hmm::HiddenChain;
//! // Two sticky states; the first two bins look like state 0, the last two like state 1.
//! let chain = HiddenChain::sticky(2, 0.9)?;
//! let log_emission = ndarray::array![[0.0, -3.0], [0.0, -3.0], [-3.0, 0.0], [-3.0, 0.0]];
//! assert_eq!(chain.viterbi(log_emission.view())?.states, [0, 0, 1, 1]);
//! let smoothed = chain.smooth(log_emission.view())?;
//! assert!(smoothed.posterior[[0, 0]] > 0.95 && smoothed.posterior[[3, 1]] > 0.95);
//! # Ok::<(), chiasm_analysis::hmm::HmmError>(())
//! ```

mod chain;
mod error;
mod logs;
mod paths;
mod scaled;

#[cfg(test)]
mod tests;

pub use chain::{HiddenChain, Smoothed};
pub use error::HmmError;
pub use paths::Path;
