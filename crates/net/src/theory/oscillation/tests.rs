use chiasm_core::{Quiet, Streams};
use ndarray::{Array2, Array3};
use proptest::prelude::*;

use super::super::{Dynamics, TheoryError, course, side_by_side};
use super::*;

fn map(k: f64) -> ScalarMap {
    ScalarMap::new(k).unwrap()
}

#[test]
fn cycles_are_where_the_card_has_them() {
    for (k, low, high, gap, growth) in [
        (1.05, 0.761905, 1.190476, 0.0238095, 1.000495),
        (1.1, 0.663494, 1.245597, 0.0454545, 1.00099),
        (1.2, 0.534785, 1.298548, 0.0833333, 1.00198),
    ] {
        let map = map(k);
        let end = map.orbit(0.3, 100_000, 2).unwrap();
        let (a, b) = (end[0].min(end[1]), end[0].max(end[1]));
        let closed = map.two_cycle().unwrap();
        assert!((a - low).abs() < 1e-6 && (b - high).abs() < 1e-6, "{end:?}");
        assert!((a - closed[0]).abs() < 1e-9 && (b - closed[1]).abs() < 1e-9);
        let mean = 1.0 - (a + b) / 2.0;
        assert!((mean - map.mean_gap().unwrap()).abs() < 1e-9 && (mean - gap).abs() < 1e-7);
        // A weak feature along the way.
        let q = 0.01;
        let grown = (1.0 + q * k * (1.0 - a)) * (1.0 + q * k * (1.0 - b));
        assert!((grown - map.weak_growth(q)).abs() < 1e-9 && (grown - growth).abs() < 1e-7);
        assert_eq!(map.regime(), Regime::TwoCycle);
    }
}

#[test]
fn regimes_lie_where_the_closed_forms_say() {
    let end = map(0.9).orbit(0.3, 10_000, 1).unwrap();
    assert!((end[0] - 1.0).abs() < 1e-9 && map(0.9).regime() == Regime::Stable);
    let end = map(1.3).orbit(0.3, 10_000, 3).unwrap();
    assert!((end[0] - end[2]).abs() > 1e-3);
    assert!(matches!(
        map(1.3).regime(),
        Regime::Periodic | Regime::Chaotic
    ));
    assert_eq!(map(1.55).regime(), Regime::Chaotic);
    let long = map(1.598).orbit(0.3, 0, 200_000).unwrap();
    assert!(long.iter().all(|g| *g > 0.0 && *g < 1.6257));
    assert!((map(1.598).highest() - 1.6257).abs() < 1e-3);
    let error = map(1.6).orbit(0.3, 0, 1000).unwrap_err();
    assert!(
        matches!(error, TheoryError::Dead { step } if step < 100),
        "{error}"
    );
    assert_eq!(map(1.6).regime(), Regime::Dying);
    // The thresholds are those of the derivation.
    assert!((TWO_CYCLE - (5f64.sqrt() - 1.0)).abs() < 1e-15);
    assert!((map(TWO_CYCLE).cycle_multiplier() + 1.0).abs() < 1e-12);
    assert!((LARGEST - (1.5 * 3f64.sqrt() - 1.0)).abs() < 1e-15);
    let largest = map(LARGEST);
    assert!((largest.highest() - (1.0 + LARGEST) / LARGEST).abs() < 1e-12);
    assert!((map(1.0).slope() + 1.0).abs() < 1e-15);
}

/// One strong sample, its features alone, and filters of which those of the other sign start negative on it.
fn alone(seed: u64) -> (Network, Patches) {
    let (d, m) = (16, 8);
    let streams = Streams::new(seed);
    let recipe = Recipe {
        dimension: d,
        ..Recipe::default()
    };
    let features = recipe.features(&streams).unwrap();
    let u = features.strong();
    let drawn = Network::draw(m, d, 0.1, &streams).unwrap();
    let mut filters = drawn.filters().clone();
    for mut w in filters.rows_mut().into_iter().skip(m) {
        let along: f64 = w.iter().zip(u).map(|(w, u)| w * u).sum();
        if along > 0.0 {
            w.iter_mut().zip(u).for_each(|(w, u)| *w -= 2.0 * along * u);
        }
    }
    let x = Array3::from_shape_fn((1, 1, d), |(_, _, j)| u[j]);
    let samples = Patches::new(x, vec![1.0], vec![false]).unwrap();
    (Network::from_filters(filters).unwrap(), samples)
}

