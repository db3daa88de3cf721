use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::Planar;
use ndarray::{Array2, Axis, array};
use rand::RngExt;

use super::*;
use crate::network::{Nonlinearity, QuadraticStart, Targets, Terms, TrainingConfig};
use crate::train::Rule;

fn network<T: Real>(inputs: usize, layers: &[Layer], seed: u64) -> Network<T> {
    Network::new(inputs, layers, &mut Streams::new(seed).stream("start")).unwrap()
}

fn drawn(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Streams::new(seed).stream("drawn");
    Array2::from_shape_fn((rows, columns), |_| rng.random_range(-1.0..1.0))
}

fn layers(quadratic: bool) -> Vec<Layer> {
    let layer = |n| {
        if quadratic {
            Layer::quadratic(n)
        } else {
            Layer::dense(n)
        }
    };
    vec![layer(12), Layer::Each(Nonlinearity::Relu), layer(2)]
}

fn set(network: &mut Network<f64>, name: &str, values: &[f64]) {
    let mut arrays = network.parameters_mut().arrays.iter_mut();
    arrays.find(|a| a.name == name).unwrap().values = values.to_vec();
}

#[test]
fn without_a_rate_for_its_quadratic_parts_a_network_stays_ordinary_for_ever() {
    let streams = Streams::new(4);
    let (x, labels) = Planar::Rings.draw(300, &streams).unwrap();
    let x = x.mapv(|v| v as f32);
    let ordinary = network::<f32>(2, &layers(false), 5);
    let square = from_ordinary(&ordinary).unwrap();
    let config = TrainingConfig {
        epochs: 8,
        optimizer: Rule::Sgd { momentum: 0.9 },
        rate: 0.03,
        ..TrainingConfig::default()
    };
    let shares = ReLinear::Rates { g: 0.0, b: 0.0 }
        .shares(&square, config.rate)
        .unwrap();
    let mut square = config.start_shares(square, shares).unwrap();
    let mut ordinary = config.start(ordinary).unwrap();
    let targets = Targets::Classes(&labels);
    let a = square.finish(x.view(), targets, &streams, &Quiet).unwrap();
    let b = ordinary
        .finish(x.view(), targets, &streams, &Quiet)
        .unwrap();
    assert_eq!(a, b);
    assert_eq!(
        square.network().outputs(x.view()).unwrap(),
        ordinary.network().outputs(x.view()).unwrap()
    );
    let parts = Parts::of(square.network());
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|p| p.g == 0.0 && p.b == 0.0 && p.r > 0.0));
}

#[test]
fn every_way_to_hold_the_quadratic_parts_back_keeps_them_smaller_than_none() {
    let streams = Streams::new(4);
    let (x, labels) = Planar::Rings.draw(300, &streams).unwrap();
    let config = TrainingConfig {
        epochs: 5,
        optimizer: Rule::SGD,
        rate: 0.03,
        ..TrainingConfig::default()
    };
    let size = |how: ReLinear| {
        let start = network::<f64>(2, &layers(true), 5);
        let shares = how.shares(&start, config.rate).unwrap();
        let mut training = config.start_shares(start, shares).unwrap();
        training
            .finish(x.view(), Targets::Classes(&labels), &streams, &Quiet)
            .unwrap();
        Parts::of(training.network())
            .iter()
            .map(|p| p.g + p.b)
            .sum::<f64>()
    };
    let free = size(ReLinear::Rates { g: 1.0, b: 1.0 });
    for how in [
        ReLinear::Rates { g: 0.1, b: 0.1 },
        ReLinear::L1 { g: 1e-3, b: 1e-3 },
        ReLinear::L2 { g: 0.3, b: 0.3 },
    ] {
        let held = size(how);
        assert!(held > 0.0 && held < 0.7 * free, "{how:?}: {held} of {free}");
    }
    // Held back without limit it is an ordinary network again.
    assert_eq!(size(ReLinear::L1 { g: 1e9, b: 1e9 }), 0.0);
    assert_eq!(size(ReLinear::L2 { g: 1.0, b: 1.0 }), 0.0);
}

#[test]
fn one_neurons_family_has_the_dimension_of_the_closed_form() {
    // Card 34, works when 2.
    let expected = [3, 6, 10, 14, 17, 20, 23, 26];
    for (n, expected) in (1..=8).zip(expected) {
        assert_eq!(expected, ((n + 1) * (n + 2) / 2).min(3 * n + 2));
        let neuron = Layer::Quadratic {
            outputs: 1,
            terms: Terms::Full,
            start: QuadraticStart::Random,
        };
        let x = drawn(120, n, 2);
        let found = family_dimension(&network(n, &[neuron], 3), x.view()).unwrap();
        assert_eq!(found, expected, "{n} inputs");
        let square = [Layer::dense(1), Layer::Each(Nonlinearity::Square)];
        let found = family_dimension(&network(n, &square, 3), x.view()).unwrap();
        assert_eq!(found, n + 1, "{n} inputs, square activation");
    }
}

