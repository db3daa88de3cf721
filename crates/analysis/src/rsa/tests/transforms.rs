use chiasm_core::stats;
use proptest::prelude::*;

use crate::rsa::geodesic::{dijkstra_from_all, floyd_warshall, shortest_paths};
use crate::rsa::transform::{geo_topological, rank_minmax};
use crate::rsa::*;

const D: [f64; 6] = [0.1, 0.4, 0.2, 0.9, 0.5, 0.3];

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
}

#[test]
fn unit_values_of_the_card() {
    let x = rank_minmax(&D).unwrap();
    assert!(close(&x, &[0.0, 0.6, 0.2, 1.0, 0.8, 0.4]), "{x:?}");
    let g = geo_topological(&x, Thresholds::default());
    assert!(
        close(&g, &[0.0, 2.0 / 3.0, 0.0, 1.0, 1.0, 1.0 / 3.0]),
        "{g:?}"
    );
    // Ties share their mean rank.
    let tied = rank_minmax(&[2.0, 1.0, 2.0, 3.0]).unwrap();
    assert!(close(&tied, &[0.5, 0.0, 0.5, 1.0]));
    // l = u: the step just above the quantile (0.5 lies between 0.4 and 0.6).
    let step = geo_topological(&x, Thresholds::step(0.5).unwrap());
    assert_eq!(step, [0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    let sigmoid = Transform::Sigmoid {
        alpha: 10.0,
        beta: 0.5,
    }
    .vector(&D)
    .unwrap();
    assert!((sigmoid[0] - 1.0 / (1.0 + 5f64.exp())).abs() < 1e-15);
}

#[test]
fn bad_thresholds_and_vectors_are_refused() {
    for (l, u) in [
        (0.5, 0.5),
        (0.6, 0.4),
        (-0.1, 0.5),
        (0.5, 1.1),
        (f64::NAN, 0.5),
    ] {
        assert!(Thresholds::new(l, u).is_err(), "{l} {u}");
    }
    assert!(Thresholds::step(1.5).is_err());
    let flat = Transform::Rank.vector(&[1.0; 6]).unwrap_err();
    assert!(matches!(flat, RsaError::Constant { .. }));
    let nan = Transform::Raw.vector(&[1.0, f64::NAN, 2.0]).unwrap_err();
    assert!(matches!(nan, RsaError::NotFinite { index: 1, .. }));
    let zeros = ZeroEdges::Keep;
    for bad in [
        Geodesic::KNearest(0),
        Geodesic::KNearest(4),
        Geodesic::PShortest(0.0),
        Geodesic::PNearest(1.5),
    ] {
        let error = bad.ranks(&D, zeros).unwrap_err();
        assert!(matches!(error, RsaError::Parameter { .. }), "{bad:?}");
    }
    let short = Geodesic::KNearest(1).ranks(&D[..4], zeros).unwrap_err();
    assert!(matches!(short, RsaError::Shape { .. }));
}

#[test]
fn geodesics_by_hand() {
    // A path 0-1-2-3 with unit steps, and no other edge.
    let inf = f64::INFINITY;
    let edges = [1.0, inf, inf, 1.0, inf, 1.0];
    assert_eq!(shortest_paths(&edges, 4), [1.0, 2.0, 3.0, 1.0, 2.0, 1.0]);
    // Nearest neighbors of D: 0-1, 0-1, 0-2 (d = .4, .1 ...): stimulus 0 is near 1, 2 near 3, and so on.
    let paths = Geodesic::KNearest(1).paths(&D, ZeroEdges::Keep).unwrap();
    // x = ranks of D: (01) 0, (02) .6, (03) .2, (12) 1, (13) .8, (23) .4. Nearest: 0->1, 1->0, 2->3, 3->0.
    assert!(close(&paths, &[0.0, 0.6, 0.2, 0.6, 0.2, 0.4]), "{paths:?}");
    // Without the edge of length 0, nothing leads to 1.
    let without = Geodesic::KNearest(1).paths(&D, ZeroEdges::Missing).unwrap();
    assert_eq!(without[0], inf);
    let ranks = Geodesic::KNearest(1).ranks(&D, ZeroEdges::Missing).unwrap();
    // What has no path ties with the longest one.
    assert!(
        close(
            &ranks,
            &[
                4.5 / 6.0,
                4.5 / 6.0,
                1.0 / 6.0,
                4.5 / 6.0,
                4.5 / 6.0,
                2.0 / 6.0
            ]
        ),
        "{ranks:?}"
    );
}

#[test]
fn geodesics_that_all_vanish_are_an_error_of_their_own() {
    // With l = 0.6 a star of edges of length 0 connects all four stimuli.
    let d = [0.1, 0.2, 0.3, 0.9, 0.5, 0.8];
    let two_step = Geodesic::TwoStep(Thresholds::new(0.6, 0.9).unwrap());
    let error = two_step.ranks(&d, ZeroEdges::Keep).unwrap_err();
    assert!(
        matches!(error, RsaError::FlatGeodesics { length: 0.0, .. }),
        "{error}"
    );
}

#[test]
fn a_metric_is_its_own_geodesic() {
    let points: Vec<(f64, f64)> = (0..20)
        .map(|i| ((f64::from(i) * 1.7).sin(), (f64::from(i) * 0.9).cos()))
        .collect();
    let mut d = Vec::new();
    for i in 0..20 {
        for j in i + 1..20 {
            d.push((points[i].0 - points[j].0).hypot(points[i].1 - points[j].1));
        }
    }
    assert!(close(&shortest_paths(&d, 20), &d));
}

fn random_distances() -> impl Strategy<Value = (usize, Vec<f64>)> {
    (3usize..12).prop_flat_map(|n| {
        let pairs = n * (n - 1) / 2;
        (Just(n), prop::collection::vec(0.01f64..10.0, pairs))
    })
}

proptest! {
    #[test]
    fn only_ranks_matter((_, d) in random_distances(), l in 0.0f64..0.9, width in 0.01f64..0.1) {
        let warped: Vec<f64> = d.iter().map(|x| x.powi(3) * 100.0 + 5.0).collect();
        let thresholds = Thresholds::new(l, l + width).unwrap();
        for transform in [Transform::Rank, Transform::GeoTopological(thresholds)] {
            prop_assert_eq!(transform.vector(&d).unwrap(), transform.vector(&warped).unwrap());
        }
    }

    #[test]
    fn thresholds_zero_and_one_are_the_ranks((_, d) in random_distances()) {
        let all = Thresholds::new(0.0, 1.0).unwrap();
        let ranks = Transform::Rank.vector(&d).unwrap();
        prop_assert_eq!(Transform::GeoTopological(all).vector(&d).unwrap(), ranks);
    }

    #[test]
    fn transforms_keep_the_order_and_stay_in_range((_, d) in random_distances(), l in 0.0f64..0.5, width in 0.05f64..0.5) {
        let g = Transform::GeoTopological(Thresholds::new(l, l + width).unwrap()).vector(&d).unwrap();
        prop_assert!(g.iter().all(|v| (0.0..=1.0).contains(v)));
        for i in 0..d.len() {
            for j in 0..d.len() {
                prop_assert!(d[i] <= d[j] || g[i] >= g[j]);
            }
        }
    }

    #[test]
    fn geodesics_satisfy_the_triangle_inequality((n, d) in random_distances(), u in 0.1f64..1.0, k in 1usize..3) {
        let two_step = Geodesic::TwoStep(Thresholds::new(0.0, u).unwrap());
        for geodesic in [two_step, Geodesic::KNearest(k), Geodesic::PShortest(u), Geodesic::PNearest(u.min(0.6))] {
            let paths = geodesic.paths(&d, ZeroEdges::Keep).unwrap();
            let square = chiasm_data::rdm::square(ndarray::ArrayView1::from(&paths));
            for i in 0..n {
                for j in 0..n {
                    for k in 0..n {
                        prop_assert!(square[[i, j]] <= square[[i, k]] + square[[k, j]] + 1e-12);
                    }
                }
            }
        }
    }

    #[test]
    fn both_ways_to_shortest_paths_agree((n, mut d) in random_distances(), cut in 0.0f64..1.0) {
        let at = stats::quantile(&d, cut);
        d.iter_mut().filter(|e| **e > at).for_each(|e| *e = f64::INFINITY);
        let (a, b) = (floyd_warshall(&d, n), dijkstra_from_all(&d, n));
        prop_assert!(a.iter().zip(&b).all(|(a, b)| a == b || (a - b).abs() < 1e-12));
    }

    #[test]
    fn stimuli_may_come_in_any_order((n, d) in random_distances(), seed in any::<u64>()) {
        // Reversed order of the stimuli: pair (i, j) becomes (n-1-j, n-1-i).
        let square = chiasm_data::rdm::square(ndarray::ArrayView1::from(&d));
        let mut reversed = Vec::new();
        for i in 0..n {
            for j in i + 1..n {
                reversed.push(square[[n - 1 - i, n - 1 - j]]);
            }
        }
        let _ = seed;
        let transform = Transform::Geodesic(Geodesic::TwoStep(Thresholds::default()), ZeroEdges::Keep);
        let (Ok(mut a), Ok(mut b)) = (transform.vector(&d), transform.vector(&reversed)) else { return Ok(()); };
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        prop_assert!(close(&a, &b));
    }
}
