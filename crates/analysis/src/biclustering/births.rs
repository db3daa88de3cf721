//! Paths that new clusters start from: neither from the prior nor from the posterior, but small, so that a neuron which
//! fits no cluster finds one that says little.

use chiasm_core::Rng;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::state::NOISE;

/// Autoregression of new paths.
const MEMORY: f64 = 0.95;

/// `[bin, row]`: a new path, centered. As a spline, each row is a cubic spline through 10 to 35 random knots within 0.2;
/// else each is autoregressive, its noise of variance 0.01.
pub(super) fn new_path(n_bins: usize, rows: usize, splines: bool, rng: &mut Rng) -> Vec<f64> {
    let mut path = vec![0.0; n_bins * rows];
    for row in 0..rows {
        let values = if splines {
            spline(n_bins, rng)
        } else {
            autoregressive(n_bins, rng)
        };
        let mean = values.iter().sum::<f64>() / n_bins as f64;
        for (t, v) in values.into_iter().enumerate() {
            path[t * rows + row] = v - mean;
        }
    }
    path
}

fn autoregressive(n_bins: usize, rng: &mut Rng) -> Vec<f64> {
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let mut x = normal() * (NOISE / (1.0 - MEMORY * MEMORY)).sqrt();
    (0..n_bins)
        .map(|_| {
            x = MEMORY * x + NOISE.sqrt() * normal();
            x
        })
        .collect()
}

fn spline(n_bins: usize, rng: &mut Rng) -> Vec<f64> {
    let n = rng.random_range(10..=35);
    let knots: Vec<f64> = (0..n).map(|_| 0.4 * rng.random::<f64>() - 0.2).collect();
    natural_spline(&knots, n_bins)
}

/// The natural cubic spline through equally spaced knots, at `n_bins` equally spaced places from the first to the last.
fn natural_spline(knots: &[f64], n_bins: usize) -> Vec<f64> {
    let n = knots.len();
    // Second derivatives m: m_{i-1} + 4 m_i + m_{i+1} = 6 second differences, 0 at both ends (Thomas' algorithm).
    let (mut m, mut upper) = (vec![0.0; n], vec![0.0; n]);
    for i in 1..n.saturating_sub(1) {
        let pivot = 4.0 - upper[i - 1];
        upper[i] = 1.0 / pivot;
        m[i] = (6.0 * (knots[i - 1] - 2.0 * knots[i] + knots[i + 1]) - m[i - 1]) / pivot;
    }
    for i in (1..n.saturating_sub(1)).rev() {
        m[i] -= upper[i] * m[i + 1];
    }
    (0..n_bins)
        .map(|t| {
            let u = t as f64 / (n_bins.max(2) - 1) as f64 * (n - 1) as f64;
            let i = (u as usize).min(n - 2);
            let (b, a) = (u - i as f64, 1.0 - (u - i as f64));
            a * knots[i]
                + b * knots[i + 1]
                + ((a * a * a - a) * m[i] + (b * b * b - b) * m[i + 1]) / 6.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;

    #[test]
    fn splines_pass_their_knots_and_keep_lines() {
        let knots = [0.1, -0.2, 0.05, 0.2, -0.1, 0.0];
        let fine = natural_spline(&knots, 501);
        for (i, k) in knots.iter().enumerate() {
            assert!((fine[i * 100] - k).abs() < 1e-12);
        }
        let line: Vec<f64> = (0..12).map(|i| 0.3 - 0.01 * f64::from(i)).collect();
        let on = natural_spline(&line, 111);
        assert!((0..111).all(|t| (on[t] - (0.3 - 0.001 * t as f64)).abs() < 1e-12));
    }

    #[test]
    fn new_paths_are_centered_and_small() {
        let mut rng = Streams::new(1).stream("births");
        for splines in [true, false] {
            let path = new_path(300, 3, splines, &mut rng);
            for row in 0..3 {
                let values: Vec<f64> = path.chunks_exact(3).map(|x| x[row]).collect();
                assert!(values.iter().sum::<f64>().abs() < 1e-10);
                assert!(values.iter().all(|v| v.abs() < 2.0));
            }
        }
    }
}
