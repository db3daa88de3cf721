mod converted;

use burn_tensor::Device;
use chiasm_core::{Quiet, Streams};
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::spiking::confidence::{Agent, Calibration};

/// Four classes around four centers.
fn clouds(n: usize, seed: u64) -> (Array2<f32>, Vec<usize>) {
    let mut rng = Streams::new(seed).stream("clouds");
    let labels: Vec<usize> = (0..n).map(|i| i % 4).collect();
    let inputs = Array2::from_shape_fn((n, 8), |(i, c)| {
        let noise: f64 = StandardNormal.sample(&mut rng);
        (f64::from(u8::from(c / 2 == labels[i])) + 0.35 * noise) as f32
    });
    (inputs, labels)
}

fn small() -> Qcfs {
    Qcfs {
        hidden: vec![32, 16],
        epochs: 6,
        batch: 16,
        ..Qcfs::default()
    }
}

fn trained(seed: u64) -> QcfsNetwork {
    let (inputs, labels) = clouds(400, 7);
    let fit = small().fit(inputs.view(), &labels, 4, &Streams::new(seed), &Quiet);
    fit.unwrap()
}

fn right(logits: &Array2<f32>, labels: &[usize]) -> f64 {
    let rows = logits.rows().into_iter().zip(labels);
    let right = rows.filter(|(row, l)| row.iter().all(|v| *v <= row[**l]));
    right.count() as f64 / labels.len() as f64
}

#[test]
fn the_activation_and_its_gradient_are_those_of_the_definition() {
    let device = Device::flex().autodiff();
    let (levels, lambda) = (4, 1.5f64);
    let x = vec![-1.0, 0.1, 0.4, 0.7, 1.2, 1.45, 2.0];
    let n = x.len();
    for (i, &v) in x.iter().enumerate() {
        let leaf = upload(x.clone(), [1, n], &device).require_grad();
        let scale = upload(vec![lambda], [1, 1], &device).require_grad();
        let h = quantized(leaf.clone(), scale.clone(), levels);
        let found = download::<f64, 2>(h.clone().inner())[i];
        let level = (v * 4.0 / lambda + 0.5).floor() / 4.0;
        let expected = lambda * level.clamp(0.0, 1.0);
        assert!((found - expected).abs() < 1e-12, "{v}");
        let grads = h.slice([0..1, i..i + 1]).sum().backward();
        let by_x = download::<f64, 2>(leaf.grad(&grads).unwrap())[i];
        let by_lambda = download::<f64, 2>(scale.grad(&grads).unwrap())[0];
        let between = v > 0.0 && v < lambda;
        assert_eq!(by_x, f64::from(u8::from(between)), "{v}");
        let slope = match v {
            v if v >= lambda => 1.0,
            _ if between => (expected - v) / lambda,
            _ => 0.0,
        };
        assert!(
            (by_lambda - slope).abs() < 1e-12,
            "{v}: {by_lambda} {slope}"
        );
    }
}

#[test]
fn spikes_under_constant_input_follow_the_formula() {
    // N = clip(floor(x T / lambda + 1/2), 0, T), in numbers that binary fractions hold exactly.
    let lambda = 0.5f32;
    for steps in [1, 3, 4, 8, 32] {
        for k in -40..80 {
            // Away from the ties, which are at odd multiples of lambda / (2 T).
            let x = k as f32 / 64.0 + 1.0 / 1024.0;
            let (mut v, mut active, mut n) = (vec![0.5 * lambda], vec![], 0);
            for _ in 0..steps {
                spiking::fire(&mut v, &[x], lambda, &mut active);
                n += active.len() as i32;
            }
            let expected = (x * steps as f32 / lambda + 0.5).floor() as i32;
            assert_eq!(n, expected.clamp(0, steps), "x {x}, {steps} steps");
        }
    }
}

#[test]
fn the_first_layer_spikes_as_often_as_its_activation_has_levels() {
    let network = trained(1);
    let (inputs, _) = clouds(64, 8);
    let counts = network.spiking().first_layer(inputs.view(), 4).unwrap();
    let (weights, bias) = (&network.parameters.arrays[0], &network.parameters.arrays[1]);
    let lambda = network.thresholds()[0];
    let mut compared = 0;
    for (i, row) in inputs.rows().into_iter().enumerate() {
        for unit in 0..32 {
            let terms = row.iter().enumerate();
            let sum: f64 = terms
                .map(|(c, x)| f64::from(*x) * f64::from(weights.values[c * 32 + unit]))
                .sum();
            let level = (sum + f64::from(bias.values[unit])) * 4.0 / f64::from(lambda) + 0.5;
            // Rounding decides at a tie.
            if (level - level.round()).abs() > 1e-4 {
                let level = level.floor().clamp(0.0, 4.0) as u32;
                assert_eq!(counts[[i, unit]], level);
                compared += 1;
            }
        }
    }
    assert!(compared > 2000);
}

#[test]
fn it_learns_and_its_spikes_come_to_the_same() {
    let network = trained(2);
    let (inputs, labels) = clouds(400, 9);
    let accuracy = right(&network.logits(inputs.view()).unwrap(), &labels);
    assert!(accuracy > 0.9, "{accuracy}");
    let run = network.spiking().run(inputs.view(), 32).unwrap();
    let outputs = run.outputs(&labels).unwrap();
    let whole = Agent::new(1.0, 1.0).unwrap();
    let spiking = crate::spiking::confidence::score(&outputs, whole, 0.0).accuracy;
    assert!((spiking - accuracy).abs() <= 0.02, "{spiking} {accuracy}");
}

