//! Recurrent weights at the start, all brought to the norm of a Gaussian matrix.

use chiasm_core::{Rng, SettingError};
use faer::Mat;
use ndarray::{Array2, ArrayView2};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RecurrentError;

/// Structure of recurrent weights at the start, `[from, to]` (paper 17, C; the paper's generators were not seen: chosen).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Independent normal weights.
    Gaussian,
    /// The largest singular values of a Gaussian matrix, so many.
    Rank {
        /// How many.
        rank: usize,
    },
    /// Every unit excites or inhibits: magnitudes `|N(0, 1)|`, the first part of the units positive (Dale's law).
    Dale {
        /// Part that excites (cortex: 0.8).
        excitatory: f64,
    },
    /// Weights of random sign and log-normal magnitude.
    HeavyTail {
        /// Standard deviation of the logarithm (chosen: 1).
        sigma: f64,
    },
    /// Types of units: each pair of types has a mean weight, normal of deviation `strength`, beside normal weights.
    Blocks {
        /// Types, of equal numbers of units (chosen: 4).
        types: usize,
        /// Spread of the means, in deviations of the weights within (chosen: 1).
        strength: f64,
    },
    /// Normal weights and `strength` times the product of a strength of sending and one of receiving, equal in each unit:
    /// chains are more frequent than by chance.
    Chain {
        /// Weight of the product (chosen: 1).
        strength: f64,
    },
}

impl Start {
    /// Refuses settings out of range for `n` units.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self, n: usize) -> Result<(), SettingError> {
        let strength = |v: f64| {
            let fine = v >= 0.0 && v.is_finite();
            SettingError::check(fine, "strength", "0 or more", v)
        };
        match *self {
            Self::Gaussian => Ok(()),
            Self::Rank { rank } => check_rank(rank, n),
            Self::Dale { excitatory } => {
                let fine = (0.0..=1.0).contains(&excitatory);
                SettingError::check(fine, "excitatory", "0 to 1", excitatory)
            }
            Self::HeavyTail { sigma } => {
                let fine = (0.0..=10.0).contains(&sigma);
                SettingError::check(fine, "sigma", "0 to 10", sigma)
            }
            Self::Blocks { types, strength: s } => {
                let expected = format!("1 to {n}");
                SettingError::check((1..=n).contains(&types), "types", &expected, types)?;
                strength(s)
            }
            Self::Chain { strength: s } => strength(s),
        }
    }

    /// The weights of `n` units, of the Frobenius norm of the Gaussian matrix that the same stream gives at this gain.
    ///
    /// # Errors
    /// [`RecurrentError::Setting`]; [`RecurrentError::Decomposition`].
    pub fn draw(&self, n: usize, gain: f64, rng: &mut Rng) -> Result<Array2<f64>, RecurrentError> {
        self.validate(n)?;
        let full = gaussian(n, gain, rng)?;
        let unit = |rng: &mut Rng| -> f64 { StandardNormal.sample(rng) };
        let raw = match *self {
            Self::Gaussian => return Ok(full),
            Self::Rank { rank } => return of_rank(full.view(), rank),
            Self::Dale { excitatory } => {
                let first = (excitatory * n as f64).round() as usize;
                Array2::from_shape_fn((n, n), |(from, _)| {
                    let magnitude = unit(rng).abs();
                    if from < first { magnitude } else { -magnitude }
                })
            }
            Self::HeavyTail { sigma } => Array2::from_shape_simple_fn((n, n), || {
                let magnitude = (sigma * unit(rng)).exp();
                if rng.random::<bool>() {
                    magnitude
                } else {
                    -magnitude
                }
            }),
            Self::Blocks { types, strength } => {
                let means = Array2::from_shape_simple_fn((types, types), || strength * unit(rng));
                let of = |u: usize| u * types / n;
                Array2::from_shape_fn((n, n), |(i, j)| means[[of(i), of(j)]] + unit(rng))
            }
            Self::Chain { strength } => {
                let each: Vec<f64> = (0..n).map(|_| unit(rng)).collect();
                Array2::from_shape_fn((n, n), |(i, j)| strength * each[i] * each[j] + unit(rng))
            }
        };
        scaled(raw.view(), norm(full.view()))
    }
}

