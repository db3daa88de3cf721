//! Spiking networks whose synapses have a weight and a delay, both trained by surrogate gradients (paper 45: dilated
//! convolutions with learnable spacings).
//!
//! In training a synapse is a kernel over delays: a Gaussian bump at a real-valued position, whose width shrinks until it
//! is a single tap. In use it is one addition into a ring buffer at a whole delay.
//!
//! - [`kernel`]: the bump, its taps and their derivatives;
//! - [`Trains`]: labelled samples of events; [`Config`], [`Training`]: training, which can stop between epochs and go on to
//!   the same bits; [`DelayNetwork`]: what is trained;
//! - [`Frozen`]: a network to be used, with whole delays ([`DelayNetwork::rounded`]); [`Player`] runs it step by step, and
//!   [`Frozen::synapses`] lists weights and delays for a simulator or a chip;
//! - [`Recovery`]: whether positions find known delays.
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_net::spiking::delays::{Config, Event, Trains, Training};
//!
//! // Two classes: channel 0 before channel 1, or after it.
//! let sample = |first: usize, t: usize| {
//!     vec![Event::new(t, first, 1.0), Event::new(t + 4, 1 - first, 1.0)]
//! };
//! let samples = (0..64).map(|i| sample(i % 2, i / 2 % 8)).collect();
//! let labels = (0..64).map(|i| i % 2).collect();
//! let train = Trains::new((12, 2), samples, labels, 2)?;
//! let config = Config {
//!     hidden: vec![8],
//!     max_delay_ms: 90.0,
//!     dropout: 0.0,
//!     epochs: 100,
//!     batch: 8,
//!     ..Config::default()
//! };
//! let streams = Streams::new(1);
//! let trained = Training::new(&config, 2, 2, &streams)?.finish(&train, &streams, &Quiet)?;
//! let network = trained.network().rounded();
//! assert!(network.accuracy(&train)? > 0.9);
//! assert!(network.synapses()?.iter().all(|s| s.delay < 9));
//! # Ok::<(), chiasm_net::spiking::delays::DelaysError>(())
//! ```

mod config;
mod error;
mod events;
mod frozen;
mod gradients;
pub mod kernel;
mod layer;
mod network;
mod neuron;
mod optimizer;
mod player;
mod record;
mod recovery;
#[cfg(test)]
mod tests;
mod train;

pub use config::{Config, Delays};
pub use error::DelaysError;
pub use events::{Event, Trains};
pub use frozen::Frozen;
pub use layer::convolution;
pub use network::DelayNetwork;
pub use neuron::best;
pub use player::{Player, Synapse};
pub use record::RecordError;
pub use recovery::{Recovered, Recovery};
pub use train::{Epoch, Training};
