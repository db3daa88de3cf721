//! Plasticity against the rules it is defined by.

use super::{puppet, run};
use crate::plasticity::{Clip, Deliver, Dependence, PairStdp, Ties, Traces};
use crate::*;

const START: f64 = 0.5;

fn rule() -> PairStdp {
    PairStdp {
        tau_plus_ms: 17.0,
        tau_minus_ms: 34.0,
        a_plus: 0.01,
        a_minus: 0.006,
        ..PairStdp::default()
    }
}

/// The weight after spikes of source and target at these times, ms.
fn after(sources_ms: &[f64], targets_ms: &[f64], rule: PairStdp, delay_ms: f64) -> f64 {
    let mut circuit = Circuit::new(0.1);
    let source = puppet(&mut circuit, "source", sources_ms);
    let target = puppet(&mut circuit, "target", targets_ms);
    // pA: far too little to disturb the target.
    let link = circuit.project(
        Projection::new("plastic", source, target)
            .weight(START)
            .delay_ms(delay_ms)
            .plastic(rule),
    );
    let mut engine = run(&circuit, 0.5);
    assert_eq!(engine.spikes(source).len(), sources_ms.len());
    assert_eq!(engine.spikes(target).len(), targets_ms.len());
    f64::from(engine.weights(link)[0].2)
}

/// The change by one pair whose target's spike counts `lag` ms after the source's.
fn window(lag: f64, ties: Ties) -> f64 {
    let potentiation = 0.01 * (-lag / 17.0).exp();
    let depression = -0.006 * (lag / 34.0).exp();
    if lag > 1e-9 {
        potentiation
    } else if lag < -1e-9 {
        depression
    } else {
        match ties {
            Ties::SourceFirst => potentiation,
            Ties::TargetFirst => depression,
            Ties::Apart => 0.0,
        }
    }
}

#[test]
fn the_window_of_a_pair_is_that_of_the_rule_with_zero_lag_and_shifts() {
    for ties in [Ties::SourceFirst, Ties::TargetFirst, Ties::Apart] {
        for (axonal, dendritic, delay) in [
            (0.0, 0.0, 0.1),
            (0.0, 3.0, 3.0),
            (2.0, 0.0, 2.1),
            (1.0, 4.0, 5.0),
        ] {
            for lag in [
                -60.0, -20.0, -4.0, -3.0, -2.0, -1.0, -0.1, 0.0, 0.1, 1.0, 2.0, 3.0, 20.0, 60.0f64,
            ] {
                let rule = PairStdp {
                    ties,
                    axonal_ms: axonal,
                    dendritic_ms: dendritic,
                    ..rule()
                };
                let found = after(&[100.0], &[100.0 + lag], rule, delay) - START;
                let expected = window(lag + dendritic - axonal, ties);
                assert!(
                    (found - expected).abs() < 1e-7,
                    "{ties:?}, {axonal} and {dendritic} ms, lag {lag}: {found} against {expected}"
                );
            }
        }
    }
}

#[test]
fn traces_add_up_or_are_nearest() {
    let (sources, targets) = ([100.0, 110.0], [115.0, 120.0]);
    let pairs = |lags: &[f64]| -> f64 { lags.iter().map(|l| window(*l, Ties::SourceFirst)).sum() };
    let all = after(&sources, &targets, rule(), 1.0) - START;
    assert!(
        (all - pairs(&[15.0, 20.0, 5.0, 10.0])).abs() < 1e-7,
        "{all}"
    );
    let nearest = PairStdp {
        traces: Traces::Nearest,
        ..rule()
    };
    let near = after(&sources, &targets, nearest, 1.0) - START;
    assert!((near - pairs(&[5.0, 10.0])).abs() < 1e-7, "{near}");
    // Depression: the target twice before the source.
    let all = after(&[150.0], &targets, rule(), 1.0) - START;
    assert!((all - pairs(&[-35.0, -30.0])).abs() < 1e-7, "{all}");
    let near = after(&[150.0], &targets, nearest, 1.0) - START;
    assert!((near - pairs(&[-30.0])).abs() < 1e-7, "{near}");
}

