//! The scatter between classes, and the directions along which the scatter within them is weighed.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::thin_svd;
use super::moments::{Means, at_least};

/// Eigenvalues below this part of the largest count as zero in the pseudo-inverse (card 22, chosen): the between-class
/// scatter of K classes has a rank of at most K - 1, and rounding must not be divided by.
pub(super) const CUT: f64 = 1e-10;

/// The between-class scatter `Sigma_B = 1/K sum (mu_k - mu)(mu_k - mu)'`, in its own directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Between {
    pub(super) n_classes: usize,
    n_features: usize,
    /// `Tr Sigma_B`
    pub(super) trace: f64,
    /// `[direction, feature]`: eigenvectors over the roots of their eigenvalues, so that `A' A = Sigma_B^+`.
    whitening: Vec<f64>,
}

impl Between {
    pub(super) fn whitening(&self) -> ArrayView2<'_, f64> {
        let rank = self.whitening.len() / self.n_features.max(1);
        // The length is a multiple of the number of features by construction.
        ArrayView2::from_shape((rank, self.n_features), &self.whitening).expect("whole rows")
    }
}

impl Means {
    /// The same means, ready to weigh the scatter within classes by that between them (NC1): the next pass then takes a
    /// product of every sample with at most `K - 1` directions. All classes with samples take part.
    ///
    /// # Errors
    /// [`CollapseError::Few`] below two classes; [`CollapseError::NothingBetween`] where all means are the same.
    pub fn with_between(mut self) -> Result<Self, CollapseError> {
        let classes = self.seen(1);
        at_least("classes with samples", 2, classes.len())?;
        let (centered, _) = self.centered(&classes)?;
        self.between = Some(between(&centered)?);
        Ok(self)
    }
}

fn between(centered: &Array2<f64>) -> Result<Between, CollapseError> {
    let (n_classes, n_features) = centered.dim();
    let (values, directions) = thin_svd("class means", centered.view())?;
    let eigenvalues: Vec<f64> = values.iter().map(|s| s * s / n_classes as f64).collect();
    let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
    let trace: f64 = eigenvalues.iter().sum();
    // Rounding of the means themselves leaves a little where nothing is.
    let scale = centered.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if !(largest > 0.0 && scale > 0.0) {
        return Err(CollapseError::NothingBetween { n_classes });
    }
    let mut whitening = Vec::new();
    for (k, value) in eigenvalues.iter().enumerate() {
        if *value > CUT * largest {
            let root = value.sqrt();
            whitening.extend(directions.column(k).iter().map(|v| v / root));
        }
    }
    Ok(Between {
        n_classes,
        n_features,
        trace,
        whitening,
    })
}
