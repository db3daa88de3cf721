//! The outputs of a classifier, step by step.

use ndarray::{Array3, Axis};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfidenceError;

/// What the numbers of [`Outputs::new`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// The output of each step by itself.
    #[default]
    Steps,
    /// Sums of all steps so far.
    Sums,
}

/// Summed outputs after each step, and the right classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// `[sample, step, class]`, in standard layout.
    sums: Array3<f32>,
    labels: Vec<usize>,
}

impl Outputs {
    /// Takes outputs `[sample, step, class]` and for each sample the index of its class.
    ///
    /// # Errors
    /// [`ConfidenceError`] naming sample, step and class: fewer than 1 sample, 1 step or 2 classes; a value that is not
    /// finite; labels that do not fit; sums of counts (whole numbers, none below 0) that fall from one step to the next.
    pub fn new(
        values: Array3<f32>,
        labels: Vec<usize>,
        given: Given,
    ) -> Result<Self, ConfidenceError> {
        let (samples, steps, classes) = values.dim();
        for (axis, expected, found) in [
            ("samples", 1, samples),
            ("steps", 1, steps),
            ("classes", 2, classes),
        ] {
            if found < expected {
                return Err(ConfidenceError::Short {
                    axis,
                    expected,
                    found,
                });
            }
        }
        if let Some(((sample, step, class), v)) =
            values.indexed_iter().find(|(_, v)| !v.is_finite())
        {
            return Err(ConfidenceError::NotFinite {
                sample,
                step,
                class,
                found: *v,
            });
        }
        if labels.len() != samples {
            return Err(ConfidenceError::Labels {
                expected: samples,
                found: labels.len(),
            });
        }
        if let Some(sample) = labels.iter().position(|l| *l >= classes) {
            return Err(ConfidenceError::Label {
                sample,
                classes,
                found: labels[sample],
            });
        }
        let sums = match given {
            Given::Sums => {
                rise(&values)?;
                values
            }
            Given::Steps => {
                let mut sums = values;
                sums.accumulate_axis_inplace(Axis(1), |before, now| *now += before);
                // Finite steps may have an infinite sum.
                if let Some(((sample, step, class), v)) =
                    sums.indexed_iter().find(|(_, v)| !v.is_finite())
                {
                    return Err(ConfidenceError::NotFinite {
                        sample,
                        step,
                        class,
                        found: *v,
                    });
                }
                sums
            }
        };
        Ok(Self {
            sums: sums.as_standard_layout().into_owned(),
            labels,
        })
    }

    /// Number of samples.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.sums.dim().0
    }

    /// Number of steps.
    #[must_use]
    pub fn n_steps(&self) -> usize {
        self.sums.dim().1
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.sums.dim().2
    }

    /// For each sample the index of its class.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The sums of a sample after step `t`, counted from 0: one for each class.
    #[must_use]
    pub fn sums(&self, sample: usize, t: usize) -> &[f32] {
        let (_, steps, classes) = self.sums.dim();
        let all = self.sums.as_slice().unwrap_or_default();
        &all[(sample * steps + t) * classes..][..classes]
    }

    /// These samples alone.
    #[must_use]
    pub fn select(&self, samples: &[usize]) -> Self {
        Self {
            sums: self.sums.select(Axis(0), samples),
            labels: samples.iter().map(|i| self.labels[*i]).collect(),
        }
    }

    /// The first `n` steps alone (at least one).
    #[must_use]
    pub fn first_steps(&self, n: usize) -> Self {
        let n = n.clamp(1, self.n_steps());
        let cut = self.sums.slice(ndarray::s![.., ..n, ..]);
        Self {
            sums: cut.as_standard_layout().into_owned(),
            labels: self.labels.clone(),
        }
    }

    /// Class and confidence after each step, sample by sample.
    pub(super) fn told(&self, alpha: f64) -> Vec<Vec<(usize, f64)>> {
        (0..self.n_samples())
            .into_par_iter()
            .map(|i| {
                let steps = 0..self.n_steps();
                steps
                    .map(|t| super::confidence(self.sums(i, t), alpha))
                    .collect()
            })
            .collect()
    }
}

/// Sums of counts cannot fall.
fn rise(sums: &Array3<f32>) -> Result<(), ConfidenceError> {
    let counts = sums.iter().all(|v| *v >= 0.0 && v.fract() == 0.0);
    let (samples, steps, classes) = sums.dim();
    if !counts {
        return Ok(());
    }
    for sample in 0..samples {
        for step in 1..steps {
            for class in 0..classes {
                let (expected, found) =
                    (sums[[sample, step - 1, class]], sums[[sample, step, class]]);
                if found < expected {
                    return Err(ConfidenceError::Falls {
                        sample,
                        step,
                        class,
                        expected,
                        found,
                    });
                }
            }
        }
    }
    Ok(())
}
