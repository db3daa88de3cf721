use chiasm_core::Streams;
use ndarray::Array3;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::*;

/// Outputs that drift towards the right class at a rate of the sample's own, with noise that grows as time (card 48,
/// works when 7). For each sample the index of its rate.
fn drifting(n: usize, steps: usize, rates: &[f64], seed: u64) -> (Outputs, Vec<usize>) {
    let mut rng = Streams::new(seed).stream("drift");
    let classes = 5;
    let mut values = Array3::zeros((n, steps, classes));
    let (mut labels, mut kinds) = (vec![], vec![]);
    for i in 0..n {
        let label = rng.random_range(0..classes);
        let kind = i % rates.len();
        for t in 0..steps {
            for c in 0..classes {
                let noise: f64 = StandardNormal.sample(&mut rng);
                let drift = if c == label { rates[kind] } else { 0.0 };
                values[[i, t, c]] = (drift + noise) as f32;
            }
        }
        labels.push(label);
        kinds.push(kind);
    }
    let outputs = Outputs::new(values, labels, Given::Steps).unwrap();
    (outputs, kinds)
}

#[test]
fn confidence_is_the_softmax_of_the_largest_sum() {
    let (label, p) = confidence(&[1.0, 3.0, 2.0], 2.0);
    let e = |x: f64| x.exp();
    let expected = e(1.5) / (e(0.5) + e(1.5) + e(1.0));
    assert_eq!(label, 1);
    assert!((p - expected).abs() < 1e-12);
    // Large sums do not overflow; of equals the first is told.
    let (label, p) = confidence(&[3e38, 3e38], 1e-3);
    assert_eq!((label, p), (0, 0.5));
}

#[test]
fn a_threshold_of_one_takes_all_steps_and_of_nothing_one() {
    let (outputs, _) = drifting(200, 12, &[0.5], 1);
    let all = Agent::new(1e-6, 1.0).unwrap().decide(&outputs);
    assert!(all.iter().all(|d| d.steps == 12));
    let fixed = score(&outputs, Agent::new(1.0, 1.0).unwrap(), 0.0);
    assert_eq!(fixed.accuracy, fixed.fixed[11]);
    assert_eq!((fixed.saved, fixed.latency), (0.0, 12.0));
    let none = Agent::new(1.0, 0.0).unwrap().decide(&outputs);
    assert!(none.iter().all(|d| d.steps == 1));
}

#[test]
fn one_sample_at_a_time_is_decided_as_all_at_once() {
    let (outputs, _) = drifting(100, 20, &[0.3, 1.0], 2);
    let agent = Agent::new(2.0, 0.8).unwrap();
    for (i, whole) in agent.decide(&outputs).into_iter().enumerate() {
        let mut decider = agent.decider(outputs.n_steps());
        let mut t = 0;
        let decision = loop {
            if let Some(decision) = decider.step(outputs.sums(i, t)) {
                break decision;
            }
            t += 1;
        };
        assert_eq!(decision, whole);
    }
}

#[test]
fn the_slower_a_sample_drifts_the_longer_it_is_watched() {
    for seed in 0..3 {
        let rates = [0.3, 1.0, 3.0];
        let (calibration, _) = drifting(600, 40, &rates, seed);
        let (outputs, kinds) = drifting(600, 40, &rates, 100 + seed);
        let fitted = Calibration::default().fit(&calibration).unwrap();
        let decisions = fitted.agent.decide(&outputs);
        let mean = |kind: usize| {
            let of = decisions.iter().zip(&kinds).filter(|(_, k)| **k == kind);
            of.map(|(d, _)| d.steps as f64).sum::<f64>() / 200.0
        };
        assert!(mean(0) > mean(1) && mean(1) > mean(2), "seed {seed}");
    }
}

#[test]
fn likelihood_finds_the_noise_of_the_drift() {
    // Classes differ by 1 a step with unit noise: the log odds of a sum are the sum itself, so alpha is 1.
    let (outputs, _) = drifting(4000, 10, &[1.0], 3);
    let fitted = Calibration::default().fit(&outputs).unwrap();
    assert!(
        (fitted.agent.alpha.ln()).abs() < 0.2,
        "{}",
        fitted.agent.alpha
    );
    let error = reliability(&outputs, fitted.agent.alpha, 9, 15).error;
    assert!(error < 0.03, "{error}");
    assert!(reliability(&outputs, 0.1, 9, 15).error > 0.03);
}

