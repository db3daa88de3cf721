//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Refusals and failures of building, training and using a network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
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
    /// A value that is infinite or not a number.
    #[error("{what}, row {row}, column {column}: expected a finite value, found {found}")]
    NotFinite {
        /// The array.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A label without a class.
    #[error("labels, sample {sample}: expected a class below {classes}, found {found}")]
    Label {
        /// Sample, from 0.
        sample: usize,
        /// Outputs of the network.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// An input that is not the number of a token.
    #[error("inputs, row {row}: expected the number of a token below {vocabulary}, found {found}")]
    Token {
        /// Row, from 0.
        row: usize,
        /// Tokens of the embedding.
        vocabulary: usize,
        /// The value.
        found: f64,
    },
    /// Rows that are not those of whole sequences.
    #[error("inputs, rows: expected a multiple of {span}, the tokens of a sequence, found {found}")]
    Span {
        /// Rows of a sequence.
        span: usize,
        /// Rows found.
        found: usize,
    },
    /// The loss or a gradient is no longer finite.
    #[error("{quantity} is not finite in epoch {epoch}, step {step} of all")]
    Diverged {
        /// Which one.
        quantity: String,
        /// Epoch, from 0.
        epoch: usize,
        /// Step since the start of training, from 0.
        step: u64,
    },
}

impl Diagnose for NetworkError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::Diverged { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => Some("lower `rate`, or clip the gradient (`clip`)".into()),
            _ => None,
        }
    }
}
