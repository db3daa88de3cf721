//! What is done to features before a readout sees them, and whether parts of a data set keep apart.

use ndarray::{Array2, ArrayView2, Axis};

use super::ReadoutError;

/// Each sample divided by the sum of its features' sizes, so that a sample with more spikes weighs no more. A sample
/// of zeros stays one.
///
/// # Errors
/// [`ReadoutError::NotFinite`].
pub fn per_total(x: ArrayView2<'_, f32>) -> Result<Array2<f32>, ReadoutError> {
    super::check_finite(x)?;
    let mut x = x.to_owned();
    for mut row in x.outer_iter_mut() {
        let total: f64 = row.iter().map(|v| f64::from(v.abs())).sum();
        if total > 0.0 {
            row.mapv_inplace(|v| (f64::from(v) / total) as f32);
        }
    }
    Ok(x)
}

/// Mean and standard deviation of each feature over the samples that a readout learns from, so that others can be brought
/// to the same scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    means: Vec<f32>,
    /// 1 where a feature does not vary.
    deviations: Vec<f32>,
}

impl Standard {
    /// Of these samples, `[sample, feature]`.
    ///
    /// # Errors
    /// [`ReadoutError::Number`] without samples; [`ReadoutError::NotFinite`].
    pub fn of(x: ArrayView2<'_, f32>) -> Result<Self, ReadoutError> {
        super::check_finite(x)?;
        let (n, d) = x.dim();
        if n == 0 {
            return Err(ReadoutError::Number {
                what: "samples",
                expected: 1,
                found: 0,
            });
        }
        // Row by row: the columns of so many samples would each touch all of memory.
        let mut sums = vec![0.0f64; d];
        for row in x.outer_iter() {
            sums.iter_mut()
                .zip(row)
                .for_each(|(s, v)| *s += f64::from(*v));
        }
        let means: Vec<f64> = sums.iter().map(|s| s / n as f64).collect();
        let mut squares = vec![0.0f64; d];
        for row in x.outer_iter() {
            for ((s, v), m) in squares.iter_mut().zip(row).zip(&means) {
                *s += (f64::from(*v) - m).powi(2);
            }
        }
        let deviation = |(s, m): (&f64, &f64)| {
            let sd = (s / n as f64).sqrt();
            // Below the rounding of its own mean a feature does not vary.
            if sd > 1e-7 * m.abs() && sd > 0.0 {
                sd as f32
            } else {
                1.0
            }
        };
        Ok(Self {
            deviations: squares.iter().zip(&means).map(deviation).collect(),
            means: means.iter().map(|m| *m as f32).collect(),
        })
    }

    /// Samples less the means, over the deviations.
    ///
    /// # Errors
    /// [`ReadoutError::Number`] for another number of features.
    pub fn apply(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f32>, ReadoutError> {
        if x.ncols() != self.means.len() {
            return Err(ReadoutError::Number {
                what: "features",
                expected: self.means.len(),
                found: x.ncols(),
            });
        }
        let mut x = x.to_owned();
        for mut row in x.axis_iter_mut(Axis(0)) {
            for ((v, m), sd) in row.iter_mut().zip(&self.means).zip(&self.deviations) {
                *v = (*v - m) / sd;
            }
        }
        Ok(x)
    }
}

/// That no sample is in two of these parts (training, validation, test), nor twice in one.
///
/// # Errors
/// [`ReadoutError::Overlap`] with the first that is.
pub fn check_disjoint(parts: &[(&str, &[usize])]) -> Result<(), ReadoutError> {
    let mut seen = std::collections::BTreeMap::new();
    for (name, samples) in parts {
        for &sample in *samples {
            if let Some(first) = seen.insert(sample, *name) {
                return Err(ReadoutError::Overlap {
                    sample,
                    first: first.into(),
                    second: (*name).into(),
                });
            }
        }
    }
    Ok(())
}
