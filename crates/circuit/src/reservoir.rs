//! A liquid state machine: a random three-dimensional reservoir of spiking neurons whose plasticity an astrocyte holds near
//! the edge of chaos.
//!
//! The reservoir is driven by images or events and answers with spike counts, which a linear classifier reads
//! (`chiasm_analysis::readout`). Its weights follow spike-timing-dependent plasticity in which the strength of depression is
//! one slow variable: an astrocyte that integrates the reservoir's spikes less those of the inputs. Without plasticity it is
//! a plain liquid state machine.
//!
//! Ivanov and Michmizos, NeurIPS 2021 (paper 16).
//!
//! ```
//! use chiasm_circuit::reservoir::{Config, Reservoir, Stimuli};
//! use chiasm_core::{Quiet, Streams};
//!
//! # fn main() -> Result<(), chiasm_circuit::CircuitError> {
//! let config = Config { n_inputs: 16, n_neurons: 27, grid: [3, 3, 3], ..Config::default() };
//! let streams = Streams::new(1);
//! let mut reservoir = Reservoir::new(&config, &streams)?;
//! let images = ndarray::Array2::from_elem((5, 16), 200.0);
//! let (stimuli, _scale) = Stimuli::images(images.view(), None)?;
//! reservoir.initialize(&stimuli, &[0, 1, 2, 3, 4], &streams, &Quiet)?;
//! let counts = reservoir.features(&stimuli, &streams, &Quiet)?;
//! assert_eq!(counts.dim(), (5, 27));
//! # Ok(())
//! # }
//! ```
//!
//! # Why not on the engine
//!
//! [`crate::Engine`] runs populations of its own neuron models. Here the rules bind membrane, synapse and plasticity together
//! in one order of events: the kernel of a synapse restarts at each spike instead of adding up; traces are read before the
//! step's spikes are added to them; one weight change sums both parts of the rule and is clipped once; and the rate of
//! depression is itself a variable of the step. So the step is a kernel of its own, event-driven: only the rows and columns
//! of neurons that spike are touched. With a kernel of one exponential the sum over all synapses follows from these events
//! alone: at a spike the synapse's current is raised to what it is after a fresh spike, and when a weight changes the
//! current changes with it. The plain sum over all pairs is the test's oracle: the same spikes and the same weights.

mod astrocyte;
mod measures;
mod present;
mod state;
mod stimuli;
mod wiring;

pub use measures::{branching_factor, rank};
pub use present::{Initialization, Reservoir, Response};
pub use stimuli::Stimuli;
pub use wiring::Synapse;

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the weights behave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Plasticity {
    /// Every weight keeps this size (a plain liquid state machine).
    Fixed {
        /// Size of every weight; signs are those of the neurons and, of inputs, random.
        weight: f64,
    },
    /// Depression as strong as potentiation. Weights begin at `w_max`.
    Stdp,
    /// Depression as strong as an astrocyte says. Weights begin at `w_max`.
    Astrocyte {
        /// What one spike adds to the astrocyte, in its time constant (authors' code: 0.015 for 1,000 neurons, 0.0075 for
        /// 8,000).
        w_a: f64,
        /// Fraction of the reservoir and of the inputs that the astrocyte reads (1; the paper also has less).
        fraction: f64,
    },
    /// Weights onto a neuron grow only while its rate is just above a threshold and shrink only while it is just below
    /// (activity-dependent plasticity). The weights change during the initialization alone.
    Gated {
        /// The threshold, Hz (authors' code, MNIST: 37).
        threshold_hz: f64,
        /// Width of the band on either side, Hz (authors' code, MNIST: 19 to 25).
        band_hz: f64,
        /// Size of every weight at the beginning (authors' code: 1).
        weight: f64,
    },
}

/// Settings of a reservoir. The defaults are the authors' for MNIST and 1,000 neurons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Input neurons (authors' code: 784 for 28 x 28 pixels; 2312 for events of 34 x 34 pixels and two polarities).
    pub n_inputs: usize,
    /// Neurons of the reservoir; the product of `grid` (authors' code: 1000 or 8000).
    pub n_neurons: usize,
    /// Neurons along each axis of the grid (authors' code: 10, 10, 10).
    pub grid: [usize; 3],
    /// Fraction of excitatory neurons (authors' code: 0.8).
    pub excitatory: f64,
    /// Factor of the probability of a connection: excitatory to excitatory, excitatory to inhibitory, inhibitory to
    /// excitatory, inhibitory to inhibitory (authors' code: 0.2, 0.1, 0.3, 0.05).
    pub connect: [f64; 4],
    /// Distance over which the probability of a connection falls, in steps of the grid (authors' code: 3).
    pub lambda: f64,
    /// Fraction of all pairs of input and neuron that are connected (authors' code: 0.15).
    pub input_density: f64,
    /// Threshold of a neuron (authors' code: 20).
    pub threshold: f64,
    /// Time constant of the membrane, ms (authors' code: 64).
    pub tau_v_ms: f64,
    /// Time constant of a synapse, ms (authors' code: 1).
    pub tau_u_ms: f64,
    /// Steps after a spike without another one (authors' code: 2).
    pub refractory_ms: u32,
    /// What an input event adds to its input neuron (authors' code: 100).
    pub input_gain: f64,
    /// The greatest size of a weight (authors' code: 3).
    pub w_max: f64,
    /// Rate of potentiation; the astrocyte's rest, too (authors' code: 0.15).
    pub eta: f64,
    /// What a spike adds to its neuron's trace (authors' code: 0.1).
    pub trace_gain: f64,
    /// What is left of a trace after a step (authors' code: 0.9048).
    pub trace_decay: f64,
    /// Time constant of the astrocyte, ms (authors' code: 100).
    pub tau_a_ms: f64,
    /// What is left of the rates of plasticity after a step of a sample whose features are read (authors' code: 0.99).
    pub feature_decay: f64,
    /// Length of a sample during the initialization, ms (authors' code: 20).
    pub initial_ms: u32,
    /// Length of a sample whose features are read, ms (authors' code: 250).
    pub sample_ms: u32,
    /// How the weights behave.
    pub plasticity: Plasticity,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            n_inputs: 784,
            n_neurons: 1000,
            grid: [10, 10, 10],
            excitatory: 0.8,
            connect: [0.2, 0.1, 0.3, 0.05],
            lambda: 3.0,
            input_density: 0.15,
            threshold: 20.0,
            tau_v_ms: 64.0,
            tau_u_ms: 1.0,
            refractory_ms: 2,
            input_gain: 100.0,
            w_max: 3.0,
            eta: 0.15,
            trace_gain: 0.1,
            trace_decay: 0.9048,
            tau_a_ms: 100.0,
            feature_decay: 0.99,
            initial_ms: 20,
            sample_ms: 250,
            plasticity: Plasticity::Astrocyte {
                w_a: 0.015,
                fraction: 1.0,
            },
        }
    }
}

