use super::training::loss;
use super::*;

fn gradients(network: &Recurrent<f64>, trials: &Sequences<f64>, read: Read) -> Vec<Vec<f64>> {
    let states = network.run(trials).unwrap();
    let mut errors = vec![];
    loss(&states, trials, read, &mut errors);
    let mut all: Vec<Vec<f64>> = network
        .parameters()
        .arrays
        .iter()
        .map(|a| vec![0.0; a.values.len()])
        .collect();
    network.back(trials, &states, &errors, &mut all);
    all
}

#[test]
fn states_follow_the_equation() {
    let (network, trials) = small(Activation::Tanh, 3);
    let states = network.run(&trials).unwrap();
    let (hidden, outputs) = (states.hidden(), states.outputs());
    let w = network.recurrent();
    let (input, output) = (network.array(INPUT), network.array(OUTPUT));
    let leak = &network.config().leak;
    for b in 0..4 {
        let mut h = vec![0.0; 7];
        for t in 0..5 {
            let enters = |u: usize| {
                let x: f64 = (0..2)
                    .map(|i| trials.inputs()[[t, b, i]] * input[i * 7 + u])
                    .sum();
                x + (0..7).map(|v| h[v] * w[[v, u]]).sum::<f64>()
            };
            let next = (0..7).map(|u| ((1.0 - leak[u]) * h[u] + leak[u] * enters(u)).tanh());
            h = next.collect();
            for u in 0..7 {
                assert!((hidden[[t, b, u]] - h[u]).abs() < 1e-12);
            }
            for k in 0..3 {
                let y: f64 = (0..7).map(|u| h[u] * output[u * 3 + k]).sum();
                assert!((outputs[[t, b, k]] - y).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for activation in [Activation::Relu, Activation::Tanh] {
        for read in [Read::All, Read::Last] {
            let (mut network, trials) = small(activation, 5);
            let found = gradients(&network, &trials, read);
            for (array, found) in found.iter().enumerate().take(3) {
                for (i, found) in found.iter().enumerate() {
                    let mut at = |step: f64| {
                        let values = &mut network.parameters_mut().arrays[array].values;
                        let before = values[i];
                        values[i] += step;
                        let states = network.run(&trials).unwrap();
                        network.parameters_mut().arrays[array].values[i] = before;
                        loss(&states, &trials, read, &mut vec![])
                    };
                    let numerical = (at(1e-5) - at(-1e-5)) / 2e-5;
                    assert!((numerical - found).abs() < 1e-8, "{array} {i}");
                }
            }
        }
    }
}

/// Gradients of every output with respect to the recurrent weights, by differences, in the order of the kernel.
fn jacobian(network: &mut Recurrent<f64>, trials: &Sequences<f64>, read: Read) -> Array2<f64> {
    let steps = trials.n_steps();
    let first = if read == Read::All { 0 } else { steps - 1 };
    let rows = (0..trials.n_trials())
        .flat_map(|b| (first..steps).flat_map(move |t| (0..3).map(move |k| (t, b, k))));
    let rows: Vec<_> = rows.collect();
    let mut found = Array2::zeros((rows.len(), 49));
    for i in 0..49 {
        let mut at = |step: f64| {
            let before = network.parameters_mut().arrays[RECURRENT].values[i];
            network.parameters_mut().arrays[RECURRENT].values[i] += step;
            let outputs = network.run(trials).unwrap().outputs();
            network.parameters_mut().arrays[RECURRENT].values[i] = before;
            outputs
        };
        let (up, down) = (at(1e-5), at(-1e-5));
        for (r, &(t, b, k)) in rows.iter().enumerate() {
            found[[r, i]] = (up[[t, b, k]] - down[[t, b, k]]) / 2e-5;
        }
    }
    found
}

#[test]
fn the_tangent_kernel_is_that_of_the_jacobian() {
    for activation in [Activation::Relu, Activation::Tanh] {
        for read in [Read::All, Read::Last] {
            let (mut network, trials) = small(activation, 8);
            let kernel = network.tangent_kernel(&trials, read).unwrap();
            let j = jacobian(&mut network, &trials, read);
            let explicit = j.dot(&j.t());
            assert_eq!(kernel.dim(), explicit.dim());
            for (a, b) in kernel.iter().zip(&explicit) {
                assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
            }
            assert!(kernel.iter().any(|v| v.abs() > 1e-3));
        }
    }
}

#[test]
fn a_trial_of_one_step_leaves_nothing_to_recurrent_weights() {
    let (network, _) = small(Activation::Relu, 1);
    let one = trials(1, 3, 1);
    let kernel = network.tangent_kernel(&one, Read::All).unwrap();
    assert!(kernel.iter().all(|v| *v == 0.0));
}
