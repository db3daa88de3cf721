//! How the class means stand to each other and to a classifier's weights: norms, simplex, duality.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::{inner, product, squares};
use super::moments::{at_least, same_number};

/// Below this squared error a difference is taken entry by entry: the closed form has lost its digits there.
const DIRECT: f64 = 1e-4;

/// Mean and variance of a measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Mean.
    pub mean: f64,
    /// Variance: of a sample where the measure is one of classes, of a population where it is one of pairs of classes (as
    /// in the authors' code).
    pub variance: f64,
}

/// Norms of the centered class means (NC2, equinorm).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Norms {
    /// Of the norms; the variance is that of a sample.
    pub norms: Stats,
    /// Coefficient of variation: standard deviation over mean.
    pub variation: f64,
    /// Of the norms' natural logarithms; those of zero are left out.
    pub log_norms: Stats,
    /// Classes whose mean is the mean of all.
    pub n_zero: usize,
}

/// The norms of centered class means `[class, feature]`.
///
/// # Errors
/// [`CollapseError::Few`] below two classes that lie apart from the mean of all.
pub fn norms(centered: ArrayView2<'_, f64>) -> Result<Norms, CollapseError> {
    at_least("classes", 2, centered.nrows())?;
    let norms: Vec<f64> = centered
        .rows()
        .into_iter()
        .map(|m| m.dot(&m).sqrt())
        .collect();
    let logs: Vec<f64> = norms.iter().filter(|n| **n > 0.0).map(|n| n.ln()).collect();
    at_least("classes apart from the mean of all", 2, logs.len())?;
    let all = of_classes(&norms);
    Ok(Norms {
        norms: all,
        variation: all.variance.sqrt() / all.mean,
        log_norms: of_classes(&logs),
        n_zero: norms.len() - logs.len(),
    })
}

/// `|| G/||G|| - (I - 11'/K)/sqrt(K - 1) ||` of the Gram matrix `G` of centered class means `[class, feature]` (NC2; card 22,
/// H; card 50, C): 0 for a simplex alone.
///
/// # Errors
/// [`CollapseError::Few`] below two classes; [`CollapseError::NothingBetween`] where all means are the same.
pub fn simplex_error(centered: ArrayView2<'_, f64>) -> Result<f64, CollapseError> {
    structure_error(centered, centered)
}

/// The same of `W M'`, `W` being a classifier's weights and `M` the centered class means, both `[class, feature]` (NC3):
/// 0 where the two are dual and a simplex.
///
/// # Errors
/// As [`simplex_error`]; [`CollapseError::Number`] for weights of another shape.
pub fn duality_error(
    weights: ArrayView2<'_, f64>,
    centered: ArrayView2<'_, f64>,
) -> Result<f64, CollapseError> {
    structure_error(weights, centered)
}

fn structure_error(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<f64, CollapseError> {
    let (n_classes, n_features) = b.dim();
    at_least("classes", 2, n_classes)?;
    same_number("classes of the classifier", n_classes, a.nrows())?;
    same_number("features of the classifier", n_features, a.ncols())?;
    // The norm of `a b'`, through the smaller of its two Gram matrices.
    let norm = if n_features < n_classes {
        inner(product(a.t(), a).view(), product(b.t(), b).view())
            .max(0.0)
            .sqrt()
    } else {
        squares(product(a, b.t()).view()).sqrt()
    };
    if !(norm > 0.0 && norm.is_finite()) {
        return Err(CollapseError::NothingBetween { n_classes });
    }
    let k = n_classes as f64;
    let root = (k - 1.0).sqrt();
    let trace = inner(a, b);
    let sum = a.sum_axis(Axis(0)).dot(&b.sum_axis(Axis(0)));
    let squared = 2.0 - 2.0 * (trace - sum / k) / (norm * root);
    if squared >= DIRECT {
        return Ok(squared.sqrt());
    }
    let mut total = 0.0;
    for start in (0..n_classes).step_by(256) {
        let stop = (start + 256).min(n_classes);
        let mut rows = product(a.slice(s![start..stop, ..]), b.t());
        rows /= norm;
        rows += 1.0 / (k * root);
        for i in 0..stop - start {
            rows[[i, start + i]] -= 1.0 / root;
        }
        total += squares(rows.view());
    }
    Ok(total.sqrt())
}

/// The least [`simplex_error`] that centered means of this rank can have: `sqrt(2 - 2 sqrt(D/(K - 1)))` (card 50, works when
/// 2), reached by isotropic ones; 0 where a simplex fits.
#[must_use]
pub fn simplex_error_floor(n_features: usize, n_classes: usize) -> f64 {
    if n_classes < 2 || n_features + 1 >= n_classes {
        return 0.0;
    }
    let part = n_features as f64 / (n_classes as f64 - 1.0);
    (2.0 - 2.0 * part.sqrt()).sqrt()
}

/// How the weights of each class lie to its centered mean (uniform duality, card 50, C).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Duality {
    /// Cosine of the angle between the two, of each class; NaN where either is zero.
    pub cosines: Vec<f64>,
    /// Of the cosines that there are; 1 and 0 for duality.
    pub cosine: Stats,
    /// Of the products `w_c . m_c`.
    pub product: Stats,
    /// Of the distances between the two at unit length.
    pub distance: Stats,
    /// Classes left out because their weights or their centered mean are zero.
    pub n_zero: usize,
}

