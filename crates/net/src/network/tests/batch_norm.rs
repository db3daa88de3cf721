//! Norms over a batch: against PyTorch, by hand, and through training.

use std::path::Path;

use chiasm_core::{Quiet, Streams};
use chiasm_data::arrays::write_npz;
use chiasm_data::{DiskFiles, NamedArrays};
use ndarray::{Array2, ArrayD, array};

use super::super::{
    Layer, Network, NetworkError, Nonlinearity, Pooling, Targets, Trace, Training, TrainingConfig,
    Window,
};
use super::{drawn, network};
use crate::train::Rule;

fn layers() -> Vec<Layer> {
    vec![
        Layer::convolution(Window::along([1, 20], 8, 2, 3), 3),
        Layer::BatchNorm { channels: 3 },
        Layer::Each(Nonlinearity::Relu),
        Layer::Pool {
            window: Window::along([3, 10], 2, 2, 0),
            pooling: Pooling::Max,
        },
        Layer::convolution(Window::along([3, 5], 3, 1, 0), 2),
        Layer::BatchNorm { channels: 2 },
        Layer::dense(4),
        Layer::BatchNorm { channels: 4 },
    ]
}

/// Made by PyTorch 2 in double precision, seed 34: `Conv1d(1, 3, 8, 2, 3), BatchNorm1d(3), ReLU, MaxPool1d(2), Conv1d(3, 2, 3),
/// BatchNorm1d(2), Flatten, Linear(6, 4), BatchNorm1d(4)` with drawn gains, shifts and statistics, evaluated and then trained
/// on one batch: outputs, gradients of the outputs' sum weighted by `c`, and the statistics afterwards.
#[test]
fn batch_norms_are_those_of_pytorch_in_evaluation_and_in_training() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/network/tests/batch_norm.pt");
    let file = NamedArrays::open(&path).unwrap();
    // There a layer of its own makes rows of the signals.
    let there = |name: &str| {
        let (layer, part) = name.split_once('.').unwrap();
        let layer: usize = layer.parse().unwrap();
        format!("{}.{part}", layer + usize::from(layer > 5))
    };
    let mut here: Network<f64> = network(20, &layers(), 1);
    here.load_named(&path, |name| format!("model.{}", there(name)))
        .unwrap();
    let list = |name: &str| -> Vec<f64> { file.numbers(name).unwrap().iter().copied().collect() };
    let close = |what: &str, found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{what}: {a} {b}");
        }
    };
    let before = here.statistics().clone();
    for (mode, mut trace) in [
        ("evaluated", Trace::default()),
        ("trained", Trace::training()),
    ] {
        here.forward(&list("x"), 5, &mut trace);
        close(mode, trace.output(), &list(mode));
        let mut gradients = here.no_gradients();
        let inputs = here.backward(&trace, list("c"), &mut gradients);
        close(mode, &inputs, &list(&format!("gradient_{mode}.x")));
        // The gradients, called and turned as the weights are.
        let mut named = here.clone();
        for (array, values) in named
            .parameters_mut()
            .arrays
            .iter_mut()
            .zip(gradients.arrays().to_vec())
        {
            array.values = values;
        }
        for (name, found) in named.weights() {
            if !name.contains("running") {
                let expected = list(&format!("gradient_{mode}.{}", there(&name)));
                close(&name, found.as_slice().unwrap(), &expected);
            }
        }
        here.keep_statistics(&trace);
        if mode == "evaluated" {
            assert_eq!(here.statistics(), &before);
        }
    }
    for array in &here.statistics().arrays {
        let expected = list(&format!("after.{}", there(&array.name)));
        close(&array.name, &array.values, &expected);
    }
}

