//! What can be wrong with a hidden chain or with what it is given.

use chiasm_core::{Diagnose, Group};

/// A fault of a hidden Markov chain.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HmmError {
    /// No state at all.
    #[error("a hidden chain: expected at least 1 state, found 0")]
    NoState,
    /// No bin at all.
    #[error("emissions: expected at least 1 bin, found 0")]
    NoBin,
    /// The transition matrix or the emissions do not fit the number of states.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that would fit.
        expected: String,
        /// The shape that came.
        found: String,
    },
    /// A row that must be a distribution is none.
    #[error("{what}, row {row}: expected probabilities that sum to 1, found a sum of {sum}")]
    NotADistribution {
        /// `initial` or `transition`.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// Its sum; NaN where an entry is negative or not finite.
        sum: f64,
    },
    /// An emission is NaN or +inf.
    #[error(
        "emission of bin {bin} in state {state}: expected a finite log-probability or -inf, found {value}"
    )]
    Emission {
        /// The bin, from 0.
        bin: usize,
        /// The state, from 0.
        state: usize,
        /// What came.
        value: f64,
    },
    /// No path of states can emit what was seen.
    #[error("bin {bin}: no state that can be reached can emit what was seen there")]
    Impossible {
        /// The first such bin, from 0.
        bin: usize,
    },
}

impl Diagnose for HmmError {
    fn group(&self) -> Group {
        match self {
            Self::Impossible { .. } | Self::Emission { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Impossible { .. } => Some(
                "give every transition and every emission a probability above 0, or mark the bin as missing".into(),
            ),
            _ => None,
        }
    }
}
