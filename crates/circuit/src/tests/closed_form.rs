//! Single neurons against the solutions of their equations.

use chiasm_core::{Quiet, Streams};

use super::run;
use crate::*;

const DT: f64 = 0.1;

/// Runs step by step and compares `v_m_mv` of the first neuron with `expected(t_ms)`.
fn follows(
    circuit: &Circuit,
    group: Group,
    steps: usize,
    within: f64,
    expected: impl Fn(f64) -> f64,
) {
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    for k in 1..=steps {
        engine.run(DT / 1000.0, &Quiet).expect("runs");
        let (v, t) = (engine.state(group, "v_m_mv")[0], k as f64 * DT);
        let error = (v - expected(t)).abs();
        assert!(
            error < within,
            "{v} mV against {} mV at {t} ms: {error:e}",
            expected(t)
        );
    }
}

#[test]
fn a_step_of_current_is_answered_exponentially() {
    let mut circuit = Circuit::new(DT);
    let model = LifCurrent::default();
    let group = circuit.population("a", 3, model);
    // 90 pA over 10 nS: 9 mV, just below the threshold at 10 mV.
    circuit.pulse(group, (0.0, 0.1), 90.0, &[]);
    let answer = |t: f64| -60.0 + 9.0 * (1.0 - (-t / 20.0).exp());
    follows(&circuit, group, 1500, 1e-10, |t| {
        if t <= 100.0 + 1e-9 {
            answer(t)
        } else {
            -60.0 + (answer(100.0) + 60.0) * (-(t - 100.0) / 20.0).exp()
        }
    });
    let mut circuit = Circuit::new(DT);
    let group = circuit.population("g", 3, LifConductance::default());
    circuit.current(group, 90.0);
    follows(&circuit, group, 1000, 1e-10, answer);
}

/// A current of `w` pA that decays with `tau_s` from `t = 0` on, into a membrane of `tau_m` and 200 pF.
fn psp(w: f64, tau_m: f64, tau_s: f64, t: f64) -> f64 {
    if t < 0.0 {
        0.0
    } else if (tau_m - tau_s).abs() < 1e-12 {
        w / 200.0 * t * (-t / tau_m).exp()
    } else {
        w / 200.0 * tau_m * tau_s / (tau_s - tau_m) * ((-t / tau_s).exp() - (-t / tau_m).exp())
    }
}

#[test]
fn a_postsynaptic_potential_comes_after_its_delay_and_is_exact() {
    for (tau_m, tau_s) in [(20.0, 5.0), (20.0, 20.0), (5.0, 20.0), (20.0, 20.000_1)] {
        for delays in [
            Draw::Same(0.1),
            Draw::Same(2.3),
            Draw::From(projection::Distributed::Each(vec![2.3, 0.5])),
        ] {
            let first = if delays == Draw::Same(0.1) { 0.1 } else { 2.3 };
            let mut circuit = Circuit::new(DT);
            let times_s = vec![vec![0.0, 0.005]];
            let source = circuit.input("in", 1, Input::Spikes { times_s });
            let model = LifCurrent {
                tau_m_ms: tau_m,
                tau_syn_ex_ms: tau_s,
                ..LifCurrent::default()
            };
            let group = circuit.population("a", 2, model);
            circuit.project(
                Projection::new("p", source, group)
                    .weight(60.0)
                    .delay_ms(delays),
            );
            follows(&circuit, group, 800, 1e-9, |t| {
                let sum =
                    psp(60.0, tau_m, tau_s, t - first) + psp(60.0, tau_m, tau_s, t - 5.0 - first);
                -60.0 + sum
            });
        }
    }
}

#[test]
fn currents_held_at_their_mean_lift_the_membrane_as_on_the_machine() {
    // A weight of 6 nA in the memory of card 14: 5.47 mV at 3 ms, 5.36 mV at .5 ms.
    for (c_m_pf, tau_m_ms, lift) in [(270.0, 3.0, 5.47), (140.0, 0.5, 5.36)] {
        let mut circuit = Circuit::new(1.0);
        let times_s = vec![vec![0.0]];
        let source = circuit.input("in", 1, Input::Spikes { times_s });
        let model = LifCurrent {
            c_m_pf,
            tau_m_ms,
            tau_syn_ex_ms: 0.3,
            integration: Integration::MeanCurrent,
            ..LifCurrent::default()
        };
        let group = circuit.population("a", 1, model);
        circuit.project(Projection::new("p", source, group).weight(6000.0));
        let mut engine = run(&circuit, 0.002);
        let found = engine.state(group, "v_m_mv")[0] + 60.0;
        assert!((found - lift).abs() < 0.005, "{found}");
    }
}

