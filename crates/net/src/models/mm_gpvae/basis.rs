//! The Fourier basis in which smooth latents are sparse, and the prior variances of its coefficients.

use std::f64::consts::{PI, SQRT_2};

use chiasm_core::linalg::Cholesky;

/// An orthonormal basis of smooth functions on a circle, cut to the bins of a trial: `z_time = B' z_coefficients`.
#[derive(Debug, Clone, PartialEq)]
pub struct FourierBasis {
    /// Bins of the trial.
    pub bins: usize,
    /// Bins around the circle.
    pub circle: usize,
    /// Frequency of each coefficient in cycles around the circle: from 0 upward for cosines, negative for sines.
    pub frequencies: Vec<f64>,
    /// `[coefficient, time]`, row by row.
    pub values: Vec<f64>,
}

impl FourierBasis {
    /// The basis of the frequencies whose prior variance at the length scale `min_length_bins` (or any longer) is above
    /// the largest by no more than the ratio `condition` (paper 27, its code): cosines of `0..f`, sines of `-f..=-1`. An
    /// infinite `condition` keeps all.
    #[must_use]
    pub fn new(bins: usize, circle: usize, min_length_bins: f64, condition: f64) -> Self {
        let circle_f = circle as f64;
        let most = (circle_f / (PI * min_length_bins) * (0.5 * condition.ln()).sqrt())
            .floor()
            .max(1.0);
        let frequencies: Vec<f64> = if most < circle_f / 2.0 {
            let f = most as i64;
            (0..f).chain(-f..0).map(|w| w as f64).collect()
        } else {
            let (half, rest) = (circle / 2, circle - circle / 2 - 1);
            (0..=half as i64)
                .chain(-(rest as i64)..0)
                .map(|w| w as f64)
                .collect()
        };
        let mut values = Vec::with_capacity(frequencies.len() * bins);
        for &w in &frequencies {
            let lone = w == 0.0 || 2.0 * w == circle_f;
            let scale = (2.0 / circle_f).sqrt() / if lone { SQRT_2 } else { 1.0 };
            for t in 0..bins {
                let phase = 2.0 * PI * w * t as f64 / circle_f;
                values.push(scale * if w < 0.0 { phase.sin() } else { phase.cos() });
            }
        }
        Self {
            bins,
            circle,
            frequencies,
            values,
        }
    }

    /// Number of coefficients.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frequencies.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frequencies.is_empty()
    }

    /// Prior variance of each coefficient: `rho (sqrt(2 pi) l exp(-(2 pi w l / n)^2 / 2) + floor)`.
    #[must_use]
    pub fn variances(&self, length_bins: f64, variance: f64, floor: f64) -> Vec<f64> {
        let power = (2.0 * PI).sqrt() * length_bins;
        self.frequencies
            .iter()
            .map(|w| {
                let x = 2.0 * PI * w * length_bins / self.circle as f64;
                variance * (power * (-0.5 * x * x).exp() + floor)
            })
            .collect()
    }

    /// `B' diag(variances) B`, `[time, time]`: the covariance in time.
    #[must_use]
    pub fn covariance(&self, variances: &[f64]) -> Vec<f64> {
        let t = self.bins;
        let mut out = vec![0.0; t * t];
        for (row, v) in self.values.chunks_exact(t).zip(variances) {
            for (i, a) in row.iter().enumerate() {
                for (j, b) in row.iter().enumerate() {
                    out[i * t + j] += v * a * b;
                }
            }
        }
        out
    }

    /// The smoother that the prior implies for a latent seen with white noise of variance `noise`: `(B B' / noise +
    /// K^-1)^-1 B / noise`, `[coefficient, time]`, and the standard deviation that a posterior factorized over
    /// coefficients then has. `None` if the matrix cannot be factored.
    #[must_use]
    pub fn smoother(&self, variances: &[f64], noise: f64) -> Option<(Vec<f64>, Vec<f64>)> {
        let (m, t) = (self.len(), self.bins);
        let mut precision = vec![0.0; m * m];
        for (i, a) in self.values.chunks_exact(t).enumerate() {
            for (j, b) in self.values.chunks_exact(t).enumerate() {
                let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let own = if i == j { 1.0 / variances[i] } else { 0.0 };
                precision[i * m + j] = dot / noise + own;
            }
        }
        let deviations = (0..m).map(|i| precision[i * m + i].powf(-0.5)).collect();
        let factor = Cholesky::of(&precision, m)?;
        let mut smoother = vec![0.0; m * t];
        for time in 0..t {
            let column: Vec<f64> = (0..m).map(|k| self.values[k * t + time] / noise).collect();
            for (k, v) in factor.solve(&column).into_iter().enumerate() {
                smoother[k * t + time] = v;
            }
        }
        Some((smoother, deviations))
    }
}

/// Squared-exponential covariance over time with a white floor, `[time, time]`, and its derivative by the log length scale.
#[must_use]
pub fn time_covariance(
    bins: usize,
    length_bins: f64,
    variance: f64,
    floor: f64,
) -> (Vec<f64>, Vec<f64>) {
    let mut covariance = Vec::with_capacity(bins * bins);
    let mut slope = Vec::with_capacity(bins * bins);
    for i in 0..bins {
        for j in 0..bins {
            let apart = (i as f64 - j as f64) / length_bins;
            let smooth = variance * (-0.5 * apart * apart).exp();
            let white = if i == j { variance * floor } else { 0.0 };
            covariance.push(smooth + white);
            slope.push(smooth * apart * apart);
        }
    }
    (covariance, slope)
}
