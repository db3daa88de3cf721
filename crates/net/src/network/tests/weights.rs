//! Weights from and to other programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chiasm_data::arrays::write_npz;
use chiasm_data::{DataError, DiskFiles, NamedArrays};
use ndarray::{ArrayD, Ix2};

use super::super::{Layer, Network, Nonlinearity, Pooling, QuadraticStart, Terms, Trace, Window};
use super::network;

type Weights = BTreeMap<String, ArrayD<f64>>;

/// Made by PyTorch: `Sequential(Linear(3, 4), GELU(), LayerNorm(4), Linear(4, 2))`, inputs `x`, its outputs `y`.
fn of_pytorch() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/src/formats/pytorch/network.pt")
}

fn layers() -> [Layer; 4] {
    [
        Layer::dense(4),
        Layer::Each(Nonlinearity::Gelu),
        Layer::Norm,
        Layer::dense(2),
    ]
}

#[test]
fn a_network_of_pytorch_gives_the_same_outputs_here() {
    let mut here: Network<f64> = network(3, &layers(), 1);
    let model = |name: &str| format!("model.{name}");
    here.load_named(&of_pytorch(), model).unwrap();
    let file = NamedArrays::open(of_pytorch()).unwrap();
    let matrix = |name: &str| {
        let values = file.numbers(name).unwrap();
        values.into_dimensionality::<Ix2>().unwrap()
    };
    let found = here.outputs(matrix("x").view()).unwrap();
    let error = (found - matrix("y")).mapv(f64::abs);
    let greatest = error.fold(0.0, |a: f64, b| a.max(*b));
    assert!(greatest < 1e-6, "{greatest}");
}

/// Made by PyTorch in double precision, with the gradients of the outputs' sum weighted by `c`.
#[test]
fn convolutions_and_pools_are_those_of_pytorch() {
    let window = Window::square;
    let pool = |window, pooling| Layer::Pool { window, pooling };
    let layers = [
        Layer::convolution(window([2, 9, 9], 3, 2, 1), 3),
        Layer::Each(Nonlinearity::Relu),
        pool(Window::tiles([3, 5, 5], 2), Pooling::Max),
        Layer::Convolution {
            window: window([3, 2, 2], 2, 1, 1),
            channels: 4,
            bias: false,
        },
        pool(window([4, 3, 3], 2, 1, 0), Pooling::Mean),
        Layer::dense(2),
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/network/tests/convolutions.pt");
    // There a layer of its own makes rows of the images.
    let there = |name: &str| name.replace("5.", "6.");
    let mut here: Network<f64> = network(2 * 9 * 9, &layers, 1);
    here.load_named(&path, |name| format!("model.{}", there(name)))
        .unwrap();
    let file = NamedArrays::open(&path).unwrap();
    let list = |name: &str| -> Vec<f64> { file.numbers(name).unwrap().iter().copied().collect() };
    let close = |what: &str, found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{what}");
        let all = found.iter().zip(expected);
        let error = all.fold(0.0f64, |e, (a, b)| e.max((a - b).abs()));
        assert!(error < 1e-13, "{what}: {error}");
    };
    let mut trace = Trace::default();
    here.forward(&list("x"), 3, &mut trace);
    close("outputs", trace.output(), &list("y"));
    let mut gradients = here.no_gradients();
    let inputs = here.backward(&trace, list("c"), &mut gradients);
    close("inputs", &inputs, &list("gradient.x"));
    // The gradients, called and turned as the weights are.
    for (array, values) in here
        .parameters_mut()
        .arrays
        .iter_mut()
        .zip(gradients.arrays().to_vec())
    {
        array.values = values;
    }
    for (name, found) in here.weights() {
        let expected = file.numbers(&format!("gradient.{}", there(&name))).unwrap();
        assert_eq!(found.shape(), expected.shape(), "{name}");
        close(
            &name,
            found.as_slice().unwrap(),
            expected.as_slice().unwrap(),
        );
    }
}

#[test]
fn weights_come_back_to_the_bit() {
    let layers = [
        Layer::dense(4),
        Layer::Residual(vec![
            Layer::Norm,
            Layer::Quadratic {
                outputs: 4,
                terms: Terms::Full,
                start: QuadraticStart::Random,
            },
        ]),
        Layer::ReZero(vec![Layer::dense(4)]),
        Layer::dense(2),
    ];
    let folder = tempfile::tempdir().unwrap();
    for name in ["weights.safetensors", "weights.npz"] {
        let path = folder.path().join(name);
        let one: Network<f64> = network(3, &layers, 1);
        let mut other = network(3, &layers, 2);
        assert_ne!(one, other);
        one.save(&DiskFiles, &path).unwrap();
        other.load(&path).unwrap();
        assert_eq!(one, other);
    }
    let refused = network::<f64>(3, &layers, 1).save(&DiskFiles, &folder.path().join("w.pt"));
    assert!(matches!(refused, Err(DataError::Unsupported { .. })));
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.npz");
    let mut net: Network<f64> = network(3, &layers(), 1);
    let before = net.clone();
    let mut refused = |change: &dyn Fn(&mut Weights)| {
        let mut weights = net.weights();
        change(&mut weights);
        write_npz(&DiskFiles, &path, &weights).unwrap();
        let message = net.load(&path).expect_err("refused").to_string();
        assert_eq!(net, before);
        assert!(message.contains("weights.npz"), "{message}");
        message
    };
    let message = refused(&|w| drop(w.remove("2.bias")));
    assert!(message.contains("no `2.bias`"), "{message}");
    let message = refused(&|w| drop(w.insert("5.weight".into(), ArrayD::zeros(vec![1]))));
    assert!(
        message.contains("5.weight") && message.contains("3.weight"),
        "{message}"
    );
    let message = refused(&|w| drop(w.insert("3.weight".into(), ArrayD::zeros(vec![4, 2]))));
    assert!(
        message.contains("[2, 4]") && message.contains("[4, 2]"),
        "{message}"
    );
    let message = refused(&|w| w.get_mut("0.weight").expect("there")[[1, 0]] = f64::INFINITY);
    assert!(
        message.contains("index 3") && message.contains("inf"),
        "{message}"
    );
}
