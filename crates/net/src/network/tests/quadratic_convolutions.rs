//! Quadratic convolutions: as ordinary ones at their start, and by their definition.

use chiasm_core::{Quiet, Streams};

use super::super::{
    Layer, Network, Nonlinearity, Pooling, QuadraticStart, Targets, Terms, TrainingConfig, Window,
};
use super::{drawn, network};
use crate::perceptrons::count;
use crate::quadratic::{ReLinear, from_ordinary, residual_network_parameters};
use crate::train::Rule;

fn random(window: Window, channels: usize, terms: Terms) -> Layer {
    Layer::QuadraticConvolution {
        window,
        channels,
        terms,
        start: QuadraticStart::Random,
    }
}

/// Ordinary, with batch norms that have seen batches.
fn trained() -> (Network<f32>, ndarray::Array2<f32>, Vec<usize>) {
    let layers = [
        Layer::convolution(Window::along([1, 32], 8, 2, 3), 4),
        Layer::BatchNorm { channels: 4 },
        Layer::Each(Nonlinearity::Relu),
        Layer::Pool {
            window: Window::along([4, 16], 2, 2, 0),
            pooling: Pooling::Max,
        },
        Layer::Residual(vec![
            Layer::convolution(Window::along([4, 8], 3, 1, 1), 4),
            Layer::BatchNorm { channels: 4 },
        ]),
        Layer::dense(2),
    ];
    let x = drawn::<f32>(90, 32, 7);
    let labels: Vec<usize> = x
        .rows()
        .into_iter()
        .map(|r| usize::from(r[3] > r[20]))
        .collect();
    let config = TrainingConfig {
        epochs: 2,
        ..TrainingConfig::default()
    };
    let mut training = config.start(network(32, &layers, 3)).unwrap();
    let targets = Targets::Classes(&labels);
    training
        .finish(x.view(), targets, &Streams::new(1), &Quiet)
        .unwrap();
    (training.into_network(), x, labels)
}

#[test]
fn begun_from_ordinary_ones_they_give_the_same_bits_and_without_rates_for_ever() {
    let (ordinary, x, labels) = trained();
    let square = from_ordinary(&ordinary).unwrap();
    assert!(square.parameters().len() > 2 * ordinary.parameters().len());
    assert_eq!(
        square.outputs(x.view()).unwrap(),
        ordinary.outputs(x.view()).unwrap()
    );
    let config = TrainingConfig {
        epochs: 3,
        optimizer: Rule::Sgd { momentum: 0.9 },
        rate: 0.03,
        ..TrainingConfig::default()
    };
    let train = |gamma: f64| {
        let how = ReLinear::Rates { g: gamma, b: gamma };
        let shares = how.shares(&square, config.rate).unwrap();
        let mut training = config.start_shares(square.clone(), shares).unwrap();
        let targets = Targets::Classes(&labels);
        training
            .finish(x.view(), targets, &Streams::new(2), &Quiet)
            .unwrap();
        training.network().outputs(x.view()).unwrap()
    };
    let mut plain = config.start(ordinary).unwrap();
    let targets = Targets::Classes(&labels);
    plain
        .finish(x.view(), targets, &Streams::new(2), &Quiet)
        .unwrap();
    let plain = plain.network().outputs(x.view()).unwrap();
    assert_eq!(train(0.0), plain);
    assert_ne!(train(0.1), plain);
}

/// `A * G + S`, the three of ordinary convolutions.
#[test]
fn they_are_made_of_three_ordinary_convolutions() {
    let window = Window {
        image: [2, 3, 6],
        size: [2, 3],
        stride: [1, 2],
        padding: [1, 1],
    };
    let x = drawn::<f64>(4, 36, 2);
    let squared = x.mapv(|v| v * v);
    for terms in [Terms::Full, Terms::Product, Terms::Squares] {
        let net: Network<f64> = network(36, &[random(window, 3, terms)], 5);
        let part = |weight: &str, bias: &str, x: &ndarray::Array2<f64>| {
            let mut one: Network<f64> = network(36, &[Layer::convolution(window, 3)], 1);
            for (array, name) in one.parameters_mut().arrays.iter_mut().zip([weight, bias]) {
                let own = net.parameters().arrays.iter().find(|a| a.name == name);
                array.values =
                    own.map_or_else(|| vec![0.0; array.values.len()], |a| a.values.clone());
            }
            one.outputs(x.view()).unwrap()
        };
        let mut expected = part("0.r.weight", "0.r.bias", &x);
        if terms != Terms::Squares {
            expected *= &part("0.g.weight", "0.g.bias", &x);
        }
        expected += &part("0.b.weight", "0.c", &squared);
        let found = net.outputs(x.view()).unwrap();
        let error = (&found - &expected).mapv(f64::abs);
        assert!(error.iter().all(|e| *e < 1e-13), "{terms:?}");
        let n = count(36, net.layers()).unwrap();
        assert_eq!(n.parameters, net.parameters().len() as u64, "{terms:?}");
    }
}

#[test]
fn their_weights_have_the_shape_of_convolutions_elsewhere() {
    let signal = Window::along([2, 9], 4, 1, 0);
    let net: Network<f64> = network(18, &[random(signal, 3, Terms::Full)], 5);
    for part in ["r", "g", "b"] {
        let name = format!("0.{part}.weight");
        assert_eq!(net.weights()[&name].shape(), [3, 2, 4], "{name}");
    }
    assert_eq!(net.weights()["0.c"].shape(), [3]);
}

/// ResNet-20 for images of 32 x 32 (He et al. 2016). Its shortcuts have no parameters, so that those between stages, which
/// change the shape, can be left out.
fn residual_network(quadratic: bool) -> Vec<Layer> {
    let window =
        |side: usize, from: usize, stride: usize| Window::square([from, side, side], 3, stride, 1);
    let layer = |window: Window, channels: usize| {
        if quadratic {
            Layer::quadratic_convolution(window, channels)
        } else {
            Layer::Convolution {
                window,
                channels,
                bias: false,
            }
        }
    };
    let norm = |channels| Layer::BatchNorm { channels };
    let relu = || Layer::Each(Nonlinearity::Relu);
    let stem = Layer::Convolution {
        window: window(32, 3, 1),
        channels: 16,
        bias: false,
    };
    let mut layers = vec![stem, norm(16), relu()];
    let (mut side, mut from) = (32, 16);
    for to in [16, 32, 64] {
        for _ in 0..3 {
            let stride = to / from;
            let first = layer(window(side, from, stride), to);
            side /= stride;
            let second = layer(window(side, to, 1), to);
            let branch = vec![first, norm(to), relu(), second, norm(to)];
            if from == to {
                layers.push(Layer::Residual(branch));
            } else {
                layers.extend(branch);
            }
            layers.push(relu());
            from = to;
        }
    }
    layers.push(Layer::Pool {
        window: Window::tiles([64, 8, 8], 8),
        pooling: Pooling::Mean,
    });
    layers.push(Layer::dense(10));
    layers
}

#[test]
fn residual_networks_hold_what_they_are_counted_to() {
    // Card 34, works when 6.
    for (quadratic, expected) in [(false, 269_722), (true, 806_266)] {
        let net: Network<f32> = network(3 * 32 * 32, &residual_network(quadratic), 1);
        assert_eq!(net.parameters().len(), expected);
        assert_eq!(residual_network_parameters(3, quadratic), expected);
        let x = drawn::<f32>(2, 3 * 32 * 32, 2);
        assert_eq!(net.outputs(x.view()).unwrap().dim(), (2, 10));
    }
}