impl Config {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (field, n) in [("n_inputs", self.n_inputs), ("n_neurons", self.n_neurons)] {
            SettingError::check((1..=100_000).contains(&n), field, "1 to 100,000", n)?;
        }
        let product = self.grid.iter().try_fold(1usize, |a, n| a.checked_mul(*n));
        let expected = format!("{} neurons in all, as in n_neurons", self.n_neurons);
        let found = format!("{:?}", self.grid);
        SettingError::check(product == Some(self.n_neurons), "grid", &expected, found)?;
        let parts = [
            ("excitatory", self.excitatory),
            ("connect.0", self.connect[0]),
            ("connect.1", self.connect[1]),
            ("connect.2", self.connect[2]),
            ("connect.3", self.connect[3]),
            ("input_density", self.input_density),
            ("trace_decay", self.trace_decay),
            ("feature_decay", self.feature_decay),
        ];
        for (field, p) in parts {
            SettingError::check((0.0..=1.0).contains(&p), field, "0 to 1", p)?;
        }
        let (least, most) = (1e-6, 1e6);
        let positive = [
            ("lambda", self.lambda),
            ("threshold", self.threshold),
            ("input_gain", self.input_gain),
            ("w_max", self.w_max),
        ];
        for (field, x) in positive {
            SettingError::check((least..=most).contains(&x), field, "1e-6 to 1e6", x)?;
        }
        for (field, x) in [("eta", self.eta), ("trace_gain", self.trace_gain)] {
            SettingError::check((0.0..=1000.0).contains(&x), field, "0 to 1000", x)?;
        }
        for (field, x) in [("tau_v_ms", self.tau_v_ms), ("tau_a_ms", self.tau_a_ms)] {
            SettingError::check((1.0..=most).contains(&x), field, "1 to 1e6 ms", x)?;
        }
        let tau = self.tau_u_ms;
        SettingError::check((0.1..=20.0).contains(&tau), "tau_u_ms", "0.1 to 20 ms", tau)?;
        let refractory = self.refractory_ms;
        SettingError::check(
            refractory <= 1000,
            "refractory_ms",
            "at most 1000 ms",
            refractory,
        )?;
        for (field, t) in [
            ("initial_ms", self.initial_ms),
            ("sample_ms", self.sample_ms),
        ] {
            SettingError::check((1..=60_000).contains(&t), field, "1 to 60,000 ms", t)?;
        }
        self.validate_plasticity()
    }

    fn validate_plasticity(&self) -> Result<(), SettingError> {
        let size = |field, w| {
            let expected = format!("0 to {} (w_max)", self.w_max);
            SettingError::check((0.0..=self.w_max).contains(&w), field, &expected, w)
        };
        match self.plasticity {
            Plasticity::Fixed { weight } => size("plasticity.fixed.weight", weight),
            Plasticity::Stdp => Ok(()),
            Plasticity::Astrocyte { w_a, fraction } => {
                let holds = w_a > 0.0 && w_a <= 1000.0;
                SettingError::check(
                    holds,
                    "plasticity.astrocyte.w_a",
                    "above 0, at most 1000",
                    w_a,
                )?;
                let field = "plasticity.astrocyte.fraction";
                let holds = fraction > 0.0 && fraction <= 1.0;
                SettingError::check(holds, field, "above 0, at most 1", fraction)
            }
            Plasticity::Gated {
                threshold_hz,
                band_hz,
                weight,
            } => {
                size("plasticity.gated.weight", weight)?;
                let of = [("threshold_hz", threshold_hz), ("band_hz", band_hz)];
                for (name, hz) in of {
                    let field = format!("plasticity.gated.{name}");
                    SettingError::check((0.0..=1000.0).contains(&hz), &field, "0 to 1000 Hz", hz)?;
                }
                Ok(())
            }
        }
    }

    /// Whether the weights change while features are read.
    #[must_use]
    pub fn plastic_features(&self) -> bool {
        matches!(
            self.plasticity,
            Plasticity::Stdp | Plasticity::Astrocyte { .. }
        )
    }
}

#[cfg(test)]
mod tests;
