//! What can be wrong with a circuit and with its simulation.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};
use chiasm_data::DataError;

/// What can be wrong with a circuit and with its simulation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// A parameter outside its range. The field is a dotted path, such as `population.excitatory.tau_m_ms`.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A variable became infinite or not a number.
    #[error("population `{population}`: {variable} of neuron {neuron} is {value} after {time_s} s")]
    NotFinite {
        /// The population.
        population: String,
        /// The variable, as in [`crate::Neuron::variables`].
        variable: &'static str,
        /// Index of the neuron.
        neuron: usize,
        /// The value.
        value: f64,
        /// Simulated time at which it was noticed, s.
        time_s: f64,
    },
    /// A modulator became infinite or not a number.
    #[error("modulator `{modulator}` is {value} after {time_s} s")]
    LevelNotFinite {
        /// The modulator.
        modulator: String,
        /// Its level.
        value: f64,
        /// Simulated time at which it was noticed, s.
        time_s: f64,
    },
    /// A worker of the thread pool ended early; the state is lost.
    #[error("the simulation was left by one of its threads after {time_s} s")]
    Broken {
        /// Simulated time at the start of the lost steps, s.
        time_s: f64,
    },
    /// The activity is no recording.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Stopped on request; what was simulated so far is kept.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for CircuitError {
    fn group(&self) -> Group {
        match self {
            Self::Setting(_) => Group::Input,
            Self::NotFinite { .. } | Self::LevelNotFinite { .. } | Self::Broken { .. } => {
                Group::Numerical
            }
            Self::Data(e) => e.group(),
            Self::Cancelled(_) => Group::Cancelled,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotFinite { .. } => {
                Some("weights are too large for the step, or the step too long".into())
            }
            Self::Data(e) => e.help(),
            _ => None,
        }
    }
}
