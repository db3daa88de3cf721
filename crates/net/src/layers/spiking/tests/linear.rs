//! Sparse products against the dense ones.

use std::sync::Arc;

use super::*;

/// Ones and zeros.
fn active(name: &str, n: usize, share: f64) -> Vec<f64> {
    let draws = draws(name, n, (0.0, 1.0));
    draws
        .iter()
        .map(|d| f64::from(u8::from(*d < share)))
        .collect()
}

/// Time, batch, inputs, neurons; share of active inputs.
type Case = ([usize; 4], f64);

struct Data {
    shape: [usize; 4],
    input: Vec<f64>,
    weights: Vec<f64>,
    bias: Vec<f64>,
    leak: Vec<f64>,
    weigh: Vec<f64>,
}

impl Data {
    fn new((shape, share): Case, leaks: usize) -> Self {
        let [time, batch, n_in, n_out] = shape;
        let scale = (3.0 / (n_in as f64 * share)).sqrt();
        Self {
            shape,
            input: active("active", time * batch * n_in, share),
            weights: draws("weights", n_in * n_out, (-0.4 * scale, 0.7 * scale)),
            bias: draws("bias", n_out, (-0.1, 0.2)),
            leak: draws("leak", leaks, (0.3, 0.95)),
            weigh: draws("weigh", time * batch * n_out, (-1.0, 1.0)),
        }
    }

    fn spikes(&self) -> Spikes {
        let [time, batch, n_in, _] = self.shape;
        Spikes::from_dense(&to::<f32>(&self.input), [time, batch, n_in]).unwrap()
    }
}

type Leaves = (Tensor<3>, Tensor<2>, Tensor<1>, Tensor<1>);

/// Spikes and the gradients of input, weights, bias and leak.
fn run<T: Real>(
    data: &Data,
    track_input: bool,
    layer: impl Fn(Leaves) -> Tensor<3>,
) -> [Vec<T>; 5] {
    let [time, batch, n_in, n_out] = data.shape;
    let device = Device::flex().autodiff();
    let mut input = upload(to::<T>(&data.input), [time, batch, n_in], &device);
    if track_input {
        input = input.require_grad();
    }
    let weights = upload(to::<T>(&data.weights), [n_in, n_out], &device).require_grad();
    let bias = upload(to::<T>(&data.bias), [n_out], &device).require_grad();
    let leak = upload(to::<T>(&data.leak), [data.leak.len()], &device).require_grad();
    let out = layer((input.clone(), weights.clone(), bias.clone(), leak.clone()));
    let weigh = upload(to::<T>(&data.weigh), [time, batch, n_out], &device);
    let grads = (out.clone() * weigh).sum().backward();
    [
        download(out.inner()),
        input.grad(&grads).map(download).unwrap_or_default(),
        download(weights.grad(&grads).unwrap()),
        download(bias.grad(&grads).unwrap()),
        download(leak.grad(&grads).unwrap()),
    ]
}

fn composed<T: Real>(data: &Data, track_input: bool, config: &Lif) -> [Vec<T>; 5] {
    run(data, track_input, |(x, w, b, l)| {
        spiking_linear_composed(x, w, Some(b), l, config).unwrap()
    })
}

const CASES: [Case; 5] = [
    ([9, 3, 20, 7], 0.2),
    // More inputs than a block of rows, more neurons than one of columns, more samples than a tile.
    ([40, 20, 600, 70], 0.03),
    // A step of the batch is more than a tile.
    ([2, 600, 5, 64], 0.3),
    // All active, and none.
    ([5, 2, 30, 65], 1.1),
    ([5, 2, 30, 65], 1e-9),
];

#[test]
fn sparse_equals_dense() {
    for (c, case) in CASES.into_iter().enumerate() {
        for config in all_settings().step_by(if c == 0 { 1 } else { 11 }) {
            let leaks = [1, case.0[3]][c % 2];
            let data = Data::new(case, leaks);
            let ours = run::<f32>(&data, true, |(x, w, b, l)| {
                spiking_linear(x, w, Some(b), l, &config).unwrap()
            });
            // The order of sums differs, so a potential at threshold by chance may differ; the cases have none.
            let dense = composed::<f32>(&data, true, &config);
            assert_eq!(ours[0], dense[0], "case {c} {config:?}");
            let names = ["spikes", "input", "weights", "bias", "leak"];
            for ((a, b), what) in ours.iter().zip(&dense).zip(names) {
                close(&format!("{what}, case {c}, {config:?}"), a, b, 2e-4);
            }
            // And the dense one in double precision, which tells the two apart from a common error of rounding.
            let exact = composed::<f64>(&data, true, &config);
            for ((a, b), what) in ours.iter().zip(&exact).zip(names) {
                let a: Vec<f64> = a.iter().map(|v| f64::from(*v)).collect();
                close(&format!("{what}, case {c}, {config:?}"), &a, b, 2e-4);
            }
        }
    }
}

