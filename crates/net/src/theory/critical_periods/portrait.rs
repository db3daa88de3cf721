//! One mode in the plane of its strengths in both pathways.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::error::TheoryError;
use super::deficit::Span;
use super::reduced::check_depth;

/// What weights of a pathway have in common, and with it how strengths unfold (card 24, B).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unfolding {
    /// Balanced: `K = p |p|^(D-1)`, `dp/dt = |p|^(D-1) (S - K_a - K_b)`.
    #[default]
    Small,
    /// One apart (`q^2 - p^2 = 1`): `K = p (p^2 + 1)^((D-1)/2)`, `dp/dt = (p^2 + 1)^((D-1)/2) (S - K_a - K_b)`.
    Unbalanced,
}

impl Unfolding {
    /// `dp/dt` for a rest of 1.
    fn speed(self, p: f64, depth: i32) -> f64 {
        match self {
            Self::Small => p.abs().powi(depth - 1),
            Self::Unbalanced => (p * p + 1.0).sqrt().powi(depth - 1),
        }
    }

    /// The strength `K` of a pathway.
    #[must_use]
    pub fn strength(self, p: f64, depth: usize) -> f64 {
        p * self.speed(p, depth as i32)
    }
}

/// How trajectories are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Portrait {
    /// Weight matrices of each pathway.
    pub depth: usize,
    /// The mode's singular value: trajectories end where `K_a + K_b` is this.
    pub s: f64,
    /// Time step of Euler's method.
    pub step: f64,
    /// Steps at most; trajectories end where they rest.
    pub steps: usize,
    /// Steps in which pathway b does not learn.
    pub gate: Option<Span>,
    /// How strengths unfold.
    pub unfolding: Unfolding,
}

impl Portrait {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TheoryError`]: settings out of range, a gate beyond the run.
    pub fn validate(&self) -> Result<(), TheoryError> {
        check_depth(self.depth)?;
        for (field, v) in [("s", self.s), ("step", self.step)] {
            SettingError::check(v.is_finite() && v > 0.0, field, "a number above 0", v)?;
        }
        self.gate.map_or(Ok(()), |span| span.within(self.steps))
    }

    /// The way of strengths `(K_a, K_b)` from a start `(p_a, p_b)`, thinned to points at least `S / 500` apart; the start and the
    /// end are always there.
    ///
    /// # Errors
    /// As [`Portrait::validate`]; a start that is not finite; [`TheoryError::Diverged`] with the step.
    pub fn trajectory(&self, start: [f64; 2]) -> Result<Vec<[f64; 2]>, TheoryError> {
        self.validate()?;
        let fine = start[0].is_finite() && start[1].is_finite();
        SettingError::check(fine, "start", "two finite numbers", format!("{start:?}"))?;
        let depth = self.depth as i32;
        let mut p = start;
        let mut way: Vec<[f64; 2]> = Vec::new();
        let mut k = [0.0; 2];
        for step in 0..=self.steps {
            let v = p.map(|p| self.unfolding.speed(p, depth));
            k = [p[0] * v[0], p[1] * v[1]];
            let rest = self.s - k[0] - k[1];
            if !rest.is_finite() {
                let quantity = "a mode's strength";
                return Err(TheoryError::Diverged { quantity, step });
            }
            let far = |last: &[f64; 2]| (last[0] - k[0]).hypot(last[1] - k[1]) >= self.s / 500.0;
            if way.last().is_none_or(far) {
                way.push(k);
            }
            if rest.abs() <= 1e-13 * self.s || step == self.steps {
                break;
            }
            p[0] += self.step * v[0] * rest;
            if !self.gate.is_some_and(|span| span.holds(step)) {
                p[1] += self.step * v[1] * rest;
            }
        }
        way.push(k);
        Ok(way)
    }

    /// Where a trajectory ends.
    ///
    /// # Errors
    /// As [`Portrait::trajectory`].
    pub fn end(&self, start: [f64; 2]) -> Result<[f64; 2], TheoryError> {
        let way = self.trajectory(start)?;
        Ok(way.last().copied().unwrap_or([f64::NAN; 2]))
    }
}
