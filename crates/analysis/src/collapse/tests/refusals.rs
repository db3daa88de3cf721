use chiasm_core::{Quiet, Streams};
use ndarray::Array2;

use super::draws;
use crate::collapse::{
    Classifier, Collapse, Decisions, FeatureModel, Features, Flow, Form, Pairs, Perturbation,
    Spread, Stop, Sums, correlate, simplex_error,
};

fn says<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) {
    let error = result.err().expect("an error").to_string();
    assert!(error.contains(what), "`{error}` does not say `{what}`");
}

#[test]
fn samples_that_do_not_fit_are_named() {
    let x = draws(4, 3, 1);
    let of = |x: &Array2<f64>, labels: &[usize], k| Collapse::of(x.view(), labels, k, None);
    says(of(&x, &[0, 0, 1], 2), "labels: expected 4, found 3");
    says(
        of(&x, &[0, 0, 1, 2], 2),
        "label 3: expected a class below 2, found 2",
    );
    says(of(&x, &[0, 0, 2, 2], 3), "class 1 has no samples");
    says(of(&x, &[0; 4], 1), "classes: expected at least 2, found 1");
    says(
        of(&Array2::zeros((4, 3)), &[0, 0, 1, 1], 2),
        "all 2 class means are the same",
    );
    let mut bad = x.clone();
    bad[[2, 1]] = f64::NAN;
    says(
        of(&bad, &[0, 0, 1, 1], 2),
        "features, row 2, column 1: expected a finite value, found NaN",
    );
    bad[[2, 1]] = f64::INFINITY;
    let mut sums = Sums::new(2, 3).unwrap();
    let before = sums.clone();
    says(sums.add(bad.view(), &[0, 0, 1, 1]), "found inf");
    // Nothing was taken in.
    assert_eq!(sums, before);
    says(
        sums.add(draws(2, 4, 1).view(), &[0, 1]),
        "features: expected 3, found 4",
    );
    says(
        sums.merge(&Sums::new(3, 3).unwrap()),
        "classes: expected 2, found 3",
    );
    says(Sums::new(0, 3), "classes");
    says(
        simplex_error(draws(1, 3, 1).view()),
        "classes: expected at least 2",
    );
}

#[test]
fn passes_do_not_mix_means() {
    let (x, labels) = (draws(4, 3, 1), [0, 0, 1, 1]);
    let mut sums = Sums::new(2, 3).unwrap();
    sums.add(x.view(), &labels).unwrap();
    let means = sums.means();
    let spread = Spread::new(&means);
    sums.add(x.view(), &labels).unwrap();
    sums.add(draws(1, 3, 2).view(), &[0]).unwrap();
    let other = sums.means();
    assert_ne!(means.digest(), other.digest());
    says(
        spread.clone().add(&other, x.view(), &labels),
        "expected those of the means",
    );
    says(
        Spread::new(&means).merge(&means, &Spread::new(&other)),
        "of another shard",
    );
    // A second pass over fewer samples than the first.
    says(
        spread.within(&means),
        "samples of a class in the second pass: expected 2, found 0",
    );
    let classifier = Classifier::new(draws(2, 3, 3).view(), None).unwrap();
    let mut decisions = Decisions::new(&means);
    says(
        decisions.add((&other, &classifier), x.view(), &labels),
        "decisions",
    );
    says(decisions.agreement(&means), "samples: expected at least 1");
    let narrow = Classifier::new(draws(2, 2, 3).view(), None).unwrap();
    says(
        decisions.add((&means, &narrow), x.view(), &labels),
        "features of the classifier: expected 3, found 2",
    );
    let few = Classifier::new(draws(1, 3, 3).view(), None).unwrap();
    says(
        decisions.add((&means, &few), x.view(), &labels),
        "classes of the classifier: expected 2, found 1",
    );
    let bias = ndarray::arr1(&[0.0]);
    says(
        Classifier::new(draws(2, 3, 3).view(), Some(bias.view())),
        "biases: expected 2, found 1",
    );
    // A class that the means never saw.
    let mut sums = Sums::new(3, 3).unwrap();
    sums.add(x.view(), &labels).unwrap();
    let means = sums.means();
    says(
        Spread::new(&means).add(&means, x.view(), &[0, 0, 1, 2]),
        "class 2 has no samples",
    );
    says(means.all_seen(), "class 2 has no samples");
}