#[test]
fn spikes_by_their_neurons_give_the_same() {
    let config = Lif::default();
    let data = Data::new(CASES[1], 70);
    let from_tensor = run::<f32>(&data, false, |(x, w, b, l)| {
        spiking_linear(x, w, Some(b), l, &config).unwrap()
    });
    assert!(from_tensor[1].is_empty());
    let spikes = Arc::new(data.spikes());
    let from_spikes = run::<f32>(&data, false, |(_, w, b, l)| {
        spiking_linear_of(&spikes, w, Some(b), l, &config).unwrap()
    });
    assert_eq!(from_tensor, from_spikes);
    // Asking for the gradient of the input changes none of the others.
    let [out, _, others @ ..] = run::<f32>(&data, true, |(x, w, b, l)| {
        spiking_linear(x, w, Some(b), l, &config).unwrap()
    });
    assert_eq!((&out, &others[..]), (&from_tensor[0], &from_tensor[2..]));
}

#[test]
fn the_same_on_slices_and_outside_a_graph() {
    let config = Lif::default();
    let data = Data::new(CASES[1], 1);
    let tensors = run::<f32>(&data, false, |(x, w, b, l)| {
        spiking_linear(x, w, Some(b), l, &config).unwrap()
    });
    let spikes = data.spikes();
    let (weights, bias) = (to::<f32>(&data.weights), to::<f32>(&data.bias));
    let (leak, weigh) = (to::<f32>(&data.leak), to::<f32>(&data.weigh));
    let parameters = LinearParameters {
        weights: &weights,
        bias: Some(&bias),
        leak: &leak,
        n_out: 70,
    };
    let (out, potentials) = spiking_linear_forward(&config, &spikes, parameters, true).unwrap();
    let (alone, none) = spiking_linear_forward(&config, &spikes, parameters, false).unwrap();
    assert!(none.is_none());
    assert_eq!((&out, &alone), (&tensors[0], &tensors[0]));
    let potentials = potentials.unwrap();
    let backward = |wanted| {
        spiking_linear_backward(&config, &spikes, parameters, &potentials, &weigh, wanted).unwrap()
    };
    let all = backward(Wanted {
        weights: true,
        leak: true,
        sums: true,
    });
    let found = [&all.weights, &all.bias, &all.leak];
    assert_eq!(found, [&tensors[2], &tensors[3], &tensors[4]]);
    let least = backward(Wanted {
        weights: false,
        leak: false,
        sums: false,
    });
    assert_eq!(least.bias, all.bias);
    assert!(least.weights.is_empty() && least.leak.is_empty() && least.sums.is_empty());

    let device = Device::flex();
    let make = |values: &[f32], shape: [usize; 2]| upload(values.to_vec(), shape, &device);
    let input = upload(to::<f32>(&data.input), [40, 20, 600], &device);
    let leak = upload(leak.clone(), [1], &device);
    let plain = spiking_linear(input, make(&weights, [600, 70]), None, leak, &config).unwrap();
    let no_bias = LinearParameters {
        bias: None,
        ..parameters
    };
    let (without, _) = spiking_linear_forward(&config, &spikes, no_bias, false).unwrap();
    assert_eq!(download::<f32, 3>(plain), without);
}

