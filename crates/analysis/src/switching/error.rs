//! What can be wrong with counts or with a fit.

use chiasm_core::{Diagnose, Group, SettingError};

use crate::hmm::HmmError;

/// A fault of a switching model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchingError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No unit or no trial.
    #[error("counts: expected at least one {what}, found none")]
    Empty {
        /// `unit` or `trial`.
        what: &'static str,
    },
    /// A trial has no bin with a whole history.
    #[error(
        "trial {trial}: expected more than {needed} bins (the history, or the bins skipped), found {found}"
    )]
    ShortTrial {
        /// Position from 0.
        trial: usize,
        /// Bins of history or skipped.
        needed: usize,
        /// Bins of the trial.
        found: usize,
    },
    /// A unit never fires: its bias would run to minus infinity.
    #[error("unit {unit} (column {index}): expected at least one spike, found a silent unit")]
    Silent {
        /// Its name.
        unit: String,
        /// Its column from 0.
        index: usize,
    },
    /// Fewer bins than states.
    #[error("counts: expected at least one bin for each of {states} states, found {bins} bins")]
    FewBins {
        /// States asked for.
        states: usize,
        /// Bins there are.
        bins: usize,
    },
    /// A count above 1 under Bernoulli observations.
    #[error("unit {unit}, bin {bin}: Bernoulli observations take counts of 0 and 1, found {found}")]
    NotBinary {
        /// The unit's name.
        unit: String,
        /// The bin, from 0 over all trials.
        bin: usize,
        /// The count.
        found: u32,
    },
    /// Counts of another number of units than the model's.
    #[error("counts: expected {expected} units, as the model has, found {found}")]
    Units {
        /// Units of the model.
        expected: usize,
        /// Units of the counts.
        found: usize,
    },
    /// Arrays of a model do not fit each other.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that would fit.
        expected: String,
        /// The shape that came.
        found: String,
    },
    /// Reference labels that cannot be compared with a path.
    #[error("reference states: expected {expected}, found {found}")]
    Labels {
        /// What would fit.
        expected: String,
        /// What came.
        found: String,
    },
    /// Fewer than two folds, or fewer trials than folds.
    #[error(
        "cross-validation: expected 2 folds or more and a trial for each, found {folds} folds and {trials} trials"
    )]
    Folds {
        /// Folds asked for.
        folds: usize,
        /// Trials there are.
        trials: usize,
    },
    /// Training left the finite numbers.
    #[error("round {epoch} of start {start}: {quantity} is not finite")]
    Diverged {
        /// The round, from 0.
        epoch: usize,
        /// The random start, from 0.
        start: usize,
        /// Which quantity.
        quantity: &'static str,
    },
    /// The chain of states failed.
    #[error(transparent)]
    Chain(#[from] HmmError),
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] chiasm_core::Cancelled),
}

impl Diagnose for SwitchingError {
    fn group(&self) -> Group {
        match self {
            Self::Setting(e) => e.group(),
            Self::Chain(e) => e.group(),
            Self::Diverged { .. } => Group::Numerical,
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Setting(e) => return e.help(),
            Self::Chain(e) => return e.help(),
            Self::ShortTrial { .. } => {
                "take a smaller `history_bins`, smaller bins or longer trials"
            }
            Self::Silent { .. } => "leave silent units out with silent=drop",
            Self::FewBins { .. } => "ask for fewer states, or take smaller bins",
            Self::NotBinary { .. } => "take smaller bins, or Poisson observations",
            Self::Diverged { .. } => {
                "lower the learning rate; an exponential link can run away, a sigmoid or softplus cannot"
            }
            _ => return None,
        };
        Some(help.into())
    }
}
