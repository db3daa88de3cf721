//! What one strong sample does (card 55, D).

use chiasm_core::SettingError;

use super::super::compare::Dynamics;
use super::super::error::TheoryError;

/// The largest `k` at which predictions stay bounded and keep their sign: `3 sqrt(3) / 2 - 1`.
pub const LARGEST: f64 = 1.598_076_211_353_316;
/// The `k` up to which the 2-cycle is stable: `sqrt(5) - 1`.
pub const TWO_CYCLE: f64 = 1.236_067_977_499_789_8;

/// What becomes of the prediction on a strong sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regime {
    /// It comes to rest at the label.
    Stable,
    /// It alternates between two values.
    TwoCycle,
    /// It goes through more than two values in turn, and comes back to them.
    Periodic,
    /// It never comes back: nearby starts part.
    Chaotic,
    /// Filters turn negative and die.
    Dying,
}

impl std::fmt::Display for Regime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stable => "stable: predictions come to rest at the label",
            Self::TwoCycle => "2-cycle: predictions alternate around the label",
            Self::Periodic => "periodic: predictions oscillate through more than two values",
            Self::Chaotic => "chaotic: predictions oscillate without a period",
            Self::Dying => "dying: filters turn negative and are lost",
        })
    }
}

/// `g' = g (1 + k (1 - g))^2`, the prediction `g = y f` on a strong sample after a step on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalarMap {
    k: f64,
}

impl ScalarMap {
    /// The map of a step.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for a step that is not above 0.
    pub fn new(k: f64) -> Result<Self, TheoryError> {
        SettingError::check(k.is_finite() && k > 0.0, "k", "a number above 0", k)?;
        Ok(Self { k })
    }

    /// The step.
    #[must_use]
    pub fn k(&self) -> f64 {
        self.k
    }

    /// By what a step multiplies every active projection on the strong feature; filters die where it is negative.
    #[must_use]
    pub fn factor(&self, g: f64) -> f64 {
        1.0 + self.k * (1.0 - g)
    }

    /// The prediction after a step.
    #[must_use]
    pub fn next(&self, g: f64) -> f64 {
        g * self.factor(g).powi(2)
    }

    /// The slope of the map at its fixed point 1: `1 - 2 k`.
    #[must_use]
    pub fn slope(&self) -> f64 {
        1.0 - 2.0 * self.k
    }

    /// The highest prediction that is reached, `4 (1 + k)^3 / (27 k)`.
    #[must_use]
    pub fn highest(&self) -> f64 {
        4.0 * (1.0 + self.k).powi(3) / (27.0 * self.k)
    }

    /// Both values of the 2-cycle, the lower one first; `None` up to `k = 1`, where there is none.
    #[must_use]
    pub fn two_cycle(&self) -> Option<[f64; 2]> {
        let b = self.k + 1.0;
        let root = (b * b - 4.0).sqrt();
        let g = |x: f64| 1.0 + (1.0 - x) / self.k;
        (self.k > 1.0).then(|| [g((b + root) / 2.0), g((b - root) / 2.0)])
    }

    /// The multiplier of the 2-cycle, `9 - 2 (k + 1)^2`: it is stable between -1 and 1.
    #[must_use]
    pub fn cycle_multiplier(&self) -> f64 {
        9.0 - 2.0 * (self.k + 1.0).powi(2)
    }

    /// How far predictions of the 2-cycle fall short of 1 in the mean, `(k - 1) / (2 k)`.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] where there is no 2-cycle.
    pub fn mean_gap(&self) -> Result<f64, TheoryError> {
        SettingError::check(self.k > 1.0, "k", "above 1, where the 2-cycle is", self.k)?;
        Ok((self.k - 1.0) / (2.0 * self.k))
    }

    /// By what a weak feature of relative strength `q` grows over one 2-cycle: `1 + q (1 - q) (k - 1)`.
    #[must_use]
    pub fn weak_growth(&self, q: f64) -> f64 {
        1.0 + q * (1.0 - q) * (self.k - 1.0)
    }

    /// Lyapunov's exponent, per step, over 20,000 steps after as many: above 0 nearby starts part.
    #[must_use]
    pub fn lyapunov(&self) -> f64 {
        const STEPS: usize = 20_000;
        let mut g = 0.3;
        let mut sum = 0.0;
        for step in 0..2 * STEPS {
            if step >= STEPS {
                let x = self.factor(g);
                sum += (x * x - 2.0 * self.k * g * x).abs().max(1e-300).ln();
            }
            g = self.next(g);
        }
        sum / STEPS as f64
    }

    /// What becomes of predictions.
    #[must_use]
    pub fn regime(&self) -> Regime {
        match self.k {
            k if k > LARGEST => Regime::Dying,
            // At k = 1 itself the fixed point is lost to second order and still drawn to.
            k if k <= 1.0 => Regime::Stable,
            k if k < TWO_CYCLE => Regime::TwoCycle,
            _ if self.lyapunov() > 1e-3 => Regime::Chaotic,
            _ => Regime::Periodic,
        }
    }

    /// Predictions after `skip` steps from `g`, so many of them.
    ///
    /// # Errors
    /// [`TheoryError::Dead`] with the step after which filters are negative.
    pub fn orbit(&self, g: f64, skip: usize, keep: usize) -> Result<Vec<f64>, TheoryError> {
        let mut orbit = Orbit {
            map: *self,
            g,
            step: 0,
        };
        let mut kept = Vec::with_capacity(keep);
        for step in 0..skip + keep {
            if step >= skip {
                kept.push(orbit.g);
            }
            orbit.step()?;
        }
        Ok(kept)
    }
}

/// A prediction on its way. Reads it out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orbit {
    map: ScalarMap,
    g: f64,
    step: usize,
}

impl Orbit {
    /// From a prediction `g` above 0.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for another one.
    pub fn new(map: ScalarMap, g: f64) -> Result<Self, TheoryError> {
        SettingError::check(g.is_finite() && g > 0.0, "g", "a number above 0", g)?;
        Ok(Self { map, g, step: 0 })
    }

    /// The prediction now.
    #[must_use]
    pub fn g(&self) -> f64 {
        self.g
    }
}

impl Dynamics for Orbit {
    fn step(&mut self) -> Result<(), TheoryError> {
        if self.map.factor(self.g) <= 0.0 {
            return Err(TheoryError::Dead { step: self.step });
        }
        self.g = self.map.next(self.g);
        self.step += 1;
        Ok(())
    }

    fn readout(&self) -> Vec<f64> {
        vec![self.g]
    }
}
