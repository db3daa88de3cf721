use chiasm_core::Streams;
use ndarray::{Array2, ArrayView2};
use rand::RngExt;

use super::super::{ConvertedNetwork, QcfsError};
use crate::network::{Layer, Network, Nonlinearity, Pooling, Window};
use crate::spiking::confidence::{Agent, Calibration};

fn quantized(levels: u32, scale: f64) -> Layer {
    Layer::Quantized { levels, scale }
}

fn pool(window: Window) -> Layer {
    Layer::Pool {
        window,
        pooling: Pooling::Mean,
    }
}

/// Every kind of synapse: pools that overlap and are padded, two in a row, a convolution with a stride, a dense layer after
/// images and one after units.
fn layers() -> Vec<Layer> {
    let overlapping = Window::square([3, 8, 8], 3, 1, 1);
    // Of rows and columns that differ.
    let strided = Window {
        size: [3, 2],
        stride: [2, 1],
        padding: [1, 0],
        ..Window::same([3, 4, 4])
    };
    vec![
        Layer::convolution(Window::same([2, 8, 8]), 3),
        quantized(4, 1.0),
        pool(overlapping),
        pool(Window::tiles([3, 8, 8], 2)),
        Layer::convolution(strided, 5),
        quantized(4, 0.5),
        Layer::dense(7),
        quantized(4, 0.5),
        Layer::dense(4),
    ]
}

fn network(layers: &[Layer], inputs: usize, seed: u64) -> Network<f32> {
    Network::new(inputs, layers, &mut Streams::new(seed).stream("start")).expect("layers that fit")
}

/// Numbers whose sums and products binary fractions hold exactly.
fn coarse(network: &mut Network<f32>) {
    for array in &mut network.parameters_mut().arrays {
        for v in &mut array.values {
            *v = (*v * 64.0).round() / 64.0;
        }
    }
}

fn images(n: usize, inputs: usize, seed: u64) -> Array2<f32> {
    let mut rng = Streams::new(seed).stream("images");
    Array2::from_shape_fn((n, inputs), |_| {
        f32::from(rng.random_range(-64..=64i16)) / 32.0
    })
}

/// The same neurons, step by step through the network's own layers: sums after each step, and spikes.
fn plainly(
    network: &Network<f32>,
    images: ArrayView2<'_, f32>,
    steps: usize,
) -> (Vec<Array2<f32>>, u32) {
    let mut parts: Vec<(Network<f32>, f32)> = vec![];
    let mut begun = 0;
    let mut width = images.ncols();
    let whole = network.layers();
    for (i, layer) in whole.iter().enumerate() {
        let ends = matches!(layer, Layer::Quantized { .. });
        if !ends && i + 1 < whole.len() {
            continue;
        }
        let end = if ends { i } else { i + 1 };
        let mut part = self::network(&whole[begun..end], width, 0);
        for array in &mut part.parameters_mut().arrays {
            let (layer, name) = array.name.split_once('.').expect("layer and name");
            let layer: usize = layer.parse().expect("a number");
            let own = format!("{}.{name}", layer + begun);
            let mut all = network.parameters().arrays.iter();
            array
                .values
                .clone_from(&all.find(|a| a.name == own).expect("the same").values);
        }
        width = part.n_outputs();
        let mut all = network.parameters().arrays.iter();
        let scale = all.find(|a| a.name == format!("{i}.scale"));
        parts.push((part, scale.map_or(f32::NAN, |a| a.values[0])));
        begun = i + 1;
    }
    let (outputs, hidden) = parts.split_last().expect("a part");
    let mut v: Vec<Array2<f32>> = hidden
        .iter()
        .map(|(part, scale)| Array2::from_elem((images.nrows(), part.n_outputs()), scale / 2.0))
        .collect();
    let mut sums = Array2::zeros((images.nrows(), outputs.0.n_outputs()));
    let mut all = vec![];
    let mut spikes = 0;
    for _ in 0..steps {
        let mut x = images.to_owned();
        for ((part, scale), v) in hidden.iter().zip(&mut v) {
            let input = part.outputs(x.view()).expect("fits");
            x = Array2::zeros(v.dim());
            for ((v, input), x) in v.iter_mut().zip(&input).zip(&mut x) {
                *v += input;
                if *v >= *scale {
                    *v -= scale;
                    *x = *scale;
                    spikes += 1;
                }
            }
        }
        sums += &outputs.0.outputs(x.view()).expect("fits");
        all.push(sums.clone());
    }
    (all, spikes)
}

