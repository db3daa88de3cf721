//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

use crate::network::NetworkError;
use crate::spiking::confidence::ConfidenceError;

/// Refusals and failures of training and running the network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QcfsError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Outputs that are no outputs.
    #[error(transparent)]
    Outputs(#[from] ConfidenceError),
    /// The network refused its inputs.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A layer that has no counterpart in spikes, or none where it stands.
    #[error("layer {position}: expected {expected}, found {found}")]
    Layer {
        /// Its place in the network, from 0.
        position: usize,
        /// What may stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// An array has another size than the network or the other array needs.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The array and its axis.
        what: &'static str,
        /// The expected size.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// An input that is infinite or not a number.
    #[error("inputs, sample {sample}, column {column}: expected a finite value, found {found}")]
    NotFinite {
        /// Sample, from 0.
        sample: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        found: f32,
    },
    /// A label without a class.
    #[error("labels, sample {sample}: expected a class below {classes}, found {found}")]
    Label {
        /// Sample, from 0.
        sample: usize,
        /// Classes of the network.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// The loss or its gradient is no longer finite.
    #[error("{quantity} is not finite in epoch {epoch}, batch {batch}")]
    Diverged {
        /// Which one.
        quantity: &'static str,
        /// Epoch, from 0.
        epoch: usize,
        /// Batch within it, from 0.
        batch: usize,
    },
}

impl Diagnose for QcfsError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::Network(error) => error.group(),
            Self::Diverged { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => Some("lower `rate`".into()),
            _ => None,
        }
    }
}
