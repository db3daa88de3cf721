//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Features, labels or settings that collapse cannot be measured of, or a search that did not end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CollapseError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Another number of something than of what it belongs to.
    #[error("{what}: expected {expected}, found {found}")]
    Number {
        /// `labels`, `features`, `classes`, ...
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Fewer of something than are needed.
    #[error("{what}: expected at least {expected}, found {found}")]
    Few {
        /// `classes`, `features`, ...
        what: &'static str,
        /// How many are needed.
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
    /// A class without samples, where each needs some.
    #[error("class {class} has no samples")]
    EmptyClass {
        /// The class.
        class: usize,
    },
    /// A class with another number of samples than the first, where the theory needs one number for all.
    #[error(
        "equal class counts required: class {class} has {found} samples, class 0 has {expected}"
    )]
    Unbalanced {
        /// The class.
        class: usize,
        /// Samples of class 0.
        expected: usize,
        /// Its samples.
        found: usize,
    },
    /// A value is NaN or infinite.
    #[error("{what}, row {row}, column {column}: expected a finite value, found {found}")]
    NotFinite {
        /// `features`, `classifier`, ...
        what: &'static str,
        /// Its row, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A later pass, or another shard, that was begun with other class means.
    #[error("{what}: expected those of the means {expected}, found those of {found}")]
    OtherMeans {
        /// What was handed in.
        what: &'static str,
        /// Digest of the means at hand.
        expected: String,
        /// Digest of the means that it belongs to.
        found: String,
    },
    /// Two classes between which there is no distance, so that what divides by it, or takes its logarithm, is infinite.
    #[error(
        "classes {first} and {second} have the same {what}: what divides by their distance is infinite"
    )]
    Duplicates {
        /// `mean` or `direction of the mean`.
        what: &'static str,
        /// A class.
        first: usize,
        /// Another.
        second: usize,
    },
    /// All class means are the same: nothing lies between the classes.
    #[error("all {n_classes} class means are the same: the between-class scatter is 0")]
    NothingBetween {
        /// Number of classes.
        n_classes: usize,
    },
    /// A search that ended before its gradient was small enough.
    #[error(
        "{what}: after {iterations} iterations its residual is {residual:e}, above {tolerance:e}"
    )]
    NotConverged {
        /// `minimizer`, `perturbation`.
        what: &'static str,
        /// Iterations made.
        iterations: usize,
        /// What is left.
        residual: f64,
        /// What was asked for.
        tolerance: f64,
    },
    /// A matrix that has no decomposition of the kind needed.
    #[error("{what}: no decomposition ({why})")]
    Singular {
        /// The matrix.
        what: &'static str,
        /// Which decomposition failed.
        why: &'static str,
    },
    /// A matrix that is too large to be written out.
    #[error(
        "{what}: {found} rows are too many to be written out (at most {most}): apply it instead"
    )]
    TooLarge {
        /// The matrix.
        what: &'static str,
        /// The most rows.
        most: usize,
        /// Its rows.
        found: usize,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for CollapseError {
    fn group(&self) -> Group {
        match self {
            Self::NotConverged { .. } | Self::Singular { .. } => Group::Numerical,
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::OtherMeans { .. } => "repeat the later passes with the means at hand",
            Self::Duplicates { .. } => {
                "exclude such pairs, which are then counted, or drop one of the classes"
            }
            Self::NotConverged { .. } => "allow more iterations, or a larger tolerance",
            Self::Label { .. } => "labels are the numbers of classes, from 0",
            _ => return None,
        };
        Some(help.into())
    }
}
