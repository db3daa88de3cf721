//! The practical side: networks trained layer by layer, and weight decay of features or of the head changed.

use chiasm_analysis::collapse::Collapse;
use chiasm_core::{Failure, Streams};
use chiasm_lab::Bench;
use chiasm_net::network::{
    Layer, Loss, Network, Nonlinearity, Schedule, Targets, Training, TrainingConfig,
};
use chiasm_net::train::{Rule, Share};
use ndarray::{Array2, ArrayView2, s};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{DecayStudy, Layerwise};
use crate::images::Part;

/// Images as rows of standardized pixels.
pub(super) struct Digits {
    x: Array2<f32>,
    labels: Vec<usize>,
    n_classes: usize,
}

impl Digits {
    /// The first `n`, or all where there are fewer, with MNIST's mean and deviation taken off.
    pub(super) fn first(part: &Part, n: usize, n_classes: usize) -> Self {
        let n = n.min(part.labels.len());
        Self {
            x: part
                .pixels
                .slice(s![..n, ..])
                .mapv(|v| (f32::from(v) / 255.0 - 0.1307) / 0.3081),
            labels: part.labels[..n].iter().map(|l| usize::from(*l)).collect(),
            n_classes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }
}

/// What one layer's features came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Depth {
    pub(super) ratio: f64,
    pub(super) quotient: f64,
    pub(super) simplex: f64,
    /// Share of the images that the head on this layer tells.
    pub(super) accuracy: f64,
}

impl Depth {
    fn of(found: &Collapse, accuracy: f64) -> Self {
        Self {
            ratio: found.ratio,
            quotient: found.quotient,
            simplex: found.simplex,
            accuracy,
        }
    }
}

/// Layers trained one after the other, and as many that were not trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stack {
    /// Of the images themselves.
    pub(super) pixels: Depth,
    pub(super) trained: Vec<Depth>,
    pub(super) untrained: Vec<Depth>,
}

fn measure(features: ArrayView2<'_, f32>, data: &Digits) -> Result<Collapse, Failure> {
    let found = Collapse::of(features, &data.labels, data.n_classes, None)?;
    Ok(found)
}

/// Each layer is trained with a head of its own on the features of the one before, which stay as they are.
pub(super) fn layerwise(
    config: &Layerwise,
    data: &Digits,
    bench: &Bench,
) -> Result<Stack, Failure> {
    let streams = bench.streams().child("layerwise");
    let mut stack = Stack {
        pixels: Depth::of(&measure(data.x.view(), data)?, 0.0),
        trained: vec![],
        untrained: vec![],
    };
    let training = TrainingConfig {
        epochs: config.epochs,
        batch: config.batch,
        optimizer: Rule::Sgd {
            momentum: config.momentum,
        },
        rate: config.rate,
        decay: config.decay,
        clip: None,
        schedule: Schedule::Constant,
        loss: Loss::CrossEntropy { smoothing: 0.0 },
    };
    let (mut x, mut random) = (data.x.clone(), data.x.clone());
    for depth in 0..config.layers {
        let own = streams.child(&format!("layer {depth}"));
        let layers = [
            Layer::dense(config.width),
            Layer::Each(Nonlinearity::Relu),
            Layer::dense(data.n_classes),
        ];
        let start = |n: usize| Network::<f32>::new(n, &layers, &mut own.stream("start"));
        let network = start(x.ncols())?;
        let mut training = training.start(network)?;
        descend(&mut training, (x.view(), &data.labels), &own, bench)?;
        let network = training.into_network();
        let told = network.classify(x.view())?;
        x = network.taps(x.view())?.swap_remove(1);
        let right = told.iter().zip(&data.labels).filter(|(a, b)| a == b);
        let accuracy = right.count() as f64 / data.len() as f64;
        stack
            .trained
            .push(Depth::of(&measure(x.view(), data)?, accuracy));
        random = start(random.ncols())?.taps(random.view())?.swap_remove(1);
        stack
            .untrained
            .push(Depth::of(&measure(random.view(), data)?, 0.0));
    }
    Ok(stack)
}

