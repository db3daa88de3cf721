//! Trials of conditions.

use chiasm_core::Streams;
use chiasm_data::Recording;
use ndarray::{Array2, ArrayView2, Axis};
use rand_distr::{Distribution, StandardNormal};

use super::GeometryError;
use crate::rsa::patterns::mean_activity;

/// Trials, each of one condition; no condition is without a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    values: Array2<f64>,
    conditions: Vec<usize>,
    counts: Vec<usize>,
}

pub(super) fn finite(what: &'static str, values: ArrayView2<'_, f64>) -> Result<(), GeometryError> {
    match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, unit), &found)) => Err(GeometryError::NotFinite {
            what,
            row,
            unit,
            found,
        }),
        None => Ok(()),
    }
}

impl Samples {
    /// Trials `[sample, unit]` and the condition of each, from 0.
    ///
    /// # Errors
    /// [`GeometryError::Number`] for conditions of another number; [`GeometryError::TooFew`] for a condition between 0 and
    /// the last without a trial, or no trial at all; [`GeometryError::NotFinite`].
    pub fn new(values: Array2<f64>, conditions: Vec<usize>) -> Result<Self, GeometryError> {
        finite("samples", values.view())?;
        if conditions.len() != values.nrows() {
            return Err(GeometryError::Number {
                what: "conditions of samples",
                expected: values.nrows(),
                found: conditions.len(),
            });
        }
        let last = conditions.iter().max().copied();
        // A number far beyond the samples leaves a condition without one: no need to count all to find it.
        let n = last.map_or(1, |l| l.min(conditions.len()) + 1);
        let mut counts = vec![0; n];
        for &c in conditions.iter().filter(|c| **c < n) {
            counts[c] += 1;
        }
        if let Some(empty) = counts.iter().position(|n| *n == 0) {
            return Err(GeometryError::TooFew {
                what: format!("samples of condition {empty}"),
                least: 1,
                found: 0,
            });
        }
        Ok(Self {
            values,
            conditions,
            counts,
        })
    }

    /// One sample for each condition: means without noise, `[condition, unit]`.
    ///
    /// # Errors
    /// [`GeometryError::NotFinite`]; [`GeometryError::TooFew`] without a condition.
    pub fn of_means(means: ArrayView2<'_, f64>) -> Result<Self, GeometryError> {
        Self::new(means.to_owned(), (0..means.nrows()).collect())
    }

    /// `n` samples of each condition: its mean and normal noise of this standard deviation in every unit. Condition `c`
    /// takes its bits from `streams.indexed("noise", c)`.
    ///
    /// # Errors
    /// As [`Samples::of_means`]; [`GeometryError::Setting`] for noise below 0 or not finite.
    pub fn noisy(
        means: ArrayView2<'_, f64>,
        noise: f64,
        n: usize,
        streams: &Streams,
    ) -> Result<Self, GeometryError> {
        let holds = noise >= 0.0 && noise.is_finite();
        chiasm_core::SettingError::check(holds, "noise", "0 or more", noise)?;
        let mut values = Array2::zeros((means.nrows() * n, means.ncols()));
        for (c, mean) in means.rows().into_iter().enumerate() {
            let mut rng = streams.indexed("noise", c);
            for i in 0..n {
                for (v, m) in values.row_mut(c * n + i).iter_mut().zip(mean) {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    *v = m + noise * z;
                }
            }
        }
        Self::new(
            values,
            (0..means.nrows() * n).map(|i| i / n.max(1)).collect(),
        )
    }

    /// The trials of a recording: mean activity in each epoch of this kind (traces, or spikes per second), and the epochs'
    /// labels as conditions, whose names come sorted.
    ///
    /// # Errors
    /// [`GeometryError::TooFew`] without such epochs; [`GeometryError::Patterns`] where a unit has no sample in one.
    pub fn of_recording(
        recording: &Recording,
        kind: &str,
    ) -> Result<(Vec<String>, Self), GeometryError> {
        let epochs: Vec<_> = recording.epochs_of(kind).collect();
        let mut names: Vec<String> = epochs.iter().map(|e| e.label.clone()).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(GeometryError::TooFew {
                what: format!("epochs of kind `{kind}`"),
                least: 1,
                found: 0,
            });
        }
        let mut values = Array2::zeros((epochs.len(), recording.n_units()));
        for (epoch, mut row) in epochs.iter().zip(values.rows_mut()) {
            let span = (epoch.start_s, epoch.stop_s);
            let about = (epoch.label.as_str(), epochs.len());
            for (unit, v) in row.iter_mut().enumerate() {
                *v = mean_activity(recording, unit, &[span], about)?;
            }
        }
        let condition = |e: &&chiasm_data::Epoch| names.binary_search(&e.label).unwrap_or(0);
        let conditions = epochs.iter().map(condition).collect();
        Ok((names, Self::new(values, conditions)?))
    }

    /// Number of conditions.
    #[must_use]
    pub fn n_conditions(&self) -> usize {
        self.counts.len()
    }

    /// The trials, `[sample, unit]`.
    #[must_use]
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The condition of each sample.
    #[must_use]
    pub fn conditions(&self) -> &[usize] {
        &self.conditions
    }

    /// Samples of each condition.
    #[must_use]
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The mean of each condition, `[condition, unit]`.
    #[must_use]
    pub fn means(&self) -> Array2<f64> {
        let mut means = Array2::zeros((self.n_conditions(), self.values.ncols()));
        for (row, &c) in self.values.rows().into_iter().zip(&self.conditions) {
            means
                .row_mut(c)
                .scaled_add(1.0 / self.counts[c] as f64, &row);
        }
        means
    }

    /// The samples at these positions, with the conditions they have here.
    pub(super) fn at(&self, positions: &[usize]) -> (Array2<f64>, Vec<usize>) {
        let conditions = positions.iter().map(|&i| self.conditions[i]).collect();
        (self.values.select(Axis(0), positions), conditions)
    }
}
