//! What can be wrong with a frozen reservoir and with what it is shown.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// What can be wrong with a frozen reservoir and with what it is shown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrozenError {
    /// A setting or an argument outside its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No samples, or a sample without steps.
    #[error("expected samples of at least one step, found {found}")]
    Empty {
        /// What is missing.
        found: String,
    },
    /// A sample on other channels than the reservoir's inputs.
    #[error("sample {sample}: expected {expected} channels, one for each input, found {found}")]
    Channels {
        /// The sample.
        sample: usize,
        /// Inputs of the reservoir.
        expected: usize,
        /// Its channels.
        found: usize,
    },
    /// No neuron spiked in any sample.
    #[error(
        "the reservoir is silent: no spike in {n_samples} samples with an input gain of {input_gain} thresholds"
    )]
    Silent {
        /// Samples shown.
        n_samples: usize,
        /// Its input gain.
        input_gain: f64,
    },
    /// Neurons spike in most steps, so that counts tell little.
    #[error(
        "the reservoir is saturated: neurons spike in {:.0} % of all steps, with an input gain of {input_gain} and a \
         recurrent gain of {recurrent_gain} thresholds",
        100.0 * rate
    )]
    Saturated {
        /// Spikes for each neuron and step.
        rate: f64,
        /// Its input gain.
        input_gain: f64,
        /// Its recurrent gain.
        recurrent_gain: f64,
    },
    /// No factor of the gains gives the rate that was asked for.
    #[error(
        "no gain gives {target} spikes for each neuron and step: the nearest was {rate} at an input gain of {input_gain}"
    )]
    NoGain {
        /// The rate asked for.
        target: f64,
        /// The nearest rate.
        rate: f64,
        /// Its input gain.
        input_gain: f64,
    },
    /// Stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for FrozenError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let search = "or let `with_rate` search for the gain";
        match self {
            Self::Silent { .. } => Some(format!("raise `input_gain`, {search}")),
            Self::Saturated { .. } => Some(format!(
                "lower `input_gain` and `recurrent_gain`, {search}"
            )),
            Self::NoGain { .. } => Some(
                "set `input_gain` above 0, ask for another rate, or look whether samples hold events".into(),
            ),
            _ => None,
        }
    }
}
