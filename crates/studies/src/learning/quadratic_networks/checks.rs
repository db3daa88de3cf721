//! What is exact: identities of the start, exact neurons, dimensions, splines, counts.

use chiasm_core::stats::greater;
use chiasm_core::{Failure, Inside};
use chiasm_data::generate::Planar;
use chiasm_lab::Bench;
use chiasm_net::network::{Layer, Network, Nonlinearity, QuadraticStart, Targets, Terms};
use chiasm_net::quadratic::{
    ReLinear, Spline, family_dimension, from_ordinary, residual_network_parameters,
};
use ndarray::{Array2, array};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::arms::{Kind, layers, points, training};
use super::config::Config;

/// Dimensions of the families of one neuron of 1 to 8 inputs: found with the quadratic neuron, by the closed form, and with a
/// neuron whose activation is the square.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Dimensions {
    pub(super) found: Vec<usize>,
    pub(super) expected: Vec<usize>,
    pub(super) square: Vec<usize>,
}

/// Networks of one input over -1 to 1: pieces, highest degree, and the curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) pieces: usize,
    pub(super) degree: usize,
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// Where pieces meet.
    pub(super) knots: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Checks {
    pub(super) dimensions: Dimensions,
    pub(super) curves: Vec<Curve>,
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Checks, Failure> {
    identities(config, bench)?;
    exact_neurons(bench)?;
    let dimensions = dimensions(bench)?;
    let wrong = dimensions
        .found
        .iter()
        .zip(&dimensions.expected)
        .filter(|(a, b)| a != b);
    bench.metric("dimension/wrong", wrong.count() as f64, "1")?;
    let least = dimensions.found.iter().zip(&dimensions.square).skip(1);
    let gain = least
        .map(|(q, s)| *q as f64 - *s as f64)
        .fold(f64::INFINITY, f64::min);
    bench.metric("dimension/above-square-activation", gain, "1")?;
    let curves = curves(bench)?;
    for curve in &curves {
        bench.metric(
            &format!("spline/{}/pieces", curve.name),
            curve.pieces as f64,
            "1",
        )?;
        bench.metric(
            &format!("spline/{}/degree", curve.name),
            curve.degree as f64,
            "1",
        )?;
    }
    for (name, quadratic) in [("resnet-20", false), ("qresnet-20", true)] {
        let n = residual_network_parameters(3, quadratic) as f64;
        bench.metric(&format!("parameters/{name}"), n, "1")?;
    }
    Ok(Checks { dimensions, curves })
}

fn apart(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    let each = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs()));
    each.fold(0.0, greater)
}

/// At the start, and after training with gamma 0, a quadratic network is the ordinary one.
fn identities(config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let streams = bench.streams().child("identities");
    let (x, labels) = points(Planar::Rings, config.n_train.min(500), &streams)?;
    let layers = layers(Kind::Ordinary(config.width), config, config.depth);
    let ordinary = Network::<f32>::new(2, &layers, &mut streams.stream("start"))?;
    let square = from_ordinary(&ordinary)?;
    let (a, b) = (ordinary.outputs(x.view())?, square.outputs(x.view())?);
    bench.metric("identity/start", apart(&a, &b), "1")?;
    let mut how = training(config);
    how.epochs = how.epochs.min(10);
    let shares = ReLinear::Rates { g: 0.0, b: 0.0 }.shares(&square, how.rate)?;
    let mut square = how.start_shares(square, shares)?;
    let mut ordinary = how.start(ordinary)?;
    let watch = Inside(bench.watch());
    let targets = Targets::Classes(&labels);
    square.finish(x.view(), targets, &streams, &watch)?;
    ordinary.finish(x.view(), targets, &streams, &watch)?;
    let (a, b) = (
        ordinary.network().outputs(x.view())?,
        square.network().outputs(x.view())?,
    );
    bench.metric("identity/gamma-0", apart(&a, &b), "1")
}

fn set(network: &mut Network<f64>, parts: &[(&str, &[f64])]) {
    for array in &mut network.parameters_mut().arrays {
        if let Some((_, values)) = parts.iter().find(|(name, _)| *name == array.name) {
            array.values = values.to_vec();
        }
    }
}