#[test]
fn the_front_rises_and_the_choice_keeps_the_accuracy_asked_for() {
    let (outputs, _) = drifting(500, 20, &[0.3, 1.0, 3.0], 4);
    for smoothing in [
        Smoothing::Likelihood,
        Smoothing::LastStep,
        Smoothing::Front,
        Smoothing::Fixed(3.0),
    ] {
        let calibration = Calibration {
            smoothing,
            tolerance: 0.01,
            ..Calibration::default()
        };
        let fitted = calibration.fit(&outputs).unwrap();
        let pairs = fitted.front.windows(2);
        assert!(pairs.clone().all(|p| p[0].latency < p[1].latency));
        assert!(pairs.clone().all(|p| p[0].accuracy < p[1].accuracy));
        let score = score(&outputs, fitted.agent, 0.0);
        assert!(score.accuracy >= score.fixed[19] - 0.01);
        assert!((score.accuracy - fitted.point.accuracy).abs() < 1e-12);
        assert!((score.latency - fitted.point.latency).abs() < 1e-12);
        assert!(fitted.warnings.is_empty());
    }
    let few: Vec<usize> = (0..20).collect();
    let fitted = Calibration::default().fit(&outputs.select(&few)).unwrap();
    assert!(fitted.warnings[0].contains("20 samples"));
}

#[test]
fn no_rule_beats_the_oracle_and_shuffled_stops_are_worse() {
    let (outputs, _) = drifting(3000, 20, &[0.3, 1.0, 3.0], 5);
    let best = oracle(&outputs);
    let fitted = Calibration::default().fit(&outputs).unwrap();
    let found = score(&outputs, fitted.agent, 0.0);
    assert!(best.accuracy >= found.accuracy && best.latency <= found.latency);
    assert!(best.latency <= best.latency_all);
    for t in 0..20 {
        assert!(best.accuracy >= found.fixed[t]);
    }
    let mut rng = Streams::new(6).stream("deal");
    let dealt = shuffled(&outputs, fitted.agent, 10, &mut rng);
    assert!(dealt < found.accuracy - 0.003, "{dealt} {}", found.accuracy);
}

#[test]
fn an_oracle_by_hand() {
    // Right at once, right at the second step, never right.
    let values = vec![1.0, 0.0, 2.0, 0.0, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 2.0, 0.0];
    let values = Array3::from_shape_vec((3, 2, 2), values).unwrap();
    let outputs = Outputs::new(values, vec![0, 1, 1], Given::Sums).unwrap();
    let best = oracle(&outputs);
    assert!((best.accuracy - 2.0 / 3.0).abs() < 1e-12);
    assert!((best.latency - 4.0 / 3.0).abs() < 1e-12);
    assert!((best.latency_all - 5.0 / 3.0).abs() < 1e-12);
}

#[test]
fn outputs_that_cannot_be_are_refused_by_place() {
    let ones = || Array3::from_elem((2, 3, 2), 1.0f32);
    let text = |values: Array3<f32>, labels: Vec<usize>, given| {
        Outputs::new(values, labels, given).unwrap_err().to_string()
    };
    let mut bad = ones();
    bad[[1, 2, 0]] = f32::NAN;
    assert!(text(bad, vec![0, 1], Given::Steps).contains("sample 1, step 2, class 0"));
    assert!(text(ones(), vec![0], Given::Steps).contains("expected 2"));
    assert!(text(ones(), vec![0, 2], Given::Steps).contains("sample 1: expected a class below 2"));
    let mut falls = ones();
    falls[[0, 2, 1]] = 0.0;
    let refused = Outputs::new(falls.clone(), vec![0, 1], Given::Sums).unwrap_err();
    assert!(refused.to_string().contains("sample 0, step 2, class 1"));
    // Currents may fall.
    assert!(Outputs::new(falls.mapv(|v| v - 0.5), vec![0, 1], Given::Sums).is_ok());
    for (shape, axis) in [
        ((0, 3, 2), "samples"),
        ((2, 0, 2), "steps"),
        ((2, 3, 1), "classes"),
    ] {
        let labels = vec![0; shape.0];
        assert!(text(Array3::zeros(shape), labels, Given::Steps).contains(axis));
    }
    // A sum beyond the range of single precision.
    let large = Array3::from_elem((1, 3, 2), 3e38f32);
    assert!(text(large, vec![0], Given::Steps).contains("step 1"));
    for (alpha, threshold) in [(0.0, 0.5), (f64::NAN, 0.5), (1.0, 1.5), (1.0, f64::NAN)] {
        assert!(Agent::new(alpha, threshold).is_err());
    }
}
