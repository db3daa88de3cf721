//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Refusals and failures of learning one task after another.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContinualError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A task that teaches or asks nothing.
    #[error("task `{task}`, {part}: expected at least one sample, found none")]
    Empty {
        /// Name of the task.
        task: String,
        /// `train` or `test`.
        part: &'static str,
    },
    /// A label without a unit of the head.
    #[error(
        "task `{task}`, {part}, sample {sample}: expected a class below {classes}, found {found}"
    )]
    Label {
        /// Name of the task.
        task: String,
        /// `train` or `test`.
        part: &'static str,
        /// Sample, from 0.
        sample: usize,
        /// Units of the head.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// An array has another size than is needed.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The array and its axis.
        what: String,
        /// The expected size.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// More rows than the space has dimensions.
    #[error("subspace of {dimension} dimensions: no room for {asked} rows beside {held}")]
    Capacity {
        /// Dimensions of the presynaptic activity.
        dimension: usize,
        /// Rows held.
        held: usize,
        /// Rows asked for.
        asked: usize,
    },
    /// A projection before anything is to be kept.
    #[error("projection before a first task: the subspace holds no finished row")]
    NothingKept,
    /// Learning without rows to learn.
    #[error(
        "Hebbian learning without a block of rows: the subspace has none that are not finished"
    )]
    NoBlock,
    /// Activity that is infinite or not a number.
    #[error("{what}, sample {sample}, column {column}: expected a finite value, found {found}")]
    NotFinite {
        /// Which activity.
        what: &'static str,
        /// Sample, from 0.
        sample: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A task that does not come next.
    #[error("task {found}: expected task {expected}, the one after those learned")]
    Order {
        /// The task that comes next, from 0.
        expected: usize,
        /// The task asked for.
        found: usize,
    },
    /// The loss, a gradient or the subspace is no longer finite.
    #[error("{quantity} is not finite in task {task}, batch {batch}")]
    Diverged {
        /// Which one.
        quantity: &'static str,
        /// Task, from 0.
        task: usize,
        /// Batch within it, from 0.
        batch: usize,
    },
}

impl ContinualError {
    pub(crate) fn shape(what: impl Into<String>, expected: usize, found: usize) -> Self {
        Self::Shape {
            what: what.into(),
            expected,
            found,
        }
    }
}

impl Diagnose for ContinualError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::Diverged { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => {
                Some("lower the rates, of the weights or of the Hebbian rule".into())
            }
            Self::Capacity { .. } => Some("take fewer rows for each task, or wider layers".into()),
            Self::NothingKept => Some("learn a first task and finish it".into()),
            _ => None,
        }
    }
}
