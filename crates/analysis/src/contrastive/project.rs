//! Projections into the common space, and what goes back through them.

use chiasm_core::vectorized;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::{ContrastiveError, check_finite};
use crate::readout::dot_slices;

/// Projections of both sides into the common space.
#[derive(Debug, Clone, PartialEq)]
pub struct Projections {
    /// `[dimension, feature of side a]`
    pub a: Array2<f32>,
    /// `[dimension, feature of side b]`
    pub b: Array2<f32>,
    /// Whether embeddings are divided by their length.
    pub normalize: bool,
}

impl Projections {
    /// Embeds items of side a, `[item, feature]`, as `[item, dimension]`.
    ///
    /// # Errors
    /// [`ContrastiveError::Number`] for another number of features; [`ContrastiveError::NotFinite`].
    pub fn embed_a(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f32>, ContrastiveError> {
        embed(&self.a, self.normalize, ("a", "features of side a"), x)
    }

    /// Embeds items of side b.
    ///
    /// # Errors
    /// As [`Self::embed_a`].
    pub fn embed_b(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f32>, ContrastiveError> {
        embed(&self.b, self.normalize, ("b", "features of side b"), x)
    }
}

fn embed(
    weights: &Array2<f32>,
    normalize: bool,
    (side, what): (&'static str, &'static str),
    x: ArrayView2<'_, f32>,
) -> Result<Array2<f32>, ContrastiveError> {
    if x.ncols() != weights.ncols() {
        return Err(ContrastiveError::Number {
            what,
            expected: weights.ncols(),
            found: x.ncols(),
        });
    }
    check_finite(side, x)?;
    let d = weights.nrows();
    let weights = weights.as_standard_layout();
    let weights = weights.as_slice().unwrap_or(&[]);
    let mut z = Array2::zeros((x.nrows(), d));
    let rows = z.axis_iter_mut(Axis(0)).into_par_iter();
    rows.zip(x.axis_iter(Axis(0))).for_each(|(mut row, x)| {
        let mut one = Embedding::new(d);
        one.set(weights, &contiguous(x), normalize);
        row.iter_mut().zip(&one.z).for_each(|(r, z)| *r = *z);
    });
    Ok(z)
}

fn contiguous(x: ArrayView1<'_, f32>) -> Vec<f32> {
    x.iter().copied().collect()
}

/// One item's way into the common space, kept for the way back.
pub(super) struct Embedding {
    /// Its place.
    pub(super) z: Vec<f32>,
    /// Derivative of the GELU at each dimension.
    slope: Vec<f32>,
    /// One over the length before it was divided by that; 1 where it was not.
    scale: f32,
    normalized: bool,
}

impl Embedding {
    pub(super) fn new(d: usize) -> Self {
        Self {
            z: vec![0.0; d],
            slope: vec![0.0; d],
            scale: 1.0,
            normalized: false,
        }
    }

    /// Projects features by weights `[dimension][feature]`.
    pub(super) fn set(&mut self, weights: &[f32], x: &[f32], normalize: bool) {
        let z = &mut self.z;
        vectorized(
            #[inline(always)]
            || {
                for (z, weights) in z.iter_mut().zip(weights.chunks_exact(x.len())) {
                    *z = dot_slices(weights, x);
                }
            },
        );
        for (z, slope) in self.z.iter_mut().zip(&mut self.slope) {
            (*z, *slope) = gelu(*z);
        }
        let length = self.z.iter().map(|z| z * z).sum::<f32>().sqrt();
        self.normalized = normalize;
        // Features of nothing but zeros stay at 0.
        self.scale = if normalize && length > 0.0 {
            length.recip()
        } else {
            1.0
        };
        self.z.iter_mut().for_each(|z| *z *= self.scale);
    }

    /// Adds to `gradient`, of the weights, what the loss's gradient at `z` gives.
    pub(super) fn back(&self, at_z: &[f32], x: &[f32], gradient: &mut [f32]) {
        let along: f32 = if self.normalized {
            self.z.iter().zip(at_z).map(|(z, g)| z * g).sum()
        } else {
            0.0
        };
        let rows = gradient.chunks_exact_mut(x.len());
        let each = self.z.iter().zip(at_z).zip(&self.slope).zip(rows);
        vectorized(
            #[inline(always)]
            || {
                for (((z, g), slope), row) in each {
                    let factor = (g - along * z) * self.scale * slope;
                    for (w, x) in row.iter_mut().zip(x) {
                        *w += factor * x;
                    }
                }
            },
        );
    }
}

/// The Gaussian error linear unit `x Phi(x)` and its derivative. The normal distribution is Abramowitz and Stegun's 7.1.26,
/// right to 1.5e-7.
pub(super) fn gelu(x: f32) -> (f32, f32) {
    const A: [f32; 5] = [
        0.254_829_6,
        -0.284_496_74,
        1.421_413_7,
        -1.453_152,
        1.061_405_4,
    ];
    let u = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * u);
    let e = (-u * u).exp();
    let tail = t * (A[0] + t * (A[1] + t * (A[2] + t * (A[3] + t * A[4])))) * e / 2.0;
    let cumulative = if x < 0.0 { tail } else { 1.0 - tail };
    let density = e * 0.398_942_3;
    (x * cumulative, cumulative + x * density)
}
