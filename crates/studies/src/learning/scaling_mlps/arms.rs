//! One network: how it is made and trained, and what it comes to.

use chiasm_core::{Failure, Inside, Streams};
use chiasm_lab::Bench;
use chiasm_net::network::{Layer, Loss, Network, Training, TrainingConfig};
use chiasm_net::perceptrons::{
    Augmentation, Augmented, Perceptron, accuracy, count, predict, predict_views,
};
use chiasm_net::train::Rule;
use ndarray::Axis;
use serde::{Deserialize, Serialize};

use super::images::Data;

/// How a network is built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Perceptron(Perceptron),
    /// The same without norms.
    NoNorm(Perceptron),
    /// A linear classifier of pixels.
    Linear,
}

/// One network to be trained.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arm {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) augmentation: Augmentation,
    pub(super) smoothing: f64,
    pub(super) rule: Rule,
    pub(super) rate: f64,
    pub(super) batch: usize,
    pub(super) epochs: usize,
    /// The first so many images are learned from.
    pub(super) n_train: usize,
    /// Views whose answers are averaged at the end; 0 for none.
    pub(super) views: usize,
    pub(super) keep_every: usize,
}

impl Arm {
    pub(super) fn layers(&self, classes: usize) -> Vec<Layer> {
        match self.kind {
            Kind::Perceptron(p) => p.layers(classes),
            Kind::NoNorm(p) => p.layers_without_norm(classes),
            Kind::Linear => vec![Layer::dense(classes)],
        }
    }

    /// Passes between two measurements on test images.
    fn every(&self) -> usize {
        self.epochs.div_ceil(15)
    }
}

/// A network on its way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Measure {
    pub(super) epoch: usize,
    /// Multiply-adds so far.
    pub(super) compute: f64,
    /// Mean loss of the last pass, above the least there can be, nats.
    pub(super) loss: f64,
    /// On test images.
    pub(super) accuracy: f64,
}

/// What a network came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Trained {
    pub(super) parameters: f64,
    /// Multiply-adds of training on one image.
    pub(super) image_compute: f64,
    pub(super) course: Vec<Measure>,
    /// On images learned from, as they are.
    pub(super) train_accuracy: f64,
    /// By the mean over views.
    pub(super) views_accuracy: Option<f64>,
    /// For each test image the class that was told.
    pub(super) told: Vec<usize>,
    /// Weights of the first layer's units of largest norm, each as channels, rows and columns.
    pub(super) filters: Vec<Vec<f32>>,
}

impl Trained {
    pub(super) fn last(&self) -> Measure {
        self.course[self.course.len() - 1]
    }

    pub(super) fn best(&self) -> f64 {
        self.course.iter().map(|m| m.accuracy).fold(0.0, f64::max)
    }
}

/// Units of the first layer that are shown.
const SHOWN: usize = 8;
/// Most images learned from on which accuracy is measured.
const ASKED: usize = 5000;

/// A network part of the way through, to be kept.
type Kept = (Training<f32>, Vec<Measure>);

/// Trains a network; one that was killed goes on from the last part that was kept.
pub(super) fn train(arm: &Arm, data: &Data, bench: &mut Bench) -> Result<Trained, Failure> {
    let stage = arm.name.replace('/', "-");
    bench.stage(&stage, |bench| {
        let parts = arm.epochs.div_ceil(arm.keep_every);
        let mut kept: Option<Kept> = None;
        for part in 1..parts {
            let before = kept.take();
            kept = Some(bench.stage(&format!("{stage}-part-{part}"), |bench| {
                go_on(arm, before, part * arm.keep_every, data, bench)
            })?);
        }
        let (training, course) = go_on(arm, kept, arm.epochs, data, bench)?;
        finish(arm, training.network(), course, data, bench)
    })
}

fn supply<'a>(arm: &Arm, data: &'a Data, streams: &Streams) -> Result<Augmented<'a>, Failure> {
    let labels = data.train.images().labels()[..arm.n_train].to_vec();
    let all = Augmented::new(&data.train, arm.augmentation, streams)?;
    Ok(all
        .only((0..arm.n_train).collect(), labels)?
        .whole_batches())
}