fn check_rank(rank: usize, n: usize) -> Result<(), SettingError> {
    let expected = format!("1 to {n}, the number of units");
    SettingError::check((1..=n).contains(&rank), "rank", &expected, rank)
}

/// `gain Z / sqrt(n)`, `Z` standard normal.
///
/// # Errors
/// [`RecurrentError::Setting`] for a gain that is not above 0 and finite.
pub fn gaussian(n: usize, gain: f64, rng: &mut Rng) -> Result<Array2<f64>, RecurrentError> {
    let fine = gain > 0.0 && gain.is_finite();
    SettingError::check(fine, "gain", "a number above 0", gain)?;
    let scale = gain / (n as f64).sqrt();
    Ok(Array2::from_shape_simple_fn((n, n), || {
        let z: f64 = StandardNormal.sample(rng);
        scale * z
    }))
}

/// The matrix with its `rank` largest singular values alone, scaled to the norm it had (paper 17, B).
///
/// # Errors
/// [`RecurrentError::Setting`] for a rank of 0 or above the number of units; [`RecurrentError::Shape`];
/// [`RecurrentError::NotFinite`]; [`RecurrentError::ZeroWeights`]; [`RecurrentError::Decomposition`].
pub fn of_rank(weights: ArrayView2<'_, f64>, rank: usize) -> Result<Array2<f64>, RecurrentError> {
    square(weights)?;
    finite(weights)?;
    let n = weights.nrows();
    check_rank(rank, n)?;
    let matrix = Mat::from_fn(n, n, |i, j| weights[[i, j]]);
    let svd = matrix.svd().map_err(|_| RecurrentError::Decomposition {
        what: "singular values",
        n,
    })?;
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    let left = Array2::from_shape_fn((n, rank), |(i, k)| u[(i, k)] * s[k]);
    let right = Array2::from_shape_fn((rank, n), |(k, j)| v[(j, k)]);
    scaled(left.dot(&right).view(), norm(weights))
}

/// The Frobenius norm.
#[must_use]
pub fn norm(weights: ArrayView2<'_, f64>) -> f64 {
    weights.iter().map(|w| w * w).sum::<f64>().sqrt()
}

/// The matrix, brought to this Frobenius norm.
///
/// # Errors
/// [`RecurrentError::ZeroWeights`]; [`RecurrentError::NotFinite`].
pub fn scaled(weights: ArrayView2<'_, f64>, wanted: f64) -> Result<Array2<f64>, RecurrentError> {
    finite(weights)?;
    let norm = norm(weights);
    if norm > 0.0 {
        Ok(&weights * (wanted / norm))
    } else {
        Err(RecurrentError::ZeroWeights { wanted })
    }
}

/// The matrix less its mean.
#[must_use]
pub fn without_mean(weights: ArrayView2<'_, f64>) -> Array2<f64> {
    &weights - weights.mean().unwrap_or(0.0)
}

pub(super) fn square(weights: ArrayView2<'_, f64>) -> Result<(), RecurrentError> {
    let (rows, columns) = weights.dim();
    if rows == columns && rows > 0 {
        return Ok(());
    }
    Err(RecurrentError::Shape {
        what: "recurrent weights",
        expected: "a square matrix".into(),
        found: format!("{rows} x {columns}"),
    })
}

pub(super) fn finite(weights: ArrayView2<'_, f64>) -> Result<(), RecurrentError> {
    match weights.indexed_iter().find(|(_, w)| !w.is_finite()) {
        Some(((row, column), &found)) => Err(RecurrentError::NotFinite {
            what: "recurrent weights",
            row,
            column,
            found,
        }),
        None => Ok(()),
    }
}
