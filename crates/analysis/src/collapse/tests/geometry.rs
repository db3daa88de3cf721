use ndarray::{Array2, Axis};

use super::{close, draws, simplex};
use crate::collapse::{
    correlate, duality, duality_error, norms, orthogonality, simplex_error, simplex_error_floor,
};

/// Gram matrix less that of a simplex, entry by entry.
fn plain_error(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    let gram = a.dot(&b.t());
    let norm = gram.iter().map(|v| v * v).sum::<f64>().sqrt();
    let k = a.nrows() as f64;
    let mut sum = 0.0;
    for ((i, j), g) in gram.indexed_iter() {
        let ideal = (f64::from(u8::from(i == j)) - 1.0 / k) / (k - 1.0).sqrt();
        sum += (g / norm - ideal).powi(2);
    }
    sum.sqrt()
}

fn centered(x: &Array2<f64>) -> Array2<f64> {
    x - &x.mean_axis(Axis(0)).unwrap()
}

#[test]
fn a_simplex_has_no_error_and_is_dual_to_itself() {
    for k in [2, 3, 10, 300] {
        let m = simplex(k);
        assert!(simplex_error(m.view()).unwrap() < 1e-12, "{k}");
        let w = &m * 3.0;
        assert!(duality_error(w.view(), m.view()).unwrap() < 1e-12);
        let dual = duality(w.view(), m.view()).unwrap();
        assert!((dual.cosine.mean - 1.0).abs() < 1e-12 && dual.cosine.variance < 1e-24);
        assert!(dual.distance.mean < 1e-12 && (dual.product.mean - 3.0).abs() < 1e-12);
        let norms = norms(m.view()).unwrap();
        assert!((norms.norms.mean - 1.0).abs() < 1e-12 && norms.variation < 1e-12);
        assert!(norms.log_norms.mean.abs() < 1e-12 && norms.n_zero == 0);
    }
}

#[test]
fn errors_equal_the_plain_version_in_both_forms() {
    for (k, d) in [(7, 3), (5, 9), (40, 6)] {
        let (m, w) = (centered(&draws(k, d, 1)), draws(k, d, 2));
        assert!(close(
            simplex_error(m.view()).unwrap(),
            plain_error(&m, &m),
            1e-12
        ));
        let found = duality_error(w.view(), m.view()).unwrap();
        assert!(close(found, plain_error(&w, &m), 1e-12));
    }
    // Near a simplex the closed form would have lost its digits.
    let near = simplex(12) + draws(12, 12, 3) * 1e-7;
    assert!(close(
        simplex_error(near.view()).unwrap(),
        plain_error(&near, &near),
        1e-6
    ));
}

#[test]
fn no_centered_means_of_low_rank_come_below_the_floor_and_isotropic_ones_reach_it() {
    // The card's values for 29,233 classes.
    assert!((simplex_error_floor(64, 29_233) - 1.381).abs() < 5e-4);
    assert!((simplex_error_floor(1024, 29_233) - 1.275).abs() < 5e-4);
    assert_eq!(simplex_error_floor(9, 10), 0.0);
    for (k, d) in [(20, 3), (50, 10)] {
        let m = centered(&draws(k, d, 4));
        assert!(simplex_error(m.view()).unwrap() > simplex_error_floor(d, k));
    }
    // The corners of a cross are centered and isotropic.
    let d = 4;
    let cross = Array2::from_shape_fn((2 * d, d), |(i, j)| {
        f64::from(u8::from(i / 2 == j)) * if i % 2 == 0 { 1.0 } else { -1.0 }
    });
    let found = simplex_error(cross.view()).unwrap();
    assert!((found - simplex_error_floor(d, 2 * d)).abs() < 1e-12);
}

#[test]
fn variances_of_classes_are_those_of_a_sample() {
    let m = ndarray::arr2(&[[3.0, 0.0], [-1.0, 0.0], [-2.0, 0.0]]);
    let found = norms(m.view()).unwrap();
    assert!((found.norms.mean - 2.0).abs() < 1e-15 && (found.norms.variance - 1.0).abs() < 1e-15);
    assert!((found.variation - 0.5).abs() < 1e-15);
    let zero = ndarray::arr2(&[[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]]);
    assert_eq!(norms(zero.view()).unwrap().n_zero, 1);
    let dual = duality(zero.view(), zero.view()).unwrap();
    assert!(dual.n_zero == 1 && dual.cosines[2].is_nan() && dual.cosine.mean == 1.0);
}

#[test]
fn features_from_elsewhere_lie_across_or_along() {
    let means = ndarray::arr2(&[[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]);
    let found = |x: &[f64]| orthogonality(means.view(), &ndarray::arr1(x)).unwrap();
    assert_eq!(found(&[0.0, 0.0, 1.0]), 0.0);
    assert_eq!(found(&[-1.0, 0.0, 0.0]), 0.5);
}

#[test]
fn correlations_have_the_p_of_all_orders() {
    let streams = chiasm_core::Streams::new(1);
    let x: Vec<f64> = (0..5).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|v| v.powi(3)).collect();
    let found = correlate(&x, &y, 20_000, &streams).unwrap();
    assert_eq!((found.n, found.spearman), (5, 1.0));
    // Two of 120 orders have |rho| = 1.
    assert!(
        (found.spearman_p - 2.0 / 120.0).abs() < 0.003,
        "{}",
        found.spearman_p
    );
    assert_eq!(found, correlate(&x, &y, 20_000, &streams).unwrap());
    let none: Vec<f64> = vec![0.0, 3.0, 1.0, 4.0, 2.0];
    assert!(correlate(&x, &none, 500, &streams).unwrap().pearson_p > 0.1);
}