/// Trains to the end of this many epochs.
fn go_on(
    arm: &Arm,
    kept: Option<Kept>,
    epochs: usize,
    data: &Data,
    bench: &Bench,
) -> Result<Kept, Failure> {
    // All networks of a seed begin with the same draws as far as their shapes agree, and see images in the same order.
    let streams = bench.streams().child("network");
    let loss = Loss::CrossEntropy {
        smoothing: arm.smoothing,
    };
    let classes = data.n_classes();
    let layers = arm.layers(classes);
    let counted = count(data.train.inputs(), &layers)?;
    let (mut training, mut course) = match kept {
        Some(kept) => kept,
        None => {
            let network =
                Network::<f32>::new(data.train.inputs(), &layers, &mut streams.stream("start"))?;
            let config = TrainingConfig {
                epochs: arm.epochs,
                batch: arm.batch,
                optimizer: arm.rule,
                rate: arm.rate,
                loss,
                ..TrainingConfig::default()
            };
            (config.start(network)?, vec![])
        }
    };
    let supply = supply(arm, data, &streams)?;
    let seen = (arm.n_train / arm.batch * arm.batch) as f64;
    let test = Data::all(&data.test);
    while training.epochs() < epochs {
        let epoch = training.epoch_of(&supply, &streams, &Inside(bench.watch()))?;
        bench.watch().tick(1);
        let done = training.epochs();
        if done.is_multiple_of(arm.every()) || done == arm.epochs {
            course.push(Measure {
                epoch: done,
                compute: 3.0 * counted.multiply_adds as f64 * seen * done as f64,
                loss: epoch.loss - loss.least(classes),
                accuracy: accuracy(training.network(), &data.test, &test)?,
            });
        }
    }
    Ok((training, course))
}

fn finish(
    arm: &Arm,
    network: &Network<f32>,
    course: Vec<Measure>,
    data: &Data,
    bench: &Bench,
) -> Result<Trained, Failure> {
    let counted = count(data.train.inputs(), network.layers())?;
    let asked: Vec<usize> = (0..arm.n_train.min(ASKED)).collect();
    let told = predict(network, &data.test, &Data::all(&data.test))?;
    let views_accuracy = match arm.views {
        0 => None,
        views => {
            let views_of = Augmentation {
                mixup: 0.0,
                ..arm.augmentation
            };
            let supply = Augmented::new(&data.test, views_of, &bench.streams().child("views"))?;
            let mean = predict_views(network, &supply, views, &Inside(bench.watch()))?;
            let labels = data.test.images().labels();
            let right = classes_of(&mean).into_iter().zip(labels);
            let right = right.filter(|(a, b)| a == *b).count();
            Some(right as f64 / labels.len() as f64)
        }
    };
    Ok(Trained {
        parameters: counted.parameters as f64,
        image_compute: 3.0 * counted.multiply_adds as f64,
        course,
        train_accuracy: accuracy(network, &data.train, &asked)?,
        views_accuracy,
        told: classes_of(&told),
        filters: filters(network),
    })
}

/// The class of greatest probability of each row, the first of equals.
pub(super) fn classes_of(probabilities: &ndarray::Array2<f64>) -> Vec<usize> {
    let largest = |row: ndarray::ArrayView1<'_, f64>| {
        let each = row.iter().enumerate();
        each.fold((0, f64::NEG_INFINITY), |best, (i, p)| {
            if *p > best.1 { (i, *p) } else { best }
        })
        .0
    };
    probabilities.axis_iter(Axis(0)).map(largest).collect()
}

/// The weights `[input]` of the units of the first layer with the largest norms.
fn filters(network: &Network<f32>) -> Vec<Vec<f32>> {
    let first = &network.parameters().arrays[0];
    let [inputs, units] = first.shape;
    let of = |unit: usize| -> Vec<f32> {
        (0..inputs)
            .map(|i| first.values[i * units + unit])
            .collect()
    };
    let mut all: Vec<Vec<f32>> = (0..units).map(of).collect();
    let norm = |w: &[f32]| w.iter().map(|v| v * v).sum::<f32>();
    all.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    all.truncate(SHOWN);
    all
}
