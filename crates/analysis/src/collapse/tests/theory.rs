use chiasm_core::{Quiet, Streams};
use ndarray::Array2;
use proptest::prelude::*;

use super::{close, draws};
use crate::collapse::{
    FeatureModel, Features, Flow, Form, Minimum, Perturbation, Rule, Stop, block_spectrum,
};

const SHAPE: (usize, usize, usize) = (4, 10, 10);

fn model(lambda_w: f64, lambda_h: f64, beta: f64) -> FeatureModel {
    FeatureModel {
        lambda_w,
        lambda_h,
        beta,
    }
}

fn collapsed(model: &FeatureModel, shape: (usize, usize, usize), seed: u64) -> Minimum {
    model
        .collapsed(shape, &mut Streams::new(seed).stream("frame"))
        .unwrap()
}

fn start(seed: u64) -> Features {
    Features::new(draws(10, 40, seed), 4).unwrap()
}

fn most(a: &Array2<f64>) -> f64 {
    a.iter().fold(0.0, |m, v| m.max(v.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Card 22, works when 1.
    #[test]
    fn the_collapsed_minimum_has_no_gradient_and_its_value(
        lw in 0.01f64..2.0, c in 0.05f64..0.95, k in 2usize..6, more in 0usize..5, n in 1usize..6, seed in 0u64..99
    ) {
        let model = model(lw, c * c / lw, 10.0);
        let found = collapsed(&model, (k, n, k + more), seed);
        let (w, h) = (found.classifier.view(), &found.features);
        let (by_w, by_h) = model.eq1().gradient(w, h, None).unwrap();
        prop_assert!(most(&by_w).max(most(&by_h)) < 1e-12);
        let value = model.eq1().value(w, h, None).unwrap();
        prop_assert!((value - (c - c * c / 2.0)).abs() < 1e-12);
        // With these features given, the spring is at rest: the minimum of Eq. 2 is the same.
        let (by_w, by_h) = model.gradient(w, h, Some(h)).unwrap();
        prop_assert!(most(&by_w).max(most(&by_h)) < 1e-12);
    }

    /// The gradient is that of the objective.
    #[test]
    fn the_gradient_is_that_of_finite_differences(seed in 0u64..99) {
        let model = model(0.3, 0.2, 1.5);
        let (w, h) = (draws(3, 4, seed), Features::new(draws(4, 6, seed + 1), 3).unwrap());
        let h0 = Features::new(draws(4, 6, seed + 2), 3).unwrap();
        let (by_w, by_h) = model.gradient(w.view(), &h, Some(&h0)).unwrap();
        let step = 1e-6;
        let value = |w: &Array2<f64>, h: Array2<f64>| {
            model.value(w.view(), &Features::new(h, 3).unwrap(), Some(&h0)).unwrap()
        };
        let (mut up, mut down) = (w.clone(), w.clone());
        up[[1, 2]] += step;
        down[[1, 2]] -= step;
        let own = h.values().to_owned();
        let slope = (value(&up, own.clone()) - value(&down, own.clone())) / (2.0 * step);
        prop_assert!((slope - by_w[[1, 2]]).abs() < 1e-8);
        let (mut up, mut down) = (own.clone(), own);
        up[[3, 5]] += step;
        down[[3, 5]] -= step;
        let slope = (value(&w, up) - value(&w, down)) / (2.0 * step);
        prop_assert!((slope - by_h[[3, 5]]).abs() < 1e-8);
    }
}

#[test]
fn above_the_threshold_nothing_is_learned() {
    let model = model(2.0, 1.0, 0.0);
    assert!(model.strength() > 1.0);
    let found = model.minimize(&start(1), Stop::default(), &Quiet).unwrap();
    assert!(most(&found.classifier) < 1e-9 && most(&found.features.values().to_owned()) < 1e-9);
    let value = model
        .value(found.classifier.view(), &found.features, None)
        .unwrap();
    assert!((value - 0.5).abs() < 1e-12);
    let exact = collapsed(&FeatureModel { beta: 1.0, ..model }, SHAPE, 1);
    assert_eq!(most(&exact.classifier), 0.0);
}

#[test]
fn the_search_finds_the_collapsed_minimum_without_a_spring() {
    let model = model(0.5, 0.1, 0.0);
    let found = model.minimize(&start(2), Stop::default(), &Quiet).unwrap();
    let c = model.strength();
    let value = model
        .value(found.classifier.view(), &found.features, None)
        .unwrap();
    assert!((value - (c - c * c / 2.0)).abs() < 1e-12);
    let seen = found.classifier.dot(&found.features.means());
    let apart = seen - Array2::<f64>::eye(4) * (1.0 - c);
    assert!(most(&apart) < 1e-8, "{}", most(&apart));
}

/// Card 22, works when 2: the reference values.
#[test]
fn spectra_at_collapse_match_the_closed_form_and_the_reference() {
    let model = FeatureModel::default();
    let minimum = collapsed(&model, SHAPE, 3);
    let operator = Perturbation::at(&model, &minimum).unwrap();
    let stairs = model.staircase(SHAPE).unwrap();
    let expected = [
        (1.0, 6),
        (0.9995, 54),
        (0.999_266, 3),
        (0.998_532, 1),
        (0.998_12, 36),
    ];
    for ((value, n), (reference, m)) in stairs.own.iter().zip(expected) {
        assert!((value - reference).abs() < 5e-7 && *n == m, "{value} {n}");
    }
    let dense = operator.dense(Form::LargeBeta).unwrap();
    for k in 0..4 {
        let own = block_spectrum(operator.block(&dense, k, k)).unwrap();
        assert!(stairs.deviation(&own) < 1e-10, "{}", stairs.deviation(&own));
        assert!((own[99] - 0.998_119_698_453_4).abs() < 1e-12);
    }
    let cross = block_spectrum(operator.block(&dense, 0, 2)).unwrap();
    assert!((cross[0] - 0.000_734_085_205_15).abs() < 1e-13 && cross[1] < 1e-12);
    assert!((cross[0] - stairs.cross).abs() < 1e-13);
    let dense = operator.dense(Form::Exact).unwrap();
    let own = block_spectrum(operator.block(&dense, 1, 1)).unwrap();
    assert!((own[99] - 0.998_123_227_4).abs() < 1e-10);
    assert!((own[99] - 100.0 / (100.0 + (0.05 / 2f64.sqrt()).sqrt())).abs() < 1e-12);
    let plateau = 100.0 / 100.05;
    assert_eq!(
        own.iter().filter(|s| (**s - plateau).abs() < 1e-11).count(),
        54
    );
    let cross = block_spectrum(operator.block(&dense, 0, 1)).unwrap();
    assert!((cross[0] - 0.000_733_009_0).abs() < 1e-10);
}

/// Card 22, works when 3.
#[test]
fn the_exact_operator_is_the_derivative_of_the_minimum() {
    let model = FeatureModel::default();
    let minimum = collapsed(&model, SHAPE, 4);
    let operator = Perturbation::at(&model, &minimum).unwrap();
    let change = draws(10, 40, 5);
    let expected = operator.apply(Form::Exact, change.view()).unwrap();
    let size = |a: &Array2<f64>| a.iter().map(|v| v * v).sum::<f64>().sqrt();
    let error = |step: f64| {
        let moved = Features::new(&minimum.features.values() + &(&change * step), 4).unwrap();
        let found = model.minimize(&moved, Stop::default(), &Quiet).unwrap();
        let slope = (&found.features.values() - &minimum.features.values()) / step;
        size(&(slope - &expected)) / size(&expected)
    };
    assert!(error(1e-6) < 1e-4, "{}", error(1e-6));
    let halved = error(1e-3) / error(5e-4);
    assert!((halved - 2.0).abs() < 0.05, "{halved}");
    // The two forms differ at second order in 1/beta.
    let near = operator.apply(Form::LargeBeta, change.view()).unwrap();
    assert!(size(&(near - &expected)) / size(&expected) < 3.0 / 1e4);
    // The classifier follows as the minimum does.
    let moved = Features::new(&minimum.features.values() + &(&change * 1e-6), 4).unwrap();
    let found = model.minimize(&moved, Stop::default(), &Quiet).unwrap();
    let slope = (found.classifier - &minimum.classifier) / 1e-6;
    let own = operator.classifier_change(expected.view());
    assert!(size(&(slope - &own)) / size(&own) < 1e-3);
}

/// Card 22, works when 4.
#[test]
fn along_the_flow_scatter_within_falls_and_between_rises() {
    for (lambda_h, rule, step) in [
        (0.0, Rule::Euler, 0.01),
        (0.02, Rule::Euler, 0.01),
        (0.02, Rule::Rk4, 0.05),
    ] {
        let model = model(0.05, lambda_h, 1.0);
        let flow = Flow {
            rule,
            step,
            time: 4.0,
        };
        let (_, course) = flow.run(&model, &start(6), &Quiet).unwrap();
        assert_eq!(course.violations(1e-9), Default::default(), "{lambda_h}");
        let quotients = course.quotients();
        assert!(quotients[quotients.len() - 1] < 0.5 * quotients[0]);
    }
    // Both rules go the same way.
    let model = model(0.05, 0.02, 1.0);
    let end = |rule, step| {
        let flow = Flow {
            rule,
            step,
            time: 1.0,
        };
        flow.run(&model, &start(6), &Quiet)
            .unwrap()
            .0
            .scatter()
            .quotient()
    };
    assert!(close(end(Rule::Euler, 1e-3), end(Rule::Rk4, 0.05), 1e-3));
    assert!(close(end(Rule::Rk4, 0.025), end(Rule::Rk4, 0.05), 1e-5));
}

#[test]
fn the_minimum_is_less_scattered_than_what_was_given_and_the_more_so_the_weaker_the_spring() {
    let h0 = start(7);
    let given = h0.scatter().quotient();
    let found: Vec<f64> = [0.1, 1.0, 10.0, 100.0, 1000.0]
        .map(|beta| {
            let model = model(0.05, 0.02, beta);
            model
                .minimize(&h0, Stop::default(), &Quiet)
                .unwrap()
                .features
                .scatter()
                .quotient()
        })
        .to_vec();
    assert!(
        found.windows(2).all(|w| w[0] < w[1]) && found[4] < given,
        "{found:?} {given}"
    );
    assert!(given - found[4] < 0.01 * given);
}

#[test]
fn samples_are_sorted_by_class() {
    let x = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]);
    let found = Features::from_samples(x.view(), &[1, 0, 1, 0], 2).unwrap();
    assert_eq!(found.values().row(0).to_vec(), [3.0, 7.0, 1.0, 5.0]);
    assert_eq!(found.means().column(1).to_vec(), [3.0, 4.0]);
}
