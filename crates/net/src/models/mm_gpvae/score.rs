//! How well a model does: latents against something known, by an affine regression fitted on some trials and tested on
//! others; counts against their rates.

use chiasm_core::linalg::Cholesky;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::MmGpVaeError;
use super::batch::log_factorial;

/// `target = latents A + b`, by least squares.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap {
    /// `[latent, target]`.
    pub weights: Array2<f64>,
    /// One for each target.
    pub offsets: Vec<f64>,
}

/// How well a regression fits trials it has not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Mean squared error.
    pub mse: f64,
    /// Share of the target's variance explained: 1 for all, 0 for what its mean says, below 0 for worse.
    pub r2: f64,
}

impl AffineMap {
    /// The least-squares map of `latents` `[row, latent]` to `targets` `[row, target]`. A latent that does not vary gets no
    /// weight.
    ///
    /// # Errors
    /// Different numbers of rows; fewer rows than latents and one.
    pub fn fit(
        latents: ArrayView2<'_, f64>,
        targets: ArrayView2<'_, f64>,
    ) -> Result<Self, MmGpVaeError> {
        let (n, p) = latents.dim();
        if targets.nrows() != n || n <= p {
            return Err(MmGpVaeError::Shape {
                what: "targets, rows".into(),
                expected: format!("{n} as of the latents, and more than {p}"),
                found: targets.nrows(),
            });
        }
        let mean = |x: ArrayView2<'_, f64>| x.mean_axis(ndarray::Axis(0)).expect("rows");
        let (mean_x, mean_y) = (mean(latents), mean(targets));
        let (x, y) = (&latents - &mean_x, &targets - &mean_y);
        let mut normal: Vec<f64> = x.t().dot(&x).iter().copied().collect();
        // A latent without spread would make the matrix singular; this much changes no other weight.
        let largest = (0..p).map(|i| normal[i * p + i]).fold(0.0, f64::max);
        for i in 0..p {
            normal[i * p + i] += 1e-12 * largest + f64::MIN_POSITIVE;
        }
        let right = x.t().dot(&y);
        let mut weights = Array2::zeros((p, targets.ncols()));
        if let Some(factor) = Cholesky::of(&normal, p) {
            for (c, column) in right.columns().into_iter().enumerate() {
                for (i, w) in factor.solve(&column.to_vec()).into_iter().enumerate() {
                    weights[[i, c]] = w;
                }
            }
        }
        let offsets = (&mean_y - &mean_x.dot(&weights)).to_vec();
        Ok(Self { weights, offsets })
    }

    /// The map's values for `latents`, `[row, target]`.
    #[must_use]
    pub fn predict(&self, latents: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut out = latents.dot(&self.weights);
        for mut row in out.rows_mut() {
            for (v, b) in row.iter_mut().zip(&self.offsets) {
                *v += b;
            }
        }
        out
    }

    /// How well it predicts each target of other rows.
    ///
    /// # Errors
    /// Different numbers of rows.
    pub fn test(
        &self,
        latents: ArrayView2<'_, f64>,
        targets: ArrayView2<'_, f64>,
    ) -> Result<Vec<Fit>, MmGpVaeError> {
        if latents.nrows() != targets.nrows() {
            return Err(MmGpVaeError::Shape {
                what: "targets, rows".into(),
                expected: format!("{} as of the latents", latents.nrows()),
                found: targets.nrows(),
            });
        }
        let predicted = self.predict(latents);
        let fits = predicted
            .columns()
            .into_iter()
            .zip(targets.columns())
            .map(|(p, y)| {
                let n = y.len() as f64;
                let mean = y.sum() / n;
                let mse = p.iter().zip(y).map(|(p, y)| (p - y).powi(2)).sum::<f64>() / n;
                let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
                Fit {
                    mse,
                    r2: 1.0 - mse / variance,
                }
            })
            .collect();
        Ok(fits)
    }
}

/// The latents in `columns` of all trials stacked, `[trial x time, latent]`.
#[must_use]
pub fn stacked(latents: ArrayView3<'_, f32>, columns: std::ops::Range<usize>) -> Array2<f64> {
    let (trials, t, _) = latents.dim();
    Array2::from_shape_fn((trials * t, columns.len()), |(row, c)| {
        f64::from(latents[[row / t, row % t, columns.start + c]])
    })
}

/// Poisson log-likelihood of `counts` under `rates` (both `[trial, time, unit]`), nats per spike.
///
/// # Errors
/// Arrays of different shapes; no spike at all.
pub fn log_likelihood_per_count(
    counts: &Array3<f32>,
    rates: &Array3<f32>,
) -> Result<f64, MmGpVaeError> {
    if counts.dim() != rates.dim() {
        return Err(MmGpVaeError::Shape {
            what: "rates, values".into(),
            expected: format!("{} as of the counts", counts.len()),
            found: rates.len(),
        });
    }
    let (mut sum, mut spikes) = (0.0, 0.0);
    for (&y, &rate) in counts.iter().zip(rates) {
        let (y64, rate) = (f64::from(y), f64::from(rate));
        sum += if y > 0.0 { y64 * rate.ln() } else { 0.0 } - rate - log_factorial(y);
        spikes += y64;
    }
    if spikes > 0.0 {
        Ok(sum / spikes)
    } else {
        Err(MmGpVaeError::Constant {
            stream: "neural activity",
            value: 0.0,
        })
    }
}
