//! What is kept from learning, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::TheoryError;

/// Steps in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first step, from 0.
    pub start: usize,
    /// Number of steps.
    pub length: usize,
}

impl Span {
    /// Whether a step is among them.
    #[must_use]
    pub fn holds(&self, step: usize) -> bool {
        step >= self.start && step - self.start < self.length
    }

    /// The first step after them.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start.saturating_add(self.length)
    }

    /// Checks that they lie within a run.
    ///
    /// # Errors
    /// [`TheoryError::Interval`] where they go beyond it.
    pub fn within(&self, steps: usize) -> Result<(), TheoryError> {
        if self.end() <= steps {
            Ok(())
        } else {
            Err(TheoryError::Interval {
                start: self.start,
                length: self.length,
                steps,
            })
        }
    }
}

/// Deficits of one run (card 24, A). None by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deficit {
    /// Pathway b is not changed in these steps; what it knows still goes to the output.
    pub gate: Option<Span>,
    /// This mode, from 0, is taken from pathway a's output in the whole run.
    pub lesion: Option<usize>,
}

impl Deficit {
    /// A closed gate of pathway b alone.
    #[must_use]
    pub fn gate(span: Span) -> Self {
        Self {
            gate: Some(span),
            lesion: None,
        }
    }

    /// Whether pathway b is kept from learning at a step.
    #[must_use]
    pub fn is_closed(&self, step: usize) -> bool {
        self.gate.is_some_and(|span| span.holds(step))
    }

    /// Checks against a run of so many steps on so many modes.
    ///
    /// # Errors
    /// [`TheoryError::Interval`] or [`TheoryError::Mode`].
    pub fn validate(&self, steps: usize, modes: usize) -> Result<(), TheoryError> {
        if let Some(span) = self.gate {
            span.within(steps)?;
        }
        match self.lesion {
            Some(found) if found >= modes => Err(TheoryError::Mode { found, modes }),
            _ => Ok(()),
        }
    }
}
