//! Features with their labels.

use ndarray::ArrayView2;

use super::ReadoutError;

/// Features with their labels, checked.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    pub(super) x: ArrayView2<'a, f32>,
    pub(super) labels: &'a [usize],
    pub(super) n_classes: usize,
}

impl<'a> Samples<'a> {
    /// Features `[sample, feature]` and for each sample its class, below `n_classes`.
    ///
    /// # Errors
    /// [`ReadoutError::Number`] for another number of labels than of samples, or none at all; [`ReadoutError::Label`];
    /// [`ReadoutError::NotFinite`].
    pub fn new(
        x: ArrayView2<'a, f32>,
        labels: &'a [usize],
        n_classes: usize,
    ) -> Result<Self, ReadoutError> {
        let number = |what, expected, found| ReadoutError::Number {
            what,
            expected,
            found,
        };
        if labels.len() != x.nrows() {
            return Err(number("labels", x.nrows(), labels.len()));
        }
        if x.is_empty() {
            return Err(number("samples", 1, 0));
        }
        if let Some(index) = labels.iter().position(|l| *l >= n_classes) {
            return Err(ReadoutError::Label {
                index,
                n_classes,
                found: labels[index],
            });
        }
        check_finite(x)?;
        Ok(Self {
            x,
            labels,
            n_classes,
        })
    }
}

pub(super) fn check_finite(x: ArrayView2<'_, f32>) -> Result<(), ReadoutError> {
    match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((sample, feature), found)) => Err(ReadoutError::NotFinite {
            sample,
            feature,
            found: *found,
        }),
    }
}
