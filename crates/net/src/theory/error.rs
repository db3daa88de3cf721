//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Refusals and failures of theories and of the simulations beside them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TheoryError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// An array has another size than is needed.
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
        /// Which array.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// Inputs whose second moments are not the identity.
    #[error(
        "inputs: expected X X' to be the identity, found {found} in row {row}, column {column}"
    )]
    NotWhite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A deficit that is not within the run.
    #[error(
        "deficit from step {start}, {length} steps long: expected it to end by step {steps}, the end of the run"
    )]
    Interval {
        /// First step, from 0.
        start: usize,
        /// Steps.
        length: usize,
        /// Steps of the run.
        steps: usize,
    },
    /// A mode that does not exist.
    #[error("mode {found}: expected one of the task's {modes} modes, counted from 0")]
    Mode {
        /// The mode asked for.
        found: usize,
        /// Modes of the task.
        modes: usize,
    },
    /// A learning rate beyond what is stable at the solution.
    #[error(
        "learning rate {rate}: expected less than {bound:.4}, 2 / (D S^(2 - 2/D)) for depth D = {depth} and the largest singular value S = {s:.4}"
    )]
    Rate {
        /// The rate.
        rate: f64,
        /// The bound.
        bound: f64,
        /// Weight matrices in a row.
        depth: usize,
        /// The largest singular value.
        s: f64,
    },
    /// More or fewer observations than a matrix has entries.
    #[error("{found} observations: expected 1 to {entries}, the entries of the matrix")]
    Observations {
        /// Observations asked for.
        found: usize,
        /// Entries of the matrix.
        entries: usize,
    },
    /// An observed entry outside the matrix, or observed twice.
    #[error(
        "observation {idx}: expected an entry of its own within {n} x {n}, found ({row}, {column})"
    )]
    Entry {
        /// Observation, from 0.
        idx: usize,
        /// Rows and columns of the matrix.
        n: usize,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
    },
    /// A rank that a matrix cannot have.
    #[error("rank {found}: expected 1 to {n}, the side of the matrix")]
    Rank {
        /// The rank asked for.
        found: usize,
        /// Rows and columns of the matrix.
        n: usize,
    },
    /// Singular values so close that the flow of their vectors is not defined.
    #[error(
        "singular values {first} and {second} are both {value:e}: the flow of singular vectors needs distinct ones above 0"
    )]
    Degenerate {
        /// One index, from 0.
        first: usize,
        /// The other.
        second: usize,
        /// Their value.
        value: f64,
    },
    /// A decomposition did not converge.
    #[error("singular values of {what} were not found at step {step}")]
    Decomposition {
        /// Which matrix.
        what: &'static str,
        /// Step.
        step: usize,
    },
    /// Features that are not orthogonal.
    #[error("features: expected orthogonal ones, found a cosine of {found:e}")]
    NotOrthogonal {
        /// The cosine between them.
        found: f64,
    },
    /// A label that is not 1 or -1.
    #[error("label of sample {sample}: expected 1 or -1, found {found}")]
    Label {
        /// Sample, from 0.
        sample: usize,
        /// The label.
        found: f64,
    },
    /// Filters that can no longer learn.
    #[error("all filters are dead at step {step}: none answers to any sample")]
    Dead {
        /// Step, from 0.
        step: usize,
    },
    /// A loss or state is no longer finite.
    #[error("{quantity} is not finite at step {step}")]
    Diverged {
        /// Which one.
        quantity: &'static str,
        /// Step, from 0.
        step: usize,
    },
}

impl Diagnose for TheoryError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::Diverged { .. } | Self::Decomposition { .. } | Self::Dead { .. } => {
                Group::Numerical
            }
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } | Self::Dead { .. } => Some("take a smaller step".into()),
            Self::Rate { bound, .. } => Some(format!("take a rate well below {bound:.4}")),
            Self::NotWhite { .. } => {
                Some("whiten the inputs first: the reduced dynamics hold for X X' = I".into())
            }
            Self::Degenerate { .. } => Some(
                "start from distinct singular values, such as an identity with a little noise"
                    .into(),
            ),
            _ => None,
        }
    }
}
