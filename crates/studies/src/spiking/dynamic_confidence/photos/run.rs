//! Training, conversion, and what the spikes tell.

use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use chiasm_net::network::{Network, Start, Training};
use chiasm_net::perceptrons::Augmented;
use chiasm_net::spiking::confidence::{Calibration, Given, Outputs};
use chiasm_net::spiking::qcfs::ConvertedNetwork;
use ndarray::{Array2, Array3, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::super::arms::{Measured, measure};
use super::super::config::Config;
use super::super::{claims, figures};
use super::report::{report, said};
use crate::images::Images;
use crate::photographs::{self, Photographs};

/// One network and what was measured of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    pub(super) measured: Measured,
    /// Accuracy of the quantized network.
    pub(super) quantized: f64,
    /// Spikes of a neuron for an image, in all steps and until the agent stops.
    pub(super) spikes: f64,
    pub(super) agent_spikes: f64,
    /// First neurons whose spikes in as many steps as there are levels are not their level, as a fraction.
    pub(super) unequal: f64,
    /// Loss of each epoch.
    pub(super) losses: Vec<f64>,
    /// The scales, layer by layer.
    pub(super) scales: Vec<f64>,
}

/// Test images whose first layer is compared.
const COMPARED: usize = 100;
/// Images that are worked on at once: as rows they take a kilobyte for each pixel's bytes.
const AT_ONCE: usize = 1_000;

pub(in super::super) fn run(config: &Config, bench: &mut Bench) -> Result<Vec<String>, Failure> {
    let photos = &config.photos;
    if photos.networks == 0 {
        for claim in claims::photographs() {
            bench.not_at_this_scale(claim.id, "no network on photographs was asked for");
        }
        return Ok(vec![]);
    }
    let n = (photos.n_train + photos.n_calibration, photos.n_test);
    let found = photographs::load(config.images != Images::Drawn, n, bench)?;
    if !found.is_cifar {
        for claim in claims::CIFAR_ALONE {
            let why = format!("the bar is that of CIFAR-10; these are {}", found.name);
            bench.not_at_this_scale(claim, why);
        }
    }
    let epochs = (photos.networks * photos.epochs) as u64;
    bench.watch().stage("photographs", epochs);
    let arms = bench.arms(photos.networks, |i, bench| {
        bench.stage(&format!("photographs-{i}"), |bench| {
            arm(i, config, &found, bench)
        })
    })?;
    report(&arms, photos, bench)?;
    let first = &arms[0];
    for figure in figures::all(&first.measured, &found.name, "photographs-") {
        bench.figure(figure)?;
    }
    Ok(said(&arms, photos, &found.name))
}

fn arm(i: usize, config: &Config, found: &Photographs, bench: &Bench) -> Result<Arm, Failure> {
    let photos = &config.photos;
    let streams = bench.streams().child(&format!("photographs {i}"));
    let (train, test) = (&found.train, &found.test);
    let labels = train.images().labels();
    // What there is beyond the calibration images is trained on.
    let n_train = train.len().saturating_sub(photos.n_calibration).max(1);
    let (channels, rows, columns) = train.images().shape();
    let layers = photos.layers([channels, rows, columns], found.n_classes());
    let mut rng = streams.stream("start");
    let network = Network::<f32>::begun(train.inputs(), &layers, Start::HeNormal, &mut rng)?;
    let supply = Augmented::new(train, photos.augmentation, &streams)?
        .only((0..n_train).collect(), labels[..n_train].to_vec())?;
    let mut training: Training<f32> = photos.training().start(network)?;
    let mut losses = vec![];
    while !training.done() {
        let epoch = training.epoch_of(&supply, &streams, &Inside(bench.watch()))?;
        losses.push(epoch.loss);
        bench.watch().tick(1);
    }
    let spiking = ConvertedNetwork::new(training.into_network())?;
    let calibrated: Vec<usize> = (n_train..train.len()).collect();
    let (calibration, _) = watched(&spiking, &calibrated, photos.steps, |part| train.rows(part))?;
    let calibration = Outputs::new(calibration, labels[n_train..].to_vec(), Given::Sums)?;
    let all = Photographs::all(test);
    let (sums, counts) = watched(&spiking, &all, photos.steps, |part| test.rows(part))?;
    let labels = test.images().labels();
    let outputs = Outputs::new(sums, labels.to_vec(), Given::Sums)?;
    let how = Calibration {
        smoothing: config.smoothing,
        tolerance: config.tolerance,
        ..Calibration::default()
    };
    let measured = measure(&calibration, &outputs, &how, config.deals, bench)?;
    let decisions = measured.agent().decide(&outputs);
    let steps = decisions.iter().map(|d| d.steps - 1).enumerate();
    let agent_spikes: f64 = steps.map(|(i, t)| f64::from(counts[[i, t]])).sum();
    let whole: f64 = counts
        .column(photos.steps - 1)
        .iter()
        .map(|n| f64::from(*n))
        .sum();
    let neurons = (spiking.n_neurons() * labels.len()) as f64;
    let mut right = 0;
    for part in all.chunks(AT_ONCE) {
        let told = spiking.network().classify(test.rows(part).view())?;
        right += part
            .iter()
            .zip(told)
            .filter(|(i, c)| labels[**i] == *c)
            .count();
    }
    let some = test.rows(&all[..all.len().min(COMPARED)]);
    Ok(Arm {
        quantized: right as f64 / labels.len() as f64,
        spikes: whole / neurons,
        agent_spikes: agent_spikes / neurons,
        unequal: unequal(&spiking, some.view(), photos.levels)?,
        scales: spiking.thresholds(),
        measured,
        losses,
    })
}

/// All images of a part for all steps: sums and spikes after each.
fn watched(
    spiking: &ConvertedNetwork,
    images: &[usize],
    steps: usize,
    rows: impl Fn(&[usize]) -> Array2<f32>,
) -> Result<(Array3<f32>, Array2<u32>), Failure> {
    let mut sums = Array3::zeros((images.len(), steps, spiking.n_classes()));
    let mut spikes = Array2::zeros((images.len(), steps));
    for (k, part) in images.chunks(AT_ONCE).enumerate() {
        let run = spiking.run(rows(part).view(), steps)?;
        let here = k * AT_ONCE..k * AT_ONCE + part.len();
        sums.slice_mut(s![here.clone(), .., ..]).assign(&run.sums);
        spikes.slice_mut(s![here, ..]).assign(&run.spikes);
    }
    Ok((sums, spikes))
}

/// Where the first neurons' spikes in `levels` steps differ from their quantized activations.
fn unequal(
    spiking: &ConvertedNetwork,
    images: ArrayView2<'_, f32>,
    levels: u32,
) -> Result<f64, Failure> {
    let counts = spiking.first_layer(images, levels as usize)?;
    let expected = spiking.first_levels(images)?;
    let unequal = counts.iter().zip(&expected).filter(|(a, b)| a != b).count();
    Ok(unequal as f64 / counts.len().max(1) as f64)
}
