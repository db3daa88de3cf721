//! The Fourier basis, by what the card measured of the authors' code.

use super::super::basis::{FourierBasis, time_covariance};

fn gap_from_identity(b: &FourierBasis, rows: bool) -> f64 {
    let (m, t) = (b.len(), b.bins);
    let n = if rows { m } else { t };
    let dot = |i: usize, j: usize| -> f64 {
        if rows {
            (0..t)
                .map(|k| b.values[i * t + k] * b.values[j * t + k])
                .sum()
        } else {
            (0..m)
                .map(|k| b.values[k * t + i] * b.values[k * t + j])
                .sum()
        }
    };
    (0..n * n)
        .map(|k| (dot(k / n, k % n) - f64::from(u8::from(k / n == k % n))).abs())
        .fold(0.0, f64::max)
}

#[test]
fn the_whole_basis_is_orthonormal() {
    for bins in [60, 61] {
        let whole = FourierBasis::new(bins, bins, 10.0, f64::INFINITY);
        assert_eq!(whole.len(), bins);
        assert!(gap_from_identity(&whole, true) < 1e-12);
        assert!(gap_from_identity(&whole, false) < 1e-12);
    }
    let longer = FourierBasis::new(60, 72, 10.0, f64::INFINITY);
    assert_eq!(longer.len(), 72);
    assert!(gap_from_identity(&longer, false) < 1e-12);
}

#[test]
fn pruning_keeps_as_many_frequencies_as_the_authors_code() {
    for (bins, circle, kept) in [(60, 72, 12), (40, 48, 8), (60, 100, 18), (60, 180, 34)] {
        let basis = FourierBasis::new(bins, circle, 10.0, 1e8);
        assert_eq!(basis.len(), kept, "{bins} {circle}");
        assert!(basis.frequencies.contains(&0.0));
    }
    // A length so long that no frequency but the constant would be left still has one.
    assert!(!FourierBasis::new(10, 10, 1e6, 2.0).is_empty());
}

#[test]
fn the_covariance_in_time_is_the_squared_exponential() {
    // (circle, length, largest error that the card measured).
    for (circle, length, expected) in [
        (100, 10.0, 2.24e-4),
        (180, 30.0, 2.93e-4),
        (72, 10.0, 0.43),
        (72, 30.0, 0.93),
    ] {
        let basis = FourierBasis::new(60, circle, 10.0, 1e8);
        let ours = basis.covariance(&basis.variances(length, 1.0, 0.0));
        let (exact, _) = time_covariance(60, length, 1.0, 0.0);
        let error = ours
            .iter()
            .zip(&exact)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        let tolerance = if expected < 0.01 { 0.01 } else { 0.02 };
        assert!(
            (error / expected - 1.0).abs() < tolerance,
            "{circle} {length}: {error}"
        );
    }
}

#[test]
fn the_smoother_is_the_posterior_mean() {
    // All frequencies of a circle as long as the trial: coefficients are seen one by one, so K / (K + noise) each.
    let basis = FourierBasis::new(12, 12, 3.0, f64::INFINITY);
    let variances = basis.variances(3.0, 1.0, 0.01);
    let (smoother, deviations) = basis.smoother(&variances, 0.5).unwrap();
    for (k, v) in variances.iter().enumerate() {
        for t in 0..12 {
            let expected = basis.values[k * 12 + t] * v / (v + 0.5);
            assert!((smoother[k * 12 + t] - expected).abs() < 1e-12);
        }
        assert!((deviations[k] - (v * 0.5 / (v + 0.5)).sqrt()).abs() < 1e-12);
    }
}

#[test]
fn the_derivative_by_the_log_length_is_the_difference() {
    let (_, slope) = time_covariance(6, 3.0, 2.0, 0.1);
    let h = 1e-5f64;
    let (up, _) = time_covariance(6, 3.0 * h.exp(), 2.0, 0.1);
    let (down, _) = time_covariance(6, 3.0 * (-h).exp(), 2.0, 0.1);
    for ((s, u), d) in slope.iter().zip(&up).zip(&down) {
        assert!((s - (u - d) / (2.0 * h)).abs() < 1e-8);
    }
}
