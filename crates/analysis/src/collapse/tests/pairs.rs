use chiasm_core::Quiet;
use ndarray::{Array2, ArrayView2};

use super::{around, close, draws, simplex};
use crate::collapse::{Duplicates, PairMeasures, Pairs, Spread, Sums};

fn measure(how: &Pairs, m: ArrayView2<'_, f64>, v: &[f64]) -> PairMeasures {
    how.measure(m, v, &Quiet).unwrap()
}

/// Mean and population variance of a function of pairs, one by one.
fn plain(m: &Array2<f64>, f: &dyn Fn(usize, usize) -> f64) -> (f64, f64) {
    let mut values = vec![];
    for i in 0..m.nrows() {
        for j in i + 1..m.nrows() {
            values.push(f(i, j));
        }
    }
    let mean = chiasm_core::stats::mean(&values);
    (mean, chiasm_core::stats::sd(&values, 0).powi(2))
}

fn distance(x: &Array2<f64>, i: usize, j: usize) -> f64 {
    let apart = &x.row(i) - &x.row(j);
    apart.dot(&apart).sqrt()
}

#[test]
fn tiles_of_any_size_equal_the_plain_version() {
    for (k, d) in [(2, 3), (13, 4), (30, 2)] {
        let m = draws(k, d, 1);
        let v: Vec<f64> = (0..k).map(|i| 0.1 + i as f64).collect();
        let mut unit = m.clone();
        for mut row in unit.rows_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        for (power, riesz) in [(1.0, 2.0), (2.0, -1.0), (1.5, 0.0)] {
            let cdnv = plain(&m, &|i, j| {
                (v[i] + v[j]) / 2.0 / distance(&m, i, j).powf(2.0 * power)
            })
            .0;
            let (log_mean, log_var) = plain(&m, &|i, j| -distance(&unit, i, j).ln());
            let (dot_mean, dot_var) = plain(&m, &|i, j| m.row(i).dot(&m.row(j)));
            let sign = if riesz < 0.0 { -1.0 } else { 1.0 };
            let (riesz_mean, riesz_var) =
                plain(&m, &|i, j| sign * distance(&unit, i, j).powf(-riesz));
            for tile in 1..=k {
                let how = Pairs {
                    power,
                    riesz: Some(riesz),
                    tile,
                    ..Pairs::default()
                };
                let found = measure(&how, m.view(), &v);
                assert!(close(found.cdnv, cdnv, 1e-10), "{} {cdnv}", found.cdnv);
                assert!(close(found.log_kernel.mean, log_mean, 1e-10));
                assert!(close(found.log_kernel.variance, log_var, 1e-10) || log_var < 1e-28);
                assert!((found.interference.mean - dot_mean).abs() < 1e-12);
                assert!(close(found.interference.variance, dot_var, 1e-10) || dot_var < 1e-28);
                let of = found.riesz.unwrap();
                assert!(close(of.mean, riesz_mean, 1e-10));
                assert!(close(of.variance, riesz_var, 1e-9) || riesz_var < 1e-25);
            }
        }
    }
}

#[test]
fn pairs_of_a_simplex_are_all_alike() {
    for k in [2, 5, 40] {
        let m = simplex(k);
        let found = measure(&Pairs::default(), m.view(), &vec![0.0; k]);
        let kf = k as f64;
        let expected = -0.5 * (2.0 * kf / (kf - 1.0)).ln();
        assert!((found.log_kernel.mean - expected).abs() < 1e-12);
        assert!(found.log_kernel.variance < 1e-24 && found.interference.variance < 1e-24);
        assert!((found.interference.mean + 1.0 / (kf - 1.0)).abs() < 1e-12);
        assert_eq!(found.n_pairs as usize, k * (k - 1) / 2);
    }
}