#[test]
fn the_theory_refuses_what_it_does_not_cover() {
    let model = FeatureModel::default();
    let rng = || Streams::new(1).stream("frame");
    let with = |lambda_w, lambda_h, beta| FeatureModel {
        lambda_w,
        lambda_h,
        beta,
    };
    let x = draws(5, 3, 1);
    says(
        Features::from_samples(x.view(), &[0, 0, 1, 1, 1], 2),
        "equal class counts required",
    );
    says(
        Features::from_samples(x.view(), &[0, 0, 0, 0, 2], 3),
        "class 1 has no samples",
    );
    says(
        Features::new(draws(3, 5, 1), 2),
        "samples: expected 4, found 5",
    );
    says(Features::new(draws(3, 5, 1), 1), "classes");
    says(
        model.collapsed((4, 2, 3), &mut rng()),
        "features: expected at least 4, found 3",
    );
    says(
        model.staircase((4, 2, 4)),
        "features: expected at least 5, found 4",
    );
    says(model.staircase((1, 2, 4)), "classes");
    says(
        with(2.0, 2.0, 1.0).staircase((2, 2, 4)),
        "lambda_h lambda_w is below 1",
    );
    for (bad, name) in [
        (with(0.0, 0.1, 1.0), "lambda_w"),
        (with(-1.0, 0.1, 1.0), "lambda_w"),
        (with(0.1, 0.0, 1.0), "lambda_h"),
        (with(0.1, -0.1, 1.0), "lambda_h"),
        (with(0.1, 0.1, 0.0), "beta"),
        (with(0.1, 0.1, f64::NAN), "beta"),
    ] {
        says(bad.staircase((2, 2, 4)), name);
    }
    let h0 = Features::new(draws(3, 4, 1), 2).unwrap();
    says(
        with(0.1, 0.0, 0.0).minimize(&h0, Stop::default(), &Quiet),
        "lambda_h",
    );
    let stop = Stop {
        iterations: 2,
        ..Stop::default()
    };
    says(
        with(0.01, 0.01, 0.01).minimize(&h0, stop, &Quiet),
        "after 2 iterations",
    );
    let flow = Flow {
        step: 0.0,
        ..Flow::default()
    };
    says(flow.run(&model, &h0, &Quiet), "step");
    let still = Features::new(Array2::zeros((3, 4)), 2).unwrap();
    says(
        Flow::default().run(&model, &still, &Quiet),
        "class means are the same",
    );
    let minimum = model.collapsed((2, 3, 4), &mut rng()).unwrap();
    let operator = Perturbation::at(&model, &minimum).unwrap();
    says(
        operator.apply(Form::Exact, draws(3, 6, 1).view()),
        "features of the change",
    );
    let large = model.collapsed((2, 600, 4), &mut rng()).unwrap();
    let operator = Perturbation::at(&model, &large).unwrap();
    says(operator.dense(Form::LargeBeta), "4800 rows are too many");
}

#[test]
fn settings_and_lists_that_do_not_fit_are_named() {
    let m = draws(3, 2, 1);
    let measure = |how: Pairs, v: &[f64]| how.measure(m.view(), v, &Quiet);
    says(
        measure(Pairs::default(), &[1.0; 2]),
        "variances: expected 3, found 2",
    );
    says(
        measure(
            Pairs {
                tile: 0,
                ..Pairs::default()
            },
            &[1.0; 3],
        ),
        "tile",
    );
    says(
        measure(
            Pairs {
                power: 0.0,
                ..Pairs::default()
            },
            &[1.0; 3],
        ),
        "power",
    );
    says(
        measure(
            Pairs {
                riesz: Some(9000.0),
                ..Pairs::default()
            },
            &[1.0; 3],
        ),
        "riesz",
    );
    let one = draws(1, 2, 1);
    says(
        Pairs::default().measure(one.view(), &[1.0], &Quiet),
        "classes: expected at least 2",
    );
    let streams = Streams::new(1);
    says(
        correlate(&[1.0, 2.0, 3.0], &[1.0, 2.0], 9, &streams),
        "expected 3, found 2",
    );
    says(
        correlate(&[1.0; 3], &[1.0, 2.0, 3.0], 9, &streams),
        "different values",
    );
    says(
        correlate(&[1.0, f64::NAN, 2.0], &[1.0, 2.0, 3.0], 9, &streams),
        "row 1, column 0",
    );
}
