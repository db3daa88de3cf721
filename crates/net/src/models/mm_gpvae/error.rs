//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Refusals and failures of the model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MmGpVaeError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// An array has another shape than the settings or the other array need.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The array and its axis.
        what: String,
        /// The expected size.
        expected: String,
        /// The size found.
        found: usize,
    },
    /// A value that cannot be.
    #[error(
        "{what}, trial {trial}, bin {bin}, channel {channel}: expected {expected}, found {found}"
    )]
    Value {
        /// `neural` or `behavior`.
        what: &'static str,
        /// Trial, from 0.
        trial: usize,
        /// Time bin, from 0.
        bin: usize,
        /// Unit or channel, from 0.
        channel: usize,
        /// What would be accepted.
        expected: &'static str,
        /// The value.
        found: f32,
    },
    /// A stream that the settings ask for is not in the data.
    #[error("no {stream} in the data, but the settings ask for it")]
    NoStream {
        /// `neural activity` or `behaviour`.
        stream: &'static str,
    },
    /// A stream without a single bin that was seen.
    #[error("{stream}: every bin is missing")]
    NothingSeen {
        /// `neural activity` or `behaviour`.
        stream: &'static str,
    },
    /// A trial without a single bin that was seen.
    #[error("trial {trial}: no bin of any stream was seen")]
    EmptyTrial {
        /// Trial, from 0.
        trial: usize,
    },
    /// A stream that does not vary.
    #[error("{stream}: every value is {value}; nothing can be learned from what does not vary")]
    Constant {
        /// `neural activity` or `behaviour`.
        stream: &'static str,
        /// The value.
        value: f32,
    },
    /// The objective or a gradient is no longer finite.
    #[error("{quantity} is not finite in epoch {epoch}, batch {batch}")]
    NotFinite {
        /// Which one.
        quantity: String,
        /// Epoch, from 0.
        epoch: usize,
        /// Batch within it, from 0.
        batch: usize,
    },
    /// Training that was kept does not belong to this model.
    #[error("kept training: expected {expected} parameters, found {found}")]
    OtherModel {
        /// What the settings and the data need.
        expected: usize,
        /// What was kept.
        found: usize,
    },
}

impl Diagnose for MmGpVaeError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::NotFinite { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Value { found, .. } if found.is_nan() => {
                Some("mask missing bins: Missing::Mask".into())
            }
            Self::Value { .. } => Some(
                "give spike counts, or set `likelihood` to `gaussian` for traces and rates".into(),
            ),
            Self::NotFinite { .. } => Some(
                "lower `behavior_rate`, `neural_rate` or `decoder_rate`, or check the scale of the data"
                    .into(),
            ),
            _ => None,
        }
    }
}
