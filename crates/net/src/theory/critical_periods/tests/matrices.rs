use chiasm_core::{Diagnose, Group, Quiet, Streams};
use ndarray::Array2;

use super::super::super::TheoryError;
use super::super::super::matrix::{normal, orthogonal};
use super::super::*;

#[test]
fn depth_one_completes_in_closed_form() {
    let streams = Streams::new(4);
    let target = Target::random(6, 2, &mut streams.stream("target")).unwrap();
    let seen = Observed::draw(6, 10, &mut streams.stream("seen")).unwrap();
    let mut network = Completion::<f64>::new((6, 1), Init::Gaussian, 0.1, 0.2, &streams).unwrap();
    let start = network.matrix();
    let schedule = Schedule {
        steps: 50,
        every: 20,
        values: 2,
        enough: 0.0,
    };
    let trace = network.train(&seen, &target, &schedule, &Quiet).unwrap();
    assert_eq!(trace.steps, [0, 20, 40, 50]);
    assert_eq!((trace.losses.len(), trace.values[0].len()), (4, 2));
    let left = (1.0 - 0.2 / 10.0f64).powi(50);
    for ((i, j), p) in network.matrix().indexed_iter() {
        let (from, to) = (start[[i, j]], target.matrix()[[i, j]]);
        let expected = if seen.entries().contains(&(i, j)) {
            to + (from - to) * left
        } else {
            from
        };
        assert!((p - expected).abs() < 1e-12);
    }
}