#[test]
fn gradients_through_the_statistics_of_a_batch_are_those_of_central_differences() {
    const H: f64 = 1e-6;
    let mut net: Network<f64> = network(
        6,
        &[
            Layer::BatchNorm { channels: 2 },
            Layer::dense(4),
            Layer::Residual(vec![
                Layer::BatchNorm { channels: 4 },
                Layer::Each(Nonlinearity::Tanh),
            ]),
            Layer::dense(2),
        ],
        3,
    );
    for array in &mut net.parameters_mut().arrays {
        let n = array.values.len() as f64;
        if array.name.ends_with("gain") || array.name.ends_with("shift") {
            let values = array.values.iter_mut().enumerate();
            values.for_each(|(i, v)| *v += 0.3 * (i as f64 + 1.0) / n);
        }
    }
    let x = drawn::<f64>(5, 6, 4).into_raw_vec_and_offset().0;
    let sum = |net: &Network<f64>, x: &[f64]| {
        let mut trace = Trace::training();
        net.forward(x, 5, &mut trace);
        let weighted = trace.output().iter().enumerate();
        weighted
            .map(|(i, y)| y * (0.3 + 0.1 * i as f64))
            .sum::<f64>()
    };
    let mut trace = Trace::training();
    net.forward(&x, 5, &mut trace);
    let mut gradients = net.no_gradients();
    let weights = (0..10).map(|i| 0.3 + 0.1 * f64::from(i)).collect();
    let inputs = net.backward(&trace, weights, &mut gradients);
    let close = |what: &str, found: f64, up: f64, down: f64| {
        let expected = (up - down) / (2.0 * H);
        let error = (found - expected).abs();
        assert!(
            error < 1e-6 * (1.0 + expected.abs()),
            "{what}: {found} {expected}"
        );
    };
    for i in 0..x.len() {
        let moved = |by: f64| {
            let mut x = x.clone();
            x[i] += by;
            sum(&net, &x)
        };
        close("inputs", inputs[i], moved(H), moved(-H));
    }
    for (a, gradient) in gradients.arrays().iter().enumerate() {
        for (i, found) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut net = net.clone();
                net.parameters_mut().arrays[a].values[i] += by;
                sum(&net, &x)
            };
            close(
                &net.parameters().arrays[a].name,
                *found,
                moved(H),
                moved(-H),
            );
        }
    }
}

#[test]
fn training_keeps_the_running_statistics_and_evaluation_norms_with_them() {
    let x = array![[0.0, 1.0, 10.0, 10.0], [2.0, 5.0, 14.0, 18.0]];
    // Channels of two places: means 2 and 13, variances over n - 1 of 14 / 3 and 44 / 3.
    let config = TrainingConfig {
        epochs: 2,
        batch: 2,
        optimizer: Rule::SGD,
        rate: 1e-300,
        ..TrainingConfig::default()
    };
    let net: Network<f64> = network(4, &[Layer::BatchNorm { channels: 2 }], 1);
    let mut training = config.start(net).unwrap();
    let targets = Targets::Classes(&[0, 1]);
    training
        .finish(x.view(), targets, &Streams::new(1), &Quiet)
        .unwrap();
    let net = training.network();
    let after = |start: f64, batch: f64| 0.81 * start + 0.19 * batch;
    let expected = [
        [after(0.0, 2.0), after(0.0, 13.0)],
        [after(1.0, 14.0 / 3.0), after(1.0, 44.0 / 3.0)],
    ];
    for (array, expected) in net.statistics().arrays.iter().zip(&expected) {
        for (a, b) in array.values.iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "{}: {a} {b}", array.name);
        }
    }
    // A row alone, as among others.
    let both = net.outputs(x.view()).unwrap();
    let one = net.outputs(x.slice(ndarray::s![1..2, ..])).unwrap();
    assert_eq!(one.row(0), both.row(1));
    let by_hand = (14.0 - expected[0][1]) / (expected[1][1] + 1e-5f64).sqrt();
    assert!((both[[1, 2]] - by_hand).abs() < 1e-12);
    // Parameters alone are counted.
    assert_eq!(net.parameters().len(), 4);
}

fn signals(n: usize) -> (Array2<f32>, Vec<usize>) {
    let x = drawn::<f32>(n, 20, 9);
    let labels = x.rows().into_iter().map(|r| usize::from(r[3] > r[11]));
    let labels = labels.collect();
    (x, labels)
}

