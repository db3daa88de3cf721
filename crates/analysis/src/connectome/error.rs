//! What affinities and factorizations refuse, and why.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// A recording from which no affinities can be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AffinityError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Fewer units than a pair needs.
    #[error("expected at least 2 units to form a pair, found {found}")]
    TooFewUnits {
        /// Number of units.
        found: usize,
    },
    /// Two units of one name: pairs could not be matched between animals.
    #[error("unit name `{name}` stands twice (units {first} and {second}, from 0)")]
    DuplicateName {
        /// The name.
        name: String,
        /// Position of its first holder.
        first: usize,
        /// Position of its second holder.
        second: usize,
    },
    /// Units whose trace never changes on the common clock: they have no scale to be divided by.
    #[error("no scale for {} of {n_units} units: constant trace in {}", names.len(), list(names))]
    Constant {
        /// Names of the constant units.
        names: Vec<String>,
        /// Number of units in all.
        n_units: usize,
    },
    /// A unit without a single usable sample.
    #[error("unit {name}: no usable sample (all missing)")]
    AllMissing {
        /// The unit's name.
        name: String,
    },
    /// The recording is too short on the common clock.
    #[error("expected at least {needed} frames on the common clock of {clock_s} s, found {found}")]
    TooShort {
        /// Frames needed.
        needed: usize,
        /// Frames found.
        found: usize,
        /// Step of the clock, s.
        clock_s: f64,
    },
    /// The affinities would not fit the allowed memory.
    #[error(
        "{n_pairs} pairs x {n_frames} frames need {needed_gib:.1} GiB, more than the {allowed_gib:.1} GiB allowed"
    )]
    TooLarge {
        /// Number of pairs.
        n_pairs: usize,
        /// Number of frames.
        n_frames: usize,
        /// Memory needed, GiB.
        needed_gib: f64,
        /// Memory allowed, GiB.
        allowed_gib: f64,
    },
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The first few names of a list.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 8 {
        format!("{shown} and {} more", names.len() - 8)
    } else {
        shown
    }
}

impl Diagnose for AffinityError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::TooFewUnits { .. } => {
                Some("a connectome needs two or more units recorded together".into())
            }
            Self::DuplicateName { .. } => {
                Some("give each unit a name of its own, or leave the labels out".into())
            }
            Self::Constant { .. } => Some("drop these units, or set constant = \"drop\"".into()),
            Self::TooShort { .. } => Some("use a shorter clock_s, or a longer recording".into()),
            Self::TooLarge {
                n_frames,
                needed_gib,
                allowed_gib,
                ..
            } => Some(format!(
                "lengthen clock_s by a factor of {:.1} (to at most {} frames), choose fewer units, or raise max_memory_gib",
                needed_gib / allowed_gib,
                (*n_frames as f64 * allowed_gib / needed_gib).floor()
            )),
            _ => None,
        }
    }
}

/// A tensor that cannot be factorized, or a factorization that went wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FactorizationError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The tensor has no animal, no pair, no frame or no observed entry.
    #[error(
        "the tensor is empty: {n_time} frames x {n_pairs} pairs x {n_animals} animals, {n_observed} observed"
    )]
    Empty {
        /// Frames.
        n_time: usize,
        /// Pairs.
        n_pairs: usize,
        /// Animals.
        n_animals: usize,
        /// Observed entries.
        n_observed: usize,
    },
    /// An entry is negative or infinite.
    #[error(
        "animal {animal}, pair {pair}, frame {frame}: expected a finite value of at least 0 (NaN: missing), found {found}"
    )]
    Entry {
        /// Animal, from 0.
        animal: usize,
        /// Pair, from 0.
        pair: usize,
        /// Frame, from 0.
        frame: usize,
        /// The value.
        found: f32,
    },
    /// An animal's slab has another shape than the tensor.
    #[error("animal {animal}: expected {expected}, found {found}")]
    Shape {
        /// Animal, from 0.
        animal: usize,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// More components than the tensor can hold.
    #[error(
        "rank {rank}: expected at most {most} components for {n_time} frames x {n_pairs} pairs x {n_animals} animals"
    )]
    Rank {
        /// The rank asked for.
        rank: usize,
        /// The largest that makes sense.
        most: usize,
        /// Frames.
        n_time: usize,
        /// Pairs.
        n_pairs: usize,
        /// Animals.
        n_animals: usize,
    },
    /// The tensor is zero everywhere.
    #[error("every observed entry is 0: there is nothing to factorize")]
    AllZero,
    /// A value that is not finite came up.
    #[error("start {start}, sweep {sweep}: the loss is {loss}")]
    NotFinite {
        /// The random start.
        start: usize,
        /// The sweep.
        sweep: usize,
        /// The loss.
        loss: f64,
    },
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for FactorizationError {
    fn group(&self) -> Group {
        match self {
            Self::NotFinite { .. } => Group::Numerical,
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Entry { .. } => {
                Some("affinities are never negative: clip or shift them first".into())
            }
            Self::Rank { most, .. } => Some(format!(
                "ask for at most {most} components (a choice of their number tries one more than its max_rank), or bring \
                 more units"
            )),
            Self::AllZero => Some("lower the affinity threshold or check the traces".into()),
            _ => None,
        }
    }
}
