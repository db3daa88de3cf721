//! One network trained and measured.

use chiasm_analysis::readout::{Samples, Softmax};
use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use chiasm_net::spiking::delays::{Config, Epoch, Training, Trains};
use ndarray::Array2;

use super::data::Data;

/// Epochs that are kept on disk together.
const BLOCK: usize = 10;

/// A trained network and how it does on the test.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub(super) name: String,
    pub(super) training: Training,
    /// Delays of each layer before training, steps.
    pub(super) before: Vec<Vec<f64>>,
    /// With delays rounded to whole steps.
    pub(super) rounded: f64,
    /// With the kernels of the last epoch.
    pub(super) soft: f64,
}

impl Arm {
    pub(super) fn epochs(&self) -> &[Epoch] {
        self.training.epochs()
    }

    /// Delays of each layer after training, steps.
    pub(super) fn after(&self) -> Vec<Vec<f64>> {
        delays(&self.training)
    }
}

fn delays(training: &Training) -> Vec<Vec<f64>> {
    let network = training.network();
    let layers = 0..network.n_layers();
    layers.filter_map(|l| network.delays(l)).collect()
}

/// What is to be trained: its name, its settings.
pub(super) type Wanted = (String, Config);

/// Trains one network. Its random numbers do not depend on the other arms, and differ from them in nothing but what the
/// settings ask for.
pub(super) fn train(
    part: &str,
    (name, config): &Wanted,
    data: &Data,
    bench: &mut Bench,
) -> Result<Arm, Failure> {
    let streams = bench.streams().child(part);
    let slug = format!("{part}-{}", name.replace([' ', ','], "-"));
    let (channels, classes) = (data.train.n_channels(), data.train.n_classes());
    let mut training = Training::new(config, channels, classes, &streams)?;
    let before = delays(&training);
    for block in 0..config.epochs.div_ceil(BLOCK) {
        let last = training;
        training = bench.stage(&format!("{slug}-{block}"), |bench| {
            let mut now = last;
            for _ in 0..BLOCK {
                if !now.is_done() {
                    now.epoch(&data.train, &streams, &Inside(bench.watch()))?;
                }
            }
            Ok(now)
        })?;
        bench.watch().tick(1);
    }
    let network = training.network();
    let rounded = network.rounded().accuracy(&data.test)?;
    // Only learned delays have kernels of more than one tap.
    let soft = match config.delays {
        chiasm_net::spiking::delays::Delays::Learned => {
            network.soft(training.sigma()).accuracy(&data.test)?
        }
        _ => rounded,
    };
    Ok(Arm {
        name: name.clone(),
        before,
        rounded,
        soft,
        training,
    })
}

/// Trains all of them, several at once.
pub(super) fn train_all(
    part: &str,
    wanted: &[Wanted],
    data: &Data,
    bench: &mut Bench,
) -> Result<Vec<Arm>, Failure> {
    let blocks: usize = wanted.iter().map(|(_, c)| c.epochs.div_ceil(BLOCK)).sum();
    bench.watch().stage(part, blocks as u64);
    bench.arms(wanted.len(), |i, bench| {
        train(part, &wanted[i], data, bench)
    })
}

/// Accuracy on the test of a softmax regression on each channel's count: what is told without time.
pub(super) fn by_counts(data: &Data, bench: &Bench) -> Result<f64, Failure> {
    let counts = |trains: &Trains| {
        let mut counts = Array2::<f32>::zeros((trains.n_samples(), trains.n_channels()));
        for (i, sample) in trains.samples().iter().enumerate() {
            for event in sample {
                counts[[i, event.channel as usize]] += event.value;
            }
        }
        counts
    };
    let (x, y) = (counts(&data.train), counts(&data.test));
    let classes = data.train.n_classes();
    let train = Samples::new(x.view(), data.train.labels(), classes)?;
    let streams = bench.streams().child("counts");
    let fitted = Softmax::default().fit(&train, None, &streams, &Inside(bench.watch()))?;
    Ok(fitted
        .model
        .accuracy(&Samples::new(y.view(), data.test.labels(), classes)?)?)
}