#[test]
fn clipping_after_each_change_differs_from_clipping_once() {
    // Up by far more than the range, then down.
    let strong = PairStdp {
        a_plus: 2.0,
        a_minus: 0.3,
        tau_plus_ms: 1e6,
        tau_minus_ms: 1e6,
        ..rule()
    };
    let each = after(&[100.0, 120.0], &[110.0], strong, 1.0);
    assert!((each - 0.7).abs() < 1e-4, "{each}");
    // Clipped before the delivery too: only a delivery after the depression sees the difference.
    let late = PairStdp {
        clip: Clip::EachSpike,
        deliver: Deliver::After,
        ..strong
    };
    let once = after(&[100.0, 120.0], &[110.0], late, 1.0);
    assert!((once - 1.0).abs() < 1e-6, "{once}");
}

#[test]
fn changes_may_depend_on_the_weight() {
    let rule = PairStdp {
        dependence: Dependence::Multiplicative,
        w_max: 2.0,
        ..rule()
    };
    let up = after(&[100.0], &[110.0], rule, 1.0) - START;
    assert!((up - 1.5 * window(10.0, Ties::Apart)).abs() < 1e-7, "{up}");
    let down = after(&[110.0], &[100.0], rule, 1.0) - START;
    assert!(
        (down - 0.5 * window(-10.0, Ties::Apart)).abs() < 1e-7,
        "{down}"
    );
}

#[test]
fn a_spike_carries_the_weight_from_before_or_after_its_depression() {
    for (deliver, carried) in [(Deliver::Before, 0.5), (Deliver::After, 0.5 - 0.25)] {
        let mut circuit = Circuit::new(0.1);
        let source = puppet(&mut circuit, "source", &[20.0]);
        let target = puppet(&mut circuit, "target", &[10.0]);
        let flat = PairStdp {
            a_minus: 0.25,
            tau_minus_ms: 1e9,
            deliver,
            ..rule()
        };
        circuit.project(
            Projection::new("plastic", source, target)
                .receptor("inhibitory")
                .weight(0.5)
                .plastic(flat),
        );
        // The source spikes in step 201; its weight is in the current before step 202.
        let mut engine = run(&circuit, 0.0202);
        let i = engine.state(target, "i_in_pa")[0];
        assert!((i - carried).abs() < 1e-6, "{deliver:?}: {i}");
    }
}

/// A level that rises by .25 at each spike of `caller` and decays with 40 ms, at a time (ms) after them.
fn level(at_ms: f64) -> f64 {
    let calls = [10.0, 20.0, 30.0, 50.0].iter();
    1.0 + 0.25 * calls.map(|t| ((t - at_ms) / 40.0).exp()).sum::<f64>()
}

#[test]
fn a_modulator_decays_to_its_baseline_and_scales_what_it_is_told_to() {
    let (up, down) = (window(10.0, Ties::Apart), window(-10.0, Ties::Apart));
    // What a spike adds is there from the next step on: a step of .1 ms less to decay in.
    for (scales, lag, expected) in [
        (Scales::Both, 10.0, level(119.9) * up),
        (Scales::Potentiation, 10.0, level(119.9) * up),
        (Scales::Depression, 10.0, up),
        (Scales::Both, -10.0, level(109.9) * down),
        (Scales::Potentiation, -10.0, down),
        (Scales::Depression, -10.0, level(109.9) * down),
    ] {
        let mut circuit = Circuit::new(0.1);
        let caller = puppet(&mut circuit, "caller", &[10.0, 20.0, 30.0, 50.0]);
        let source = puppet(&mut circuit, "source", &[110.0]);
        let target = puppet(&mut circuit, "target", &[110.0 + lag]);
        let modulator = Modulator::new(40.0, 1.0).listen(caller, 0.25);
        let modulator = circuit.modulator("level", modulator);
        let plastic = Projection::new("plastic", source, target).weight(START);
        let link = circuit.project(plastic.plastic(rule()).modulated(modulator, scales));
        let mut engine = run(&circuit, 0.5);
        let found = f64::from(engine.weights(link)[0].2) - START;
        assert!(
            (found - expected).abs() < 2e-7,
            "{scales:?}, {lag}: {found} against {expected}"
        );
        let end = engine.modulator(modulator).expect("a level");
        assert!((end - level(499.8)).abs() < 1e-12, "{end}");
    }
}
