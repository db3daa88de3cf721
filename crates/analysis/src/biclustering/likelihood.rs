//! What a path says of a neuron: the likelihood of its counts, with slope and curvature in the neuron's loadings.
//!
//! Bins are handled 64 at a time and summed in eight sums, so that exponentials, products and sums run in vector registers; the
//! bits do not depend on how wide these are.

use chiasm_core::vectorized;

use super::config::{Biclustering, LatentScale};
use super::lanes::{LANES, Lanes, total};
use super::state::MAX_LOG_RATE;
use crate::number::Number;

/// The most latents ([`Biclustering::validate`]).
const MOST: usize = 10;

/// Bins handled at once.
const CHUNK: usize = 64;
/// A number of each.
type Chunk = [f64; CHUNK];

/// A neuron's counts with what is fixed while clusters compete.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub counts: &'a [f64],
    pub offset: f64,
    /// Dispersion; `None` for Poisson counts.
    pub dispersion: Option<f64>,
}

/// One cluster's path as regressors; behind the last bin zeros fill the last chunk.
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
        let mut squares = vec![0.0; rows];
        for x in path.chunks_exact(rows) {
            for (sum, x) in squares.iter_mut().zip(x) {
                *sum += x * x;
            }
        }
        let scale = squares[1..].iter().map(|sum| {
            let norm = sum.sqrt();
            if norm > 0.0 { wanted / norm } else { 1.0 }
        });
        Self::new(path, rows, scale.collect())
    }

    /// Of the path `[bin, row]` with these factors on its latents.
    pub(super) fn new(path: &[f64], rows: usize, scale: Vec<f64>) -> Self {
        let n_bins = (path.len() / rows).next_multiple_of(CHUNK);
        let mut latents = vec![vec![0.0; n_bins]; rows - 1];
        let mut mean = vec![0.0; n_bins];
        for (t, x) in path.chunks_exact(rows).enumerate() {
            mean[t] = x[0];
            for ((latent, x), s) in latents.iter_mut().zip(&x[1..]).zip(&scale) {
                latent[t] = x * s;
            }
        }
        Self {
            mean,
            latents,
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
    // Compiled for the numbers of latents that are common.
    macro_rules! sized {
        ($($size:literal),*) => {
            match p {
                $($size => vectorized(#[inline(always)] || sums.over($size, target, regressors, loadings, what)),)*
                p => vectorized(#[inline(always)] || sums.over(p, target, regressors, loadings, what)),
            }
        };
    }
    sized!(1, 2, 3);
    for a in 0..p {
        gradient[a] = total(sums.gradient[a]) - loadings[a];
        for b in 0..=a {
            let prior = if a == b { 1.0 } else { 0.0 };
            information[a * p + b] = prior + total(sums.information[a * (a + 1) / 2 + b]);
        }
    }
    total(sums.ln_likelihood)
}

/// Sums over every eighth bin.
#[derive(Clone, Copy)]
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
        p: usize,
        target: Target<'_>,
        regressors: &Regressors,
        loadings: &[f64],
        what: Curvature,
    ) {
        // Sums of its own stay in registers.
        let mut sums = *self;
        let means = regressors.mean.as_chunks().0;
        for (q, (y, mean)) in target.counts.chunks(CHUNK).zip(means).enumerate() {
            let z = |j: usize| &regressors.latents[j].as_chunks().0[q];
            sums.add(target, y, mean, z, &loadings[..p], what);
        }
        *self = sums;
    }

    /// Adds a chunk of bins. Each loop does one thing to all of them: longer ones would not be vectorised.
    #[inline(always)]
    fn add<'a>(
        &mut self,
        target: Target<'_>,
        y: &[f64],
        mean: &Chunk,
        z: impl Fn(usize) -> &'a Chunk,
        loadings: &[f64],
        what: Curvature,
    ) {
        // Bins beyond the last are missing.
        let (mut count, mut seen) = ([0.0; CHUNK], [0.0; CHUNK]);
        for ((y, count), seen) in y.iter().zip(&mut count).zip(&mut seen) {
            (*count, *seen) = if y.is_nan() { (0.0, 0.0) } else { (*y, 1.0) };
        }
        let mut eta = *mean;
        for e in &mut eta {
            *e += target.offset;
        }
        for (j, loading) in loadings.iter().enumerate() {
            for (e, z) in eta.iter_mut().zip(z(j)) {
                *e = z.mul_add(*loading, *e);
            }
        }
        let (mut rate, mut slope, mut weight) = ([0.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK]);
        for (e, rate) in eta.iter_mut().zip(&mut rate) {
            *e = e.clamp(-MAX_LOG_RATE, MAX_LOG_RATE);
            *rate = Number::exp(*e);
        }
        let mut own = [0.0; CHUNK];
        match target.dispersion {
            Some(r) => {
                for l in 0..CHUNK {
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
                    for l in 0..CHUNK {
                        let ln = Number::ln(r + rate[l]);
                        own[l] = seen[l] * (count[l] * eta[l] - (count[l] + r) * ln);
                    }
                }
            }
            None => {
                for l in 0..CHUNK {
                    slope[l] = (count[l] - rate[l]) * seen[l];
                    weight[l] = rate[l] * seen[l];
                    own[l] = seen[l] * (count[l] * eta[l] - rate[l]);
                }
            }
        }
        let add = |sums: &mut Lanes, a: &Chunk, b: &Chunk| {
            let mut own = *sums;
            for (a, b) in a
                .as_chunks::<LANES>()
                .0
                .iter()
                .zip(b.as_chunks::<LANES>().0)
            {
                for l in 0..LANES {
                    own[l] = a[l].mul_add(b[l], own[l]);
                }
            }
            *sums = own;
        };
        if what == Curvature::Whole {
            add(&mut self.ln_likelihood, &own, &[1.0; CHUNK]);
        }
        for a in 0..loadings.len() {
            add(&mut self.gradient[a], &slope, z(a));
            let mut weighted = weight;
            for (w, z) in weighted.iter_mut().zip(z(a)) {
                *w *= z;
            }
            for b in 0..=a {
                add(&mut self.information[a * (a + 1) / 2 + b], &weighted, z(b));
            }
        }
    }
}