/// XOR by one neuron, and a parabola above nothing.
fn exact_neurons(bench: &mut Bench) -> Result<(), Failure> {
    let mut rng = bench.streams().stream("exact");
    let mut xor = Network::<f64>::new(2, &[Layer::quadratic(1)], &mut rng)?;
    set(
        &mut xor,
        &[
            ("0.r.weight", &[-2.0, 0.0]),
            ("0.r.bias", &[0.0]),
            ("0.g.weight", &[0.0, 1.0]),
            ("0.g.bias", &[0.0]),
            ("0.b.weight", &[1.0, 1.0]),
        ],
    );
    let corners = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let found = xor.outputs(corners.view())?;
    let off = found
        .iter()
        .zip([0.0, 1.0, 1.0, 0.0])
        .map(|(a, b)| (a - b).abs());
    bench.metric("exact/xor", off.fold(0.0, greater), "1")?;
    let layers = [Layer::quadratic(1), Layer::Each(Nonlinearity::Relu)];
    let mut parabola = Network::<f64>::new(1, &layers, &mut rng)?;
    set(
        &mut parabola,
        &[
            ("0.r.weight", &[0.0]),
            ("0.r.bias", &[0.0]),
            ("0.b.weight", &[-1.0]),
            ("0.c", &[1.0]),
        ],
    );
    let x = Array2::from_shape_fn((201, 1), |(i, _)| -2.0 + 0.02 * i as f64);
    let found = parabola.outputs(x.view())?;
    let off = found
        .iter()
        .zip(&x)
        .map(|(y, x)| (y - (1.0 - x * x).max(0.0)).abs());
    bench.metric("exact/parabola", off.fold(0.0, greater), "1")
}

fn random(outputs: usize) -> Layer {
    Layer::Quadratic {
        outputs,
        terms: Terms::Full,
        start: QuadraticStart::Random,
    }
}

fn dimensions(bench: &Bench) -> Result<Dimensions, Failure> {
    let mut all = Dimensions::default();
    for n in 1..=8 {
        let mut rng = bench.streams().indexed("dimension", n);
        let x = Array2::from_shape_fn((120, n), |_| rng.random_range(-1.0..1.0));
        let neuron = Network::new(n, &[random(1)], &mut rng)?;
        let square = [Layer::dense(1), Layer::Each(Nonlinearity::Square)];
        let square = Network::new(n, &square, &mut rng)?;
        all.found.push(family_dimension(&neuron, x.view())?);
        all.square.push(family_dimension(&square, x.view())?);
        all.expected.push(((n + 1) * (n + 2) / 2).min(3 * n + 2));
    }
    Ok(all)
}

fn curves(bench: &Bench) -> Result<Vec<Curve>, Failure> {
    let relu = Layer::Each(Nonlinearity::Relu);
    let square = Layer::Each(Nonlinearity::Square);
    let kinds = [
        (
            "quadratic-relu",
            vec![random(8), relu.clone(), random(8), relu.clone(), random(1)],
        ),
        (
            "ordinary-relu",
            vec![
                Layer::dense(8),
                relu.clone(),
                Layer::dense(8),
                relu,
                Layer::dense(1),
            ],
        ),
        (
            "ordinary-square",
            vec![
                Layer::dense(8),
                square.clone(),
                Layer::dense(8),
                square,
                Layer::dense(1),
            ],
        ),
    ];
    let x: Vec<f64> = (0..=200).map(|i| 4.0 * (i as f64 / 200.0) - 2.0).collect();
    let each = kinds.into_iter().map(|(name, layers)| {
        let network = Network::<f64>::new(1, &layers, &mut bench.streams().stream("curves"))?;
        let spline = Spline::of(&network, 0, (-2.0, 2.0))?;
        let points = Array2::from_shape_fn((x.len(), 1), |(i, _)| x[i]);
        Ok(Curve {
            name: name.into(),
            pieces: spline.pieces.len(),
            degree: spline.degree(),
            y: network.outputs(points.view())?.iter().copied().collect(),
            knots: spline.pieces.iter().skip(1).map(|p| p.from).collect(),
            x: x.clone(),
        })
    });
    each.collect()
}
