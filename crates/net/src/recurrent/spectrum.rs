//! What rank a weight matrix has in effect.

use faer::Mat;
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::RecurrentError;
use super::starts::{finite, square};

/// Singular values and eigenvalues of a square matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// Singular values, falling.
    pub singular: Vec<f64>,
    /// Eigenvalues, real and imaginary part, by falling magnitude.
    pub eigenvalues: Vec<(f64, f64)>,
}

impl Spectrum {
    /// Of this matrix.
    ///
    /// # Errors
    /// [`RecurrentError::Shape`] for one that is not square; [`RecurrentError::NotFinite`];
    /// [`RecurrentError::Decomposition`].
    pub fn of(weights: ArrayView2<'_, f64>) -> Result<Self, RecurrentError> {
        square(weights)?;
        finite(weights)?;
        let n = weights.nrows();
        let matrix = Mat::from_fn(n, n, |i, j| weights[[i, j]]);
        let failed = |what| move |_| RecurrentError::Decomposition { what, n };
        let singular = matrix.singular_values();
        let singular = singular.map_err(|_| failed("singular values")(()))?;
        let eigenvalues = matrix.eigenvalues();
        let eigenvalues = eigenvalues.map_err(|_| failed("eigenvalues")(()))?;
        let mut eigenvalues: Vec<(f64, f64)> = eigenvalues.iter().map(|l| (l.re, l.im)).collect();
        let size = |l: &(f64, f64)| l.0.hypot(l.1);
        eigenvalues.sort_by(|a, b| {
            let by_part = a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
            size(b).total_cmp(&size(a)).then(by_part)
        });
        Ok(Self {
            singular,
            eigenvalues,
        })
    }

    /// `(sum s^2)^2 / sum s^4`: how many singular values carry the norm, 1 to the rank; 0 for a matrix of zeros.
    #[must_use]
    pub fn participation_ratio(&self) -> f64 {
        let squares: f64 = self.singular.iter().map(|s| s * s).sum();
        let fourth: f64 = self.singular.iter().map(|s| s.powi(4)).sum();
        if fourth > 0.0 {
            squares * squares / fourth
        } else {
            0.0
        }
    }

    /// `sum |l| / (|l_1| n)`: the mean magnitude of eigenvalues beside the largest (the paper's effective rank, as a part of
    /// `n`); 0 where all are 0.
    #[must_use]
    pub fn effective_rank(&self) -> f64 {
        let sizes = self.eigenvalues.iter().map(|l| l.0.hypot(l.1));
        let radius = self.radius();
        if radius > 0.0 {
            sizes.sum::<f64>() / (radius * self.eigenvalues.len() as f64)
        } else {
            0.0
        }
    }

    /// Magnitude of the largest eigenvalue.
    #[must_use]
    pub fn radius(&self) -> f64 {
        self.eigenvalues.first().map_or(0.0, |l| l.0.hypot(l.1))
    }

    /// Singular values above this part of the largest.
    #[must_use]
    pub fn rank(&self, tolerance: f64) -> usize {
        let largest = self.singular.first().copied().unwrap_or(0.0);
        let above = self.singular.iter().filter(|s| **s > tolerance * largest);
        above.count()
    }
}