#[test]
fn stopped_kept_and_read_back_it_goes_on_to_the_same_bits_on_any_number_of_threads() {
    let (x, labels) = signals(150);
    let (targets, streams) = (Targets::Classes(&labels), Streams::new(3));
    let config = TrainingConfig {
        epochs: 4,
        batch: 32,
        ..TrainingConfig::default()
    };
    let mut all = layers();
    all[4] = Layer::quadratic_convolution(Window::along([3, 5], 3, 1, 0), 2);
    let start = || network::<f32>(20, &all, 2);
    let whole = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut training = config.start(start()).unwrap();
            training
                .finish(x.view(), targets, &streams, &Quiet)
                .unwrap();
            training
        })
    };
    let one = whole(1);
    assert_eq!(one, whole(3));
    let mut halves = config.start(start()).unwrap();
    for _ in 0..2 {
        halves.epoch(x.view(), targets, &streams, &Quiet).unwrap();
    }
    let kept = serde_json::to_string(&halves).unwrap();
    let mut back: Training<f32> = serde_json::from_str(&kept).unwrap();
    assert_eq!(back, halves);
    back.finish(x.view(), targets, &streams, &Quiet).unwrap();
    assert_eq!(back, one);
    assert_ne!(one.network().statistics(), start().statistics());
}

#[test]
fn statistics_are_written_and_read_with_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.npz");
    let mut trained: Network<f64> = network(20, &layers(), 1);
    let mut trace = Trace::training();
    let x = drawn::<f64>(6, 20, 5).into_raw_vec_and_offset().0;
    trained.forward(&x, 6, &mut trace);
    trained.keep_statistics(&trace);
    let safe = folder.path().join("weights.safetensors");
    trained.save(&DiskFiles, &safe).unwrap();
    let mut other: Network<f64> = network(20, &layers(), 2);
    other.load(&safe).unwrap();
    assert_eq!(other, trained);
    // PyTorch's files count batches beside them.
    let mut weights = trained.weights();
    assert_eq!(weights["1.running_var"].shape(), [3]);
    let count = ArrayD::from_elem(vec![], 7.0);
    weights.insert("1.num_batches_tracked".into(), count.clone());
    write_npz(&DiskFiles, &path, &weights).unwrap();
    let mut other: Network<f64> = network(20, &layers(), 2);
    other.load(&path).unwrap();
    assert_eq!(other, trained);
    weights.insert("2.num_batches_tracked".into(), count);
    write_npz(&DiskFiles, &path, &weights).unwrap();
    let said = other.load(&path).unwrap_err().to_string();
    assert!(said.contains("2.num_batches_tracked"), "{said}");
    let mut weights = trained.weights();
    weights.get_mut("1.running_var").unwrap()[2] = -0.5;
    write_npz(&DiskFiles, &path, &weights).unwrap();
    let said = other.load(&path).unwrap_err().to_string();
    assert!(
        said.contains("variance") && said.contains("index 2"),
        "{said}"
    );
    assert_eq!(other, trained);
}

#[test]
fn channels_and_batches_without_a_variance_are_refused() {
    let said = Layer::BatchNorm { channels: 4 }.width(6).unwrap_err();
    assert_eq!(said.field, "channels");
    assert!(Layer::BatchNorm { channels: 0 }.width(6).is_err());
    let net: Network<f64> = network(2, &[Layer::BatchNorm { channels: 2 }], 1);
    let config = TrainingConfig {
        batch: 2,
        ..TrainingConfig::default()
    };
    // Three rows in batches of two: the last has one value of each channel.
    let x = drawn::<f64>(3, 2, 1);
    let mut training = config.start(net).unwrap();
    let targets = Targets::Classes(&[0, 1, 1]);
    let refused = training.epoch(x.view(), targets, &Streams::new(1), &Quiet);
    let Err(NetworkError::Shape { what, found: 1, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(what.contains("batch norm"));
    assert_eq!(training.epochs(), 0);
}
