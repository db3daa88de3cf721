use chiasm_core::{Streams, stats};
use ndarray::{Array2, array};
use proptest::prelude::*;

use crate::rsa::compare::kendall_tau_a;
use crate::rsa::*;

fn grid_points() -> Array2<f64> {
    Array2::from_shape_fn((12, 2), |(i, c)| {
        let (x, y) = ((i % 4) as f64, (i / 4) as f64);
        if c == 0 { x + 0.1 * y } else { y * 1.5 }
    })
}

#[test]
fn points_of_the_plane_come_back_as_they_were() {
    let points = grid_points();
    let distances = rdm(points.view(), &Distance::Euclidean).unwrap();
    for metric in [true, false] {
        let mds = Mds {
            metric,
            max_steps: 3000,
            tolerance: 1e-10,
            ..Mds::default()
        };
        let picture = mds.fit(&distances, &Streams::new(4)).unwrap();
        // Orders leave a little freedom; distances leave none.
        assert!(
            picture.stress < if metric { 1e-3 } else { 0.02 },
            "{metric} {}",
            picture.stress
        );
        let (moved, left) = procrustes(&picture.points, &points).unwrap();
        assert!(left < if metric { 1e-5 } else { 0.02 }, "{metric} {left}");
        let worst = (&moved - &points)
            .iter()
            .fold(0.0f64, |m, d| m.max(d.abs()));
        assert!(worst < if metric { 0.01 } else { 0.4 }, "{metric} {worst}");
    }
}

#[test]
fn a_mirrored_turned_scaled_copy_aligns_exactly() {
    let points = grid_points();
    let (cos, sin) = (0.6, 0.8);
    let moved = Array2::from_shape_fn(points.raw_dim(), |(i, c)| {
        let (x, y) = (points[[i, 0]], -points[[i, 1]]);
        3.0 * (if c == 0 {
            cos * x - sin * y
        } else {
            sin * x + cos * y
        }) + 7.0
    });
    let (back, left) = procrustes(&moved, &points).unwrap();
    assert!(left < 1e-12);
    assert!((&back - &points).iter().all(|d| d.abs() < 1e-12));
    assert!(procrustes(&Array2::zeros((12, 2)), &points).is_err());
    assert!(procrustes(&Array2::zeros((5, 2)), &points).is_err());
}

#[test]
fn bad_distances_are_refused() {
    let mds = Mds::default();
    let streams = Streams::new(0);
    assert!(mds.fit(&[1.0, 2.0], &streams).is_err());
    assert!(mds.fit(&[1.0, f64::NAN, 2.0], &streams).is_err());
    assert!(mds.fit(&[0.0; 3], &streams).is_err());
    assert!(Mds { starts: 0, ..mds }.fit(&[1.0; 3], &streams).is_err());
}

#[test]
fn distances_by_hand() {
    let x = array![[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]];
    let d = |distance| rdm(x.view(), &distance).unwrap();
    assert_eq!(d(Distance::Euclidean), [5.0, 4.0, 3.0]);
    assert_eq!(d(Distance::SquaredEuclidean), [25.0, 16.0, 9.0]);
    assert_eq!(
        d(Distance::Mahalanobis(Precision::Diagonal(vec![1.0, 4.0]))),
        [73f64.sqrt(), 8.0, 3.0]
    );
    let full = array![[1.0, 0.5], [0.5, 4.0]];
    // (3,4): 9 + 2*0.5*12 + 64 = 85.
    assert_eq!(
        d(Distance::Mahalanobis(Precision::Full(full)))[0],
        85f64.sqrt()
    );
    let patterns = array![[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 2.0, 1.0]];
    let r = rdm(patterns.view(), &Distance::Correlation).unwrap();
    assert!(r[0].abs() < 1e-15 && (r[1] - 2.0).abs() < 1e-15, "{r:?}");
    let flat = array![[1.0, 2.0], [2.0, 2.0], [3.0, 1.0]];
    assert!(matches!(
        rdm(flat.view(), &Distance::Correlation),
        Err(RsaError::Constant { .. })
    ));
    assert!(rdm(x.slice(ndarray::s![..2, ..]), &Distance::Euclidean).is_err());
    assert!(
        rdm(
            x.view(),
            &Distance::Mahalanobis(Precision::Diagonal(vec![1.0]))
        )
        .is_err()
    );
}

#[test]
fn crossnobis_by_hand_and_unbiased() {
    let a = array![[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]];
    let b = array![[0.0, 0.0], [1.0, 1.0], [0.0, -1.0]];
    // (2,0).(1,1)/2 = 1; (0,1).(0,-1)/2 = -1/2; (2,-1).(1,2)/2 = 0.
    let d = crossnobis(&[a.view(), b.view()], None).unwrap();
    assert_eq!(d, [1.0, -0.5, 0.0]);
    let d = crossnobis(
        &[a.view(), b.view()],
        Some(&Precision::Diagonal(vec![2.0, 1.0])),
    )
    .unwrap();
    assert_eq!(d, [2.0, -0.5, 1.0]);
    // Three folds against all pairs of folds in full.
    let c = array![[1.0, 0.5], [0.0, 2.0], [-1.0, 1.0]];
    let folds = [a, b, c];
    let d = crossnobis(&[folds[0].view(), folds[1].view(), folds[2].view()], None).unwrap();
    let mut plain = 0.0;
    for i in 0..3 {
        for j in 0..3 {
            if i != j {
                let dx = &folds[i].row(0) - &folds[i].row(1);
                let dy = &folds[j].row(0) - &folds[j].row(1);
                plain += dx.dot(&dy) / 12.0;
            }
        }
    }
    assert!((d[0] - plain).abs() < 1e-12);
    assert!(crossnobis(&[folds[0].view()], None).is_err());
}

