use ndarray::array;
use proptest::prelude::*;

use super::*;

#[test]
fn two_opposite_points_have_the_solution_on_paper() {
    // Both duals are a with 2 a x^2 + a / 2c = 1 for the squared margin, at most c for the plain one; the bias is 0.
    for x in [0.3, 2.0] {
        for c in [0.1, 1.0, 50.0] {
            let samples = array![[x], [-x]];
            let squared = Svm {
                c,
                tolerance: 1e-12,
                ..Svm::default()
            };
            let found = squared.fit(samples.view(), &[true, false]).unwrap();
            let dual = 1.0 / (2.0 * x * x + 0.5 / c);
            assert!(
                (found.weights[0] - 2.0 * dual * x).abs() < 1e-9,
                "{found:?}"
            );
            assert!(found.bias.abs() < 1e-9);
            let hinge = Svm {
                margin: Margin::Hinge,
                ..squared
            };
            let found = hinge.fit(samples.view(), &[true, false]).unwrap();
            let dual = (1.0 / (2.0 * x * x)).min(c);
            assert!(
                (found.weights[0] - 2.0 * dual * x).abs() < 1e-9,
                "{found:?}"
            );
        }
    }
    // A point beside the origin: the bias is the weight of a feature of 1. w = a x, b = a, a (x^2 + 1) = 1 twice over
    // for x and a far point of the other class beyond its margin.
    let hard = Svm {
        c: 1e6,
        margin: Margin::Hinge,
        tolerance: 1e-12,
        ..Svm::default()
    };
    let found = hard
        .fit(array![[2.0], [-9.0]].view(), &[true, false])
        .unwrap();
    assert!((found.weights[0] - 0.4).abs() < 1e-9 && (found.bias - 0.2).abs() < 1e-9);
    assert_eq!(found.duals[1], 0.0);
}

/// Primal less dual objective: 0 at the optimum.
fn gap(svm: &Svm, samples: &Array2<f64>, labels: &[bool], found: &Separator) -> f64 {
    let size = found.weights.iter().map(|w| w * w).sum::<f64>() + found.bias.powi(2);
    let mut primal = 0.5 * size;
    let mut dual = -0.5 * size;
    for ((x, &p), a) in samples.rows().into_iter().zip(labels).zip(&found.duals) {
        let sign = if p { 1.0 } else { -1.0 };
        let within = (1.0 - sign * found.side(x)).max(0.0);
        primal += svm.c
            * if svm.margin == Margin::Hinge {
                within
            } else {
                within * within
            };
        dual += a;
        if svm.margin == Margin::Squared {
            dual -= a * a / (4.0 * svm.c);
        }
    }
    primal - dual
}

proptest! {
    #[test]
    fn no_gap_is_left_to_the_dual(seed in 0u64..200, c in 0.05f64..5.0) {
        let samples = normal((14, 3), seed);
        let labels: Vec<bool> = (0..14).map(|i| i % 3 == 0).collect();
        for margin in [Margin::Hinge, Margin::Squared] {
            let svm = Svm { c, margin, tolerance: 1e-8, passes: 1_000_000 };
            let found = svm.fit(samples.view(), &labels).unwrap();
            let gap = gap(&svm, &samples, &labels, &found);
            prop_assert!((-1e-9..1e-5).contains(&gap), "{gap}");
        }
    }
}

#[test]
fn noisy_means_are_told_by_how_far_they_lie_apart() {
    // Two points 2 d apart, noise 1: the right part is Phi(d).
    let means = array![[1.0, 0.0], [-1.0, 0.0]];
    let streams = Streams::new(5);
    let train = Samples::of_means(means.view()).unwrap();
    let test = Samples::noisy(means.view(), 1.0, 20_000, &streams).unwrap();
    let halves = Dichotomy::new(vec![true, false]).unwrap();
    let right = decode(&train, &test, &halves, &Svm::default()).unwrap();
    assert!((right - 0.8413).abs() < 0.006, "{right}");
    let small = Samples::noisy(means.view(), 1.0, 100, &streams).unwrap();
    let right = cross_validated(&small, &halves, 5, &Svm::default()).unwrap();
    assert!((right - 0.8413).abs() < 0.08, "{right}");
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let text = |e: GeometryError| e.to_string();
    let svm = Svm::default();
    let points = Array2::eye(3);
    assert!(text(svm.fit(points.view(), &[true; 3]).unwrap_err()).contains("positive"));
    assert!(text(svm.fit(points.view(), &[true, false]).unwrap_err()).contains("expected 3"));
    let bad = Svm { c: 0.0, ..svm };
    assert!(text(bad.fit(points.view(), &[true, false, true]).unwrap_err()).contains("`c`"));
    let hasty = Svm {
        passes: 1,
        tolerance: 1e-9,
        ..svm
    };
    let e = hasty.fit(normal((30, 4), 1).view(), &[true, false].repeat(15));
    assert!(text(e.unwrap_err()).contains("not converged after 1 passes"));
    let samples = Samples::of_means(Array2::eye(4).view()).unwrap();
    let first = bit(2, 0);
    let e = cross_validated(&samples, &first, 2, &svm).unwrap_err();
    assert!(text(e).contains("samples of condition 0"));
    assert!(text(cross_validated(&samples, &first, 1, &svm).unwrap_err()).contains("folds"));
    assert!(text(ccgp(&samples, &first, &[(2, 0)], 9, &svm).unwrap_err()).contains("pairs"));
    assert!(text(decode(&samples, &samples, &bit(3, 0), &svm).unwrap_err()).contains("found 8"));
    let e = Samples::new(Array2::zeros((2, 1)), vec![0, 5]).unwrap_err();
    assert!(text(e).contains("samples of condition 1"));
    assert!(Samples::new(Array2::zeros((2, 1)), vec![0]).is_err());
    assert!(Samples::new(Array2::zeros((0, 1)), vec![]).is_err());
    assert!(Samples::noisy(Array2::eye(2).view(), f64::NAN, 1, &Streams::new(0)).is_err());
}
