//! What a path says of a neuron: the likelihood of its counts, with slope and curvature in the neuron's loadings.
//!
//! Bins are handled four at a time, so that exponentials, products and sums run in vector registers; the bits do not depend
//! on how wide these are.

use chiasm_core::vectorized;

use super::config::{Biclustering, LatentScale};
use super::lanes::{LANES, Lanes, exponentials, lanes};
use super::state::MAX_LOG_RATE;

/// The most latents ([`Biclustering::validate`]).
const MOST: usize = 10;

/// A neuron's counts with what is fixed while clusters compete.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub counts: &'a [f64],
    pub offset: f64,
    /// Dispersion; `None` for Poisson counts.
    pub dispersion: Option<f64>,
}

/// One cluster's path as regressors.
#[derive(Debug, Clone)]
pub(super) struct Regressors {
    /// `[bin]`: the mean path.
    mean: Vec<f64>,
    /// `[latent][bin]`, times their scales.
    latents: Vec<Vec<f64>>,
    /// Factors that brought the latents to the scale on which clusters compete.
    pub scale: Vec<f64>,
}

impl Regressors {
    /// Of the path `[bin, row]`, on the scale on which clusters compete.
    pub(super) fn scaled(config: &Biclustering, path: &[f64], rows: usize) -> Self {
        let n_bins = (path.len() / rows) as f64;
        let wanted = match config.latent_scale {
            LatentScale::UnitVariance => n_bins.sqrt(),
            LatentScale::Orthonormal => 1.0,
        };
        let scale = (1..rows)
            .map(|row| {
                let norm = path
                    .iter()
                    .skip(row)
                    .step_by(rows)
                    .map(|x| x * x)
                    .sum::<f64>()
                    .sqrt();
                if norm > 0.0 { wanted / norm } else { 1.0 }
            })
            .collect();
        Self::new(path, rows, scale)
    }

    /// Of the path `[bin, row]` with these factors on its latents.
    pub(super) fn new(path: &[f64], rows: usize, scale: Vec<f64>) -> Self {
        let row = |row: usize, by: f64| {
            path.iter()
                .skip(row)
                .step_by(rows)
                .map(|x| x * by)
                .collect()
        };
        Self {
            mean: row(0, 1.0),
            latents: scale
                .iter()
                .enumerate()
                .map(|(j, s)| row(1 + j, *s))
                .collect(),
            scale,
        }
    }

    /// Loadings on the path itself as loadings on the scaled one.
    pub(super) fn to_scale(&self, loadings: &[f64]) -> Vec<f64> {
        loadings
            .iter()
            .zip(&self.scale)
            .map(|(l, s)| l / s)
            .collect()
    }
}

/// The log likelihood of a neuron at these loadings, without terms of the counts and the dispersion alone.
pub(super) fn ln_likelihood(target: Target<'_>, regressors: &Regressors, loadings: &[f64]) -> f64 {
    let p = loadings.len();
    curve(
        target,
        regressors,
        loadings,
        &mut vec![0.0; p],
        &mut vec![0.0; p * p],
        Curvature::Whole,
    )
}

/// What [`curve`] computes beside the gradient.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Curvature {
    /// Expected information.
    Expected,
    /// Observed information.
    Observed,
    /// Observed information, and the log likelihood.
    Whole,
}

/// Gradient and information (lower triangle) of the log posterior of the loadings; the log likelihood where it is asked
/// for, else 0.
pub(super) fn curve(
    target: Target<'_>,
    regressors: &Regressors,
    loadings: &[f64],
    gradient: &mut [f64],
    information: &mut [f64],
    what: Curvature,
) -> f64 {
    let p = loadings.len();
    let mut sums = Sums::default();
    vectorized(
        #[inline(always)]
        || sums.over(target, regressors, loadings, what),
    );
    let total = |lanes: &Lanes| (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    for a in 0..p {
        gradient[a] = total(&sums.gradient[a]) - loadings[a];
        for b in 0..=a {
            let prior = if a == b { 1.0 } else { 0.0 };
            information[a * p + b] = prior + total(&sums.information[a * (a + 1) / 2 + b]);
        }
    }
    total(&sums.ln_likelihood)
}

/// Sums over every fourth bin.
struct Sums {
    gradient: [Lanes; MOST],
    information: [Lanes; MOST * (MOST + 1) / 2],
    ln_likelihood: Lanes,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            gradient: [[0.0; LANES]; MOST],
            information: [[0.0; LANES]; MOST * (MOST + 1) / 2],
            ln_likelihood: [0.0; LANES],
        }
    }
}

impl Sums {
    #[inline(always)]
    fn over(
        &mut self,
        target: Target<'_>,
        regressors: &Regressors,
        loadings: &[f64],
        what: Curvature,
    ) {
        let n = target.counts.len();
        for t in (0..n).step_by(LANES) {
            self.add(target, regressors, loadings, what, t, n);
        }
    }

    #[inline(always)]
    fn add(
        &mut self,
        target: Target<'_>,
        regressors: &Regressors,
        loadings: &[f64],
        what: Curvature,
        t: usize,
        n: usize,
    ) {
        let p = loadings.len();
        // Bins beyond the last are missing.
        let y = lanes(target.counts, t, n, f64::NAN);
        let mut eta = lanes(&regressors.mean, t, n, 0.0);
        let mut z = [[0.0; LANES]; MOST];
        for e in &mut eta {
            *e += target.offset;
        }
        for j in 0..p {
            z[j] = lanes(&regressors.latents[j], t, n, 0.0);
            for l in 0..LANES {
                eta[l] = z[j][l].mul_add(loadings[j], eta[l]);
            }
        }
        let mut count = [0.0; LANES];
        let mut seen = [0.0; LANES];
        for l in 0..LANES {
            eta[l] = eta[l].clamp(-MAX_LOG_RATE, MAX_LOG_RATE);
            let missing = y[l].is_nan();
            count[l] = if missing { 0.0 } else { y[l] };
            seen[l] = if missing { 0.0 } else { 1.0 };
        }
        let rate = exponentials(eta);
        let (mut slope, mut weight) = ([0.0; LANES], [0.0; LANES]);
        match target.dispersion {
            Some(r) => {
                for l in 0..LANES {
                    let inverse = 1.0 / (r + rate[l]);
                    let share = r * inverse * seen[l];
                    slope[l] = (count[l] - rate[l]) * share;
                    let by = if what == Curvature::Expected {
                        1.0
                    } else {
                        (count[l] + r) * inverse
                    };
                    weight[l] = rate[l] * share * by;
                }
                if what == Curvature::Whole {
                    for l in 0..LANES {
                        let own = count[l] * eta[l] - (count[l] + r) * (r + rate[l]).ln();
                        self.ln_likelihood[l] += seen[l] * own;
                    }
                }
            }
            None => {
                for l in 0..LANES {
                    slope[l] = (count[l] - rate[l]) * seen[l];
                    weight[l] = rate[l] * seen[l];
                    self.ln_likelihood[l] += seen[l] * (count[l] * eta[l] - rate[l]);
                }
            }
        }
        for a in 0..p {
            for l in 0..LANES {
                self.gradient[a][l] = slope[l].mul_add(z[a][l], self.gradient[a][l]);
            }
            for b in 0..=a {
                let sum = &mut self.information[a * (a + 1) / 2 + b];
                for l in 0..LANES {
                    sum[l] = (weight[l] * z[a][l]).mul_add(z[b][l], sum[l]);
                }
            }
        }
    }
}