#[test]
fn spikes_are_those_of_the_networks_own_layers_taken_step_by_step() {
    let mut net = network(&layers(), 128, 3);
    coarse(&mut net);
    let images = images(37, 128, 4);
    let (sums, spikes) = plainly(&net, images.view(), 6);
    let spiking = ConvertedNetwork::new(net).unwrap();
    let run = spiking.run(images.view(), 6).unwrap();
    assert_eq!(run.spikes.column(5).sum(), spikes);
    let quiet = 6 * 37 * spiking.n_neurons() as u32;
    assert!(spikes > quiet / 50 && spikes < quiet, "{spikes} of {quiet}");
    for (t, expected) in sums.iter().enumerate() {
        // A ninth, the share of a pixel in a pool, is no binary fraction.
        for (a, b) in run
            .sums
            .index_axis(ndarray::Axis(1), t)
            .iter()
            .zip(expected)
        {
            assert!((a - b).abs() < 1e-4, "{t}: {a} {b}");
        }
    }
    assert_eq!(spiking.sizes(), [192, 30, 7]);
    assert_eq!((spiking.n_neurons(), spiking.n_classes()), (229, 4));
}

#[test]
fn in_as_many_steps_as_levels_the_first_neurons_say_the_activations_bit_for_bit() {
    // Numbers of any fineness: nothing is rounded away from the ties.
    for levels in [1, 3, 4, 7, 16] {
        let mut layers = layers();
        layers[1] = quantized(levels, 0.7);
        let net = network(&layers, 128, u64::from(levels));
        let mut rng = Streams::new(9).stream("fine");
        let images = Array2::from_shape_fn((50, 128), |_| rng.random_range(-2.0..2.0f32));
        let activity = net.activity(images.view(), 1).unwrap();
        let spiking = ConvertedNetwork::new(net).unwrap();
        let steps = levels as usize;
        let counts = spiking.first_layer(images.view(), steps).unwrap();
        assert_eq!(counts, spiking.first_levels(images.view()).unwrap());
        let rate = counts.mapv(|n| n as f32 / levels as f32 * 0.7);
        assert_eq!(rate, activity);
        let used: std::collections::BTreeSet<u32> = counts.iter().copied().collect();
        assert_eq!(used.len(), steps + 1);
    }
}

#[test]
fn spikes_under_constant_input_follow_the_formula() {
    // N = clip(floor(x T / theta + 1/2), 0, T), ties included, in numbers that binary fractions hold exactly.
    let layers = [quantized(4, 0.5), Layer::dense(2)];
    let spiking = ConvertedNetwork::new(network(&layers, 120, 1)).unwrap();
    let inputs = Array2::from_shape_fn((1, 120), |(_, k)| (k as f32 - 40.0) / 64.0);
    for steps in [1, 2, 3, 4, 8, 32] {
        let counts = spiking.first_layer(inputs.view(), steps).unwrap();
        for (x, n) in inputs.iter().zip(&counts) {
            let expected = (x * steps as f32 / 0.5 + 0.5).floor() as i64;
            let expected = expected.clamp(0, steps as i64);
            assert_eq!(i64::from(*n), expected, "x {x}, {steps} steps");
        }
    }
}

#[test]
fn with_one_layer_of_neurons_outputs_come_to_those_of_the_network() {
    let layers = [
        Layer::convolution(Window::same([2, 8, 8]), 3),
        quantized(4, 1.0),
        pool(Window::tiles([3, 8, 8], 2)),
        Layer::dense(5),
    ];
    let net = network(&layers, 128, 5);
    let images = images(20, 128, 6);
    let expected = net.outputs(images.view()).unwrap();
    let run = ConvertedNetwork::new(net).unwrap().run(images.view(), 4);
    let sums = run.unwrap().sums;
    for (a, b) in sums.index_axis(ndarray::Axis(1), 3).iter().zip(&expected) {
        assert!((a / 4.0 - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn samples_that_leave_the_batch_are_decided_as_in_a_whole_run() {
    let spiking = ConvertedNetwork::new(network(&layers(), 128, 11)).unwrap();
    let images = images(150, 128, 12);
    let run = spiking.run(images.view(), 12).unwrap();
    // The labels are what is said in the end, so that there is something to stop for.
    let last = run.sums.index_axis(ndarray::Axis(1), 11);
    let told = last.rows().into_iter().map(|r| {
        let sums: Vec<f32> = r.to_vec();
        crate::spiking::confidence::confidence(&sums, 1.0).0
    });
    let outputs = run.outputs(&told.collect::<Vec<_>>()).unwrap();
    let fitted = Calibration {
        tolerance: 0.05,
        ..Calibration::default()
    };
    let agent = fitted.fit(&outputs).unwrap().agent;
    let early = spiking.run_until_sure(images.view(), 12, agent).unwrap();
    for (i, ((decision, spikes), expected)) in early.iter().zip(agent.decide(&outputs)).enumerate()
    {
        assert_eq!(*decision, expected);
        assert_eq!(*spikes, run.spikes[[i, decision.steps - 1]]);
    }
    assert!(early.iter().any(|(d, _)| d.steps < 12));
    let patient = Agent::new(1.0, 1.0).unwrap();
    let late = spiking.run_until_sure(images.view(), 12, patient).unwrap();
    assert!(late.iter().all(|(d, _)| d.steps == 12));
    let hasty = Agent::new(1.0, 0.0).unwrap();
    let at_once = spiking.run_until_sure(images.view(), 12, hasty).unwrap();
    assert!(at_once.iter().all(|(d, _)| d.steps == 1));
}

#[test]
fn bits_depend_neither_on_threads_nor_on_what_else_is_in_the_batch() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let spiking = ConvertedNetwork::new(network(&layers(), 128, 13)).unwrap();
            spiking.run(images(70, 128, 14).view(), 8).unwrap()
        })
    };
    let all = on(1);
    assert_eq!(all, on(3));
    let spiking = ConvertedNetwork::new(network(&layers(), 128, 13)).unwrap();
    let images = images(70, 128, 14);
    let one = spiking
        .run(images.slice(ndarray::s![33..34, ..]), 8)
        .unwrap();
    assert_eq!(one.sums.row_of(0), all.sums.row_of(33));
}

