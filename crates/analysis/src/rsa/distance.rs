//! RDMs from patterns of activity, `[condition, channel]`.
//!
//! Memory stays at one copy of the patterns: no array of conditions x channels x channels is ever made, so that
//! thousands of channels are fine.

use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::RsaError;
use super::compare::dot;

/// The inverse of the noise covariance between channels.
#[derive(Debug, Clone, PartialEq)]
pub enum Precision {
    /// One over the variance of each channel.
    Diagonal(Vec<f64>),
    /// `[channel, channel]`, symmetric.
    Full(Array2<f64>),
}

/// A distance d(x, y) between the patterns of two conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Distance {
    /// |x - y|. The default for shapes.
    Euclidean,
    /// |x - y|^2.
    SquaredEuclidean,
    /// 1 - r, Pearson. In [0, 2].
    Correlation,
    /// sqrt((x - y)' P (x - y)) with the precision P of the noise.
    Mahalanobis(Precision),
}

/// The condensed RDM of patterns `[condition, channel]`. Parallel over conditions.
///
/// # Errors
/// [`RsaError::FewConditions`] below 3; [`RsaError::NotFinite`] naming the condition; [`RsaError::Constant`] for a
/// constant pattern under [`Distance::Correlation`]; [`RsaError::Shape`] if the precision does not fit the channels.
pub fn rdm(patterns: ArrayView2<'_, f64>, distance: &Distance) -> Result<Vec<f64>, RsaError> {
    check(patterns)?;
    let rows = rows(patterns);
    Ok(match distance {
        Distance::SquaredEuclidean => pairwise(&rows, &rows),
        Distance::Euclidean => roots(pairwise(&rows, &rows)),
        Distance::Correlation => {
            let unit: Vec<Vec<f64>> = rows
                .iter()
                .enumerate()
                .map(|(i, row)| standard(row).ok_or_else(|| constant(i, row)))
                .collect::<Result<_, _>>()?;
            // Of vectors of length 1, half the squared distance is 1 - r, without cancellation near r = 1.
            pairwise(&unit, &unit)
                .into_iter()
                .map(|d| d / 2.0)
                .collect()
        }
        Distance::Mahalanobis(precision) => {
            let weighted = apply(precision, &rows)?;
            roots(pairwise(&rows, &weighted))
        }
    })
}

/// The cross-validated Mahalanobis distance (crossnobis): the mean over all pairs of different folds a, b of
/// (x_a - y_a)' P (x_b - y_b), divided by the number of channels. Unbiased: without a true difference it is 0 on average,
/// hence at times below 0. `folds` are independent measurements of the same patterns; without a precision, P = 1.
///
/// # Errors
/// Those of [`rdm`]; [`RsaError::Parameter`] for fewer than 2 folds, [`RsaError::Shape`] if folds differ in shape.
pub fn crossnobis(
    folds: &[ArrayView2<'_, f64>],
    precision: Option<&Precision>,
) -> Result<Vec<f64>, RsaError> {
    let m = folds.len();
    if m < 2 {
        return Err(RsaError::Parameter {
            name: "folds",
            expected: "at least 2 independent measurements",
            found: m as f64,
        });
    }
    let mut sum = Array2::<f64>::zeros(folds[0].raw_dim());
    let mut own: Vec<f64> = Vec::new();
    for fold in folds {
        if fold.dim() != folds[0].dim() {
            return Err(RsaError::Shape {
                what: "fold",
                expected: format!("{:?}, as the first", folds[0].dim()),
                found: format!("{:?}", fold.dim()),
            });
        }
        check(*fold)?;
        sum += fold;
        let d = products(&rows(*fold), precision)?;
        if own.is_empty() {
            own = d;
        } else {
            own.iter_mut().zip(d).for_each(|(own, d)| *own += d);
        }
    }
    // Products over all pairs of folds, less those of each fold with itself.
    let all = products(&rows(sum.view()), precision)?;
    let scale = (m * (m - 1) * folds[0].ncols()) as f64;
    Ok(all
        .iter()
        .zip(&own)
        .map(|(all, own)| (all - own) / scale)
        .collect())
}

fn products(rows: &[Vec<f64>], precision: Option<&Precision>) -> Result<Vec<f64>, RsaError> {
    Ok(match precision {
        None => pairwise(rows, rows),
        Some(p) => pairwise(rows, &apply(p, rows)?),
    })
}

fn check(patterns: ArrayView2<'_, f64>) -> Result<(), RsaError> {
    let (n, p) = patterns.dim();
    if n < 3 || p == 0 {
        let from = format!("patterns of shape [{n}, {p}]");
        return Err(RsaError::FewConditions { found: n, from });
    }
    match patterns.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((i, channel), &value)) => Err(RsaError::NotFinite {
            what: format!("pattern of condition {i}"),
            index: channel,
            value,
        }),
    }
}

fn rows(patterns: ArrayView2<'_, f64>) -> Vec<Vec<f64>> {
    patterns.rows().into_iter().map(|r| r.to_vec()).collect()
}

fn roots(mut d: Vec<f64>) -> Vec<f64> {
    // A precision that is not quite positive may give a hair below 0.
    d.iter_mut().for_each(|d| *d = d.max(0.0).sqrt());
    d
}

fn constant(i: usize, row: &[f64]) -> RsaError {
    RsaError::Constant {
        what: format!("pattern of condition {i}"),
        value: row[0],
    }
}

/// Centered and scaled to length 1; `None` for a constant.
fn standard(row: &[f64]) -> Option<Vec<f64>> {
    if row.iter().all(|&v| v == row[0]) {
        return None;
    }
    let mean = chiasm_core::stats::mean(row);
    let centered: Vec<f64> = row.iter().map(|v| v - mean).collect();
    let length = dot(&centered, &centered).sqrt();
    (length > 0.0).then(|| centered.iter().map(|v| v / length).collect())
}

/// P x for each row x.
fn apply(precision: &Precision, rows: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, RsaError> {
    let p = rows[0].len();
    let refuse = |found: String| {
        Err(RsaError::Shape {
            what: "precision",
            expected: format!("{p} or {p}x{p}, as there are channels"),
            found,
        })
    };
    match precision {
        Precision::Diagonal(d) if d.len() != p => refuse(d.len().to_string()),
        Precision::Full(f) if f.dim() != (p, p) => refuse(format!("{:?}", f.dim())),
        Precision::Diagonal(d) => {
            let scaled = |row: &Vec<f64>| row.iter().zip(d).map(|(x, d)| x * d).collect();
            Ok(rows.iter().map(scaled).collect())
        }
        Precision::Full(f) => Ok(rows
            .par_iter()
            .map(|row| f.dot(&ArrayView1::from(row)).to_vec())
            .collect()),
    }
}

/// (x_i - x_j) . (y_i - y_j) for all i < j.
fn pairwise(x: &[Vec<f64>], y: &[Vec<f64>]) -> Vec<f64> {
    let same = std::ptr::eq(x, y);
    let from = |i: usize| -> Vec<f64> {
        let mut dx = vec![0.0; x[i].len()];
        let mut dy = vec![0.0; x[i].len()];
        let difference = |out: &mut [f64], a: &[f64], b: &[f64]| {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = a - b;
            }
        };
        (i + 1..x.len())
            .map(|j| {
                difference(&mut dx, &x[i], &x[j]);
                if same {
                    return dot(&dx, &dx);
                }
                difference(&mut dy, &y[i], &y[j]);
                dot(&dx, &dy)
            })
            .collect()
    };
    let per_row: Vec<Vec<f64>> = (0..x.len()).into_par_iter().map(from).collect();
    per_row.concat()
}