#[test]
fn one_sample_follows_the_scalar_map() {
    // At 1.5 chaos multiplies rounding by some e^.49 in each step.
    for (k, steps, apart) in [
        (0.5, 60, 1e-12),
        (1.1, 60, 1e-12),
        (1.3, 60, 1e-12),
        (1.5, 30, 1e-8),
    ] {
        let (network, samples) = alone(5);
        let mut simulation = OneSample::new(network, samples, k * 8.0 / 4.0).unwrap();
        let mut theory = Orbit::new(map(k), simulation.readout()[0]).unwrap();
        let found = side_by_side(&mut theory, &mut simulation, (steps, 1), &Quiet).unwrap();
        assert!(found.largest() < apart, "k = {k}: {}", found.largest());
        assert!(found.simulation.last()[0] > 0.3);
    }
}

#[test]
fn shortfalls_add_up_in_a_straight_line() {
    let k = 1.2;
    let (network, samples) = alone(6);
    let mut simulation = OneSample::new(network, samples, k * 8.0 / 4.0).unwrap();
    course(&mut simulation, (2000, 2000), &Quiet).unwrap();
    let found = course(&mut simulation, (1000, 1), &Quiet).unwrap();
    let sum: f64 = found.readouts[..1000].iter().map(|g| 1.0 - g[0]).sum();
    assert!((sum / 1000.0 - map(k).mean_gap().unwrap()).abs() < 1e-9);
}

