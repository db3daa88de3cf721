//! What can go wrong.

use chiasm_core::{Diagnose, Group, SettingError};

/// Refusals of the agent and its calibration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfidenceError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// An axis of the outputs is too short.
    #[error("outputs, {axis}: expected at least {expected}, found {found}")]
    Short {
        /// `samples`, `steps` or `classes`.
        axis: &'static str,
        /// The least length.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// An output that is infinite or not a number.
    #[error(
        "outputs, sample {sample}, step {step}, class {class}: expected a finite value, found {found}"
    )]
    NotFinite {
        /// Sample, from 0.
        sample: usize,
        /// Step, from 0.
        step: usize,
        /// Class, from 0.
        class: usize,
        /// The value.
        found: f32,
    },
    /// Not one label for each sample.
    #[error("labels: expected {expected}, one for each sample, found {found}")]
    Labels {
        /// Samples.
        expected: usize,
        /// Labels.
        found: usize,
    },
    /// A label without a class.
    #[error("labels, sample {sample}: expected a class below {classes}, found {found}")]
    Label {
        /// Sample, from 0.
        sample: usize,
        /// Classes of the outputs.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// Sums of counts that fall.
    #[error(
        "outputs, sample {sample}, step {step}, class {class}: expected a sum of counts of at least {expected}, that of the \
         step before, found {found}"
    )]
    Falls {
        /// Sample, from 0.
        sample: usize,
        /// Step, from 0.
        step: usize,
        /// Class, from 0.
        class: usize,
        /// The sum one step earlier.
        expected: f32,
        /// The value.
        found: f32,
    },
}

impl Diagnose for ConfidenceError {
    fn group(&self) -> Group {
        Group::Input
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Falls { .. } => {
                Some("these look like the counts of each step: say that they are not sums".into())
            }
            Self::Short { axis: "steps", .. } => {
                Some("outputs are wanted for every step, not for the last alone".into())
            }
            _ => None,
        }
    }
}