/// Weights and centered class means, both `[class, feature]`, class by class.
///
/// # Errors
/// [`CollapseError::Number`] for weights of another shape; [`CollapseError::Few`] below two classes where neither is zero.
pub fn duality(
    weights: ArrayView2<'_, f64>,
    centered: ArrayView2<'_, f64>,
) -> Result<Duality, CollapseError> {
    same_number(
        "classes of the classifier",
        centered.nrows(),
        weights.nrows(),
    )?;
    same_number(
        "features of the classifier",
        centered.ncols(),
        weights.ncols(),
    )?;
    let (mut cosines, mut products, mut distances) = (vec![], vec![], vec![]);
    for (w, m) in weights.rows().into_iter().zip(centered.rows()) {
        let (lw, lm, dot) = (w.dot(&w).sqrt(), m.dot(&m).sqrt(), w.dot(&m));
        products.push(dot);
        if lw > 0.0 && lm > 0.0 {
            cosines.push(dot / lw / lm);
            let apart = w.iter().zip(m).map(|(w, m)| (w / lw - m / lm).powi(2));
            distances.push(apart.sum::<f64>().sqrt());
        } else {
            cosines.push(f64::NAN);
        }
    }
    at_least("classes with weights and a mean", 2, distances.len())?;
    let known: Vec<f64> = cosines.iter().copied().filter(|c| c.is_finite()).collect();
    Ok(Duality {
        cosine: of_classes(&known),
        product: of_classes(&products),
        distance: of_classes(&distances),
        n_zero: cosines.len() - distances.len(),
        cosines,
    })
}

/// Mean of `|cos(mu_c, mu_o)|` over classes, `mu_o` being the mean feature of samples from elsewhere (NC5, Ammar et al. 2024):
/// 0 where those lie across the classes. `means` `[class, feature]` are not centered.
///
/// # Errors
/// [`CollapseError::Number`] for another number of features; [`CollapseError::Few`] without a class.
pub fn orthogonality(
    means: ArrayView2<'_, f64>,
    elsewhere: &Array1<f64>,
) -> Result<f64, CollapseError> {
    same_number("features from elsewhere", means.ncols(), elsewhere.len())?;
    at_least("classes", 1, means.nrows())?;
    let length = elsewhere.dot(elsewhere).sqrt();
    let cosine = |m: ndarray::ArrayView1<'_, f64>| {
        let scale = length * m.dot(&m).sqrt();
        // As the angle to nothing: none.
        if scale > 0.0 {
            (m.dot(elsewhere) / scale).abs()
        } else {
            0.0
        }
    };
    let sum: f64 = means.rows().into_iter().map(cosine).sum();
    Ok(sum / means.nrows() as f64)
}

/// Rows at unit length; those of length zero stay.
pub(super) fn unit_rows(x: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut unit = x.to_owned();
    for mut row in unit.rows_mut() {
        let length = row.dot(&row).sqrt();
        if length > 0.0 {
            row /= length;
        }
    }
    unit
}

/// Mean and sample variance.
fn of_classes(values: &[f64]) -> Stats {
    let sd = chiasm_core::stats::sd(values, 1);
    Stats {
        mean: chiasm_core::stats::mean(values),
        variance: sd * sd,
    }
}
