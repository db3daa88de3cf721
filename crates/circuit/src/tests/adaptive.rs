//! Neurons with a second variable, against the solutions of their equations where there are any, else against plain
//! integration at a far finer step.

use chiasm_core::{Quiet, Streams};

use super::{pool, run};
use crate::*;

/// Membrane potential and adaptation of the first neuron after each of `steps` steps of `dt` ms.
fn course(model: impl Neuron + 'static, i_pa: f64, dt: f64, steps: usize) -> Vec<(f64, f64)> {
    let mut circuit = Circuit::new(dt);
    let group = circuit.population("a", 1, model);
    circuit.current(group, i_pa);
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    let step = |_| {
        engine.run(dt / 1000.0, &Quiet).expect("runs");
        let first = |name: &str, engine: &mut Engine| engine.state(group, name)[0];
        (first("v_m_mv", &mut engine), first("w_pa", &mut engine))
    };
    (0..steps).map(step).collect()
}

/// Steps of the spikes of one neuron under a constant current.
fn spikes(model: impl Neuron + 'static, i_pa: f64, dt: f64, duration_s: f64) -> Vec<u32> {
    let mut circuit = Circuit::new(dt);
    let group = circuit.population("a", 1, model);
    circuit.current(group, i_pa);
    circuit.record_spikes(group);
    let spikes = run(&circuit, duration_s).spikes(group);
    spikes.into_iter().map(|s| s.0).collect()
}

/// Without its slow variable Izhikevich's neuron is quadratic, and solved by a tangent.
fn quadratic() -> Izhikevich {
    Izhikevich {
        a_per_ms: 0.0,
        b_ns: 0.0,
        d_pa: 0.0,
        ..Izhikevich::default()
    }
}

/// Middle between rest and threshold, mV; scale of the tangent, mV; its frequency, 1/ms.
fn tangent(m: &Izhikevich, i_pa: f64) -> (f64, f64, f64) {
    let half = 0.5 * (m.v_t_mv - m.v_r_mv);
    let scale = (i_pa / m.k_ns_per_mv - half * half).sqrt();
    let middle = m.v_r_mv + half;
    (middle, scale, scale * m.k_ns_per_mv / m.c_m_pf)
}

#[test]
fn a_quadratic_neuron_rises_as_a_tangent_with_an_error_of_fourth_order() {
    let model = quadratic();
    let (middle, scale, frequency) = tangent(&model, 150.0);
    let start = ((model.v_r_mv - middle) / scale).atan();
    let solution = |t: f64| middle + scale * (start + frequency * t).tan();
    let worst = |dt: f64| {
        let course = course(model, 150.0, dt, (26.0 / dt).round() as usize);
        let times = (1..).map(|k| f64::from(k) * dt);
        let errors = course
            .iter()
            .zip(times)
            .map(|(c, t)| (c.0 - solution(t)).abs());
        errors.fold(0.0, f64::max)
    };
    assert!(
        solution(26.0) > -30.0 && solution(26.0) < 0.0,
        "on its way up"
    );
    let (coarse, fine) = (worst(0.2), worst(0.1));
    assert!(coarse < 1e-5, "{coarse:e} mV");
    let order = (coarse / fine).log2();
    assert!((order - 4.0).abs() < 0.2, "order {order}");
}

#[test]
fn its_rate_against_current_is_that_of_the_formula() {
    let model = quadratic();
    for i_pa in [60.0, 69.0, 71.0, 80.0, 100.0, 200.0, 500.0] {
        let found = spikes(model, i_pa, 0.1, 2.0);
        // 0.7 (20 / 2)^2
        if i_pa < 70.0 {
            assert!(found.is_empty(), "{i_pa} pA is below the rheobase of 70 pA");
            continue;
        }
        let (middle, scale, frequency) = tangent(&model, i_pa);
        let phase = |v: f64| ((v - middle) / scale).atan();
        let period = (phase(model.v_peak_mv) - phase(model.v_reset_mv)) / frequency;
        let steps = (period / 0.1).ceil() as u32;
        assert!(found.len() > 5);
        assert!(
            found.windows(2).all(|w| w[1] - w[0] == steps),
            "{i_pa} pA: {period} ms, but {found:?}"
        );
    }
}

