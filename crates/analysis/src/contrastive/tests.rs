use super::loss::prototype_loss;
use super::project::{Embedding, gelu};
use super::*;
use chiasm_core::{Quiet, Streams};
use ndarray::{Array1, arr2, s};
use statrs::function::erf::erf;

fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut rng = Streams::new(seed).stream("values");
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

#[test]
fn the_loss_of_orthonormal_batches_is_known() {
    for (n, temperature) in [(2, 1.0), (8, 1.0), (8, 0.1), (16, 0.07), (5, 10.0)] {
        // Signed unit vectors of 20 dimensions, the same on both sides.
        let z = Array2::from_shape_fn(
            (n, 20),
            |(i, d)| if d == i + 3 { [1.0, -1.0][i % 2] } else { 0.0 },
        );
        let labels: Vec<usize> = (0..n).collect();
        let found = loss(z.view(), z.view(), &labels, temperature)
            .unwrap()
            .value;
        let expected = (1.0 + (n as f64 - 1.0) * (-1.0 / temperature).exp()).ln();
        assert!(
            (found - expected).abs() < 1e-7,
            "{n} {temperature}: {found} {expected}"
        );
    }
}

#[test]
fn the_loss_of_one_class_is_that_of_equal_shares() {
    // All of one label, on the spot: the softmax is uniform and so is the target.
    let z = arr2(&[[1.0f32, 0.0], [1.0, 0.0], [1.0, 0.0]]);
    let found = loss(z.view(), z.view(), &[4, 4, 4], 0.5).unwrap();
    assert!((found.value - 3f64.ln()).abs() < 1e-7);
    assert!(found.at_a.iter().chain(&found.at_b).all(|g| g.abs() < 1e-6));
}

/// The slope of `f` along `direction`, by central differences.
fn slope(f: impl Fn(&Array2<f32>) -> f64, at: &Array2<f32>, direction: &Array2<f32>) -> f64 {
    const H: f32 = 1e-2;
    (f(&(at + &(direction * H))) - f(&(at - &(direction * H)))) / f64::from(2.0 * H)
}

