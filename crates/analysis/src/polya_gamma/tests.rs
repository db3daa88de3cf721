use super::*;
use std::f64::consts::{LN_2, PI};

use chiasm_core::Streams;
use chiasm_core::stats;

/// Mean and variance of PG(b, c) in their usual form.
fn moments(b: f64, c: f64) -> (f64, f64) {
    if c == 0.0 {
        return (b / 4.0, b / 24.0);
    }
    let mean = b / (2.0 * c) * (c / 2.0).tanh();
    let variance = b / (4.0 * c.powi(3)) * (c.sinh() - c) / (c / 2.0).cosh().powi(2);
    (mean, variance)
}

fn draws(b: f64, c: f64, n: usize) -> Vec<f64> {
    let mut rng = Streams::new(8).stream(&format!("{b} {c}"));
    (0..n).map(|_| draw(b, c, &mut rng)).collect()
}

#[test]
fn the_reference_moments_are_met_within_four_standard_errors() {
    // The four of the card (mean, variance), then shapes of every kind of sampler.
    let card = [
        (1.0, 0.0, 0.25, 1.0 / 24.0),
        (1.0, 2.0, 0.190399, 0.021351),
        (11.0, 1.5, 2.328879, 0.305897),
        (100.0, -3.0, 15.085804, 1.174238),
    ];
    for (b, c, mean, variance) in card {
        let (m, v) = moments(b, f64::abs(c));
        assert!(
            (m - mean).abs() < 1e-6 && (v - variance).abs() < 1e-6,
            "{b} {c}: {m} {v}"
        );
    }
    let more = [
        (0.05, 0.0),
        (1e-3, 0.5),
        (0.02, 40.0),
        (0.3, 1.0),
        (0.9, 7.0),
        (0.5, 25.0),
        (1.7, 0.5),
        (2.0, 12.0),
        (2.6, 0.0),
        (3.2, 9.0),
        (4.4, 3.0),
        (11.99, 0.2),
        (12.0, 0.2),
        (8.01, 6.0),
        (13.2, 30.0),
        (101.5, 0.01),
        (1e6, 2.0),
    ];
    for (b, c) in card.map(|k| (k.0, k.1)).into_iter().chain(more) {
        let n = 100_000;
        let x = draws(b, c, n);
        let (mean, variance) = moments(b, f64::abs(c));
        let fourth = cumulants(b, c)[3] + 3.0 * variance * variance;
        let mean_error = (variance / n as f64).sqrt();
        let variance_error = ((fourth - variance * variance) / n as f64).sqrt();
        let (m, v) = (stats::mean(&x), stats::sd(&x, 1).powi(2));
        assert!(
            (m - mean).abs() < 4.0 * mean_error,
            "mean of PG({b}, {c}): {m} {mean}"
        );
        assert!(
            (v - variance).abs() < 4.0 * variance_error,
            "variance of PG({b}, {c}): {v} {variance}"
        );
        assert!(x.iter().all(|v| *v > 0.0 && v.is_finite()));
    }
}

/// The distribution function by inversion of the characteristic function (Gil-Pelaez 1951), which knows nothing of how
/// draws are made: cosh(c/2)^b / cosh(sqrt(c^2/4 - i t/2))^b.
fn distribution(b: f64, c: f64, x: f64) -> f64 {
    let sd = moments(b, c).1.sqrt();
    let ln_cosh_0 = 0.5 * c + (-c).exp().ln_1p() - LN_2;
    let imaginary = |t: f64| {
        // The root with positive real part.
        let (re, im) = (c * c / 4.0, -t / 2.0);
        let size = re.hypot(im).sqrt();
        let angle = im.atan2(re) / 2.0;
        let (zr, zi) = (size * angle.cos(), size * angle.sin());
        // log cosh z = z + log(1 + exp(-2z)) - log 2
        let (er, ei) = (
            (-2.0 * zr).exp() * (-2.0 * zi).cos(),
            (-2.0 * zr).exp() * (-2.0 * zi).sin(),
        );
        let log_re = zr + 0.5 * ((1.0 + er).powi(2) + ei * ei).ln() - LN_2;
        let log_im = zi + ei.atan2(1.0 + er);
        let size = (b * (ln_cosh_0 - log_re)).exp();
        size * (-b * log_im - t * x).sin() / t
    };
    // Midpoints; the heavy tail of small shapes needs many.
    let (steps, end) = (200_000, 40.0f64.max(60.0 / b.powi(2)) / sd * 8.0);
    let step = end / f64::from(steps);
    let sum: f64 = (0..steps)
        .map(|i| imaginary((f64::from(i) + 0.5) * step))
        .sum();
    0.5 - sum * step / PI
}

#[test]
fn draws_follow_the_distribution_function() {
    for (b, c) in [
        (1.0, 0.0),
        (1.0, 3.0),
        (1.6, 1.0),
        (2.0, 1.0),
        (2.5, 0.0),
        (2.99, 2.0),
        (5.5, 2.0),
        (8.0, 4.0),
        (12.5, 1.0),
        (40.0, 0.0),
    ] {
        let n = 200_000;
        let mut x = draws(b, c, n);
        x.sort_by(f64::total_cmp);
        let worst = [0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99]
            .map(|q| (distribution(b, c, stats::quantile_sorted(&x, q)) - q).abs())
            .into_iter()
            .fold(0.0, f64::max);
        // Kolmogorov-Smirnov at the level 1e-4 (2.23), and what the mixture is off by.
        let allowed = 2.23 / (n as f64).sqrt() + 2e-4;
        assert!(worst < allowed, "PG({b}, {c}): {worst} {allowed}");
    }
}

#[test]
fn the_series_and_the_closed_forms_of_the_cumulants_meet() {
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
    let (below, above) = (cumulants(3.0, 0.499_999_99), cumulants(3.0, 0.500_000_01));
    assert!(
        below.iter().zip(above).all(|(a, b)| near(*a, b)),
        "{below:?} {above:?}"
    );
    let at_zero = cumulants(1.0, 0.0);
    assert!(
        near(at_zero[2], 1.0 / 60.0) && near(at_zero[1], 1.0 / 24.0),
        "{at_zero:?}"
    );
}

#[test]
fn what_has_no_distribution_is_nan() {
    let mut rng = Streams::new(0).stream("nan");
    for (b, c) in [
        (-1.0, 0.0),
        (f64::NAN, 1.0),
        (1.0, f64::INFINITY),
        (f64::INFINITY, 0.0),
        (20.0, f64::NAN),
    ] {
        assert!(draw(b, c, &mut rng).is_nan(), "PG({b}, {c})");
    }
    assert_eq!(draw(0.0, 1.0, &mut rng), 0.0);
    assert!(draw(1.0, 700.0, &mut rng) > 0.0);
    assert!(draw(0.2, 1e4, &mut rng) > 0.0);
}
