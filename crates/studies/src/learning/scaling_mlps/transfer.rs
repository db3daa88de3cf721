//! From eight classes to the two others: a body that was trained on many images, and a few of what is new.

use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use chiasm_net::network::{Loss, Network, Training, TrainingConfig};
use chiasm_net::perceptrons::{Augmented, Perceptron, Pixels, Reach, fine_tune, predict};
use chiasm_net::train::Rule;
use serde::{Deserialize, Serialize};

use super::arms::classes_of;
use super::config::Config;
use super::images::Data;

/// Accuracies on test images of the two classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Transferred {
    /// Of the few images alone.
    pub(super) scratch: f64,
    /// A new head on the trained body, which stays as it is.
    pub(super) probe: f64,
    /// The body learns too.
    pub(super) tuned: f64,
    /// On test images of the other classes, before.
    pub(super) before: f64,
}

/// Images of these classes, and the place of each one's class among them.
fn only(pixels: &Pixels, classes: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let labels = pixels.images().labels().iter().enumerate();
    let own = labels.filter_map(|(i, label)| {
        let place = classes.iter().position(|c| c == label)?;
        Some((i, place))
    });
    own.unzip()
}

pub(super) fn run(config: &Config, data: &Data, bench: &mut Bench) -> Result<Transferred, Failure> {
    let transfer = &config.transfer;
    let held = [transfer.held_out.0, transfer.held_out.1];
    let others: Vec<usize> = (0..data.n_classes())
        .filter(|c| !held.contains(c))
        .collect();
    let streams = bench.streams().child("transfer");
    let perceptron = Perceptron::bottleneck(config.depth, transfer.width);
    let inputs = data.train.inputs();
    let loss = Loss::CrossEntropy {
        smoothing: config.smoothing,
    };
    let start = |classes: usize, batch: usize, epochs: usize| -> Result<Training<f32>, Failure> {
        let layers = perceptron.layers(classes);
        let network = Network::new(inputs, &layers, &mut streams.stream("start"))?;
        let how = TrainingConfig {
            epochs,
            batch,
            optimizer: Rule::LION,
            rate: config.widths.rate,
            loss,
            ..TrainingConfig::default()
        };
        Ok(how.start(network)?)
    };
    let finish = |mut training: Training<f32>, supply: &Augmented<'_>| {
        while !training.done() {
            training.epoch_of(supply, &streams, &Inside(bench.watch()))?;
            bench.watch().tick(1);
        }
        Ok::<_, Failure>(training.into_network())
    };
    let supply = |images: Vec<usize>, labels: Vec<usize>| -> Result<Augmented<'_>, Failure> {
        let all = Augmented::new(&data.train, config.augmentation, &streams)?;
        Ok(all.only(images, labels)?.whole_batches())
    };
    let asked = |network: &Network<f32>, classes: &[usize]| -> Result<f64, Failure> {
        let (images, labels) = only(&data.test, classes);
        let told = classes_of(&predict(network, &data.test, &images)?);
        let right = told.iter().zip(&labels).filter(|(a, b)| a == b).count();
        Ok(right as f64 / labels.len().max(1) as f64)
    };

    let (images, labels) = only(&data.train, &others);
    let batch = config.batch.min(images.len());
    let body = finish(
        start(others.len(), batch, transfer.epochs)?,
        &supply(images, labels)?,
    )?;

    let (mut images, mut labels) = only(&data.train, &held);
    images.truncate(transfer.images);
    labels.truncate(transfer.images);
    let batch = transfer.tuning_batch.min(images.len());
    let few = supply(images, labels)?;
    let scratch = finish(start(2, batch, transfer.tuning_epochs)?, &few)?;
    let how = TrainingConfig {
        epochs: transfer.tuning_epochs,
        batch,
        optimizer: Rule::Sgd { momentum: 0.9 },
        rate: transfer.head_rate,
        clip: Some(1.0),
        loss,
        ..TrainingConfig::default()
    };
    let tune = |reach: Reach| -> Result<Network<f32>, Failure> {
        let training = fine_tune(&body, 2, reach, &how, &mut streams.stream("head"))?;
        finish(training, &few)
    };
    Ok(Transferred {
        scratch: asked(&scratch, &held)?,
        probe: asked(&tune(Reach::Head)?, &held)?,
        tuned: asked(&tune(Reach::Body(0.1))?, &held)?,
        before: asked(&body, &others)?,
    })
}