#[test]
fn random_directions_have_the_kernel_of_the_sphere() {
    // Card 50: mean to -.5 ln 2, variance near 1/(4D); .0085 at 32.
    let m = draws(1500, 32, 1);
    let found = measure(&Pairs::default(), m.view(), &[1.0; 1500]);
    assert!((found.log_kernel.mean + 0.5 * 2f64.ln()).abs() < 0.01);
    assert!((found.log_kernel.variance - 0.0085).abs() < 0.0005);
}

#[test]
fn planted_scatter_has_the_cdnv_of_its_variance() {
    // Card 50, works when 4: sigma^2 d / dist^2 within 2 %.
    let (k, d, sigma) = (10, 32, 0.05);
    let means = {
        let mut m = Array2::zeros((k, d));
        (0..k).for_each(|i| m[[i, i]] = 1.0);
        m
    };
    let (x, labels) = around(&means, &[500; 10], sigma, 3);
    let mut sums = Sums::new(k, d).unwrap();
    sums.add(x.view(), &labels).unwrap();
    let means = sums.means();
    let mut spread = Spread::new(&means);
    spread.add(&means, x.view(), &labels).unwrap();
    let within = spread.within(&means).unwrap();
    let (centered, _) = means.centered(&means.seen(1)).unwrap();
    let how = Pairs {
        power: 1.0,
        ..Pairs::default()
    };
    let found = measure(&how, centered.view(), &within.variances);
    let expected = sigma * sigma * d as f64 / 2.0;
    assert!(
        close(found.cdnv, expected, 0.02),
        "{} {expected}",
        found.cdnv
    );
}

#[test]
fn near_means_keep_their_digits() {
    // Distances of 1e-6 between means of length 1000: norms less products would leave nothing.
    let mut m = Array2::from_elem((3, 4), 500.0);
    m[[1, 0]] += 1e-6;
    m[[2, 1]] -= 1.0;
    let found = measure(
        &Pairs {
            power: 1.0,
            ..Pairs::default()
        },
        m.view(),
        &[1.0; 3],
    );
    let gap = m[[1, 0]] - m[[0, 0]];
    let expected = (1.0 / (gap * gap) + 1.0 + 1.0 / (1.0 + gap * gap)) / 3.0;
    assert!(
        close(found.cdnv, expected, 1e-9),
        "{} {expected}",
        found.cdnv
    );
}

#[test]
fn classes_in_one_place_are_refused_or_counted() {
    let m = ndarray::arr2(&[[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [-4.0, 1.0]]);
    let v = [1.0; 5];
    let error = Pairs::default()
        .measure(m.view(), &v, &Quiet)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("classes 0 and 1 have the same mean"),
        "{error}"
    );
    let how = Pairs {
        duplicates: Duplicates::Exclude,
        power: 1.0,
        ..Pairs::default()
    };
    let found = measure(&how, m.view(), &v);
    // Directions: 0, 1 and 2 are one; 3 has none.
    assert_eq!(
        (found.n_pairs, found.n_same_mean, found.n_same_direction),
        (10, 1, 3 + 4)
    );
    let expected = plain(&m, &|i, j| match distance(&m, i, j) {
        0.0 => 0.0,
        d => 1.0 / (d * d),
    });
    assert!(close(found.cdnv, expected.0 * 10.0 / 9.0, 1e-12));
    let same = Array2::from_elem((3, 2), 1.0);
    assert!(how.measure(same.view(), &[1.0; 3], &Quiet).is_err());
    let parallel = ndarray::arr2(&[[1.0, 0.0], [2.0, 0.0], [-4.0, 1.0]]);
    let error = Pairs::default()
        .measure(parallel.view(), &[1.0; 3], &Quiet)
        .unwrap_err();
    assert!(
        error.to_string().contains("same direction of the mean"),
        "{error}"
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let m = draws(300, 8, 1);
    let how = Pairs {
        tile: 32,
        riesz: Some(6.0),
        ..Pairs::default()
    };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| measure(&how, m.view(), &[1.0; 300]))
    };
    assert_eq!(run(1), run(3));
}
