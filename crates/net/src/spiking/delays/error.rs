//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Refusals and failures of networks with delays.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DelaysError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A size that does not fit.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What is counted.
        what: &'static str,
        /// The expected number.
        expected: String,
        /// The number found.
        found: usize,
    },
    /// A sample without a single event.
    #[error("sample {sample}: expected events, found none in any step")]
    Silent {
        /// Sample, from 0.
        sample: usize,
    },
    /// An event that cannot be.
    #[error("sample {sample}, {what} of an event: expected {expected}, found {found}")]
    Event {
        /// Sample, from 0.
        sample: usize,
        /// `step`, `channel` or `value`.
        what: &'static str,
        /// The expected range.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A label without a class.
    #[error("labels, sample {sample}: expected a class below {classes}, found {found}")]
    Label {
        /// Sample, from 0.
        sample: usize,
        /// Classes.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// A synapse that a ring buffer cannot hold, or whose weight is no number.
    #[error("layer {layer}, synapse {pre} to {post}: expected {expected}, found {found}")]
    Synapse {
        /// Layer, from 0.
        layer: usize,
        /// Presynaptic neuron, from 0.
        pre: usize,
        /// Postsynaptic neuron, from 0.
        post: usize,
        /// What would be accepted.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Kernels of more than one tap where whole delays are needed.
    #[error("the network's kernels have {width} taps: expected whole delays")]
    NotRounded {
        /// Taps of a kernel.
        width: usize,
    },
    /// The loss or its gradient is no longer finite.
    #[error("{quantity} is not finite in epoch {epoch}, batch {batch}")]
    Diverged {
        /// Which one.
        quantity: &'static str,
        /// Epoch, from 0.
        epoch: usize,
        /// Batch within it, from 0.
        batch: usize,
    },
}

impl Diagnose for DelaysError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::Diverged { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => Some("lower `peak_rate` or `position_rate`".into()),
            Self::NotRounded { .. } => Some("ask for `rounded()` instead of `soft()`".into()),
            Self::Silent { .. } => Some("leave the sample out, or widen the span of time".into()),
            _ => None,
        }
    }
}