#[test]
fn steps_go_down_the_gradient() {
    let streams = Streams::new(7);
    let recipe = Recipe {
        dimension: 11,
        ..Recipe::default()
    };
    let features = recipe.features(&streams).unwrap();
    let samples = recipe.train(&features, &streams).unwrap();
    for rectifier in [Rectifier::Squared, Rectifier::Quadratic, Rectifier::Plain] {
        let mut network = Network::draw(3, 11, 0.5, &streams).unwrap();
        network.rectifier = rectifier;
        network.train_output = true;
        let eta = 1e-3;
        let (x, y) = (samples.sample(0), samples.labels()[0]);
        let mut pass = network::Pass::default();
        let mut moved = network.clone();
        moved.evaluate(x, &mut pass);
        moved.descend(x, y, eta, &pass);
        let loss = |net: &Network| (net.outputs(&samples).unwrap()[0] - y).powi(2);
        for (r, j) in [(0, 0), (1, 5), (2, 10), (3, 3), (5, 9)] {
            let at = |by: f64| {
                let mut filters = network.filters().clone();
                filters[[r, j]] += by;
                let mut net = Network::from_filters(filters).unwrap();
                net.rectifier = rectifier;
                loss(&net)
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            let change = (network.filters()[[r, j]] - moved.filters()[[r, j]]) / eta;
            assert!(
                (slope - change).abs() < 1e-6,
                "{rectifier:?}: {slope} {change}"
            );
        }
        // The output is linear in its weights.
        let gained: Vec<f64> = moved
            .output()
            .iter()
            .zip(network.output())
            .map(|(a, b)| a - b)
            .collect();
        let f = pass.f;
        let along: f64 = gained
            .iter()
            .zip(network.output())
            .map(|(g, a)| g * a)
            .sum();
        assert!((along + 2.0 * eta * (f - y) * f).abs() < 1e-12 && along != 0.0);
    }
}

/// The same loop in NumPy 1.24 (float64, 2026-11-26): `z = w @ x.T; f = a @ max(z, 0)**2 summed; w -= eta * 2 * (f - y) * a *
/// (2 * max(z, 0)) @ x`, on these samples, filters and order. 100 steps; chaos parts runs later.
#[test]
fn a_hundred_steps_agree_with_numpy() {
    let (d, n, m) = (6, 4, 3);
    let filters = Array2::from_shape_fn((2 * m, d), |(r, j)| {
        0.1 * (1.0 + 3.0 * r as f64 + 7.0 * j as f64).sin()
    });
    let mut network = Network::from_filters(filters).unwrap();
    let y = vec![1.0, -1.0, 1.0, -1.0];
    let x = Array3::from_shape_fn((n, 3, d), |(i, p, j)| match (p, j) {
        (0, 0) if i < 3 => y[i],
        (1, 1) => 0.1 * y[i],
        (2, 2..) => 0.1 * (5.0 * i as f64 + 2.0 * j as f64).cos(),
        _ => 0.0,
    });
    let samples = Patches::new(x, y.clone(), vec![false, false, false, true]).unwrap();
    let mut pass = network::Pass::default();
    let mut found = Vec::new();
    for t in 0..100 {
        let i = (3 * t + t / 4) % n;
        network.evaluate(samples.sample(i), &mut pass);
        found.push(y[i] * pass.f);
        network.descend(samples.sample(i), y[i], 1.3 * m as f64 / 4.0, &pass);
    }
    for (t, expected) in [
        (0, 0.003256057564379233),
        (9, 0.036550758958576596),
        (24, 1.3698084311632135),
        (49, 6.133689664074207e-05),
        (74, 0.381607241051428),
        (99, 0.383866444353263),
    ] {
        assert!((found[t] - expected).abs() < 1e-6, "step {t}: {}", found[t]);
    }
    assert!((network.filters().sum() + 0.3782925292187054).abs() < 1e-6);
}

#[test]
fn large_steps_learn_the_weak_feature_and_small_ones_do_not() {
    let recipe = Recipe::default();
    let mut means = [0.0; 2];
    for seed in 0..3 {
        let streams = Streams::new(seed);
        let features = recipe.features(&streams).unwrap();
        let train = recipe.train(&features, &streams).unwrap();
        let test = recipe.test(&features, Kind::Weak, 500, &streams).unwrap();
        for (mean, (k, passes)) in means.iter_mut().zip([(0.1, 1500), (1.3, 1500)]) {
            let network = Network::draw(8, 64, 0.0125, &streams).unwrap();
            let settings = Settings {
                k,
                passes,
                ..Settings::default()
            };
            let mut descent = Descent::new(network, &train, &features, settings).unwrap();
            descent.run(&streams, &Quiet).unwrap();
            *mean += descent.network().accuracy(&test).unwrap() / 3.0;
        }
    }
    assert!(means[1] > means[0] + 0.15, "{means:?}");
}

#[test]
fn the_standing_is_said_before_the_run() {
    let streams = Streams::new(1);
    let recipe = Recipe {
        noise: 0.5,
        q: 2.0,
        ..Recipe::default()
    };
    let features = recipe.features(&streams).unwrap();
    let train = recipe.train(&features, &streams).unwrap();
    let network = Network::draw(8, 64, 0.0125, &streams).unwrap();
    let descent = Descent::new(network, &train, &features, Settings::default()).unwrap();
    let standing = descent.standing();
    assert!((standing.k - 1.3).abs() < 1e-12 && standing.k_eff > LARGEST);
    assert_eq!(
        (standing.effective, standing.warnings.len()),
        (Regime::Dying, 2)
    );
    assert!(standing.to_string().contains("not weak"));
    let calm = Recipe::default();
    let features = calm.features(&streams).unwrap();
    let train = calm.train(&features, &streams).unwrap();
    let standing = Standing::new(0.2, 8, &features, &train).unwrap();
    assert!((standing.k - 0.1).abs() < 1e-12 && standing.warnings.is_empty());
    assert!((standing.k_eff / standing.k - 1.06).abs() < 0.02);
}

#[test]
fn bad_input_is_refused_by_name() {
    let setting = |e: TheoryError| match e {
        TheoryError::Setting(e) => e.field,
        e => panic!("{e}"),
    };
    assert!(matches!(
        Features::new(vec![1.0, 0.0], vec![0.1, 0.1]),
        Err(TheoryError::NotOrthogonal { .. })
    ));
    assert_eq!(
        setting(Features::new(vec![0.0; 2], vec![0.0, 1.0]).unwrap_err()),
        "u"
    );
    assert_eq!(
        setting(Features::new(vec![1.0, 0.0], vec![0.0; 2]).unwrap_err()),
        "v"
    );
    assert!(Features::new(vec![1.0], vec![0.0; 2]).is_err());
    let x = Array3::from_elem((2, 1, 2), 1.0);
    let labels = Patches::new(x.clone(), vec![1.0, 0.5], vec![false; 2]);
    assert!(matches!(labels, Err(TheoryError::Label { sample: 1, .. })));
    assert!(Patches::new(x.clone(), vec![1.0], vec![false; 2]).is_err());
    let mut odd = x;
    odd[[1, 0, 1]] = f64::NAN;
    let odd = Patches::new(odd, vec![1.0; 2], vec![false; 2]);
    assert!(matches!(
        odd,
        Err(TheoryError::NotFinite {
            row: 1,
            column: 1,
            ..
        })
    ));
    let recipe = Recipe {
        n_weak: 16,
        ..Recipe::default()
    };
    assert_eq!(setting(recipe.validate().unwrap_err()), "n_weak");
    assert_eq!(setting(ScalarMap::new(0.0).unwrap_err()), "k");
    assert!(map(0.9).mean_gap().is_err() && map(0.9).two_cycle().is_none());
    let (network, samples) = alone(1);
    assert_eq!(
        setting(OneSample::new(network, samples, -1.0).unwrap_err()),
        "eta"
    );
    assert!(Network::from_filters(Array2::zeros((3, 4))).is_err());
    let settings = Settings {
        k: -1.0,
        ..Settings::default()
    };
    assert_eq!(setting(settings.validate().unwrap_err()), "k");
}

#[test]
fn dying_and_diverging_runs_stop_with_their_step() {
    let streams = Streams::new(2);
    let recipe = Recipe::default();
    let features = recipe.features(&streams).unwrap();
    let train = recipe.train(&features, &streams).unwrap();
    let run = |k: f64, rectifier: Rectifier| {
        let mut network = Network::draw(8, 64, 0.0125, &streams).unwrap();
        network.rectifier = rectifier;
        let settings = Settings {
            k,
            ..Settings::default()
        };
        let mut descent = Descent::new(network, &train, &features, settings).unwrap();
        descent.run(&streams, &Quiet).unwrap_err()
    };
    let error = run(40.0, Rectifier::Quadratic);
    assert!(matches!(error, TheoryError::Diverged { .. }), "{error}");
    let error = run(6.0, Rectifier::Squared);
    assert!(
        matches!(
            error,
            TheoryError::Dead { .. } | TheoryError::Diverged { .. }
        ),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Below the largest step predictions stay in bounds and above 0.
    #[test]
    fn predictions_are_bounded(k in 1.0f64..1.598, start in 0.05f64..0.95) {
        let map = map(k);
        let way = map.orbit(start, 0, 500).unwrap();
        prop_assert!(way.iter().all(|g| *g > 0.0 && *g <= map.highest() + 1e-12));
    }

    /// Any oscillation falls short of the label in the mean.
    #[test]
    fn oscillation_falls_short(k in 1.02f64..1.59) {
        let way = map(k).orbit(0.3, 5000, 20_000).unwrap();
        let mean = way.iter().map(|g| 1.0 - g).sum::<f64>() / way.len() as f64;
        prop_assert!(mean > 0.0);
    }
}