/// The sums of one sample.
trait Sample {
    fn row_of(&self, i: usize) -> ndarray::ArrayView2<'_, f32>;
}

impl Sample for ndarray::Array3<f32> {
    fn row_of(&self, i: usize) -> ndarray::ArrayView2<'_, f32> {
        self.index_axis(ndarray::Axis(0), i)
    }
}

#[test]
fn what_has_no_counterpart_in_spikes_is_refused_by_its_place() {
    let conv = Layer::convolution(Window::same([2, 8, 8]), 3);
    let largest = Layer::Pool {
        window: Window::tiles([3, 8, 8], 2),
        pooling: Pooling::Max,
    };
    let mean = pool(Window::tiles([3, 8, 8], 2));
    let relu = Layer::Each(Nonlinearity::Relu);
    let q = quantized(4, 1.0);
    let cases = [
        (vec![conv.clone(), Layer::dense(4)], "layer 2"),
        (
            vec![conv.clone(), q.clone(), largest.clone(), Layer::dense(4)],
            "layer 2",
        ),
        (
            vec![conv.clone(), largest, q.clone(), Layer::dense(4)],
            "layer 1",
        ),
        (vec![conv.clone(), q.clone(), mean.clone()], "layer 2"),
        (
            vec![conv.clone(), q.clone(), relu.clone(), Layer::dense(4)],
            "layer 2",
        ),
        (
            vec![conv.clone(), relu, q.clone(), Layer::dense(4)],
            "layer 1",
        ),
        (vec![conv.clone(), q.clone()], "layer 2"),
        (
            vec![
                conv.clone(),
                q.clone(),
                mean,
                // Twelve channels of 2 x 2 where three of 4 x 4 enter.
                Layer::convolution(Window::same([12, 2, 2]), 2),
            ],
            "layer 3",
        ),
    ];
    for (layers, place) in cases {
        let refused = ConvertedNetwork::new(network(&layers, 128, 1)).unwrap_err();
        assert!(matches!(refused, QcfsError::Layer { .. }), "{refused}");
        assert!(refused.to_string().starts_with(place), "{refused}");
    }
    let mut net = network(&[conv, q, Layer::dense(4)], 128, 1);
    let arrays = &mut net.parameters_mut().arrays;
    let scale = arrays.iter_mut().find(|a| a.name == "1.scale").unwrap();
    scale.values[0] = 0.0;
    let refused = ConvertedNetwork::new(net.clone()).unwrap_err().to_string();
    assert!(refused.contains("1.scale"), "{refused}");
    let arrays = &mut net.parameters_mut().arrays;
    arrays
        .iter_mut()
        .find(|a| a.name == "1.scale")
        .unwrap()
        .values[0] = 1.0;
    let spiking = ConvertedNetwork::new(net).unwrap();
    let mut bad = images(3, 128, 2);
    assert!(spiking.run(bad.view(), 0).is_err());
    assert!(spiking.run(images(3, 127, 2).view(), 4).is_err());
    bad[[2, 5]] = f32::NAN;
    let refused = spiking.run(bad.view(), 4).unwrap_err().to_string();
    assert!(refused.contains("column 5"), "{refused}");
}