#[test]
fn the_rate_against_current_is_that_of_the_formula() {
    let model = LifCurrent::default();
    for i in [0.0, 50.0, 99.0, 101.0, 110.0, 150.0, 300.0, 1000.0] {
        for conductance in [false, true] {
            let mut circuit = Circuit::new(DT);
            let group = if conductance {
                circuit.population("a", 1, LifConductance::default())
            } else {
                circuit.population("a", 1, model)
            };
            circuit.current(group, i);
            circuit.record_spikes(group);
            let spikes = run(&circuit, 1.0).spikes(group);
            let drive = i * 0.1;
            if drive <= 10.0 {
                assert!(spikes.is_empty(), "{i} pA is below the rheobase of 100 pA");
                continue;
            }
            // From reset to threshold, in whole steps, plus 50 steps of rest.
            let free = (20.0 * (drive / (drive - 10.0)).ln() / DT).ceil() as u32;
            let times: Vec<u32> = spikes.iter().map(|s| s.0).collect();
            assert_eq!(times[0], free - 1, "{i} pA");
            assert!(times.windows(2).all(|w| w[1] - w[0] == free + 50), "{i} pA");
            assert!(times.len() > 5);
        }
    }
}

#[test]
fn conductances_converge_to_the_equations_with_the_step() {
    // Against the trapezoid sum of the equations' integral at a step a hundred times finer.
    let fine = {
        let (mut v, mut ge, mut gi, dt) = (-60.0f64, 30.0f64, 20.0f64, 1e-4);
        let (re, ri) = ((-dt / 5.0f64).exp(), (-dt / 10.0f64).exp());
        for _ in 0..100_000 {
            let f = |v: f64, ge: f64, gi: f64| {
                (10.0 * (-60.0 - v) + ge * (0.0 - v) + gi * (-80.0 - v)) / 200.0
            };
            let (ge2, gi2) = (ge * re, gi * ri);
            let k1 = f(v, ge, gi);
            let k2 = f(v + dt * k1, ge2, gi2);
            v += dt / 2.0 * (k1 + k2);
            (ge, gi) = (ge2, gi2);
        }
        v
    };
    let coarse = |dt: f64| {
        let mut circuit = Circuit::new(dt);
        let model = LifConductance {
            v_th_mv: 100.0,
            ..LifConductance::default()
        };
        let group = circuit.population("a", 1, model);
        circuit.start(group, "g_ex_ns", 30.0);
        circuit.start(group, "g_in_ns", 20.0);
        run(&circuit, 0.01).state(group, "v_m_mv")[0]
    };
    let (a, b) = ((coarse(0.1) - fine).abs(), (coarse(0.05) - fine).abs());
    assert!(a < 0.1, "{a} mV off at .1 ms");
    assert!((a / b - 2.0).abs() < 0.1, "first order: {a} against {b}");
}

#[test]
fn poisson_inputs_have_their_rate_and_no_memory() {
    let mut circuit = Circuit::new(DT);
    let drive = circuit.input("drive", 500, Input::Poisson { rate_hz: 40.0 });
    circuit.population("a", 1, LifCurrent::default());
    circuit.record_spikes(drive);
    let recording = run(&circuit, 20.0).recording().expect("spikes");
    let found = &summarize(&recording, 0.0)[0];
    // 400 000 spikes: a standard error of .06 Hz. p = .004 a step makes the intervals' CV sqrt(1 - p).
    assert!((found.rate_hz - 40.0).abs() < 0.2, "{} Hz", found.rate_hz);
    let cv = found.cv_isi.expect("many spikes");
    assert!((cv - 0.998).abs() < 0.01, "CV {cv}");
    assert_eq!(found.n_units, 500);
}
