//! What can go wrong.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Features or settings that projections cannot be trained with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContrastiveError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Another number of something than of what it belongs to.
    #[error("{what}: expected {expected}, found {found}")]
    Number {
        /// `labels`, `features of side a`, ...
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A feature is NaN or infinite.
    #[error("side {side}, item {item}, feature {feature}: expected a finite value, found {found}")]
    NotFinite {
        /// `a` or `b`.
        side: &'static str,
        /// The item, from 0.
        item: usize,
        /// The feature, from 0.
        feature: usize,
        /// The value.
        found: f32,
    },
    /// A class that only one of the two sides has.
    #[error("class {class}: side {has} has items of it, side {lacks} has none")]
    UnequalClasses {
        /// The class.
        class: usize,
        /// The side with items.
        has: &'static str,
        /// The one without.
        lacks: &'static str,
    },
    /// A class with too few items.
    #[error("class {class}: expected at least 2 items on side {side}, found {found}")]
    TooFew {
        /// The class.
        class: usize,
        /// `a` or `b`.
        side: &'static str,
        /// Items.
        found: usize,
    },
    /// Learning left the finite numbers.
    #[error("the loss is {found} after pass {pass}")]
    Diverged {
        /// The pass, from 1.
        pass: usize,
        /// The loss.
        found: f64,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for ContrastiveError {
    fn group(&self) -> Group {
        match self {
            Self::Diverged { .. } => Group::Numerical,
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Diverged { .. } => Some(
                "take a smaller rate or a higher temperature, or standardize the features".into(),
            ),
            Self::UnequalClasses { .. } => {
                Some("leave the class out, or bring items of it on both sides".into())
            }
            _ => None,
        }
    }
}
