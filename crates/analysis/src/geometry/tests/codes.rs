use ndarray::array;
use proptest::prelude::*;

use super::*;

fn score(points: &Array2<f64>, dichotomy: &Dichotomy, pairing: Pairing) -> f64 {
    parallelism(points.view(), dichotomy, pairing)
        .unwrap()
        .score
}

#[test]
fn faces_of_a_cube_are_parallel_and_corners_of_a_simplex_orthogonal() {
    for which in 0..3 {
        let points = cube(3, 3, 1);
        // Random edges are far from orthogonal, so that the nearest corner need not be the one along the edge.
        let face = score(&points, &bit(3, which), Pairing::Best);
        assert!((face - 1.0).abs() < 1e-12, "{face}");
        let square = Array2::from_shape_fn((8, 3), |(c, b)| (c >> b & 1) as f64);
        let face = score(&square, &bit(3, which), Pairing::Nearest);
        assert!((face - 1.0).abs() < 1e-12, "{face}");
    }
    let simplex = Array2::eye(8);
    for pairing in [Pairing::Nearest, Pairing::Best] {
        assert!(score(&simplex, &bit(3, 0), pairing).abs() < 1e-12);
    }
    // The parity of a square: (1, -1) and (1, 1), orthogonal whichever way corners are paired.
    let square = array![[0., 0.], [0., 1.], [1., 0.], [1., 1.]];
    let parity = bit(2, 2);
    assert_eq!(parity.labels(), [false, true, true, false]);
    let nearest = score(&square, &parity, Pairing::Nearest);
    assert!((nearest + 1.0).abs() < 1e-12, "{nearest}");
}

#[test]
fn pairs_name_the_positive_condition_first_whichever_class_is_smaller() {
    let points = array![[0., 0.], [10., 0.], [0., 1.], [10., 1.], [50., 50.]];
    let few = Dichotomy::new(vec![false, false, true, true, false]).unwrap();
    let found = parallelism(points.view(), &few, Pairing::Nearest).unwrap();
    assert_eq!(found.pairs, [(2, 0), (3, 1)]);
    assert!((found.score - 1.0).abs() < 1e-12);
    let found = parallelism(points.view(), &few.mirrored(), Pairing::Best).unwrap();
    assert_eq!(found.pairs, [(0, 2), (1, 3)]);
}

#[test]
fn a_factorized_code_generalizes_and_a_simplex_need_not() {
    let svm = Svm::default();
    let points = cube(4, 20, 2);
    let samples = Samples::of_means(points.view()).unwrap();
    for which in 0..4 {
        let found = parallelism(points.view(), &bit(4, which), Pairing::Nearest).unwrap();
        let across = ccgp(&samples, &bit(4, which), &found.pairs, 100, &svm).unwrap();
        assert_eq!(across.accuracy, 1.0);
        assert_eq!(across.contexts.len(), 8);
    }
    let some = parallelism(points.view(), &bit(4, 0), Pairing::Nearest).unwrap();
    let across = ccgp(&samples, &bit(4, 0), &some.pairs, 3, &svm).unwrap();
    assert_eq!(across.contexts.len(), 3);
    // On a simplex what is left out lies in directions never seen: the bias decides, for both of a pair alike.
    let simplex = Array2::eye(8);
    let samples = Samples::of_means(simplex.view()).unwrap();
    let found = parallelism(simplex.view(), &bit(3, 0), Pairing::Nearest).unwrap();
    let across = ccgp(&samples, &bit(3, 0), &found.pairs, 100, &svm).unwrap();
    assert!((across.accuracy - 0.5).abs() < 0.01, "{}", across.accuracy);
}

#[test]
fn the_arc_goes_from_inputs_to_targets_and_nothing_lies_above() {
    let arc = FeasibleArc { between: 0.4 };
    let (x, y) = arc.points(5);
    assert!((x[0] - 1.0).abs() < 1e-12 && (y[0] - 0.4).abs() < 1e-12);
    assert!((x[4] - 0.4).abs() < 1e-12 && (y[4] - 1.0).abs() < 1e-12);
    for (a, b) in x.iter().zip(&y) {
        assert!((arc.most(*a) - b).abs() < 1e-9, "{a} {b} {}", arc.most(*a));
    }
    // As the paper writes it.
    let turned = (std::f64::consts::FRAC_PI_2 - 0.4f64.acos()) / 2.0;
    let t = 0.7f64;
    assert!((arc.most((t - turned).cos()) - (t + turned).sin()).abs() < 1e-12);
    assert_eq!(arc.most(0.2), 1.0);
    assert_eq!(FeasibleArc { between: 1.0 }.points(3).0, [1.0; 3]);
}