#[test]
fn the_form_of_2003_is_the_same_neuron() {
    // Izhikevich (2003), regular spiking: a = .02, b = .2, c = -65, d = 8, here under a current of 10.
    let (a, b, c, d, current) = (0.02, 0.2, -65.0, 8.0, 10.0);
    // Plain Euler steps of a ten-thousandth of a millisecond.
    let (mut v, mut u, h) = (-65.0f64, -13.0f64, 1e-4);
    let mut plain = vec![];
    for k in 0..5_000_000 {
        let dv = 0.04 * v * v + 5.0 * v + 140.0 - u + current;
        let du = a * (b * v - u);
        (v, u) = (v + h * dv, u + h * du);
        if v >= 30.0 {
            (v, u) = (c, u + d);
            plain.push(f64::from(k) * h);
        }
    }
    let root = |sign: f64| (-5.0 + sign * (25.0f64 - 22.4).sqrt()) / 0.08;
    let model = Izhikevich {
        c_m_pf: 1.0,
        k_ns_per_mv: 0.04,
        v_r_mv: root(-1.0),
        v_t_mv: root(1.0),
        v_peak_mv: 30.0,
        v_reset_mv: c,
        a_per_ms: a,
        b_ns: b,
        d_pa: d,
        i_e_pa: current - b * root(-1.0),
        ..Izhikevich::default()
    };
    let off = |dt: f64| {
        let mut circuit = Circuit::new(dt);
        let group = circuit.population("a", 1, model);
        circuit.start(group, "v_m_mv", -65.0);
        circuit.start(group, "w_pa", -13.0 - b * root(-1.0));
        circuit.record_spikes(group);
        let found = run(&circuit, 0.5).spikes(group);
        assert_eq!(found.len(), plain.len(), "at {dt} ms");
        let found = found.iter().map(|s| f64::from(s.0) * dt);
        let off = found.zip(&plain).map(|(a, b)| (a - b).abs());
        off.fold(0.0, f64::max)
    };
    assert!(plain.len() > 8, "{plain:?}");
    // A spike ends with its step, so each comes up to a step late, and the next ones with it.
    let n = plain.len() as f64;
    for dt in [0.1, 0.01] {
        let off = off(dt);
        assert!(off < n * dt, "{off} ms off at {dt} ms");
    }
}

#[test]
fn below_threshold_an_adaptive_neuron_is_linear() {
    // Where the exponential is e^-28 of a millivolt.
    let model = AdaptiveExponential {
        delta_t_mv: 0.5,
        ..AdaptiveExponential::default()
    };
    for (a_ns, tau_w_ms) in [(4.0, 144.0), (60.0, 30.0)] {
        let model = AdaptiveExponential {
            a_ns,
            tau_w_ms,
            ..model
        };
        let (c, g, i) = (model.c_m_pf, model.g_l_ns, 150.0);
        // x = v - e_l obeys x'' - s x' + p (x - x_inf) = 0 with x = 0 and x' = i / c at first.
        let s = -g / c - 1.0 / tau_w_ms;
        let p = (g + a_ns) / (c * tau_w_ms);
        let x_inf = i / (g + a_ns);
        let discriminant = 0.25 * s * s - p;
        let root = discriminant.abs().sqrt();
        // x = x_inf + e^(s t / 2) (-x_inf C + n S), with C and S cosine and sine, hyperbolic if the roots are real.
        let n = (i / c + 0.5 * s * x_inf) / root;
        let x = |t: f64| {
            let (cos, sin) = if discriminant > 0.0 {
                ((root * t).cosh(), (root * t).sinh())
            } else {
                ((root * t).cos(), (root * t).sin())
            };
            x_inf + (0.5 * s * t).exp() * (n * sin - x_inf * cos)
        };
        for (k, (v, w)) in course(model, i, 0.1, 2000).into_iter().enumerate() {
            let t = (k + 1) as f64 * 0.1;
            assert!((v + 70.6 - x(t)).abs() < 1e-7, "{v} mV at {t} ms");
            // The slope by a central difference of the solution.
            let slope = (x(t + 1e-3) - x(t - 1e-3)) / 2e-3;
            assert!(
                (w - (i - g * x(t) - c * slope)).abs() < 1e-4,
                "{w} pA at {t} ms"
            );
        }
    }
}