#[test]
fn samples_that_stop_early_are_decided_as_in_a_whole_run() {
    let network = trained(3).spiking();
    let (inputs, labels) = clouds(200, 10);
    let run = network.run(inputs.view(), 12).unwrap();
    let outputs = run.outputs(&labels).unwrap();
    let agent = Calibration::default().fit(&outputs).unwrap().agent;
    let whole = agent.decide(&outputs);
    let early = network.run_until_sure(inputs.view(), 12, agent).unwrap();
    for (i, ((decision, spikes), expected)) in early.iter().zip(&whole).enumerate() {
        assert_eq!(decision, expected);
        assert_eq!(*spikes, run.spikes[[i, decision.steps - 1]]);
    }
    let last = run.spikes.column(11).iter().sum::<u32>();
    assert!(early.iter().map(|e| e.1).sum::<u32>() < last);
    let total = run.spikes.column(11).iter().max().copied().unwrap_or(0);
    assert!(total as usize <= 12 * network.n_neurons());
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let network = trained(4);
            let (inputs, _) = clouds(300, 11);
            let run = network.spiking().run(inputs.view(), 8).unwrap();
            (network.logits(inputs.view()).unwrap(), network, run)
        })
    };
    assert_eq!(on(1), on(3));
    assert_ne!(trained(4), trained(5));
}

#[test]
fn bad_input_is_refused_by_place() {
    let (mut inputs, mut labels) = clouds(20, 12);
    let fit = |inputs: &Array2<f32>, labels: &[usize], config: Qcfs| {
        let streams = Streams::new(0);
        let fitted = config.fit(inputs.view(), labels, 4, &streams, &Quiet);
        fitted.unwrap_err().to_string()
    };
    assert!(fit(&inputs, &labels[1..], small()).contains("labels"));
    labels[3] = 4;
    assert!(fit(&inputs, &labels, small()).contains("sample 3: expected a class below 4"));
    labels[3] = 3;
    let fast = Qcfs {
        rate: 1e30,
        ..small()
    };
    assert!(fit(&inputs, &labels, fast).contains("not finite in epoch"));
    for (field, config) in [
        (
            "hidden",
            Qcfs {
                hidden: vec![],
                ..small()
            },
        ),
        (
            "levels",
            Qcfs {
                levels: 0,
                ..small()
            },
        ),
        (
            "lambda",
            Qcfs {
                lambda: 0.0,
                ..small()
            },
        ),
        (
            "momentum",
            Qcfs {
                momentum: 1.0,
                ..small()
            },
        ),
        (
            "decay",
            Qcfs {
                decay: f64::NAN,
                ..small()
            },
        ),
        (
            "batch",
            Qcfs {
                batch: 0,
                ..small()
            },
        ),
    ] {
        assert!(fit(&inputs, &labels, config).contains(field));
    }
    let network = trained(6);
    inputs[[5, 2]] = f32::INFINITY;
    let refused = network.logits(inputs.view()).unwrap_err().to_string();
    assert!(refused.contains("sample 5, column 2"));
    let narrow = Array2::zeros((2, 7));
    assert!(network.spiking().run(narrow.view(), 4).is_err());
    assert!(network.spiking().run(clouds(2, 1).0.view(), 0).is_err());
}

#[test]
fn a_recording_holds_every_spike_in_its_epoch() {
    let network = trained(8).spiking();
    let (inputs, _) = clouds(5, 14);
    let names: Vec<String> = (0..5).map(|i| format!("cloud {}", i % 4)).collect();
    let recording = network.record(inputs.view(), &names, 6, 0.001).unwrap();
    let run = network.run(inputs.view(), 6).unwrap();
    let times = &recording.spikes().unwrap().times;
    assert_eq!((times.len(), recording.epochs().len()), (48, 5));
    for (i, epoch) in recording.epochs().iter().enumerate() {
        let within = |t: &&f64| **t >= epoch.start_s - 1e-9 && **t < epoch.stop_s - 1e-9;
        let n = times.iter().flatten().filter(within).count();
        assert_eq!(n, run.spikes[[i, 5]] as usize);
        assert_eq!(epoch.label, names[i]);
    }
    assert!(
        network
            .record(inputs.view(), &names[1..], 6, 0.001)
            .is_err()
    );
    assert!(network.record(inputs.view(), &names, 6, 0.0).is_err());
}

#[test]
fn a_random_network_stays_within_what_its_thresholds_allow() {
    let mut rng = Streams::new(13).stream("inputs");
    let network = trained(7).spiking();
    let inputs = Array2::from_shape_fn((50, 8), |_| rng.random_range(-5.0..5.0f32));
    let run = network.run(inputs.view(), 6).unwrap();
    for row in run.spikes.rows() {
        // No neuron spikes more than once in a step.
        for (t, n) in row.iter().enumerate() {
            assert!(*n as usize <= (t + 1) * network.n_neurons());
        }
        assert!(row.iter().zip(row.iter().skip(1)).all(|(a, b)| a <= b));
    }
}
