//! The flow of features along the best classifier (paper 22, Eq. 4).

use chiasm_core::{SettingError, Watch};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::product;
use super::features::{Features, Scatter};
use super::model::{FeatureModel, residual};

/// How the flow is integrated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Explicit Euler.
    #[default]
    Euler,
    /// Runge and Kutta's of order four.
    Rk4,
}

/// `dH/dt = -(W'(W H - Y) + lh H)`, `W` being at every instant the best classifier for `H`: the central path. Time stands
/// for `1 / beta`: the minimum of Eq. 2 is one implicit step of length `1 / beta` from `H0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// How it is integrated.
    pub rule: Rule,
    /// Length of a step (card 22, D: .01 for Euler's rule, .05 for Runge and Kutta's).
    pub step: f64,
    /// Time at the end (card 22, works when 4: 20).
    pub time: f64,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            rule: Rule::Euler,
            step: 0.01,
            time: 20.0,
        }
    }
}

/// The course of the flow: one entry for each step, the start among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Time.
    pub times: Vec<f64>,
    /// Scatter within and between classes.
    pub scatter: Vec<Scatter>,
    /// `lh`, by which the scatters are weighed.
    lambda_h: f64,
}

/// Steps at which a monotony of Thm 3.1 does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violations {
    /// `Tr Sigma_W / Tr Sigma_B` does not fall.
    pub quotient: usize,
    /// `e^{2 lh t} Tr Sigma_W` rises.
    pub within: usize,
    /// `e^{2 lh t} Tr Sigma_B` does not rise.
    pub between: usize,
}

impl Course {
    /// `NC1~` at every step.
    #[must_use]
    pub fn quotients(&self) -> Vec<f64> {
        self.scatter.iter().map(Scatter::quotient).collect()
    }

    /// `e^{2 lh t}` times the scatter within and between classes, at every step.
    #[must_use]
    pub fn weighed(&self) -> Vec<Scatter> {
        let steps = self.times.iter().zip(&self.scatter);
        steps
            .map(|(t, s)| {
                let factor = (2.0 * self.lambda_h * t).exp();
                Scatter {
                    within: factor * s.within,
                    between: factor * s.between,
                }
            })
            .collect()
    }

    /// Where the monotonies of Thm 3.1 do not hold. The scatter within classes may stay as it is, up to this part of itself
    /// (where it lies in directions that the classifier does not see); a quotient below `1e-12` has reached 0.
    #[must_use]
    pub fn violations(&self, slack: f64) -> Violations {
        let mut found = Violations::default();
        let (weighed, quotients) = (self.weighed(), self.quotients());
        // NaN neither falls nor rises.
        let fallen = |from: f64, to: f64| to <= from;
        let risen = |from: f64, to: f64| to > from;
        for i in 1..weighed.len() {
            let (before, now) = (weighed[i - 1], weighed[i]);
            let done = quotients[i - 1] < 1e-12;
            found.quotient += usize::from(!(quotients[i] < quotients[i - 1] || done));
            found.within += usize::from(!fallen(before.within * (1.0 + slack), now.within));
            found.between += usize::from(!risen(before.between, now.between));
        }
        found
    }
}

impl Flow {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let s = self.step;
        SettingError::check(s > 0.0 && s <= 10.0, "step", "above 0, at most 10", s)?;
        let t = self.time;
        SettingError::check(t >= s && t / s <= 1e7, "time", "1 to 1e7 steps", t)
    }

    /// Follows the flow from these features. Ticks once for each step.
    ///
    /// # Errors
    /// [`CollapseError`] for settings out of range; [`CollapseError::NothingBetween`] where all class means are the same;
    /// [`CollapseError::NotFinite`] where the step is too long for the flow.
    pub fn run(
        &self,
        model: &FeatureModel,
        start: &Features,
        watch: &dyn Watch,
    ) -> Result<(Features, Course), CollapseError> {
        self.validate()?;
        // The spring has no part in the flow.
        FeatureModel {
            beta: 1.0,
            ..*model
        }
        .validate()?;
        let n_steps = (self.time / self.step).round() as usize;
        let mut h = start.clone();
        let mut course = Course {
            times: vec![0.0],
            scatter: vec![h.scatter()],
            lambda_h: model.lambda_h,
        };
        if course.scatter[0].between <= 0.0 {
            return Err(CollapseError::NothingBetween {
                n_classes: h.n_classes(),
            });
        }
        for i in 1..=n_steps {
            watch.check()?;
            h = self.advance(model, &h)?;
            let scatter = h.scatter();
            if !(scatter.within.is_finite() && scatter.between.is_finite()) {
                return Err(CollapseError::NotFinite {
                    what: "scatter along the flow",
                    row: i,
                    column: 0,
                    found: scatter.within + scatter.between,
                });
            }
            course.times.push(i as f64 * self.step);
            course.scatter.push(scatter);
            watch.tick(1);
        }
        Ok((h, course))
    }

    fn advance(&self, model: &FeatureModel, h: &Features) -> Result<Features, CollapseError> {
        let velocity = |h: &Features| -> Result<Array2<f64>, CollapseError> {
            let w = model.best_classifier(h)?;
            let mut v = product(w.t(), residual(w.view(), h).view());
            v.scaled_add(model.lambda_h, &h.values());
            Ok(-v)
        };
        let moved = |v: &Array2<f64>, by: f64| h.with(&h.values() + &(v * by));
        let first = velocity(h)?;
        if self.rule == Rule::Euler {
            return Ok(moved(&first, self.step));
        }
        let second = velocity(&moved(&first, self.step / 2.0))?;
        let third = velocity(&moved(&second, self.step / 2.0))?;
        let fourth = velocity(&moved(&third, self.step))?;
        let sum = first + second * 2.0 + third * 2.0 + fourth;
        Ok(moved(&sum, self.step / 6.0))
    }
}
