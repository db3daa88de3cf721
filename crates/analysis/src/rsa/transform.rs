//! From distances to ranks to the geo-topological transform.
//!
//! Equations (paper 43; quantiles as in the released code): ranks r with ties averaged, x = (r - min r)/(max r - min r),
//! a = Q_l(x), b = Q_u(x), g = 0 below a, (x - a)/(b - a) between, 1 above b. The sigmoid variant is
//! g = 1/(1 + exp(-alpha (x - beta))). As thresholds act on ranks, they are fractions of the pairs, not distances.

use chiasm_core::stats;
use chiasm_data::Rdms;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::RsaError;
use super::geodesic::{Geodesic, ZeroEdges};

/// Quantile thresholds of the geo-topological transform, 0 <= l < u <= 1; the step at l = u is made by
/// [`Thresholds::step`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    l: f64,
    u: f64,
}

impl Default for Thresholds {
    /// l = 0.2, u = 0.8: the released code's.
    fn default() -> Self {
        Self { l: 0.2, u: 0.8 }
    }
}

impl Thresholds {
    /// Thresholds 0 <= l < u <= 1.
    ///
    /// # Errors
    /// [`RsaError::Thresholds`] for any others, NaN included.
    pub fn new(l: f64, u: f64) -> Result<Self, RsaError> {
        if 0.0 <= l && l < u && u <= 1.0 {
            Ok(Self { l, u })
        } else {
            Err(RsaError::Thresholds { l, u })
        }
    }

    /// Both thresholds at one place: g = 1 where x > Q(x), else 0. (The released code divides 0 by 0 there.)
    ///
    /// # Errors
    /// [`RsaError::Thresholds`] outside [0, 1].
    pub fn step(at: f64) -> Result<Self, RsaError> {
        if (0.0..=1.0).contains(&at) {
            Ok(Self { l: at, u: at })
        } else {
            Err(RsaError::Thresholds { l: at, u: at })
        }
    }

    /// The lower threshold.
    #[must_use]
    pub fn l(self) -> f64 {
        self.l
    }

    /// The upper threshold.
    #[must_use]
    pub fn u(self) -> f64 {
        self.u
    }
}

/// What is done with every RDM before RDMs are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transform {
    /// Nothing: the distances as they are. Differences in scale between subjects then decide.
    Raw,
    /// Ranks, scaled to [0, 1].
    Rank,
    /// The geo-topological transform of the ranks.
    GeoTopological(Thresholds),
    /// A sigmoid of the ranks.
    Sigmoid {
        /// Steepness (released code: 10).
        alpha: f64,
        /// Middle (released code: 0.5).
        beta: f64,
    },
    /// Ranks of the geodesic distances, in (0, 1].
    Geodesic(Geodesic, ZeroEdges),
}

impl Transform {
    /// Transforms one condensed vector.
    ///
    /// # Errors
    /// [`RsaError::Constant`] if all its values are equal, [`RsaError::NotFinite`] if one is NaN or infinite,
    /// [`RsaError::NoEdges`] from geodesics.
    pub fn vector(&self, distances: &[f64]) -> Result<Vec<f64>, RsaError> {
        match *self {
            Self::Raw => finite(distances).map(|()| distances.to_vec()),
            Self::Rank => rank_minmax(distances),
            Self::GeoTopological(t) => Ok(geo_topological(&rank_minmax(distances)?, t)),
            Self::Sigmoid { alpha, beta } => {
                let x = rank_minmax(distances)?;
                Ok(x.iter()
                    .map(|x| 1.0 / (1.0 + (-alpha * (x - beta)).exp()))
                    .collect())
            }
            Self::Geodesic(geodesic, zeros) => geodesic.ranks(distances, zeros),
        }
    }

    /// Transforms every RDM by itself: `[rdm, pair]`. Parallel over RDMs.
    ///
    /// # Errors
    /// Those of [`Transform::vector`], naming the RDM.
    pub fn apply(&self, rdms: &Rdms) -> Result<Array2<f64>, RsaError> {
        let rows: Vec<Vec<f64>> = (0..rdms.len())
            .into_par_iter()
            .map(|i| {
                let row = rdms.vector(i).to_vec();
                self.vector(&row)
                    .map_err(|e| e.of_rdm(&rdms.labels()[i].name))
            })
            .collect::<Result<_, _>>()?;
        let mut out = Array2::zeros(rdms.values().raw_dim());
        for (mut to, from) in out.axis_iter_mut(Axis(0)).zip(rows) {
            to.assign(&ndarray::ArrayView1::from(&from));
        }
        Ok(out)
    }
}

impl RsaError {
    /// The same error, naming the RDM.
    pub(super) fn of_rdm(mut self, rdm: &str) -> Self {
        if let Self::Constant { what, .. }
        | Self::NotFinite { what, .. }
        | Self::NoEdges { what }
        | Self::FlatGeodesics { what, .. } = &mut self
        {
            *what = format!("RDM `{rdm}`");
        }
        self
    }
}

fn finite(x: &[f64]) -> Result<(), RsaError> {
    match x.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(index) => Err(RsaError::NotFinite {
            what: "RDM".into(),
            index,
            value: x[index],
        }),
    }
}

/// Average ranks, scaled to [0, 1].
///
/// # Errors
/// [`RsaError::Constant`] if all values are equal; [`RsaError::NotFinite`] if one is NaN or infinite.
pub fn rank_minmax(x: &[f64]) -> Result<Vec<f64>, RsaError> {
    finite(x)?;
    let mut ranks = stats::average_ranks(x);
    minmax(&mut ranks)?;
    Ok(ranks)
}

/// Scales values to [0, 1] in place.
///
/// # Errors
/// [`RsaError::Constant`] if all are equal.
pub fn minmax(x: &mut [f64]) -> Result<(), RsaError> {
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high <= low || x.is_empty() {
        return Err(RsaError::Constant {
            what: "RDM".into(),
            value: low,
        });
    }
    for v in x {
        *v = (*v - low) / (high - low);
    }
    Ok(())
}

/// The geo-topological transform of values in [0, 1], whose quantiles are taken here. Where ties put both quantiles at
/// one value, it is the step just above that value.
#[must_use]
pub fn geo_topological(x: &[f64], thresholds: Thresholds) -> Vec<f64> {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    let a = stats::quantile_sorted(&sorted, thresholds.l);
    let b = stats::quantile_sorted(&sorted, thresholds.u);
    let mut out = x.to_vec();
    clip(&mut out, a, b);
    out
}

/// g(x) in place, between the values a and b.
pub(super) fn clip(x: &mut [f64], a: f64, b: f64) {
    if b > a {
        let width = b - a;
        for v in x {
            // In this order a NaN stays a NaN.
            *v = ((*v - a) / width).clamp(0.0, 1.0);
        }
    } else {
        for v in x {
            *v = f64::from(u8::from(*v > a));
        }
    }
}
