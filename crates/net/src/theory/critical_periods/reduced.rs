//! The exact dynamics, mode by mode (card 24, B).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::compare::Dynamics;
use super::super::error::TheoryError;
use super::deficit::Deficit;
use chiasm_core::SettingError;

/// How time is stepped through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Integrator {
    /// Euler's steps, which are those of gradient descent.
    #[default]
    Euler,
    /// Fourth-order Runge and Kutta, for what holds in continuous time.
    Rk4,
}

/// Two pathways, mode by mode: `K = p^D` and `dp/dt = p^(D-1) (S - p_a^D - p_b^D)` in each. Reads out `K` of all modes of
/// pathway a, then of pathway b.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduced {
    s: Vec<f64>,
    depth: i32,
    rate: f64,
    deficit: Deficit,
    integrator: Integrator,
    /// `[pathway][mode]`.
    p: [Vec<f64>; 2],
    step: usize,
}

/// Checks a depth.
pub(super) fn check_depth(depth: usize) -> Result<(), TheoryError> {
    let fine = (1..=32).contains(&depth);
    Ok(SettingError::check(fine, "depth", "1 to 32", depth)?)
}

/// Checks that a rate is a number above 0 and below what is stable at the solution.
pub(super) fn check_rate(rate: f64, depth: usize, s: &[f64]) -> Result<(), TheoryError> {
    let fine = rate.is_finite() && rate > 0.0;
    SettingError::check(fine, "rate", "a number above 0", rate)?;
    let s = s.iter().copied().fold(0.0, f64::max);
    let bound = largest_rate(depth, s);
    if rate < bound {
        Ok(())
    } else {
        Err(TheoryError::Rate {
            rate,
            bound,
            depth,
            s,
        })
    }
}

impl Reduced {
    /// Modes of singular values `s`, both pathways starting with strengths `k` (above 0; as many as `s`), at a learning rate,
    /// for a run of so many steps.
    ///
    /// # Errors
    /// [`TheoryError`]: a depth out of 1 to 32, another number of strengths than of modes, a strength that is not above 0, a
    /// rate that is not stable, a deficit beyond the run.
    pub fn new(
        s: &[f64],
        k: &[f64],
        depth: usize,
        deficit: Deficit,
        (rate, steps): (f64, usize),
    ) -> Result<Self, TheoryError> {
        check_depth(depth)?;
        if k.len() != s.len() {
            return Err(TheoryError::Shape {
                what: "strengths at the start",
                expected: s.len(),
                found: k.len(),
            });
        }
        for v in k {
            let fine = v.is_finite() && *v > 0.0;
            SettingError::check(fine, "strengths", "numbers above 0", v)?;
        }
        check_rate(rate, depth, s)?;
        deficit.validate(steps, s.len())?;
        let p: Vec<f64> = k.iter().map(|k| k.powf(1.0 / depth as f64)).collect();
        Ok(Self {
            s: s.to_vec(),
            depth: depth as i32,
            rate,
            deficit,
            integrator: Integrator::Euler,
            p: [p.clone(), p],
            step: 0,
        })
    }

    /// The same, stepped in another way.
    #[must_use]
    pub fn by(self, integrator: Integrator) -> Self {
        Self { integrator, ..self }
    }

    /// Strengths of the modes in one pathway (0: a, 1: b), as they reach the output.
    #[must_use]
    pub fn strengths(&self, pathway: usize) -> Vec<f64> {
        let each = self.p[pathway].iter().enumerate();
        each.map(|(mode, p)| {
            if pathway == 0 && self.deficit.lesion == Some(mode) {
                0.0
            } else {
                p.powi(self.depth)
            }
        })
        .collect()
    }

    /// `K_a / (K_a + K_b)` of every mode: 1/2 where the pathways share it.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let pairs = self.strengths(0).into_iter().zip(self.strengths(1));
        pairs.map(|(a, b)| a / (a + b)).collect()
    }

    /// Velocities of both pathways in a mode.
    fn velocity(&self, mode: usize, [a, b]: [f64; 2], closed: bool) -> [f64; 2] {
        let lesioned = self.deficit.lesion == Some(mode);
        let ka = if lesioned { 0.0 } else { a.powi(self.depth) };
        let rest = self.s[mode] - ka - b.powi(self.depth);
        [
            if lesioned {
                0.0
            } else {
                a.powi(self.depth - 1) * rest
            },
            if closed {
                0.0
            } else {
                b.powi(self.depth - 1) * rest
            },
        ]
    }
}

