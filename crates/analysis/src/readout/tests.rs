use super::*;
use chiasm_core::Quiet;
use ndarray::{Array2, arr2};
use rand::RngExt;

/// Three clouds on a line through 20 features, apart by more than their width.
fn clouds(n: usize, seed: u64) -> (Array2<f32>, Vec<usize>) {
    let mut rng = Streams::new(seed).stream("clouds");
    let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
    let x = Array2::from_shape_fn((n, 20), |(i, j)| {
        let center = if j % 3 == labels[i] { 1.0 } else { 0.0 };
        center + 1.5 * (rng.random::<f32>() - 0.5)
    });
    (x, labels)
}

#[test]
fn the_gradient_is_that_of_the_loss() {
    let (x, labels) = clouds(11, 1);
    let model = LinearReadout {
        weights: Array2::from_shape_fn((3, 20), |(a, b)| ((a * 7 + b * 3) % 5) as f32 / 5.0 - 0.4),
        bias: ndarray::arr1(&[0.1, -0.2, 0.3]),
    };
    for soft_targets in [false, true] {
        let softmax = Softmax {
            soft_targets,
            ..Softmax::default()
        };
        let targets = softmax.targets(3);
        for row in targets.outer_iter() {
            assert!((row.sum() - 1.0).abs() < 1e-6);
        }
        let all: Vec<usize> = (0..11).collect();
        let at = |m: &LinearReadout| gradient(m, x.view(), &labels, &targets, &all);
        let found = at(&model);
        for index in [(0, 0), (1, 5), (2, 19)] {
            let moved = |by: f32| {
                let mut m = model.clone();
                m.weights[index] += by;
                at(&m).loss
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            let ours = f64::from(found.weights[index.0 * 20 + index.1]);
            assert!((slope - ours).abs() < 2e-3, "{slope} {ours}");
        }
        for class in 0..3 {
            let moved = |by: f32| {
                let mut m = model.clone();
                m.bias[class] += by;
                at(&m).loss
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((slope - f64::from(found.bias[class])).abs() < 2e-3);
        }
    }
    // The authors' target of ten classes: e / (e + 9 / e).
    let targets = Softmax {
        soft_targets: true,
        ..Softmax::default()
    }
    .targets(10);
    assert!(
        (targets[[4, 4]] - 0.450_853).abs() < 1e-5,
        "{}",
        targets[[4, 4]]
    );
}

#[test]
fn both_optimizers_take_the_steps_of_their_papers() {
    let step = |optimizer, gradients: &[f32]| {
        let (mut p, mut stepper) = ([0.0f32], Stepper::new(optimizer, 1));
        for g in gradients {
            stepper.step(p.iter_mut(), [*g].iter());
        }
        p[0]
    };
    // Adam's first step is its rate, whatever the gradient.
    let adam = Optimizer::Adam { rate: 0.01 };
    assert!((step(adam, &[3.0]) + 0.01).abs() < 1e-7);
    // m = 0.19 * 2, v = 0.001999 * 4, both divided by what they lack: again the sign.
    assert!((step(adam, &[2.0, 2.0]) + 0.02).abs() < 1e-6);
    // Adadelta: sqrt(1e-8 / (0.05 * 4 + 1e-8)) * 2.
    let adadelta = Optimizer::Adadelta { rate: 0.1 };
    let first = -0.1 * (1e-8f32 / (0.05 * 4.0 + 1e-8)).sqrt() * 2.0;
    assert!((step(adadelta, &[2.0]) / first - 1.0).abs() < 1e-5);
}

#[test]
fn clouds_are_told_apart_alike_on_any_number_of_threads() {
    let (x, labels) = clouds(300, 2);
    let (y, others) = clouds(300, 3);
    let train = Samples::new(x.view(), &labels, 3).unwrap();
    let test = Samples::new(y.view(), &others, 3).unwrap();
    for optimizer in [
        Optimizer::Adam { rate: 1e-2 },
        Optimizer::Adadelta { rate: 1.0 },
    ] {
        let softmax = Softmax {
            optimizer,
            passes: 200,
            batch: 100,
            soft_targets: matches!(optimizer, Optimizer::Adadelta { .. }),
            ..Softmax::default()
        };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                softmax
                    .fit(&train, Some(&test), &Streams::new(1), &Quiet)
                    .unwrap()
            })
        };
        let fitted = on(1);
        assert_eq!(fitted, on(4));
        assert!(
            fitted.model.accuracy(&test).unwrap() > 0.95,
            "{optimizer:?}"
        );
        assert!(fitted.loss[199] < fitted.loss[0]);
        let best = fitted.validation.iter().copied().fold(0.0, f64::max);
        assert_eq!(fitted.validation[fitted.best_pass - 1], best);
        assert_eq!(fitted.model.accuracy(&test).unwrap(), best);
    }
}

#[test]
fn without_information_the_loss_is_that_of_guessing() {
    let x = Array2::zeros((30, 4));
    let labels: Vec<usize> = (0..30).map(|i| i % 3).collect();
    let train = Samples::new(x.view(), &labels, 3).unwrap();
    let fitted = Softmax::default()
        .fit(&train, None, &Streams::new(0), &Quiet)
        .unwrap();
    assert!((fitted.loss[59] - 3f64.ln()).abs() < 1e-5);
    assert_eq!(fitted.best_pass, 60);
}

#[test]
fn scales_are_those_of_the_training_samples() {
    let x = arr2(&[[1.0, 5.0, 0.0], [3.0, 5.0, 4.0]]);
    let standard = Standard::of(x.view()).unwrap();
    assert_eq!(
        standard.apply(x.view()).unwrap(),
        arr2(&[[-1.0, 0.0, -1.0], [1.0, 0.0, 1.0]])
    );
    let other = standard.apply(arr2(&[[2.0, 6.0, 2.0]]).view()).unwrap();
    assert_eq!(other, arr2(&[[0.0, 1.0, 0.0]]));
    assert_eq!(
        per_total(arr2(&[[1.0, 3.0], [0.0, 0.0]]).view()).unwrap(),
        arr2(&[[0.25, 0.75], [0.0, 0.0]])
    );
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let x = arr2(&[[1.0, 2.0], [0.0, 0.0]]);
    let text = |e: ReadoutError| e.to_string();
    let samples = |labels: &[usize]| text(Samples::new(x.view(), labels, 2).unwrap_err());
    assert!(samples(&[0]).contains("labels: expected 2, found 1"));
    assert!(samples(&[0, 2]).contains("label 1: expected a class below 2, found 2"));
    let odd = arr2(&[[1.0, f32::NAN]]);
    let refused = Samples::new(odd.view(), &[0], 2).unwrap_err();
    assert!(text(refused).contains("sample 0, feature 1"));
    let overlap = check_disjoint(&[("training", &[0, 1, 2]), ("validation", &[3, 1])]).unwrap_err();
    assert_eq!(text(overlap), "sample 1 is in both training and validation");
    check_disjoint(&[("training", &[0, 2]), ("validation", &[3, 1])]).unwrap();
    let train = Samples::new(x.view(), &[0, 1], 2).unwrap();
    let other = arr2(&[[1.0]]);
    let other = Samples::new(other.view(), &[0], 2).unwrap();
    let refused = Softmax::default().fit(&train, Some(&other), &Streams::new(0), &Quiet);
    assert!(text(refused.unwrap_err()).contains("features: expected 2, found 1"));
    let softmax = Softmax {
        batch: 0,
        ..Softmax::default()
    };
    assert_eq!(softmax.validate().unwrap_err().field, "batch");
}