#[test]
fn synaptic_currents_enter_at_every_stage() {
    // The current of a spike, w e^(-t / 5), into a membrane of 281 pF and 30 nS.
    let model = AdaptiveExponential {
        delta_t_mv: 0.5,
        a_ns: 0.0,
        ..AdaptiveExponential::default()
    };
    let mut circuit = Circuit::new(0.1);
    let group = circuit.population("a", 1, model);
    circuit.start(group, "i_ex_pa", 300.0);
    circuit.start(group, "i_in_pa", -100.0);
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    let tau = model.c_m_pf / model.g_l_ns;
    let psp = |w: f64, tau_s: f64, t: f64| {
        w / model.c_m_pf / (1.0 / tau_s - 1.0 / tau) * ((-t / tau).exp() - (-t / tau_s).exp())
    };
    for k in 1..=800 {
        engine.run(1e-4, &Quiet).expect("runs");
        let t = f64::from(k) * 0.1;
        let expected = -70.6 + psp(300.0, 5.0, t) + psp(-100.0, 10.0, t);
        let v = engine.state(group, "v_m_mv")[0];
        assert!(
            (v - expected).abs() < 1e-7,
            "{v} mV, not {expected} mV, at {t} ms"
        );
    }
}

#[test]
fn an_exponential_neuron_spikes_with_the_period_of_the_integral() {
    let model = AdaptiveExponential {
        a_ns: 0.0,
        b_pa: 0.0,
        ..AdaptiveExponential::default()
    };
    for i_pa in [560.0, 700.0, 1000.0, 2000.0] {
        // The time from reset to peak is the integral of dv over dv/dt, here by Simpson's rule.
        let pace = |v: f64| {
            let (e_l, v_t) = (model.e_l_mv, model.v_t_mv);
            let rise = model.g_l_ns * (2.0 * ((v - v_t) / 2.0).exp() - (v - e_l)) + i_pa;
            model.c_m_pf / rise
        };
        let n = 100_000;
        let h = (model.v_peak_mv - model.v_reset_mv) / f64::from(n);
        let at = |k: i32| pace(model.v_reset_mv + h * f64::from(k));
        let inner = (1..n).map(|k| f64::from(2 + 2 * (k % 2)) * at(k));
        let period = h / 3.0 * (at(0) + at(n) + inner.sum::<f64>());
        let found = spikes(model, i_pa, 0.1, 1.0);
        let steps = (period / 0.1).ceil() as u32;
        assert!(found.len() > 5, "{i_pa} pA: {found:?}");
        assert!(
            found.windows(2).all(|w| w[1] - w[0] == steps),
            "{i_pa} pA: {period} ms, but {found:?}"
        );
    }
    // The rheobase of the exponential neuron: g_l (v_t - e_l - delta_t).
    let rheobase = 30.0 * (-50.4 + 70.6 - 2.0);
    assert!(spikes(model, rheobase - 1.0, 0.1, 1.0).is_empty());
    assert!(!spikes(model, rheobase + 1.0, 0.1, 1.0).is_empty());
}

#[test]
fn adaptation_lengthens_intervals_until_it_decays_by_what_a_spike_adds() {
    let model = AdaptiveExponential {
        a_ns: 0.0,
        ..AdaptiveExponential::default()
    };
    let found = spikes(model, 1000.0, 0.1, 3.0);
    let gaps: Vec<u32> = found.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.windows(2).all(|g| g[0] <= g[1] + 1), "{gaps:?}");
    let last = *gaps.last().expect("many spikes");
    assert!(2 * gaps[0] < last, "{gaps:?}");
    // After a spike w = b / (1 - e^(-T / tau_w)), if T does not change.
    let steps = *found.last().expect("many spikes") as usize + 1;
    let w = course(model, 1000.0, 0.1, steps)[steps - 1].1;
    let period = 0.1 * f64::from(last);
    let expected = model.b_pa / (1.0 - (-period / model.tau_w_ms).exp());
    // Intervals may differ by a step.
    assert!((w / expected - 1.0).abs() < 0.005, "{w} pA, not {expected}");
}