#[test]
fn a_layer_on_a_layer_learns_through_it() {
    let device = Device::flex().autodiff();
    let config = Lif::default();
    let data = Data::new(([30, 4, 40, 50], 0.1), 1);
    let second = upload(
        to::<f32>(&draws("second", 50 * 9, (-0.3, 0.6))),
        [50, 9],
        &device,
    );
    let both = |layer: fn(Leaves) -> Tensor<3>| {
        let mut half = Data::new(([30, 4, 40, 50], 0.1), 1);
        half.weigh.truncate(30 * 4 * 9);
        let first = upload(to::<f32>(&data.weights), [40, 50], &device).require_grad();
        let input = upload(to::<f32>(&data.input), [30, 4, 40], &device);
        let zeros = |n: usize| Tensor::<1>::zeros([n], &device);
        let leak = || Tensor::<1>::from_floats([0.8], &device);
        let hidden = layer((input, first.clone(), zeros(50), leak()));
        let out = layer((hidden, second.clone(), zeros(9), leak()));
        let weigh = upload(to::<f32>(&half.weigh), [30, 4, 9], &device);
        let grads = (out * weigh).sum().backward();
        download::<f32, 2>(first.grad(&grads).unwrap())
    };
    assert_eq!(config, Lif::default());
    let ours = both(|(x, w, b, l)| spiking_linear(x, w, Some(b), l, &Lif::default()).unwrap());
    let dense =
        both(|(x, w, b, l)| spiking_linear_composed(x, w, Some(b), l, &Lif::default()).unwrap());
    assert!(ours.iter().any(|g| *g != 0.0));
    close("first weights", &ours, &dense, 2e-4);
}

#[test]
fn double_precision_takes_the_dense_way() {
    let data = Data::new(CASES[0], 1);
    let config = Lif::default();
    let ours = run::<f64>(&data, true, |(x, w, b, l)| {
        spiking_linear(x, w, Some(b), l, &config).unwrap()
    });
    assert_eq!(ours, composed::<f64>(&data, true, &config));
}

#[test]
fn bits_do_not_depend_on_threads() {
    let data = Data::new(([60, 16, 600, 300], 0.05), 300);
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            run::<f32>(&data, true, |(x, w, b, l)| {
                spiking_linear(x, w, Some(b), l, &Lif::default()).unwrap()
            })
        })
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(5));
}

