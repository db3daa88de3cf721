//! Single units.

use ndarray::{Array2, ArrayView2};

use super::samples::finite;
use super::{Dichotomy, GeometryError};

/// For each unit the part of its variance over conditions that a dichotomy explains, `[unit, dichotomy]`, 0 to 1: the
/// square of its correlation with the classes. A unit that is the same in all conditions is selective for nothing (0).
///
/// # Errors
/// [`GeometryError::NotFinite`]; [`GeometryError::Number`] for a dichotomy of other conditions.
pub fn selectivity(
    points: ArrayView2<'_, f64>,
    dichotomies: &[Dichotomy],
) -> Result<Array2<f64>, GeometryError> {
    finite("conditions", points)?;
    let mut found = Array2::zeros((points.ncols(), dichotomies.len()));
    for (j, dichotomy) in dichotomies.iter().enumerate() {
        if dichotomy.n_conditions() != points.nrows() {
            return Err(GeometryError::Number {
                what: "conditions of a dichotomy",
                expected: points.nrows(),
                found: dichotomy.n_conditions(),
            });
        }
        let signs = dichotomy.signs();
        let signs = &signs - signs.mean().unwrap_or(0.0);
        for (i, unit) in points.columns().into_iter().enumerate() {
            let tuning = &unit - unit.mean().unwrap_or(0.0);
            let (variance, size) = (tuning.dot(&tuning), unit.dot(&unit));
            // What is left of a constant after its mean is taken off is rounding.
            if variance > 1e-24 * size {
                found[[i, j]] = tuning.dot(&signs).powi(2) / (variance * signs.dot(&signs));
            }
        }
    }
    Ok(found)
}

/// The part of activities above 0, over conditions and units (paper 23, D).
///
/// # Errors
/// [`GeometryError::NotFinite`]; [`GeometryError::TooFew`] for no activity at all.
pub fn sparsity(points: ArrayView2<'_, f64>) -> Result<f64, GeometryError> {
    finite("conditions", points)?;
    if points.is_empty() {
        return Err(GeometryError::TooFew {
            what: "activities".into(),
            least: 1,
            found: 0,
        });
    }
    let active = points.iter().filter(|v| **v > 0.0).count();
    Ok(active as f64 / points.len() as f64)
}

/// The part of units that are active (above 0) in exactly one condition (paper 23, works when 6).
///
/// # Errors
/// As [`sparsity`].
pub fn specialists(points: ArrayView2<'_, f64>) -> Result<f64, GeometryError> {
    sparsity(points)?;
    let alone =
        |unit: &ndarray::ArrayView1<'_, f64>| unit.iter().filter(|v| **v > 0.0).count() == 1;
    let n = points.columns().into_iter().filter(alone).count();
    Ok(n as f64 / points.ncols() as f64)
}