/// `x + h v` of two numbers.
fn along(x: [f64; 2], h: f64, v: [f64; 2]) -> [f64; 2] {
    [x[0] + h * v[0], x[1] + h * v[1]]
}

/// A step of Runge and Kutta.
pub(super) fn rk4(x: [f64; 2], h: f64, velocity: &dyn Fn([f64; 2]) -> [f64; 2]) -> [f64; 2] {
    let k1 = velocity(x);
    let k2 = velocity(along(x, h / 2.0, k1));
    let k3 = velocity(along(x, h / 2.0, k2));
    let k4 = velocity(along(x, h, k3));
    let mean = |i: usize| (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0;
    along(x, h, [mean(0), mean(1)])
}

impl Dynamics for Reduced {
    fn step(&mut self) -> Result<(), TheoryError> {
        let closed = self.deficit.is_closed(self.step);
        for mode in 0..self.s.len() {
            let now = [self.p[0][mode], self.p[1][mode]];
            let velocity = |p: [f64; 2]| self.velocity(mode, p, closed);
            let next = match self.integrator {
                Integrator::Euler => along(now, self.rate, velocity(now)),
                Integrator::Rk4 => rk4(now, self.rate, &velocity),
            };
            if !(next[0].is_finite() && next[1].is_finite()) {
                let quantity = "a mode's strength";
                let step = self.step;
                return Err(TheoryError::Diverged { quantity, step });
            }
            [self.p[0][mode], self.p[1][mode]] = next;
        }
        self.step += 1;
        Ok(())
    }

    fn readout(&self) -> Vec<f64> {
        [self.strengths(0), self.strengths(1)].concat()
    }

    /// Of every mode `p_a - p_b` (depth 1), `ln p_a - ln p_b` (depth 2) or `p_a^(2-D) - p_b^(2-D)`: conserved while both
    /// pathways learn.
    fn conserved(&self) -> Vec<f64> {
        let pairs = self.p[0].iter().zip(&self.p[1]);
        pairs
            .map(|(a, b)| match self.depth {
                2 => a.ln() - b.ln(),
                d => a.powi(2 - d) - b.powi(2 - d),
            })
            .collect()
    }
}

/// The largest learning rate that is stable at the solution of a mode owned by one pathway: `2 / (D S^(2 - 2/D))`. Where
/// pathways share the mode more is stable.
#[must_use]
pub fn largest_rate(depth: usize, s: f64) -> f64 {
    let d = depth as f64;
    2.0 / (d * s.powf(2.0 - 2.0 / d))
}

/// `K_a / K_b` that depth 2 ends with after pathway b was closed for a time `tau` from the start, where both were equal and
/// tiny: `exp(2 S tau)`. Time is steps times the learning rate.
#[must_use]
pub fn exponential_ratio(s: f64, tau: f64) -> f64 {
    (2.0 * s * tau).exp()
}

/// `p_a^(2-D) - p_b^(2-D)` of depth `D` above 2 after pathway b was closed for a time `tau` from the start: `-(D-2) S tau`,
/// while strengths are small beside `S`.
#[must_use]
pub fn early_gap(depth: usize, s: f64, tau: f64) -> f64 {
    -(depth as f64 - 2.0) * s * tau
}

/// What pathway b lacks: `(K_a - K_b) / (K_a + K_b)`, the mean over modes weighted by their singular values `s`. 0 where
/// pathways share every mode; 1 where b has no part in any.
///
/// # Errors
/// [`TheoryError::Shape`] where there are not as many strengths as singular values.
pub fn damage(s: &[f64], a: &[f64], b: &[f64]) -> Result<f64, TheoryError> {
    for found in [a.len(), b.len()] {
        if found != s.len() {
            return Err(TheoryError::Shape {
                what: "strengths",
                expected: s.len(),
                found,
            });
        }
    }
    let pairs = s.iter().zip(a.iter().zip(b));
    let sum: f64 = pairs.map(|(s, (a, b))| s * (a - b) / (a + b)).sum();
    Ok(sum / s.iter().sum::<f64>())
}