#[test]
fn spikes_are_there_and_back() {
    let shape = [7, 3, 130];
    let dense = to::<f32>(&active("there", shape.iter().product(), 0.1));
    let spikes = Spikes::from_dense(&dense, shape).unwrap();
    assert_eq!((spikes.shape(), spikes.to_dense()), (shape, dense.clone()));
    assert_eq!(spikes.len() as f32, dense.iter().sum::<f32>());
    let samples: Vec<Vec<u32>> = (0..21)
        .map(|s| spikes.of_sample(s).unwrap().to_vec())
        .collect();
    assert!(spikes.of_sample(21).is_none());
    assert_eq!(Spikes::from_samples(shape, samples).unwrap(), spikes);
    let silent = Spikes::from_dense(&[0.0; 6], [1, 2, 3]).unwrap();
    assert!(silent.is_empty());
    for shape in [[0, 2, 3], [2, 0, 3], [2, 3, 0]] {
        assert!(Spikes::from_dense(&[], shape).unwrap().is_empty());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (bad, at) in [
        (0.5, 9),
        (2.0, 0),
        (-1.0, 3),
        (f32::NAN, 10),
        (f32::INFINITY, 11),
    ] {
        let mut values = vec![0.0; 12];
        values[at] = bad;
        let error = Spikes::from_dense(&values, [3, 2, 2]).unwrap_err();
        let SpikingError::NotASpike {
            time,
            batch,
            neuron,
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((time * 2 + batch) * 2 + neuron, at);
    }
    let of = |samples: Vec<Vec<u32>>| Spikes::from_samples([2, 1, 4], samples);
    assert!(of(vec![vec![0, 3], vec![]]).is_ok());
    for samples in [
        vec![vec![0, 4], vec![]],
        vec![vec![], vec![1, 1]],
        vec![vec![2, 1], vec![]],
    ] {
        assert!(matches!(of(samples), Err(SpikingError::Neuron { .. })));
    }
    assert!(matches!(of(vec![vec![0]]), Err(SpikingError::Shape { .. })));

    let device = Device::flex().autodiff();
    let layer = |x: [usize; 3], w: [usize; 2], b: usize, l: usize| {
        spiking_linear(
            Tensor::zeros(x, &device),
            Tensor::zeros(w, &device),
            Some(Tensor::zeros([b], &device)),
            Tensor::zeros([l], &device),
            &Lif::default(),
        )
    };
    assert!(layer([4, 2, 3], [3, 5], 5, 5).is_ok());
    for (w, b, l, what) in [
        ([4, 5], 5, 1, "weights"),
        ([3, 5], 4, 1, "bias"),
        ([3, 5], 5, 2, "leak"),
    ] {
        let error = layer([4, 2, 3], w, b, l).unwrap_err();
        assert!(
            matches!(error, SpikingError::Shape { what: found, .. } if found == what),
            "{error}"
        );
    }
    // Nothing to do is done.
    for (x, w) in [
        ([0, 2, 3], [3, 5]),
        ([4, 0, 3], [3, 5]),
        ([4, 2, 0], [0, 5]),
        ([4, 2, 3], [3, 0]),
    ] {
        assert_eq!(layer(x, w, w[1], 1).unwrap().dims(), [x[0], x[1], w[1]]);
    }
    let single = Tensor::<3>::zeros([4, 2, 3], &device);
    let double = upload(vec![0.0f64; 15], [3, 5], &device);
    let leak = Tensor::<1>::zeros([1], &device);
    let error = spiking_linear(single, double, None, leak, &Lif::default()).unwrap_err();
    assert!(matches!(error, SpikingError::Precision { .. }));
}

#[test]
fn what_is_not_a_number_stays_so() {
    let device = Device::flex().autodiff();
    let input = Tensor::<3>::ones([3, 1, 2], &device);
    let weights = upload(vec![f32::NAN, 0.1, 0.1, 0.1], [2, 2], &device).require_grad();
    let leak = Tensor::<1>::from_floats([0.9], &device);
    let out = spiking_linear(input, weights.clone(), None, leak, &Lif::default()).unwrap();
    let grads = out.clone().sum().backward();
    let spikes = download::<f32, 3>(out.inner());
    assert!(spikes[0].is_nan() && !spikes[1].is_nan());
    let gradient = download::<f32, 2>(weights.grad(&grads).unwrap());
    assert!(gradient[0].is_nan() && !gradient[1].is_nan());
}

#[test]
fn counts_are_sums_over_time_and_so_are_their_gradients() {
    let device = Device::flex().autodiff();
    let data = Data::new(([30, 4, 40, 70], 0.2), 1);
    let weigh = upload(
        to::<f32>(&draws("of counts", 280, (-1.0, 1.0))),
        [4, 70],
        &device,
    );
    let run = |counts: fn(Tensor<3>) -> Tensor<2>| {
        let weights = upload(to::<f32>(&data.weights), [40, 70], &device).require_grad();
        let input = upload(to::<f32>(&data.input), [30, 4, 40], &device);
        let leak = Tensor::<1>::from_floats([0.8], &device).require_grad();
        let layer = spiking_linear(input, weights.clone(), None, leak.clone(), &Lif::default());
        let hidden = layer.unwrap();
        // A second layer, whose gradient comes from rows that are the same for all times.
        let out = lif(hidden.clone(), leak.clone(), &Lif::default()).unwrap();
        let both = counts(hidden) * weigh.clone() + counts(out) * weigh.clone();
        let grads = both.clone().sum().backward();
        let plain = counts(weights.clone().inner().reshape([4, 10, 70]));
        [
            download::<f32, 2>(both.inner()),
            download(weights.grad(&grads).unwrap()),
            download(leak.grad(&grads).unwrap()),
            download(plain),
        ]
    };
    let ours = run(spike_counts);
    let burns = run(|s| s.sum_dim(0).squeeze_dim::<2>(0));
    assert!(ours[0].iter().any(|c| *c != 0.0));
    for (a, b) in ours.iter().zip(&burns) {
        close("counts", a, b, 1e-5);
    }
    // Alone, so that the gradient stays a view.
    let alone = |counts: fn(Tensor<3>) -> Tensor<2>| {
        let weights = upload(to::<f32>(&data.weights), [40, 70], &device).require_grad();
        let spikes = Arc::new(data.spikes());
        let leak = Tensor::<1>::from_floats([0.8], &device);
        let layer = spiking_linear_of(&spikes, weights.clone(), None, leak, &Lif::default());
        let grads = (counts(layer.unwrap()) * weigh.clone()).sum().backward();
        download::<f32, 2>(weights.grad(&grads).unwrap())
    };
    let burns = alone(|s| s.sum_dim(0).squeeze_dim::<2>(0));
    assert_eq!(alone(spike_counts), burns);
}

#[test]
fn memory_that_is_written_over_leaves_no_trace() {
    let small = Data::new(([20, 3, 40, 70], 0.1), 1);
    // Fits into what the first left, and is of another shape.
    let other = Data::new(([29, 2, 40, 70], 0.1), 1);
    let of = |data: &Data| {
        run::<f32>(data, true, |(x, w, b, l)| {
            spiking_linear(x, w, Some(b), l, &Lif::default()).unwrap()
        })
    };
    let (first, second) = (of(&small), of(&other));
    for _ in 0..3 {
        assert_eq!((&of(&small), &of(&other)), (&first, &second));
    }
}