fn dot(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

#[test]
fn gradients_of_both_losses_are_those_of_finite_differences() {
    let (a, b) = (normal(6, 4, 1), normal(6, 4, 2));
    let labels = [0, 1, 2, 1, 0, 0];
    let found = loss(a.view(), b.view(), &labels, 0.7).unwrap();
    for k in 0..5 {
        let along = normal(6, 4, 10 + k);
        let at_a = slope(
            |a| loss(a.view(), b.view(), &labels, 0.7).unwrap().value,
            &a,
            &along,
        );
        assert!((at_a - dot(&found.at_a, &along)).abs() < 1e-3);
        let at_b = slope(
            |b| loss(a.view(), b.view(), &labels, 0.7).unwrap().value,
            &b,
            &along,
        );
        assert!((at_b - dot(&found.at_b, &along)).abs() < 1e-3);
    }
    let prototypes = normal(3, 4, 3);
    let found = prototype_loss(prototypes.view(), b.view(), &labels, 2.0);
    for k in 0..5 {
        let along = normal(3, 4, 20 + k);
        let at = |p: &Array2<f32>| prototype_loss(p.view(), b.view(), &labels, 2.0).value;
        assert!((slope(at, &prototypes, &along) - dot(&found.at_a, &along)).abs() < 1e-3);
        let along = normal(6, 4, 30 + k);
        let at = |b: &Array2<f32>| prototype_loss(prototypes.view(), b.view(), &labels, 2.0).value;
        assert!((slope(at, &b, &along) - dot(&found.at_b, &along)).abs() < 1e-3);
    }
}

#[test]
fn the_way_back_through_a_projection_is_that_of_finite_differences() {
    let (weights, x, target) = (normal(5, 7, 1), normal(1, 7, 2), normal(1, 5, 3));
    let features = x.row(0).to_vec();
    for normalize in [false, true] {
        let embedded = |weights: &Array2<f32>| {
            let mut one = Embedding::new(5);
            one.set(weights.as_slice().unwrap(), &features, normalize);
            one
        };
        let value = |weights: &Array2<f32>| -> f64 {
            let one = embedded(weights);
            one.z
                .iter()
                .zip(&target)
                .map(|(z, t)| f64::from(z * t))
                .sum()
        };
        let mut gradient = Array2::zeros((5, 7));
        let at_z = target.row(0).to_vec();
        embedded(&weights).back(&at_z, &features, gradient.as_slice_mut().unwrap());
        for k in 0..5 {
            let along = normal(5, 7, 10 + k);
            let expected = slope(value, &weights, &along);
            let found = dot(&gradient, &along);
            assert!(
                (found - expected).abs() < 2e-2 * expected.abs().max(0.5),
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn the_unit_and_its_derivative_are_those_of_the_error_function() {
    for k in -600..=600 {
        let x = f64::from(k) / 100.0;
        let cumulative = (1.0 + erf(x / 2f64.sqrt())) / 2.0;
        let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let (value, slope) = gelu(x as f32);
        assert!((f64::from(value) - x * cumulative).abs() < 2e-6, "{x}");
        assert!(
            (f64::from(slope) - cumulative - x * density).abs() < 2e-6,
            "{x}"
        );
    }
}

/// Both sides are noisy linear images of one direction for each class.
fn planted(n: usize, n_classes: usize, noise: f32) -> (Array2<f32>, Array2<f32>, Vec<usize>) {
    let labels: Vec<usize> = (0..n).map(|i| i % n_classes).collect();
    let side = |width: usize, seed: u64| {
        let centers = normal(n_classes, width, seed);
        let mut x = normal(n, width, seed + 1) * noise;
        for (mut row, label) in x.outer_iter_mut().zip(&labels) {
            row += &centers.row(*label);
        }
        x
    };
    (side(30, 100), side(20, 200), labels)
}

#[test]
fn both_objectives_bring_classes_together_that_untrained_projections_do_not() {
    let (a, b, labels) = planted(700, 7, 0.7);
    let (train, test) = (s![..350, ..], s![350.., ..]);
    let pairs = Pairs::new(a.slice(train), b.slice(train), &labels[..350]).unwrap();
    let streams = Streams::new(5);
    let scored = |projections: &Projections| {
        let za = projections.embed_a(a.slice(test)).unwrap();
        let zb = projections.embed_b(b.slice(test)).unwrap();
        top_1(zb.view(), &labels[350..], za.view(), &labels[350..]).unwrap()
    };
    for objective in [Objective::Pairs, Objective::Prototypes { support: 4 }] {
        let contrastive = Contrastive {
            dimension: 16,
            passes: 30,
            temperature: 0.2,
            objective,
            ..Contrastive::default()
        };
        let untrained = scored(&contrastive.untrained(30, 20, &streams));
        let fitted = contrastive.fit(&pairs, &streams, &Quiet).unwrap();
        let trained = scored(&fitted.projections);
        assert!(untrained < 0.5, "{objective:?}: {untrained}");
        assert!(trained > 0.9, "{objective:?}: {trained}");
        assert!(fitted.loss[29] < 0.7 * fitted.loss[0], "{objective:?}");
        assert_eq!(fitted, contrastive.fit(&pairs, &streams, &Quiet).unwrap());
    }
}

#[test]
fn embeddings_have_length_1_and_the_features_of_nothing_none() {
    let projections = Contrastive::default().untrained(9, 4, &Streams::new(1));
    let mut x = normal(5, 9, 2);
    x.row_mut(3).fill(0.0);
    let z = projections.embed_a(x.view()).unwrap();
    let lengths: Array1<f32> = z.map_axis(ndarray::Axis(1), |z| z.dot(&z));
    for (i, length) in lengths.iter().enumerate() {
        let expected = if i == 3 { 0.0 } else { 1.0 };
        assert!((length - expected).abs() < 1e-5);
    }
}

#[test]
fn look_ups_by_hand() {
    let bank = arr2(&[[1.0f32, 0.0], [0.0, 1.0], [0.7, 0.7]]);
    let queries = arr2(&[[0.9f32, 0.1], [0.1, 0.9]]);
    let order = ranked(queries.view(), bank.view()).unwrap();
    assert_eq!(order, [[0, 2, 1], [1, 2, 0]]);
    let right = top_1(queries.view(), &[5, 6], bank.view(), &[5, 5, 6]).unwrap();
    assert_eq!(right, 0.5);
    let table = class_similarity(queries.view(), &[0, 0], bank.view(), &[0, 1, 1], 2).unwrap();
    // The mean query is (0.5, 0.5); class 1 of the bank lies around (0.35, 0.85).
    let expected = arr2(&[[0.5, 0.6], [0.0, 0.0]]);
    assert!(
        table
            .iter()
            .zip(&expected)
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
}

#[test]
fn the_sign_test_by_hand() {
    assert_eq!(sign_test(0, 0), 1.0);
    assert_eq!(sign_test(5, 10), 1.0);
    for wins in [9, 1] {
        assert!((sign_test(wins, 10) - 22.0 / 1024.0).abs() < 1e-12);
    }
    let found = ZeroShot::of(&[0.5, 0.75, 0.25, 1.0], 0.5).unwrap();
    assert_eq!(
        (found.mean, found.wins, found.losses, found.p),
        (0.625, 2, 1, 1.0)
    );
    assert!((found.sd - (0.3125f64 / 3.0).sqrt()).abs() < 1e-12);
    assert!(ZeroShot::of(&[0.5], 0.5).is_err() && ZeroShot::of(&[0.5, f64::NAN], 0.5).is_err());
}

#[test]
fn pairs_are_the_ith_of_each_class() {
    let pairs = pair_up(&[1, 0, 1, 0, 1], &[0, 0, 0, 1, 1]).unwrap();
    assert_eq!(pairs, [(1, 0), (3, 1), (0, 3), (2, 4)]);
    let unequal = ContrastiveError::UnequalClasses {
        class: 2,
        has: "b",
        lacks: "a",
    };
    assert_eq!(
        pair_up(&[0, 0, 1, 1], &[0, 0, 1, 1, 2, 2]).unwrap_err(),
        unequal
    );
    let few = pair_up(&[0, 0, 1], &[0, 0, 1, 1]).unwrap_err();
    assert_eq!(
        few.to_string(),
        "class 1: expected at least 2 items on side a, found 1"
    );
}

#[test]
fn multiply_accumulates_are_those_of_the_card_s_model() {
    let contrastive = Contrastive::default();
    // Two products with each projection, three of 8 similarities in 64 dimensions.
    assert_eq!(
        contrastive.macs_per_pass(10, 200, 100, 7),
        10 * (2 * 64 * 300 + 3 * 64 * 8)
    );
    let prototypes = Contrastive {
        objective: Objective::Prototypes { support: 5 },
        ..contrastive
    };
    let macs = prototypes.macs_per_pass(16, 200, 100, 7);
    assert_eq!(
        macs,
        16 * (2 * 64 * 100 + 3 * 64 * 7) + 2 * 35 * 2 * 64 * 200
    );
}

#[test]
fn faults_are_named() {
    let (a, b) = (normal(4, 3, 1), normal(4, 2, 2));
    assert!(Pairs::new(a.view(), b.slice(s![..3, ..]), &[0, 0, 1, 1]).is_err());
    let alone = Pairs::new(a.view(), b.view(), &[0, 0, 0, 1]).unwrap_err();
    assert!(matches!(alone, ContrastiveError::TooFew { class: 1, .. }));
    let mut broken = b.clone();
    broken[[2, 1]] = f32::NAN;
    let error = Pairs::new(a.view(), broken.view(), &[0, 0, 1, 1]).unwrap_err();
    assert!(
        error.to_string().starts_with("side b, item 2, feature 1"),
        "{error}"
    );
    let pairs = Pairs::new(a.view(), b.view(), &[0, 0, 1, 1]).unwrap();
    let refused = |config: Contrastive| match config.fit(&pairs, &Streams::new(0), &Quiet) {
        Err(ContrastiveError::Setting(e)) => e.field,
        other => panic!("{other:?}"),
    };
    let config = Contrastive::default();
    assert_eq!(
        refused(Contrastive {
            dimension: 0,
            ..config
        }),
        "dimension"
    );
    assert_eq!(
        refused(Contrastive {
            temperature: 0.0,
            ..config
        }),
        "temperature"
    );
    assert_eq!(
        refused(Contrastive {
            rate: f64::NAN,
            ..config
        }),
        "rate"
    );
    assert_eq!(refused(Contrastive { batch: 1, ..config }), "batch");
    assert_eq!(
        refused(Contrastive {
            passes: 0,
            ..config
        }),
        "passes"
    );
    let objective = Objective::Prototypes { support: 0 };
    assert_eq!(
        refused(Contrastive {
            objective,
            ..config
        }),
        "objective.prototypes.support"
    );
    assert!(top_1(a.view(), &[0; 4], b.view(), &[0; 4]).is_err());
    assert!(loss(a.view(), a.view(), &[0; 3], 1.0).is_err());
}