#[test]
fn single_units_are_described() {
    let first = bit(2, 0);
    let points = array![
        [0., 1., 5., 0.],
        [0., 2., 5., 0.],
        [3., 1., 5., 0.],
        [3., 2., 5., 2.]
    ];
    let found = selectivity(points.view(), &[first.clone(), bit(2, 1)]).unwrap();
    assert!((found[[0, 0]] - 1.0).abs() < 1e-12 && found[[0, 1]].abs() < 1e-12);
    assert!(found[[1, 0]].abs() < 1e-12 && (found[[1, 1]] - 1.0).abs() < 1e-12);
    assert_eq!(found[[2, 0]], 0.0);
    // (0, 0, 0, 2): a third of its variance is along each parity.
    assert!((found[[3, 0]] - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(sparsity(points.view()).unwrap(), 11.0 / 16.0);
    assert_eq!(specialists(points.view()).unwrap(), 0.25);
    assert!(sparsity(Array2::zeros((0, 3)).view()).is_err());
}

#[test]
fn dichotomies_are_enumerated_drawn_and_refused() {
    let parities = Dichotomy::parities(8).unwrap();
    assert_eq!(parities.len(), 7);
    let first = [false, false, false, false, true, true, true, true];
    assert_eq!(parities[0].labels(), first);
    for (i, a) in parities.iter().enumerate() {
        for b in &parities[..i] {
            assert_eq!(a.signs().dot(&b.signs()), 0.0);
        }
    }
    assert_eq!(Dichotomy::balanced(4).unwrap().len(), 3);
    assert_eq!(Dichotomy::balanced(8).unwrap().len(), 35);
    let mut rng = Streams::new(1).stream("d");
    let drawn = Dichotomy::random(4, 10, &[bit(2, 0)], &mut rng);
    assert_eq!(drawn.len(), 2);
    assert!(drawn.iter().all(|d| d.members(true).len() == 2));
    let text = |e: GeometryError| e.to_string();
    assert!(text(Dichotomy::parities(12).unwrap_err()).contains("power of two"));
    assert!(text(Dichotomy::new(vec![true; 3]).unwrap_err()).contains("all of them are positive"));
    assert!(text(Dichotomy::new(vec![]).unwrap_err()).contains("negative"));
    assert!(Dichotomy::balanced(7).is_err());
}

#[test]
fn codes_that_have_no_geometry_are_refused() {
    let text = |e: GeometryError| e.to_string();
    let points = Array2::eye(4);
    let other = bit(3, 0);
    let found = parallelism(points.view(), &other, Pairing::Nearest);
    assert!(text(found.unwrap_err()).contains("expected 4, found 8"));
    let lone = Dichotomy::new(vec![true, false, false, false]).unwrap();
    let found = parallelism(points.view(), &lone, Pairing::Nearest);
    assert!(text(found.unwrap_err()).contains("at least 2"));
    let mut alike = points.clone();
    let row = alike.row(0).to_owned();
    alike.row_mut(2).assign(&row);
    let found = parallelism(alike.view(), &bit(2, 0), Pairing::Nearest);
    assert!(text(found.unwrap_err()).contains("represented alike"));
    let mut holes = points;
    holes[[3, 1]] = f64::NAN;
    let found = parallelism(holes.view(), &bit(2, 0), Pairing::Best);
    assert!(text(found.unwrap_err()).contains("row 3, unit 1"));
    let many = Array2::eye(32);
    let found = parallelism(many.view(), &bit(5, 0), Pairing::Best);
    assert!(text(found.unwrap_err()).contains("at most 8"));
}

proptest! {
    #[test]
    fn parallelism_does_not_see_order_of_units_shift_or_scale(seed in 0u64..500, scale in 0.1f64..9.0) {
        let points = normal((8, 5), seed);
        let mut moved = points.slice(ndarray::s![.., ..;-1]).to_owned() * scale;
        moved += 3.0;
        let dichotomy = bit(3, 1);
        let (a, b) = (score(&points, &dichotomy, Pairing::Nearest), score(&moved, &dichotomy, Pairing::Nearest));
        prop_assert!((a - b).abs() < 1e-9);
        let mirrored = score(&points, &dichotomy.mirrored(), Pairing::Nearest);
        prop_assert!((a - mirrored).abs() < 1e-9);
        prop_assert!(score(&points, &dichotomy, Pairing::Best) >= a - 1e-12);
    }
}