/// All epochs, with the watch told of each.
fn descend(
    training: &mut Training<f32>,
    (x, labels): (ArrayView2<'_, f32>, &[usize]),
    streams: &Streams,
    bench: &Bench,
) -> Result<f64, Failure> {
    let mut accuracy = 0.0;
    while !training.done() {
        let epoch = training.epoch(x, Targets::Classes(labels), streams, bench.watch())?;
        accuracy = epoch.accuracy;
        bench.watch().tick(1);
    }
    Ok(accuracy)
}

/// What becomes of the weight decay.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Change {
    /// The same for all.
    None,
    /// That of the layers below the head is doubled.
    FeaturesDoubled,
    /// It is 0.
    FeaturesZero,
    /// That of the head is doubled.
    HeadDoubled,
    /// It is 0.
    HeadZero,
}

impl Change {
    pub(super) const ALL: [Self; 5] = [
        Self::None,
        Self::FeaturesDoubled,
        Self::FeaturesZero,
        Self::HeadDoubled,
        Self::HeadZero,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "baseline",
            Self::FeaturesDoubled => "features-doubled",
            Self::FeaturesZero => "features-zero",
            Self::HeadDoubled => "head-doubled",
            Self::HeadZero => "head-zero",
        }
    }

    /// Factors of the decay of features and head.
    fn factors(self) -> (f64, f64) {
        match self {
            Self::None => (1.0, 1.0),
            Self::FeaturesDoubled => (2.0, 1.0),
            Self::FeaturesZero => (0.0, 1.0),
            Self::HeadDoubled => (1.0, 2.0),
            Self::HeadZero => (1.0, 0.0),
        }
    }
}

/// The course of one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) epochs: Vec<usize>,
    pub(super) measures: Vec<Depth>,
}

impl Course {
    pub(super) fn last(&self) -> Depth {
        self.measures[self.measures.len() - 1]
    }
}

/// One network of the replica, trained under this change. The networks of a replica begin alike and see the images in the same
/// order.
pub(super) fn decayed(
    change: Change,
    replica: usize,
    (config, data): (&DecayStudy, &Digits),
    bench: &Bench,
) -> Result<Course, Failure> {
    let streams = bench.streams().child(&format!("decay {replica}"));
    let mut layers: Vec<Layer> = vec![];
    for &width in &config.hidden {
        layers.extend([Layer::dense(width), Layer::Each(Nonlinearity::Relu)]);
    }
    layers.push(Layer::Dense {
        outputs: data.n_classes,
        bias: false,
    });
    let network = Network::<f32>::new(data.x.ncols(), &layers, &mut streams.stream("start"))?;
    let n_arrays = network.parameters().arrays.len();
    let (features, head) = change.factors();
    let share = |name: &str, arrays: Vec<usize>, factor: f64| Share {
        decay: factor * config.decay,
        ..Share::of(name, arrays, config.rate)
    };
    let shares = vec![
        share("features", (0..n_arrays - 1).collect(), features),
        share("head", vec![n_arrays - 1], head),
    ];
    let third = config.epochs / 3;
    let training = TrainingConfig {
        epochs: config.epochs,
        batch: config.batch,
        optimizer: Rule::Sgd {
            momentum: config.momentum,
        },
        rate: config.rate,
        decay: 0.0,
        clip: None,
        // As the paper's 40 of 120 epochs.
        schedule: Schedule::Steps {
            after: vec![third.max(1), (2 * third).max(2)],
            factor: 0.1,
        },
        loss: Loss::SquaredError,
    };
    let mut training = training.start_shares(network, shares)?;
    let mut course = Course {
        epochs: vec![],
        measures: vec![],
    };
    let every = (config.epochs / 6).max(1);
    while !training.done() {
        let targets = Targets::Classes(&data.labels);
        training.epoch(data.x.view(), targets, &streams, bench.watch())?;
        bench.watch().tick(1);
        if training.epochs().is_multiple_of(every) || training.done() {
            course.epochs.push(training.epochs());
            course.measures.push(of_network(training.network(), data)?);
        }
    }
    Ok(course)
}

/// The last hidden layer of a network, with the head's duality.
fn of_network(network: &Network<f32>, data: &Digits) -> Result<Depth, Failure> {
    let taps = network.taps(data.x.view())?;
    let features = &taps[taps.len() - 2];
    let told = network.classify(data.x.view())?;
    let right = told.iter().zip(&data.labels).filter(|(a, b)| a == b);
    let accuracy = right.count() as f64 / data.len() as f64;
    Ok(Depth::of(&measure(features.view(), data)?, accuracy))
}