#[test]
fn a_long_step_and_a_strong_synapse_stay_finite() {
    let mut circuit = Circuit::new(1.0);
    let a = circuit.population("a", 3, Izhikevich::default());
    let b = circuit.population("b", 3, AdaptiveExponential::default());
    for group in [a, b] {
        circuit.start(group, "i_ex_pa", 1e6);
        circuit.record_spikes(group);
    }
    let mut engine = run(&circuit, 0.2);
    for group in [a, b] {
        assert!(engine.spikes(group).len() > 3);
    }
}

#[test]
fn many_neurons_on_many_threads_are_the_same_bits() {
    let course = |threads: usize| {
        let mut circuit = Circuit::new(0.1);
        let drive = circuit.input("drive", 40, Input::Poisson { rate_hz: 200.0 });
        let a = circuit.population("a", 131, Izhikevich::default());
        let b = circuit.population("b", 70, AdaptiveExponential::default());
        circuit.current(b, Draw::uniform(400.0, 900.0));
        for (name, from, to) in [("da", drive, a), ("ab", a, b), ("ba", b, a)] {
            let new = Projection::new(name, from, to).connect(Connect::Probability(0.3));
            circuit.project(new.weight(60.0).delay_ms(Draw::uniform(0.5, 2.0)));
        }
        circuit.record_spikes(a);
        circuit.record_spikes(b);
        let streams = Streams::new(5);
        let mut engine = match threads {
            1 => circuit.build(&streams),
            n => circuit.build_on(&streams, pool(n)),
        }
        .expect("a circuit");
        engine.run(0.3, &Quiet).expect("runs");
        let state = [engine.state(a, "v_m_mv"), engine.state(b, "w_pa")].concat();
        let bits: Vec<u64> = state.iter().map(|x| x.to_bits()).collect();
        (engine.spikes(a), engine.spikes(b), bits)
    };
    let one = course(1);
    assert!(one.0.len() > 100 && one.1.len() > 100, "busy");
    assert_eq!(one, course(3));
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let refused = |model: &dyn Neuron, field: &str| {
        let error = model.validate().expect_err("refused");
        assert_eq!(error.field, field, "{error}");
    };
    let izhikevich = Izhikevich::default();
    assert!(izhikevich.validate().is_ok());
    let with = |change: &dyn Fn(&mut Izhikevich)| {
        let mut model = izhikevich;
        change(&mut model);
        model
    };
    refused(&with(&|m| m.c_m_pf = 0.0), "c_m_pf");
    refused(&with(&|m| m.k_ns_per_mv = -1.0), "k_ns_per_mv");
    refused(&with(&|m| m.a_per_ms = f64::NAN), "a_per_ms");
    refused(&with(&|m| m.v_peak_mv = f64::NAN), "v_peak_mv");
    refused(&with(&|m| m.v_reset_mv = 35.0), "v_reset_mv");
    refused(&with(&|m| m.v_t_mv = 40.0), "v_t_mv");
    let adaptive = AdaptiveExponential::default();
    assert!(adaptive.validate().is_ok());
    let with = |change: &dyn Fn(&mut AdaptiveExponential)| {
        let mut model = adaptive;
        change(&mut model);
        model
    };
    refused(&with(&|m| m.delta_t_mv = 0.0), "delta_t_mv");
    refused(&with(&|m| m.tau_w_ms = f64::INFINITY), "tau_w_ms");
    refused(&with(&|m| m.b_pa = f64::NAN), "b_pa");
    refused(&with(&|m| m.v_reset_mv = 20.0), "v_reset_mv");
    refused(&with(&|m| m.e_l_mv = 20.0), "e_l_mv");
}
