//! What is exact: sizes, gradients, one step of Lion, and that the order of pixels does not matter.

use chiasm_core::stats::greater;
use chiasm_core::{Failure, Inside, SettingError};
use chiasm_lab::Bench;
use chiasm_net::Real;
use chiasm_net::network::{Loss, Network, Targets, TrainingConfig};
use chiasm_net::perceptrons::{Perceptron, count};
use chiasm_net::train::{Optimizer, Parameters, Rule, Share};
use ndarray::{Array2, Axis};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::config::Config;
use super::images::Data;

/// The published models, of 64 x 64 color images and 11,230 classes, with their parameters (card 53, B).
const NAMED: [(&str, u64); 4] = [
    ("B_6-Wi_512", 24_657_374),
    ("B_12-Wi_512", 37_261_790),
    ("B_6-Wi_1024", 74_469_342),
    ("B_12-Wi_1024", 124_843_998),
];
const NAMED_INPUTS: usize = 3 * 64 * 64;
const NAMED_CLASSES: usize = 11_230;

pub(super) fn run(config: &Config, data: &Data, bench: &mut Bench) -> Result<(), Failure> {
    sizes(bench)?;
    let apart = gradients(bench)?;
    bench.metric("exact/gradient", apart, "1")?;
    bench.metric("exact/lion-step", lion()?, "1")?;
    let least = Loss::CrossEntropy { smoothing: 0.3 }.least(10);
    bench.metric("exact/loss-floor", least, "nats")?;
    let double = permuted::<f64>(config, data, bench)?;
    let single = permuted::<f32>(config, data, bench)?;
    bench.metric("permutation/double", double, "nats")?;
    bench.metric("permutation/single", single, "nats")
}

fn sizes(bench: &mut Bench) -> Result<(), Failure> {
    let (mut parameters, mut multiply_adds) = (0, 0);
    for (name, published) in NAMED {
        let model: Perceptron = name.parse()?;
        let counted = count(NAMED_INPUTS, &model.layers(NAMED_CLASSES))?;
        let formula = model.parameters(NAMED_INPUTS, NAMED_CLASSES);
        let apart = counted.parameters.abs_diff(published) + formula.abs_diff(published);
        parameters = parameters.max(apart);
        let formula = model.multiply_adds(NAMED_INPUTS, NAMED_CLASSES);
        multiply_adds = multiply_adds.max(counted.multiply_adds.abs_diff(formula));
    }
    bench.metric("exact/parameters", parameters as f64, "1")?;
    bench.metric("exact/multiply-adds", multiply_adds as f64, "1")
}

/// Largest relative distance of a gradient from central differences, in double precision.
fn gradients(bench: &Bench) -> Result<f64, Failure> {
    let streams = bench.streams().child("gradients");
    let layers = Perceptron::bottleneck(2, 5).layers(3);
    let network = Network::<f64>::new(12, &layers, &mut streams.stream("start"))?;
    let mut rng = streams.stream("inputs");
    let x = Array2::from_shape_simple_fn((6, 12), || 2.0 * rng.random::<f64>() - 1.0);
    let labels = [0, 1, 2, 2, 1, 0];
    let loss = Loss::CrossEntropy { smoothing: 0.3 };
    // A step of plain descent at rate 1 is the gradient.
    let how = TrainingConfig {
        epochs: 1,
        batch: 6,
        optimizer: Rule::SGD,
        rate: 1.0,
        loss,
        ..TrainingConfig::default()
    };
    let mut training = how.start(network.clone())?;
    let targets = Targets::Classes(&labels);
    training.epoch(x.view(), targets, &streams, &Inside(bench.watch()))?;
    let stepped = training.into_network();
    let mut worst = 0.0;
    for (a, array) in network.parameters().arrays.iter().enumerate() {
        for (i, own) in array.values.iter().enumerate() {
            let gradient = own - stepped.parameters().arrays[a].values[i];
            let at = |by: f64| -> Result<f64, Failure> {
                let mut moved = network.clone();
                moved.parameters_mut().arrays[a].values[i] += by;
                Ok(moved.score(x.view(), Targets::Classes(&labels), loss)?.0)
            };
            let expected = (at(1e-5)? - at(-1e-5)?) / 2e-5;
            // Of gradients near 0 rounding is all there is.
            let scale = gradient.abs().max(expected.abs()).max(1e-4);
            worst = greater(worst, (gradient - expected).abs() / scale);
        }
    }
    Ok(worst)
}

/// Distance of one step from the card's example (works when 2).
fn lion() -> Result<f64, Failure> {
    let mut x = Parameters::<f64>::default();
    x.push("x", [1, 3], vec![0.0; 3]);
    let share = Share::all(&x, 0.1);
    let mut lion = Optimizer::new(&x, Rule::LION, vec![share]);
    let step = |lion: &mut Optimizer<f64>, x: &mut Parameters<f64>, g: [f64; 3]| {
        let refused = |e: chiasm_net::train::NotFinite| SettingError::new("gradient", "finite", e);
        lion.update(x, &[g.to_vec()], 1.0).map_err(refused)
    };
    step(&mut lion, &mut x, [2.0, -1.0, 0.0])?;
    let first = x.arrays[0].values.clone();
    let off = |found: &[f64], expected: [f64; 3]| {
        let each = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        each.fold(0.0, greater)
    };
    let apart = off(&first, [-0.1, 0.1, 0.0]);
    // The mean is now (.02, -.01, 0): nine times that and these gradients nearly cancel, so the step tells it.
    step(&mut lion, &mut x, [-0.17, 0.091, 0.0])?;
    Ok(greater(apart, off(&x.arrays[0].values, [-0.2, 0.0, 0.0])))
}

/// Two networks, one of which sees the pixels in another order and has its first weights in that order: the largest distance of
/// their losses over 50 passes of 4 steps.
fn permuted<T: Real>(config: &Config, data: &Data, bench: &Bench) -> Result<f64, Failure> {
    let streams = bench.streams().child("permutation");
    let n = data.train.len().min(256);
    let some: Vec<usize> = (0..n).collect();
    let labels = &data.train.images().labels()[..n];
    let x: Array2<T> = data.train.rows(&some);
    let mut order: Vec<usize> = (0..x.ncols()).collect();
    order.shuffle(&mut streams.stream("order of pixels"));
    let layers = Perceptron::bottleneck(config.depth, 16).layers(data.n_classes());
    let network = Network::<T>::new(x.ncols(), &layers, &mut streams.stream("start"))?;
    let mut other = network.clone();
    let first = &mut other.parameters_mut().arrays[0];
    let units = first.shape[1];
    first.values = order
        .iter()
        .flat_map(|i| network.parameters().arrays[0].values[i * units..(i + 1) * units].to_vec())
        .collect();
    let how = TrainingConfig {
        epochs: 50,
        batch: n.div_ceil(4),
        optimizer: Rule::LION,
        rate: config.widths.rate,
        loss: Loss::CrossEntropy {
            smoothing: config.smoothing,
        },
        ..TrainingConfig::default()
    };
    let train = |network: Network<T>, x: &Array2<T>| {
        let mut training = how.start(network)?;
        training.finish(
            x.view(),
            Targets::Classes(labels),
            &streams,
            &Inside(bench.watch()),
        )
    };
    let plain = train(network, &x)?;
    let moved = train(other, &x.select(Axis(1), &order))?;
    let apart = plain
        .iter()
        .zip(&moved)
        .map(|(a, b)| (a.loss - b.loss).abs());
    Ok(apart.fold(0.0, greater))
}
