//! Features as a matrix whose columns are samples, class after class: what the theory works on.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::squares;
use super::moments::{Feature, Rows, at_least, same_number};

/// Features `H` `[feature, sample]`, the samples of class 0 first, then those of class 1, and so on, as many of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    values: Array2<f64>,
    n_classes: usize,
}

impl Features {
    /// From `H` `[feature, sample]`, samples sorted by class.
    ///
    /// # Errors
    /// [`CollapseError::Few`] below two classes, without a sample or a feature; [`CollapseError::Number`] where the samples
    /// are not as many of each class; [`CollapseError::NotFinite`].
    pub fn new(values: Array2<f64>, n_classes: usize) -> Result<Self, CollapseError> {
        at_least("classes", 2, n_classes)?;
        at_least("features", 1, values.nrows())?;
        at_least("samples", n_classes, values.ncols())?;
        let per_class = values.ncols() / n_classes;
        same_number("samples", per_class * n_classes, values.ncols())?;
        Rows::new("features", values.view())?;
        let values = values.as_standard_layout().into_owned();
        Ok(Self { values, n_classes })
    }

    /// From samples `x` `[sample, feature]` in any order, and the class of each.
    ///
    /// # Errors
    /// As [`Self::new`]; [`CollapseError::Label`], [`CollapseError::EmptyClass`], and [`CollapseError::Unbalanced`] where
    /// the classes have not all the same number of samples.
    pub fn from_samples<T: Feature>(
        x: ArrayView2<'_, T>,
        labels: &[usize],
        n_classes: usize,
    ) -> Result<Self, CollapseError> {
        same_number("labels", x.nrows(), labels.len())?;
        let mut counts = vec![0; n_classes];
        for (index, &found) in labels.iter().enumerate() {
            match counts.get_mut(found) {
                Some(count) => *count += 1,
                None => {
                    return Err(CollapseError::Label {
                        index,
                        n_classes,
                        found,
                    });
                }
            }
        }
        let expected = counts.first().copied().unwrap_or(0);
        for (class, &found) in counts.iter().enumerate() {
            if found == 0 {
                return Err(CollapseError::EmptyClass { class });
            }
            if found != expected {
                return Err(CollapseError::Unbalanced {
                    class,
                    expected,
                    found,
                });
            }
        }
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&i| labels[i]);
        let rows = Rows::new("features", x)?;
        let values = Array2::from_shape_fn((x.ncols(), labels.len()), |(j, i)| {
            rows.row(order[i])[j].into()
        });
        Self::new(values, n_classes)
    }

    /// `H`, `[feature, sample]`.
    #[must_use]
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// Number of classes, `K`.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Samples of each class, `n`.
    #[must_use]
    pub fn per_class(&self) -> usize {
        self.values.ncols() / self.n_classes
    }

    /// Number of features, `d`.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.values.nrows()
    }

    /// The same classes with other values.
    pub(super) fn with(&self, values: Array2<f64>) -> Self {
        debug_assert_eq!(values.dim(), self.values.dim());
        Self {
            values,
            n_classes: self.n_classes,
        }
    }

    /// Class means `[feature, class]`.
    #[must_use]
    pub fn means(&self) -> Array2<f64> {
        let n = self.per_class();
        let mut means = Array2::zeros((self.n_features(), self.n_classes));
        for (k, mut mean) in means.columns_mut().into_iter().enumerate() {
            let own = self.values.slice(s![.., k * n..(k + 1) * n]);
            mean.assign(&(own.sum_axis(Axis(1)) / n as f64));
        }
        means
    }

    /// `Tr Sigma_W` and `Tr Sigma_B`.
    #[must_use]
    pub fn scatter(&self) -> Scatter {
        let n = self.per_class();
        let means = self.means();
        let mut within = 0.0;
        for (k, mean) in means.columns().into_iter().enumerate() {
            let own = self.values.slice(s![.., k * n..(k + 1) * n]);
            let apart = &own - &mean.insert_axis(Axis(1));
            within += squares(apart.view());
        }
        let global: Array1<f64> = means.sum_axis(Axis(1)) / self.n_classes as f64;
        let apart = &means - &global.insert_axis(Axis(1));
        Scatter {
            within: within / self.values.ncols() as f64,
            between: squares(apart.view()) / self.n_classes as f64,
        }
    }
}

/// Scatter within and between classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scatter {
    /// `Tr Sigma_W`
    pub within: f64,
    /// `Tr Sigma_B`
    pub between: f64,
}

impl Scatter {
    /// `NC1~ = Tr Sigma_W / Tr Sigma_B` (paper 22, Eq. 3).
    #[must_use]
    pub fn quotient(&self) -> f64 {
        self.within / self.between
    }
}
