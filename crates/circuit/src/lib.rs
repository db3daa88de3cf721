//! Simulated circuits of spiking neurons.
//!
//! Five nouns describe a circuit, and one runs it:
//!
//! - a *population* is a number of alike neurons; a neuron model ([`Neuron`]) is a plain struct of parameters, such as
//!   [`LifCurrent`];
//! - an *input* ([`Input`]) is a group that spikes from outside: Poisson trains or lists of spikes;
//! - a [`Projection`] connects a population or input to a population: who with whom, weights, delays, and perhaps a rule
//!   by which the weights change ([`plasticity`]);
//! - a [`Modulator`] hears whole groups and scales the changes of plastic synapses;
//! - a [`Circuit`] holds them, checks them once and becomes an
//! - [`Engine`], which steps through time and ends as a [`chiasm_data::Recording`].
//!
//! A circuit can also be written in TOML: see [`mod@file`].
//!
//! ```
//! use chiasm_circuit::{Circuit, Connect, Input, LifCurrent, Projection};
//! use chiasm_core::{Quiet, Streams};
//!
//! # fn main() -> Result<(), chiasm_core::Failure> {
//! let mut circuit = Circuit::new(0.1);
//! let drive = circuit.input("drive", 100, Input::Poisson { rate_hz: 20.0 });
//! let cells = circuit.population("cells", 50, LifCurrent::default());
//! circuit.project(
//!     Projection::new("drive to cells", drive, cells)
//!         .connect(Connect::Probability(0.5))
//!         .weight(40.0)
//!         .delay_ms(1.5),
//! );
//! circuit.record_spikes(cells);
//! let mut engine = circuit.build(&Streams::new(1))?;
//! engine.run(0.5, &Quiet)?;
//! let recording = engine.recording()?;
//! assert_eq!(recording.n_units(), 50);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! Step `k` takes the circuit from `k dt` to `(k + 1) dt`, in this order:
//!
//! 1. every neuron is integrated over the step, with what has arrived before it;
//! 2. those at or above threshold spike and are reset; the spike is stamped `k dt`;
//! 3. inputs emit their spikes of `k dt`;
//! 4. spikes are delivered: one with a delay of `d` steps (at least 1) acts from the beginning of step `k + d`;
//! 5. modulators take the spikes in.
//!
//! A sample of state is stamped with the end of its step.
//!
//! # The same bits
//!
//! What arrives at a neuron is added in an order that does not depend on the number of threads: projections in the order
//! of their declaration, the spikes of each by source; what waited in a ring (projections with several delays) comes
//! after. Every neuron belongs to one thread. Random numbers come from streams named after population, input or
//! projection.

mod activity;
pub mod ca3;
mod circuit;
mod engine;
mod error;
pub mod file;
pub mod frozen;
mod input;
mod math;
pub mod memristor;
mod modulator;

mod neuron;
pub mod place;
pub mod plasticity;
mod projection;
pub mod reservoir;

pub use activity::{Summary, correlation, summarize};
pub use circuit::{Circuit, Group, LinkId};
pub use engine::Engine;
pub use error::CircuitError;
pub use input::Input;
pub use modulator::{Modulator, ModulatorId, Scales};
pub use neuron::{
    AdaptiveExponential, Cells, Drive, Integration, Izhikevich, LifConductance, LifCurrent, Neuron,
    Receptor,
};
pub use projection::{Connect, Distributed, Draw, Projection, Synapses};

#[cfg(test)]
mod tests;
