//! Gradients against finite differences of the smoothed model, in a plain program of one neuron at a time.

use super::*;

/// The weighed sum of outputs of neurons, each with its own leak; where `spikes` are given the resets take those.
fn plainly(
    config: &Lif,
    (time, n): (usize, usize),
    (input, leak, weigh): (&[f64], &[f64], &[f64]),
    resets: Option<&[f64]>,
) -> (f64, Vec<f64>) {
    let (mut loss, mut all) = (0.0, vec![0.0; time * n]);
    for i in 0..n {
        let (mut v, leak) = (0.0, leak[i % leak.len()]);
        for t in 0..time {
            let at = t * n + i;
            let gain = if config.drive == Drive::Leaky {
                1.0 - leak
            } else {
                1.0
            };
            let u = leak * v + gain * input[at];
            let x = u - config.threshold;
            let s = match config.firing {
                Firing::Spikes => f64::from(u8::from(x >= 0.0)),
                Firing::Smooth => config.surrogate.integral(x),
            };
            loss += weigh[at] * s;
            all[at] = s;
            let by = resets.map_or(s, |r| r[at]);
            v = match config.reset {
                Reset::Zero => u * (1.0 - by),
                Reset::Subtract => u - config.threshold * by,
                Reset::None => u,
            };
        }
    }
    (loss, all)
}

#[test]
fn gradients_equal_differences_of_the_smoothed_model() {
    let (time, batch, n) = (9, 2, 3);
    let size = time * batch * n;
    let input = draws("input", size, (-0.5, 1.2));
    let weigh = draws("weigh", size, (-1.0, 1.0));
    let device = Device::flex().autodiff();
    for n_leaks in [1, n] {
        let leak = draws("leak", n_leaks, (0.3, 0.95));
        for config in all_settings() {
            let config = Lif {
                firing: Firing::Smooth,
                ..config
            };
            let x = upload(input.clone(), [time, batch, n], &device).require_grad();
            let l = upload(leak.clone(), [n_leaks], &device).require_grad();
            let spikes = lif(x.clone(), l.clone(), &config).unwrap();
            let values = download::<f64, 3>(spikes.clone().inner());
            let weights = upload(weigh.clone(), [time, batch, n], &device);
            let grads = (spikes * weights).sum().backward();
            let of_input = download::<f64, 3>(x.grad(&grads).unwrap());
            let of_leak = download::<f64, 1>(l.grad(&grads).unwrap());

            let whole = (time, batch * n);
            let (_, plain) = plainly(&config, whole, (&input, &leak, &weigh), None);
            close("outputs", &values, &plain, 1e-13);
            // A detached reset is one whose spikes are constants.
            let held = config.detach_reset.then_some(&plain[..]);
            let loss = |input: &[f64], leak: &[f64]| {
                plainly(&config, whole, (input, leak, &weigh), held).0
            };
            let h = 1e-6;
            let slope = |values: &[f64], i: usize, loss: &dyn Fn(&[f64]) -> f64| {
                let mut moved = values.to_vec();
                moved[i] = values[i] + h;
                let up = loss(&moved);
                moved[i] = values[i] - h;
                (up - loss(&moved)) / (2.0 * h)
            };
            let expected: Vec<f64> = (0..size)
                .map(|i| slope(&input, i, &|x| loss(x, &leak)))
                .collect();
            close(&format!("input {config:?}"), &of_input, &expected, 1e-6);
            let expected: Vec<f64> = (0..n_leaks)
                .map(|i| slope(&leak, i, &|l| loss(&input, l)))
                .collect();
            close(&format!("leak {config:?}"), &of_leak, &expected, 1e-6);
        }
    }
}

#[test]
fn spikes_are_those_of_the_plain_program() {
    let (time, n) = (200, 37);
    let input = draws("long", time * n, (-0.5, 1.2));
    let leak = draws("leaks", n, (0.3, 0.95));
    let zeros = vec![0.0; time * n];
    let device = Device::flex();
    for config in all_settings() {
        let (_, expected) = plainly(&config, (time, n), (&input, &leak, &zeros), None);
        let x = upload(input.clone(), [time, 1, n], &device);
        let spikes = lif(x, upload(leak.clone(), [n], &device), &config).unwrap();
        assert_eq!(download::<f64, 3>(spikes), expected, "{config:?}");
    }
}
