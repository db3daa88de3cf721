//! What can go wrong.

use chiasm_core::{Diagnose, Group};

/// Kernels that cannot be compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A matrix that is no kernel: not square.
    #[error("{what}: expected a square matrix, found {rows} x {columns}")]
    NotSquare {
        /// Which matrix.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// Two kernels, or a kernel and its labels, over different numbers of items.
    #[error("{what}: expected {expected} items as in the other kernel, found {found}")]
    Items {
        /// Which one.
        what: &'static str,
        /// Items of the first.
        expected: usize,
        /// Items of this one.
        found: usize,
    },
    /// Too few items for the estimate.
    #[error("{what}: expected at least {least} items, found {found}")]
    TooFew {
        /// What was asked for.
        what: &'static str,
        /// The least number.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is NaN or infinite.
    #[error("{what}, row {row}, column {column}: expected a finite value, found {found}")]
    NotFinite {
        /// Which matrix.
        what: &'static str,
        /// From 0.
        row: usize,
        /// From 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A kernel of norm zero (constant, where it is centered first): it points nowhere.
    #[error("alignment undefined: {what} has no {quantity}")]
    Undefined {
        /// Which kernel.
        what: &'static str,
        /// What is zero.
        quantity: &'static str,
    },
    /// The eigenvalues of a kernel were not found.
    #[error("eigenvalues of a kernel of {items} items: the decomposition did not converge")]
    Eigenvalues {
        /// Its items.
        items: usize,
    },
    /// Descent did not reach the loss it should.
    #[error("the loss is {loss:.1e} after {steps} steps, expected at most {tolerance:.1e}")]
    NotLearned {
        /// Steps.
        steps: usize,
        /// The loss.
        loss: f64,
        /// What it had to come below.
        tolerance: f64,
    },
}

impl Diagnose for KernelError {
    fn group(&self) -> Group {
        match self {
            Self::Eigenvalues { .. } | Self::NotLearned { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Undefined { .. } => {
                "all items are represented alike, or not at all: leave this kernel out"
            }
            Self::TooFew { .. } => "take the plain estimate, or more items",
            _ => return None,
        };
        Some(help.into())
    }
}
