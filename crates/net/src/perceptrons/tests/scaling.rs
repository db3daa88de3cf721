use chiasm_core::Streams;

use crate::perceptrons::{Point, ScalingLaw, envelope, optimal_split, power_law};

#[test]
fn a_planted_law_is_found_with_and_without_its_floor() {
    let law = |c: f64| 0.9 * (2.0 + c).powf(-0.4) + 0.2;
    let points: Vec<Point> = (0..20)
        .map(|i| 1.5f64.powi(i))
        .map(|c| Point {
            compute: 1e12 * c,
            error: law(c),
        })
        .collect();
    let found = ScalingLaw::fit(&points).unwrap();
    assert!(
        (found.alpha - 0.4).abs() < 0.02 && (found.floor - 0.2).abs() < 0.01,
        "{found:?}"
    );
    assert!(found.rms < 1e-4 && (found.at(4e12) - law(4.0)).abs() < 1e-3);
    let pure = ScalingLaw::fit_pure(&points).unwrap();
    assert!(pure.rms > 20.0 * found.rms && pure.floor == 0.0 && pure.b == 0.0);
    let interval = ScalingLaw::interval(&points, 10, &mut Streams::new(1).stream("draws")).unwrap();
    assert!(
        interval.alpha.0 <= 0.41 && interval.alpha.1 >= 0.39,
        "{interval:?}"
    );
    assert!(ScalingLaw::fit(&points[..3]).is_err());
    assert!(
        ScalingLaw::fit(
            &[Point {
                compute: 0.0,
                error: 0.1
            }; 5]
        )
        .is_err()
    );
    // A pure power law is a straight line.
    let straight: Vec<Point> = (1..9)
        .map(|i| Point {
            compute: f64::from(i),
            error: 0.8 * f64::from(i).powf(-0.3),
        })
        .collect();
    let (slope, r2) = power_law(&straight);
    assert!((slope + 0.3).abs() < 1e-9 && (r2 - 1.0).abs() < 1e-9);
}

#[test]
fn the_envelope_is_what_no_cheaper_point_betters() {
    let p = |compute, error| Point { compute, error };
    let found = envelope(&[
        p(3.0, 0.5),
        p(1.0, 0.9),
        p(2.0, 0.95),
        p(4.0, 0.6),
        p(5.0, 0.4),
    ]);
    assert_eq!(found, [p(1.0, 0.9), p(3.0, 0.5), p(5.0, 0.4)]);
}

#[test]
fn a_planted_split_is_found() {
    // Error a / N^.5 + b / D^.5 at C = N D: the best N and D go with the square root of compute.
    let runs: Vec<(f64, f64, Vec<Point>)> = (0..25)
        .map(|i| {
            let n = 1.4f64.powi(i);
            let course = (0..30).map(|j| {
                let d = 1.3f64.powi(j);
                Point {
                    compute: n * d,
                    error: n.powf(-0.5) + d.powf(-0.5),
                }
            });
            (n, n, course.collect())
        })
        .collect();
    let split = optimal_split(&runs, 40).unwrap();
    // At both ends of the range sizes run out.
    assert!(
        (split.parameters - 0.5).abs() < 0.12 && (split.images - 0.5).abs() < 0.12,
        "{split:?}"
    );
    assert!(optimal_split(&runs[..1], 40).is_none());
}
