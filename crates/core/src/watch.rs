//! Progress and cancellation, handed in by the caller.
//!
//! A method calls [`Watch::tick`] from its outer loop and [`Watch::check`] where it can stop cleanly. It never prints
//! and never looks at a clock: time left is the face's affair.

use crate::{Diagnose, Group};

/// Someone who watches a long computation and may stop it.
pub trait Watch: Sync {
    /// A new stage begins, of `total` steps (0 if unknown).
    fn stage(&self, name: &str, total: u64);

    /// `n` more steps of the current stage are done. May be called from any thread.
    fn tick(&self, n: u64);

    /// A figure worth seeing while waiting, such as the best error so far.
    fn best(&self, _name: &str, _value: f64) {}

    /// Whether the work should stop as soon as it can do so cleanly.
    fn cancelled(&self) -> bool;

    /// `Err(Cancelled)` once the work should stop.
    fn check(&self) -> Result<(), Cancelled> {
        if self.cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }
}

/// The work was stopped on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped on request")]
pub struct Cancelled;

impl Diagnose for Cancelled {
    fn group(&self) -> Group {
        Group::Cancelled
    }
}

/// Watches nothing and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Watch for Quiet {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Work inside a step of other work: it stops when the whole is stopped, and its own stages and steps are not seen.
pub struct Inside<'a>(pub &'a dyn Watch);

impl Watch for Inside<'_> {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
