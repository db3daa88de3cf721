//! A linear support vector machine, by dual coordinate descent.

use chiasm_core::SettingError;
use ndarray::{Array1, ArrayView1, ArrayView2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GeometryError;
use super::samples::finite;

/// What a sample within the margin costs, of `m = 1 - y (w x + b)` above 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Margin {
    /// `m`.
    Hinge,
    /// `m^2`, as scikit-learn's `LinearSVC` by default.
    #[default]
    Squared,
}

/// A linear support vector machine: the least `(|w|^2 + b^2) / 2 + c sum cost(1 - y (w x + b))`.
///
/// The bias is the weight of a feature that is always 1 and so is kept small, too, as in liblinear. The dual problem is
/// solved one sample at a time, in order (Hsieh et al. 2008, algorithm 1, without shrinking): no draw, so the same bits
/// always.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Svm {
    /// What a sample within the margin costs, against the length of the weights (scikit-learn: 1).
    pub c: f64,
    /// The cost.
    pub margin: Margin,
    /// Largest violation of the conditions for the optimum (liblinear: 0.1; scikit-learn: 0.0001).
    pub tolerance: f64,
    /// Passes over the samples, at most (scikit-learn: 1,000; chosen: 20,000).
    pub passes: usize,
}

impl Default for Svm {
    fn default() -> Self {
        Self {
            c: 1.0,
            margin: Margin::Squared,
            tolerance: 1e-4,
            passes: 20_000,
        }
    }
}

/// A hyperplane between two classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Separator {
    /// One weight for each unit.
    pub weights: Vec<f64>,
    /// Added to the product.
    pub bias: f64,
    /// The dual variable of each sample it was found from: 0 for those beyond the margin.
    pub duals: Vec<f64>,
    /// Passes that it took.
    pub passes: usize,
}

impl Separator {
    /// `w x + b`: above 0 for the positive class.
    #[must_use]
    pub fn side(&self, sample: ArrayView1<'_, f64>) -> f64 {
        let product = sample.iter().zip(&self.weights).map(|(x, w)| x * w);
        product.sum::<f64>() + self.bias
    }

    /// The part of samples on their side; one on the plane counts half.
    #[must_use]
    pub fn accuracy(&self, samples: ArrayView2<'_, f64>, positive: &[bool]) -> f64 {
        let right = samples.rows().into_iter().zip(positive).map(|(x, &p)| {
            let side = self.side(x);
            if side == 0.0 {
                0.5
            } else {
                f64::from((side > 0.0) == p)
            }
        });
        right.sum::<f64>() / samples.nrows() as f64
    }
}

impl Svm {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let above = |field, v: f64| {
            SettingError::check(v > 0.0 && v.is_finite(), field, "a number above 0", v)
        };
        above("c", self.c)?;
        above("tolerance", self.tolerance)?;
        SettingError::check(self.passes > 0, "passes", "1 or more", self.passes)
    }

    /// The hyperplane for samples `[sample, unit]` and their classes.
    ///
    /// # Errors
    /// [`GeometryError::Number`] for labels of another number, [`GeometryError::OneClass`], [`GeometryError::NotFinite`],
    /// [`GeometryError::Setting`], [`GeometryError::NotConverged`].
    pub fn fit(
        &self,
        samples: ArrayView2<'_, f64>,
        positive: &[bool],
    ) -> Result<Separator, GeometryError> {
        self.validate()?;
        finite("samples", samples)?;
        let n = samples.nrows();
        if positive.len() != n {
            return Err(GeometryError::Number {
                what: "labels of samples",
                expected: n,
                found: positive.len(),
            });
        }
        let n_positive = positive.iter().filter(|p| **p).count();
        if n_positive == 0 || n_positive == n {
            return Err(GeometryError::OneClass {
                conditions: n,
                all: if n_positive > 0 {
                    "positive"
                } else {
                    "negative"
                },
            });
        }
        // Of the squared margin the dual has a diagonal term in place of an upper bound.
        let (most, diagonal) = match self.margin {
            Margin::Hinge => (self.c, 0.0),
            Margin::Squared => (f64::INFINITY, 0.5 / self.c),
        };
        let signs: Vec<f64> = positive
            .iter()
            .map(|p| if *p { 1.0 } else { -1.0 })
            .collect();
        let rows: Vec<Array1<f64>> = samples.rows().into_iter().map(|r| r.to_owned()).collect();
        let squares: Vec<f64> = rows.iter().map(|x| x.dot(x) + 1.0 + diagonal).collect();
        let mut duals = vec![0.0; n];
        let mut weights: Array1<f64> = Array1::zeros(samples.ncols());
        let mut bias = 0.0;
        let mut violation = f64::INFINITY;
        for pass in 1..=self.passes {
            violation = 0.0;
            for i in 0..n {
                let side = weights.dot(&rows[i]) + bias;
                let gradient = signs[i] * side - 1.0 + diagonal * duals[i];
                let projected = if duals[i] <= 0.0 {
                    gradient.min(0.0)
                } else if duals[i] >= most {
                    gradient.max(0.0)
                } else {
                    gradient
                };
                violation = f64::max(violation, projected.abs());
                if projected != 0.0 {
                    let new = (duals[i] - gradient / squares[i]).clamp(0.0, most);
                    let step = (new - duals[i]) * signs[i];
                    duals[i] = new;
                    weights.scaled_add(step, &rows[i]);
                    bias += step;
                }
            }
            if violation <= self.tolerance {
                return Ok(Separator {
                    weights: weights.to_vec(),
                    bias,
                    duals,
                    passes: pass,
                });
            }
        }
        Err(GeometryError::NotConverged {
            passes: self.passes,
            violation,
            tolerance: self.tolerance,
        })
    }
}
