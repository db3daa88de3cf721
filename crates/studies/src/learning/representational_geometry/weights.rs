//! Where the gradient pushes each unit's weights, and where training by it alone leads them.

use chiasm_analysis::geometry::{class_axes, specialists, weight_field};
use chiasm_core::{Failure, Inside};
use chiasm_data::generate::{ClusterTask, four_clusters};
use chiasm_lab::Bench;
use chiasm_net::network::{Layer, Loss, Network, Nonlinearity, Targets, TrainingConfig};
use chiasm_net::train::{Rule, Share};
use ndarray::{Array1, Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::jobs::{trained, unit_name};

/// How often trajectories are looked at.
const LOOKS: usize = 20;

/// The way of one network's weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) unit: String,
    /// Passes done at each look.
    pub(super) epochs: Vec<f64>,
    /// Share of units active in a single cluster, at each look.
    pub(super) specialists: Vec<f64>,
    /// The units' weights along the axis between classes and along one within a class, `[look][unit]`.
    pub(super) along: [Vec<Vec<f64>>; 2],
    /// The clusters' means along these axes.
    pub(super) clusters: [Vec<f64>; 2],
    /// The clusters' label.
    pub(super) positive: Vec<bool>,
    pub(super) accuracy: f64,
}

pub(super) const UNITS: [Nonlinearity; 2] = [Nonlinearity::Relu, Nonlinearity::Tanh];

/// Weights as `[unit, input]`, of a network whose first layer keeps them as `[input, unit]`.
fn first_weights(network: &Network<f64>) -> Array2<f64> {
    let array = &network.parameters().arrays[0];
    let [inputs, units] = array.shape;
    Array2::from_shape_fn((units, inputs), |(u, i)| array.values[i * units + u])
}

/// Input weights trained by plain descent, all else as it began (paper 23, C: weight-space version).
pub(super) fn course(
    unit: Nonlinearity,
    config: &Config,
    bench: &Bench,
) -> Result<Course, Failure> {
    let how = &config.weights;
    let streams = bench.streams().child("weights");
    let task = four_clusters(&how.task, &streams)?;
    let (x, clusters) = task.samples(how.samples, &mut streams.stream("train"));
    let y = task.labels.select(Axis(0), &clusters);
    let y = y.mapv(|y| if y { 1.0 } else { 0.0 });
    let layers = Layer::perceptron(&[how.width, 1], unit);
    let network = Network::<f64>::new(x.ncols(), &layers, &mut streams.stream("start"))?;
    let training = TrainingConfig {
        epochs: how.epochs,
        batch: how.batch,
        optimizer: Rule::SGD,
        rate: how.rate,
        loss: Loss::BinaryCrossEntropy,
        ..TrainingConfig::default()
    };
    let share = Share::of("input weights", vec![0], how.rate);
    let mut training = training.start_shares(network, vec![share])?;
    let label = trained(&task)?.swap_remove(0);
    let axes = class_axes(task.means.view(), &label)?;
    // Where the class means are one there is no axis between them: the first two within classes are shown.
    let axis = |i: usize| -> Array1<f64> {
        let last = axes.nrows().saturating_sub(1);
        axes.row(i.min(last)).to_owned()
    };
    let (between, within) = (axis(0), axis(1));
    let mut found = Course {
        unit: unit_name(unit),
        epochs: vec![],
        specialists: vec![],
        along: [vec![], vec![]],
        clusters: [&between, &within].map(|a| task.means.dot(a).to_vec()),
        positive: label.labels().to_vec(),
        accuracy: 0.0,
    };
    let every = how.epochs.div_ceil(LOOKS).max(1);
    for epoch in 0..=how.epochs {
        if epoch % every == 0 || epoch == how.epochs {
            let network = training.network();
            let hidden = network.taps(task.means.view())?.swap_remove(1);
            found.epochs.push(epoch as f64);
            found.specialists.push(specialists(hidden.view())?);
            let weights = first_weights(network);
            for (along, axis) in found.along.iter_mut().zip([&between, &within]) {
                along.push(weights.dot(axis).to_vec());
            }
        }
        if epoch < how.epochs {
            let targets = Targets::Values(y.view());
            training.epoch(x.view(), targets, &streams, &Inside(bench.watch()))?;
        }
    }
    let (_, accuracy) = training.network().score(
        x.view(),
        Targets::Values(y.view()),
        Loss::BinaryCrossEntropy,
    )?;
    found.accuracy = accuracy;
    Ok(found)
}

/// How far the formula for the field is from differences of the loss, largest over weights of a small network whose output
/// is exactly 1/2 since its units cancel in pairs.
pub(super) fn field_deviation(
    unit: Nonlinearity,
    config: &Config,
    bench: &Bench,
) -> Result<f64, Failure> {
    let streams = bench.streams().child("field");
    let task: ClusterTask = four_clusters(&config.weights.task, &streams)?;
    let label = trained(&task)?.swap_remove(0);
    let layers = Layer::perceptron(&[PAIRS * 2, 1], unit);
    let mut network =
        Network::<f64>::new(task.means.ncols(), &layers, &mut streams.stream("start"))?;
    for array in &mut network.parameters_mut().arrays {
        let [rows, columns] = array.shape;
        match array.name.as_str() {
            // Input weights and biases come in equal pairs, readout weights in opposite ones.
            "0.weight" | "0.bias" => {
                for i in 0..rows * columns {
                    if i % columns % 2 == 1 {
                        array.values[i] = array.values[i - 1];
                    }
                }
            }
            "2.weight" => (1..rows)
                .step_by(2)
                .for_each(|i| array.values[i] = -array.values[i - 1]),
            _ => array.values.fill(0.0),
        }
    }
    let arrays = &network.parameters().arrays;
    let [biases, readout] = [1, 2].map(|i| arrays[i].values.clone());
    let slope = |z: f64| match unit {
        Nonlinearity::Tanh => 1.0 - z.tanh().powi(2),
        _ => f64::from(z > 0.0),
    };
    let weights = first_weights(&network);
    let (biases, readout) = (ArrayView1::from(&biases), ArrayView1::from(&readout));
    let field = weight_field(
        task.means.view(),
        &label,
        weights.view(),
        (biases, readout),
        slope,
    )?;
    let targets = task.labels.mapv(|y| if y { 1.0 } else { 0.0 });
    let mut deviation: f64 = 0.0;
    let units = PAIRS * 2;
    for i in (0..task.means.ncols()).step_by(7) {
        for u in 0..units {
            let mut at = |step: f64| -> Result<f64, Failure> {
                let weight = &mut network.parameters_mut().arrays[0].values[i * units + u];
                let before = *weight;
                *weight += step;
                let targets = Targets::Values(targets.view());
                let found = network.score(task.means.view(), targets, Loss::BinaryCrossEntropy);
                network.parameters_mut().arrays[0].values[i * units + u] = before;
                Ok(found?.0)
            };
            let numerical = -(at(STEP)? - at(-STEP)?) / (2.0 * STEP);
            deviation = deviation.max((numerical - field[[u, i]]).abs());
        }
    }
    Ok(deviation)
}

const PAIRS: usize = 6;
const STEP: f64 = 1e-5;
