//! What can be worked out without a program.

use chiasm_circuit::{Drive as Current, LifCurrent, Neuron as _};

use super::*;

/// Spikes of one neuron with these inputs.
fn one(config: &Lif, leak: f32, input: &[f32]) -> Vec<f32> {
    let device = Device::flex();
    let input = upload(input.to_vec(), [input.len(), 1, 1], &device);
    let leak = Tensor::from_floats([leak], &device);
    download(lif(input, leak, config).unwrap())
}

#[test]
fn a_few_steps_by_hand() {
    // u = 1/2 v + input, threshold 1: 0.75, 1.125 (spike), then from 0 or from 0.125.
    let input = [0.75, 0.75, 0.75, 0.6875, 0.0];
    let with = |reset| Lif {
        reset,
        ..Lif::default()
    };
    // From 0: 0.75, 1.0625.
    let zero = one(&with(Reset::Zero), 0.5, &input);
    assert_eq!(zero, [0.0, 1.0, 0.0, 1.0, 0.0]);
    // From 0.125: 0.8125, 1.09375.
    let subtract = one(&with(Reset::Subtract), 0.5, &input);
    assert_eq!(subtract, [0.0, 1.0, 0.0, 1.0, 0.0]);
    // Never reset: 1.125, 1.3125, 1.34375, 0.671875.
    let none = one(&with(Reset::None), 0.5, &input);
    assert_eq!(none, [0.0, 1.0, 1.0, 1.0, 0.0]);
    // At threshold a neuron spikes.
    assert_eq!(one(&Lif::default(), 0.5, &[1.0, 0.999]), [1.0, 0.0]);
}

#[test]
fn a_constant_input_gives_the_interval_of_the_closed_form() {
    // v after k steps is input (1 - leak^k): the first k at or above 1 is the interval.
    let config = Lif {
        drive: Drive::Leaky,
        ..Lif::default()
    };
    for (tau, input) in [(20.0, 1.3f32), (10.0, 1.05), (5.0, 3.0)] {
        let leak = leak_of(tau, 1.0).unwrap();
        let k = ((1.0 - 1.0 / f64::from(input)).ln() / leak.ln()).ceil() as usize;
        let spikes = one(&config, leak as f32, &vec![input; 10 * k]);
        for (t, s) in spikes.iter().enumerate() {
            let expected = f32::from(u8::from((t + 1) % k == 0));
            assert_eq!(*s, expected, "tau {tau}, input {input}, step {t}");
        }
    }
}

/// The equation shared with `chiasm-circuit`: the current-based neuron, integrated exactly, without rest.
#[test]
fn spikes_are_those_of_the_circuit_engine() {
    let (n, time, dt) = (40, 2000, 0.1);
    let model = LifCurrent {
        t_ref_ms: 0.0,
        v_reset_mv: -60.0,
        ..LifCurrent::default()
    };
    let (e_l, resistance) = (model.e_l_mv, model.tau_m_ms / model.c_m_pf);
    let currents = draws("currents", time * n, (0.0, 420.0));
    let mut cells = model.cells(n, dt);
    let mut expected = vec![0.0; time * n];
    let mut fired = Vec::new();
    for (t, now) in currents.chunks(n).enumerate() {
        fired.clear();
        cells.step(Current::Each(now), &mut fired);
        for i in &fired {
            expected[t * n + *i as usize] = 1.0;
        }
    }
    let count = expected.iter().sum::<f64>();
    assert!(count > 500.0, "{count} spikes are too few to compare");

    let config = Lif {
        threshold: model.v_th_mv - e_l,
        drive: Drive::Leaky,
        ..Lif::default()
    };
    let device = Device::flex();
    let input: Vec<f64> = currents.iter().map(|i| resistance * i).collect();
    let input = upload(input, [time, 1, n], &device);
    let leak = upload(vec![leak_of(model.tau_m_ms, dt).unwrap()], [1], &device);
    let ours = download::<f64, 3>(lif(input, leak, &config).unwrap());
    assert_eq!(ours, expected);
}

#[test]
fn surrogates_are_the_derivatives_of_their_integrals() {
    for s in SURROGATES {
        for k in -300..=300 {
            // Off the kinks at 0 and at the triangle's ends.
            let x = f64::from(k) * 0.01 + 0.003;
            let h = 1e-5;
            let slope = (s.integral(x + h) - s.integral(x - h)) / (2.0 * h);
            assert!((slope - s.derivative(x)).abs() < 1e-8, "{s:?} at {x}");
            assert_eq!(s.derivative(x), s.derivative(-x));
        }
        assert_eq!(s.integral(0.0), 0.5);
        assert!(s.derivative(f64::NAN).is_nan() && s.integral(f64::NAN).is_nan());
    }
    assert_eq!(Surrogate::Atan { alpha: 2.0 }.derivative(0.0), 1.0);
    assert_eq!(Surrogate::Sigmoid { slope: 4.0 }.derivative(0.0), 1.0);
    // Those of unit area go from 0 to 1.
    let far = 1e9;
    for s in [
        Surrogate::Atan { alpha: 2.0 },
        Surrogate::Sigmoid { slope: 4.0 },
        Surrogate::Triangle {
            width: 2.0,
            height: 0.5,
        },
        Surrogate::Slayer {
            decay: 2.0,
            height: 1.0,
        },
    ] {
        assert!(s.integral(-far).abs() < 1e-8 && (s.integral(far) - 1.0).abs() < 1e-8);
    }
}