#[test]
fn descent_in_deep_matrices_goes_down_the_gradient() {
    let streams = Streams::new(5);
    let target = Target::random(5, 2, &mut streams.stream("target")).unwrap();
    let seen = Observed::draw(5, 12, &mut streams.stream("seen")).unwrap();
    let values: Vec<f64> = seen.of(&target).unwrap();
    for depth in [2, 3, 4] {
        let new = |weights: Vec<Array2<f64>>| Completion::from_weights(weights, 1.0).unwrap();
        let weights: Vec<Array2<f64>> = (0..depth)
            .map(|l| normal(5, 5, &mut streams.indexed("weights", l)))
            .collect();
        let loss = |weights: &[Array2<f64>]| {
            let p = new(weights.to_vec()).matrix();
            let each = seen.entries().iter().zip(&values);
            each.map(|(&(i, j), m)| (p[[i, j]] - m).powi(2))
                .sum::<f64>()
                / 24.0
        };
        let mut network = new(weights.clone());
        network.descend(&seen, &values).unwrap();
        assert!((network.loss() - loss(&weights)).abs() < 1e-12 * network.loss());
        for layer in 0..depth {
            for (i, j) in [(0, 0), (3, 1), (4, 4)] {
                let moved = |by: f64| {
                    let mut w = weights.clone();
                    w[layer][[i, j]] += by;
                    loss(&w)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let change = weights[layer][[i, j]] - network.weights()[layer][[i, j]];
                assert!((slope - change).abs() < 1e-6 * slope.abs().max(1.0));
            }
        }
    }
}

#[test]
fn a_network_kept_between_tasks_goes_on_to_the_same_bits() {
    let streams = Streams::new(6);
    let one = Target::random(12, 3, &mut streams.stream("one")).unwrap();
    let two = one.turned(0.3, &mut streams.stream("two")).unwrap();
    let seen = Observed::draw(12, 70, &mut streams.stream("seen")).unwrap();
    let short = Schedule {
        steps: 200,
        ..Schedule::default()
    };
    let new = || Completion::<f32>::new((12, 3), Init::Orthogonal, 0.05, 0.2, &streams).unwrap();
    let mut straight = new();
    straight.train(&seen, &one, &short, &Quiet).unwrap();
    let text = serde_json::to_string(&straight).unwrap();
    let mut kept: Completion<f32> = serde_json::from_str(&text).unwrap();
    straight.train(&seen, &two, &short, &Quiet).unwrap();
    kept.train(&seen, &two, &short, &Quiet).unwrap();
    assert_eq!(straight.matrix(), kept.matrix());
    assert_eq!(kept.n_steps(), 400);
    // Training ends where the loss is low enough.
    let enough = Schedule {
        enough: 1e9,
        ..short
    };
    let mut early = new();
    early.train(&seen, &one, &enough, &Quiet).unwrap();
    assert_eq!(early.n_steps(), 1);
}

#[test]
fn turned_targets_keep_their_values_and_their_similarity() {
    let streams = Streams::new(8);
    let one = Target::random(14, 3, &mut streams.stream("one")).unwrap();
    let same = one.turned(1.0, &mut streams.stream("two")).unwrap();
    assert!(
        (one.matrix() - same.matrix())
            .iter()
            .all(|v| v.abs() < 1e-12)
    );
    let other = one.turned(0.0, &mut streams.stream("two")).unwrap();
    assert!(
        one.matrix()
            .t()
            .dot(other.matrix())
            .iter()
            .all(|v| v.abs() < 1e-10)
    );
    let norm = |t: &Target| t.matrix().iter().map(|v| v * v).sum::<f64>().sqrt();
    assert!((norm(&one) - 14.0).abs() < 1e-12 && (norm(&other) - 14.0).abs() < 1e-10);
}

/// A balanced network with distinct singular values, and its flow.
fn balanced(depth: usize, rate: f64, streams: &Streams) -> (Completion<f64>, Flow) {
    let n = 6;
    let u = orthogonal(n, &mut streams.stream("u"));
    let v = orthogonal(n, &mut streams.stream("v"));
    let s: Vec<f64> = (0..n).map(|i| 2.0 / (1.0 + i as f64)).collect();
    let network = Completion::balanced((&u, &s, &v), depth, rate, streams).unwrap();
    let flow = Flow::new(&network.matrix(), depth).unwrap();
    (network, flow)
}

#[test]
fn singular_values_flow_as_descent_moves_them() {
    let streams = Streams::new(9);
    let target = Target::random(6, 2, &mut streams.stream("target")).unwrap();
    let seen = Observed::draw(6, 20, &mut streams.stream("seen")).unwrap();
    let values: Vec<f64> = seen.of(&target).unwrap();
    for depth in [2, 3, 4] {
        let gap = |rate: f64| {
            let (mut network, flow) = balanced(depth, rate, &streams);
            let speed = flow
                .velocity(&network.gradient(&seen, &values).unwrap())
                .unwrap();
            network.descend(&seen, &values).unwrap();
            let after = Flow::new(&network.matrix(), depth).unwrap();
            let pairs = after.singular_values().iter().zip(flow.singular_values());
            let found: Vec<f64> = pairs.map(|(a, b)| (a - b) / rate).collect();
            let largest = speed.s.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            let apart = found.iter().zip(&speed.s).map(|(a, b)| (a - b).abs());
            apart.fold(0.0, f64::max) / largest
        };
        let (coarse, fine) = (gap(1e-3), gap(1e-4));
        assert!(fine < 1e-3, "depth {depth}: {fine}");
        assert!(
            (coarse / fine - 10.0).abs() < 1.0,
            "depth {depth}: {coarse} {fine}"
        );
    }
}

#[test]
fn vectors_flow_with_the_values() {
    let streams = Streams::new(10);
    let target = Target::random(6, 2, &mut streams.stream("target")).unwrap();
    let seen = Observed::draw(6, 20, &mut streams.stream("seen")).unwrap();
    for depth in [2, 3] {
        let gap = |rate: f64, steps: usize| {
            let (mut network, mut flow) = balanced(depth, rate, &streams);
            let on = (&seen, &target);
            let found = flow.beside(&mut network, on, 6, (steps, steps), &Quiet);
            found.unwrap().largest()
        };
        let (coarse, fine) = (gap(0.02, 400), gap(0.002, 4000));
        assert!(fine < 1e-3 && coarse / fine > 8.0, "{coarse} {fine}");
    }
}

#[test]
fn bad_matrices_are_refused_by_name() {
    let streams = Streams::new(1);
    let mut rng = streams.stream("draws");
    assert!(matches!(
        Target::random(5, 6, &mut rng),
        Err(TheoryError::Rank { found: 6, n: 5 })
    ));
    for count in [0, 26] {
        let error = Observed::draw(5, count, &mut rng);
        assert!(matches!(
            error,
            Err(TheoryError::Observations { entries: 25, .. })
        ));
    }
    assert!(matches!(
        Observed::new(3, vec![(0, 1), (2, 3)]),
        Err(TheoryError::Entry { idx: 1, .. })
    ));
    assert!(Observed::new(3, vec![(0, 1), (0, 1)]).is_err());
    let target = Target::random(5, 2, &mut rng).unwrap();
    let seen = Observed::draw(4, 10, &mut rng).unwrap();
    let mut network = Completion::<f32>::new((5, 2), Init::Identity, 0.1, 0.2, &streams).unwrap();
    let schedule = Schedule::default();
    let shape = network.train(&seen, &target, &schedule, &Quiet);
    assert!(matches!(shape, Err(TheoryError::Shape { .. })));
    // An identity's singular values are equal.
    assert!(matches!(
        Flow::new(&Array2::eye(3), 2),
        Err(TheoryError::Degenerate { .. })
    ));
    // A rate far too large ends with the step at which it went wrong.
    let seen = Observed::draw(5, 20, &mut rng).unwrap();
    let mut wild = Completion::<f32>::new((5, 3), Init::Gaussian, 1.0, 1e4, &streams).unwrap();
    let error = wild.train(&seen, &target, &schedule, &Quiet).unwrap_err();
    assert!(matches!(error, TheoryError::Diverged { step, .. } if step < 100));
    assert_eq!(error.group(), Group::Numerical);
}
