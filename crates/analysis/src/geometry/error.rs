//! What can go wrong.

use chiasm_core::{Diagnose, Group, SettingError};

use crate::kernel::KernelError;
use crate::rsa::RsaError;

/// Codes and labels whose geometry cannot be measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Kernels cannot be compared.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A recording gives no patterns.
    #[error(transparent)]
    Patterns(#[from] RsaError),
    /// Labels of one class alone: there is nothing to tell apart.
    #[error("dichotomy of {conditions} conditions: all of them are {all}")]
    OneClass {
        /// How many conditions.
        conditions: usize,
        /// `positive` or `negative`.
        all: &'static str,
    },
    /// Another number of something than of what it belongs to.
    #[error("{what}: expected {expected}, found {found}")]
    Number {
        /// What is counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Too few of something.
    #[error("{what}: expected at least {least}, found {found}")]
    TooFew {
        /// What is counted.
        what: String,
        /// The least number.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// Too many conditions to try all pairings.
    #[error(
        "the best of all pairings: expected at most {most} conditions in the smaller class, found {found}"
    )]
    TooManyPairings {
        /// The most.
        most: usize,
        /// Conditions of the smaller class.
        found: usize,
    },
    /// A number of conditions of which there are no parity labels.
    #[error("parity labels: expected a power of two of conditions, at least 4, found {found}")]
    NoPowerOfTwo {
        /// How many conditions.
        found: usize,
    },
    /// A value is NaN or infinite.
    #[error("{what}, row {row}, unit {unit}: expected a finite value, found {found}")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// The sample or condition, from 0.
        row: usize,
        /// The unit, from 0.
        unit: usize,
        /// The value.
        found: f64,
    },
    /// All pairs of a dichotomy differ by nothing: no direction tells its sides apart.
    #[error(
        "parallelism undefined: the conditions {positive} and {negative} are represented alike"
    )]
    NoDifference {
        /// A positive condition, from 0.
        positive: usize,
        /// Its partner, from 0.
        negative: usize,
    },
    /// The classifier was not found within the passes allowed.
    #[error(
        "support vector machine: not converged after {passes} passes (violation {violation:.1e}, tolerance {tolerance:.1e})"
    )]
    NotConverged {
        /// Passes over the samples.
        passes: usize,
        /// The largest violation of the conditions for the optimum.
        violation: f64,
        /// What it had to come below.
        tolerance: f64,
    },
}

impl Diagnose for GeometryError {
    fn group(&self) -> Group {
        match self {
            Self::Setting(e) => e.group(),
            Self::Kernel(e) => e.group(),
            Self::Patterns(e) => e.group(),
            Self::NotConverged { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Kernel(e) => return e.help(),
            Self::Patterns(e) => return e.help(),
            Self::OneClass { .. } => "a dichotomy needs conditions of both classes",
            Self::TooManyPairings { .. } => "take the nearest pairing",
            Self::NotConverged { .. } => "standardize the units, lower `c`, or allow more passes",
            Self::NoDifference { .. } => "leave one of the two out",
            _ => return None,
        };
        Some(help.into())
    }
}
