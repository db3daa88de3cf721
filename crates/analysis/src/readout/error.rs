//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Samples or settings that a readout cannot work with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadoutError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Another number of something than of what it belongs to.
    #[error("{what}: expected {expected}, found {found}")]
    Number {
        /// `labels`, `features`, `samples`.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A label without a class.
    #[error("label {index}: expected a class below {n_classes}, found {found}")]
    Label {
        /// Its sample.
        index: usize,
        /// Number of classes.
        n_classes: usize,
        /// The label.
        found: usize,
    },
    /// A feature is NaN or infinite.
    #[error("sample {sample}, feature {feature}: expected a finite value, found {found}")]
    NotFinite {
        /// The sample, from 0.
        sample: usize,
        /// The feature, from 0.
        feature: usize,
        /// The value.
        found: f32,
    },
    /// Learning left the finite numbers.
    #[error("the loss is {found} after pass {pass}")]
    Diverged {
        /// The pass, from 1.
        pass: usize,
        /// The loss.
        found: f64,
    },
    /// A sample that is in two of the parts that must not overlap.
    #[error("sample {sample} is in both {first} and {second}")]
    Overlap {
        /// The sample.
        sample: usize,
        /// One part.
        first: String,
        /// Another.
        second: String,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for ReadoutError {
    fn group(&self) -> Group {
        match self {
            Self::Diverged { .. } => Group::Numerical,
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => {
                Some("take a smaller rate, or standardize the features".into())
            }
            _ => None,
        }
    }
}