#[test]
fn one_rectified_neuron_is_a_parabola_above_nothing() {
    // Card 34, works when 1: relu(1 - x^2).
    let mut net = network::<f64>(
        1,
        &[Layer::quadratic(1), Layer::Each(Nonlinearity::Relu)],
        1,
    );
    set(&mut net, "0.r.weight", &[0.0]);
    set(&mut net, "0.r.bias", &[0.0]);
    set(&mut net, "0.b.weight", &[-1.0]);
    set(&mut net, "0.c", &[1.0]);
    let spline = Spline::of(&net, 0, (-2.0, 2.0)).unwrap();
    assert_eq!(spline.pieces.len(), 3);
    assert_eq!(spline.degree(), 2);
    for (piece, to) in spline.pieces.iter().zip([-1.0, 1.0, 2.0]) {
        assert!((piece.to - to).abs() < 1e-12);
    }
    assert_eq!(spline.pieces[1].coefficients, [1.0, 0.0, -1.0]);
    assert_eq!(spline.pieces[0].degree(), 0);
}

#[test]
fn splines_are_the_networks_they_are_of() {
    let random = |outputs| Layer::Quadratic {
        outputs,
        terms: Terms::Full,
        start: QuadraticStart::Random,
    };
    let relu = Layer::Each(Nonlinearity::Relu);
    let square = Layer::Each(Nonlinearity::Square);
    let x = drawn(400, 1, 9) * 3.0;
    let cases: [(Vec<Layer>, usize, bool); 3] = [
        (
            vec![random(5), relu.clone(), random(4), relu.clone(), random(1)],
            8,
            true,
        ),
        (
            vec![
                Layer::dense(6),
                relu.clone(),
                Layer::dense(6),
                relu,
                Layer::dense(1),
            ],
            1,
            true,
        ),
        (
            vec![
                Layer::dense(6),
                square.clone(),
                Layer::dense(4),
                square,
                Layer::dense(1),
            ],
            4,
            false,
        ),
    ];
    for (layers, degree, many) in cases {
        let net = network::<f64>(1, &layers, 11);
        let spline = Spline::of(&net, 0, (-3.0, 3.0)).unwrap();
        assert_eq!(spline.degree(), degree);
        assert_eq!(spline.pieces.len() > 1, many);
        let y = net.outputs(x.view()).unwrap();
        for (x, y) in x.iter().zip(y.iter()) {
            let piece = spline
                .pieces
                .iter()
                .find(|p| *x >= p.from && *x <= p.to)
                .unwrap();
            assert!((piece.at(*x) - y).abs() < 1e-9 * (1.0 + y.abs()), "{x}");
        }
    }
}

#[test]
fn attention_weighs_the_inputs_into_the_output() {
    let layer = Layer::Quadratic {
        outputs: 3,
        terms: Terms::Full,
        start: QuadraticStart::Random,
    };
    let net = network::<f64>(4, &[layer], 2);
    let x = drawn(5, 4, 3);
    let y = net.outputs(x.view()).unwrap();
    let bias = |name: &str| {
        net.parameters()
            .arrays
            .iter()
            .find(|a| a.name == name)
            .unwrap()
            .values
            .clone()
    };
    let (r, g, c) = (bias("0.r.bias"), bias("0.g.bias"), bias("0.c"));
    for (row, y) in x.axis_iter(Axis(0)).zip(y.rows()) {
        for unit in 0..3 {
            let weights = attention(&net, unit, row).unwrap();
            let sum = weights.dot(&row) + r[unit] * g[unit] + c[unit];
            assert!((sum - y[unit]).abs() < 1e-12);
        }
    }
    let refused = attention(&net, 3, x.row(0)).unwrap_err().to_string();
    assert_eq!(refused, "unit, below: expected 3, found 3");
    let short = array![1.0];
    assert!(attention(&net, 0, short.view()).is_err());
    let plain = network::<f64>(4, &[Layer::dense(3)], 2);
    assert!(attention(&plain, 0, x.row(0)).is_err());
}

#[test]
fn parameters_of_residual_networks_are_counted() {
    // Card 34, works when 6.
    assert_eq!(residual_network_parameters(3, false), 269_722);
    assert_eq!(residual_network_parameters(3, true), 806_266);
}

#[test]
fn bad_input_is_refused_by_name() {
    let net = network::<f64>(2, &layers(true), 1);
    let field = |how: ReLinear| how.shares(&net, 0.1).unwrap_err().field;
    assert_eq!(field(ReLinear::Rates { g: 1.5, b: 0.0 }), "g");
    assert_eq!(
        field(ReLinear::L2 {
            g: 0.0,
            b: f64::NAN
        }),
        "b"
    );
    assert_eq!(field(ReLinear::L1 { g: -1.0, b: 0.0 }), "g");
    let said = |e: NetworkError| e.to_string();
    assert!(said(Spline::of(&net, 0, (0.0, 1.0)).unwrap_err()).contains("one input"));
    let one = network::<f64>(1, &[Layer::dense(1), Layer::Each(Nonlinearity::Tanh)], 1);
    assert!(said(Spline::of(&one, 1, (0.0, 1.0)).unwrap_err()).contains("`output`"));
    assert!(said(Spline::of(&one, 0, (1.0, 1.0)).unwrap_err()).contains("`span`"));
    assert!(said(Spline::of(&one, 0, (0.0, 1.0)).unwrap_err()).contains("`layers.1`"));
    let unbiased = Layer::Dense {
        outputs: 1,
        bias: false,
    };
    assert!(from_ordinary(&network::<f64>(1, &[unbiased], 1)).is_err());
}