#[test]
fn thousands_of_channels_take_no_more_than_a_copy() {
    // 30 x 7000: an array of conditions x channels x channels would take 11 GiB.
    let x = Array2::from_shape_fn((30, 7000), |(i, c)| ((i * 31 + c * 7) as f64).sin());
    let d = rdm(
        x.view(),
        &Distance::Mahalanobis(Precision::Diagonal(vec![1.0; 7000])),
    )
    .unwrap();
    let e = rdm(x.view(), &Distance::Euclidean).unwrap();
    assert!(d.iter().zip(&e).all(|(a, b)| (a - b).abs() < 1e-9));
}

#[test]
fn likeness_by_hand() {
    let (a, b) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0]);
    assert!((kendall_tau_a(&a, &b) - 4.0 / 6.0).abs() < 1e-15);
    assert_eq!(Similarity::Spearman.of(&a, &b), 0.8);
    assert!((Similarity::Cosine.of(&a, &b) - 29.0 / 30.0).abs() < 1e-15);
    // A binary model: ties count as neither.
    let model = [0.0, 0.0, 1.0, 1.0];
    assert!((kendall_tau_a(&a, &model) - 4.0 / 6.0).abs() < 1e-15);
    for how in [
        Similarity::Spearman,
        Similarity::Pearson,
        Similarity::KendallTauA,
    ] {
        assert!(how.of(&a, &[1.0; 4]).is_nan(), "{how:?}");
    }
    assert!(Similarity::Cosine.of(&a, &[0.0; 4]).is_nan());
}

proptest! {
    #[test]
    fn kendall_equals_its_definition(x in prop::collection::vec((0i32..6, 0i32..60), 2..150)) {
        let a: Vec<f64> = x.iter().map(|p| f64::from(p.0)).collect();
        let b: Vec<f64> = x.iter().map(|p| f64::from(p.1)).collect();
        let mut sum = 0.0;
        for i in 0..a.len() {
            for j in i + 1..a.len() {
                let product: f64 = (a[i] - a[j]) * (b[i] - b[j]);
                sum += if product == 0.0 { 0.0 } else { product.signum() };
            }
        }
        let plain = sum / (a.len() * (a.len() - 1) / 2) as f64;
        let fast = kendall_tau_a(&a, &b);
        let constant = |x: &[f64]| x.iter().all(|&v| v == x[0]);
        if constant(&a) || constant(&b) {
            prop_assert!(fast.is_nan());
        } else {
            prop_assert!((fast - plain).abs() < 1e-12);
        }
    }

    #[test]
    fn many_at_once_equal_one_by_one(seed in any::<u64>()) {
        let (x, y) = (super::planted(2, 2, 6, seed), super::planted(3, 2, 6, seed ^ 1));
        for how in [Similarity::Spearman, Similarity::Pearson, Similarity::Cosine, Similarity::KendallTauA] {
            let all = compare(&x, &y, how).unwrap();
            for ((i, j), v) in all.indexed_iter() {
                let one = how.of(&x.vector(i).to_vec(), &y.vector(j).to_vec());
                prop_assert!((v - one).abs() < 1e-12);
            }
            // With themselves half the cells are done: to the last bit those of a copy.
            let many = super::planted(5, 4, 6, seed);
            let itself = compare(&many, &many, how).unwrap();
            prop_assert_eq!(itself, compare(&many, &many.clone(), how).unwrap());
        }
    }

    #[test]
    fn distances_do_not_see_the_order_of_channels(x in prop::collection::vec(-5.0f64..5.0, 24)) {
        let a = Array2::from_shape_vec((4, 6), x).unwrap();
        let mirrored = a.slice(ndarray::s![.., ..;-1]).to_owned();
        let d = |m: &Array2<f64>| rdm(m.view(), &Distance::Euclidean).unwrap();
        prop_assert!(d(&a).iter().zip(d(&mirrored)).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

/// Ranks in whole numbers, in several blocks (4950 pairs), and beyond their range (12,720 pairs).
#[test]
fn spearman_of_large_rdms_equals_pearson_of_ranks() {
    for n in [100, 160] {
        let rdms = super::planted(2, 3, n, 3);
        let all = compare(&rdms, &rdms, Similarity::Spearman).unwrap();
        for ((i, j), v) in all.indexed_iter() {
            let one = stats::spearman(&rdms.vector(i).to_vec(), &rdms.vector(j).to_vec());
            assert!((v - one).abs() < 1e-12, "{n}, {i}, {j}: {v} and {one}");
        }
        assert!((0..6).all(|i| all[[i, i]] > 1.0 - 1e-12));
    }
}
