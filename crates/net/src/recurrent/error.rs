//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Refusals and failures of recurrent networks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecurrentError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// An array has another shape than it must have.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The array.
        what: &'static str,
        /// The shape that would fit.
        expected: String,
        /// The shape found.
        found: String,
    },
    /// A value that is infinite or not a number.
    #[error("{what}, row {row}, column {column}: expected a finite value, found {found}")]
    NotFinite {
        /// The array.
        what: &'static str,
        /// From 0.
        row: usize,
        /// From 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A label without an output.
    #[error("labels, step {step}, trial {trial}: expected a class below {classes}, found {found}")]
    Label {
        /// Step, from 0.
        step: usize,
        /// Trial, from 0.
        trial: usize,
        /// Outputs of the network.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// Weights that cannot be brought to a norm.
    #[error("weights of norm 0 cannot be scaled to norm {wanted}")]
    ZeroWeights {
        /// The norm they should have.
        wanted: f64,
    },
    /// A decomposition of a matrix did not converge.
    #[error("{what} of a {n} x {n} matrix: the decomposition did not converge")]
    Decomposition {
        /// Singular values or eigenvalues.
        what: &'static str,
        /// Rows.
        n: usize,
    },
    /// States, the loss or a gradient are no longer finite.
    #[error("{quantity} is not finite at step {step} of training")]
    Diverged {
        /// Which one.
        quantity: &'static str,
        /// Steps of training done.
        step: u64,
    },
}

impl Diagnose for RecurrentError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::Diverged { .. } | Self::Decomposition { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => Some(
                "lower `rate` or the gain: networks of ReLU with a gain above sqrt 2 are chaotic"
                    .into(),
            ),
            _ => None,
        }
    }
}
