//! The experiment on photographs: a small convolutional network in levels, turned into spikes.

use chiasm_core::{Failure, Inside, SettingError};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};
use chiasm_net::network::{
    Layer, Network, Pooling, Schedule, Start, Training, TrainingConfig, Window,
};
use chiasm_net::perceptrons::{Augmentation, Augmented};
use chiasm_net::spiking::confidence::{Calibration, Given, Outputs};
use chiasm_net::spiking::qcfs::ConvertedNetwork;
use chiasm_net::train::Rule;
use ndarray::{Array2, Array3, ArrayView2, s};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arms::{Measured, measure};
use super::config::Config;
use super::{claims, figures};
use crate::images::Images;
use crate::photographs::{self, Photographs};

/// The network, what it learns from and how long it is watched. The paper's is a ResNet-18 that learns from all of CIFAR-10:
/// this one was chosen for a minute on two cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Photos {
    /// Photographs to learn from, drawn for each seed (card 48: 50,000).
    pub n_train: usize,
    /// Photographs to calibrate on, which are neither trained nor tested on.
    pub n_calibration: usize,
    /// Photographs to test on (card 48: 10,000).
    pub n_test: usize,
    /// Channels of the convolutions, each followed by activations in levels and a mean pool of 2 x 2.
    pub channels: Vec<usize>,
    /// Levels of the activations (card 48: 4 or 8, in the demonstration 3).
    pub levels: u32,
    /// The scales before training.
    pub scale: f64,
    /// How photographs are changed each time that they are learned from.
    pub augmentation: Augmentation,
    /// Passes over the photographs.
    pub epochs: usize,
    /// Photographs in a batch.
    pub batch: usize,
    /// Learning rate at the start; it falls to 0 along half a cosine (card 48: .1).
    pub rate: f64,
    /// Momentum of the descent (card 48: .9).
    pub momentum: f64,
    /// Weight decay, of scales too (card 48: 5e-4).
    pub decay: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Networks, each with a start of its own; metrics are means over them. 0 leaves photographs out.
    pub networks: usize,
    /// Steps at most (card 48: 27 in the demonstration).
    pub steps: usize,
}

impl Default for Photos {
    fn default() -> Self {
        Self {
            n_train: 5_000,
            n_calibration: 10_000,
            n_test: 10_000,
            channels: vec![16, 32, 32],
            levels: 4,
            scale: 2.0,
            augmentation: Augmentation::LIGHT,
            epochs: 15,
            batch: 50,
            rate: 0.05,
            momentum: 0.9,
            decay: 5e-4,
            clip: 1.0,
            networks: 1,
            steps: 32,
        }
    }
}

impl Photos {
    pub(super) fn paper() -> Self {
        Self {
            n_train: 40_000,
            channels: vec![32, 64, 128],
            epochs: 60,
            networks: 3,
            ..Self::default()
        }
    }

    pub(super) fn smoke() -> Self {
        Self {
            n_train: 120,
            n_calibration: 60,
            n_test: 60,
            channels: vec![3, 4],
            epochs: 2,
            batch: 20,
            steps: 4,
            ..Self::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        for (field, n, least, most) in [
            ("n_train", self.n_train, 50, 50_000),
            ("n_calibration", self.n_calibration, 50, 50_000),
            ("n_test", self.n_test, 50, 10_000),
            ("epochs", self.epochs, 1, 100_000),
            ("networks", self.networks, 0, 100),
            ("steps", self.steps, 2, 1000),
        ] {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&n), field, &expected, n)?;
        }
        // Sides of 32 pixels are halved after each.
        let channels = &self.channels;
        let fine = (1..=5).contains(&channels.len());
        let fine = fine && channels.iter().all(|n| (1..=4096).contains(n));
        let expected = "one to five layers of 1 to 4096 channels";
        SettingError::check(fine, "channels", expected, format!("{channels:?}"))?;
        let fine = (1..=1024).contains(&self.levels);
        SettingError::check(fine, "levels", "1 to 1024", self.levels)?;
        let fine = self.scale.is_finite() && self.scale >= 1e-3;
        SettingError::check(fine, "scale", ".001 or more", self.scale)?;
        self.augmentation.validate()?;
        self.training().validate()
    }

    fn training(&self) -> TrainingConfig {
        TrainingConfig {
            epochs: self.epochs,
            batch: self.batch,
            optimizer: Rule::Sgd {
                momentum: self.momentum,
            },
            rate: self.rate,
            decay: self.decay,
            clip: Some(self.clip),
            schedule: Schedule::Cosine,
            ..TrainingConfig::default()
        }
    }

    fn layers(&self, image: [usize; 3], classes: usize) -> Vec<Layer> {
        let mut layers = vec![];
        let [mut inner, mut rows, mut columns] = image;
        for &channels in &self.channels {
            layers.push(Layer::convolution(
                Window::same([inner, rows, columns]),
                channels,
            ));
            layers.push(Layer::Quantized {
                levels: self.levels,
                scale: self.scale,
            });
            layers.push(Layer::Pool {
                window: Window::tiles([channels, rows, columns], 2),
                pooling: Pooling::Mean,
            });
            (inner, rows, columns) = (channels, rows / 2, columns / 2);
        }
        layers.push(Layer::dense(classes));
        layers
    }
}

/// One network and what was measured of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    measured: Measured,
    /// Accuracy of the quantized network.
    quantized: f64,
    /// Spikes of a neuron for an image, in all steps and until the agent stops.
    spikes: f64,
    agent_spikes: f64,
    /// First neurons whose spikes in as many steps as there are levels are not their level, as a fraction.
    unequal: f64,
    /// Loss of each epoch.
    losses: Vec<f64>,
    /// The scales, layer by layer.
    scales: Vec<f64>,
}

/// Test images whose first layer is compared.
const COMPARED: usize = 100;
/// Images that are worked on at once: as rows they take a kilobyte for each pixel's bytes.
const AT_ONCE: usize = 1_000;

/// The published demonstration: steps, accuracy in percent (card 48, claim 1).
const DEMONSTRATION: [(usize, f64); 6] = [
    (1, 78.76),
    (2, 84.28),
    (4, 88.89),
    (8, 92.17),
    (16, 93.76),
    (27, 94.27),
];

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Vec<String>, Failure> {
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

fn mean(arms: &[Arm], of: impl Fn(&Arm) -> f64) -> f64 {
    arms.iter().map(of).sum::<f64>() / arms.len() as f64
}

fn report(arms: &[Arm], photos: &Photos, bench: &mut Bench) -> Result<(), Failure> {
    let names = arms[0].measured.numbers();
    for (k, (name, _, unit)) in names.iter().enumerate() {
        let value = mean(arms, |a| a.measured.numbers()[k].1);
        bench.metric(&format!("photographs/{name}"), value, unit)?;
    }
    let fixed = |t: usize| mean(arms, |a| a.measured.score.fixed[t - 1]);
    let saved = mean(arms, |a| 1.0 - a.agent_spikes / a.spikes);
    let apart = (saved - mean(arms, |a| a.measured.score.saved)).abs();
    let converted = arms
        .iter()
        .map(|a| (a.measured.whole() - a.quantized).abs());
    for (name, value, unit) in [
        ("quantized/accuracy", mean(arms, |a| a.quantized), "1"),
        ("conversion/apart", converted.fold(0.0, f64::max), "1"),
        ("fixed/gained", fixed(photos.steps) - fixed(1), "1"),
        ("spikes/all-steps", mean(arms, |a| a.spikes), "1"),
        ("spikes/agent", mean(arms, |a| a.agent_spikes), "1"),
        ("spikes/saved", saved, "1"),
        ("spikes/apart-from-latency", apart, "1"),
        ("first-layer/unequal", mean(arms, |a| a.unequal), "1"),
        (
            "loss",
            mean(arms, |a| a.losses.last().copied().unwrap_or(0.0)),
            "nats",
        ),
    ] {
        bench.metric(&format!("photographs/{name}"), value, unit)?;
    }
    for (layer, _) in photos.channels.iter().enumerate() {
        let scale = mean(arms, |a| a.scales[layer]);
        bench.metric(&format!("photographs/scale-{}", layer + 1), scale, "1")?;
    }
    for t in 1..=photos.steps {
        bench.log("photographs/fixed", t as f64, fixed(t));
    }
    let percent = |x: f64| format!("{:.2}", 100.0 * x);
    let mut steps: Vec<usize> = DEMONSTRATION.iter().map(|d| d.0).collect();
    steps.push(photos.steps);
    steps.retain(|t| *t <= photos.steps);
    steps.sort_unstable();
    steps.dedup();
    let row = |t: &usize| {
        let theirs = DEMONSTRATION.iter().find(|d| d.0 == *t);
        let theirs = theirs.map_or_else(String::new, |d| format!("{:.2}", d.1));
        vec![t.to_string(), percent(fixed(*t)), theirs]
    };
    let mut rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    let quantized = percent(mean(arms, |a| a.quantized));
    rows.push(vec!["quantized network".into(), quantized, "93.79".into()]);
    let agent = format!("agent, {:.2}", mean(arms, |a| a.measured.score.latency));
    let accuracy = percent(mean(arms, |a| a.measured.score.accuracy));
    rows.push(vec![agent, accuracy, "94.27 after 11.51".into()]);
    bench.table(Table {
        id: "photographs-steps".into(),
        title: "Accuracy by steps for everyone, beside the published demonstration (ResNet-18, all of CIFAR-10; no bound)".into(),
        columns: ["steps", "accuracy (%)", "the paper's (%)"].map(String::from).to_vec(),
        rows,
    })
}

fn said(arms: &[Arm], photos: &Photos, name: &str) -> Vec<String> {
    let percent = |x: f64| format!("{:.2} %", 100.0 * x);
    let of = |f: &dyn Fn(&Measured) -> f64| mean(arms, |a| f(&a.measured));
    vec![format!(
        "On {name} ({} to learn from) a convolutional network in levels tells {} of the test images, its spikes {} after {} steps for \
         everyone, and {} when each image's run ends at its confidence, after {:.2} steps in the mean: {} of the steps are saved, and \
         {} against the fewest for everyone that do as well ({:.1}). The same stop times dealt out at random: {}; the oracle: {} after \
         {:.2} steps.",
        photos.n_train,
        percent(mean(arms, |a| a.quantized)),
        percent(of(&|m| m.whole())),
        photos.steps,
        percent(of(&|m| m.score.accuracy)),
        of(&|m| m.score.latency),
        percent(of(&|m| m.score.saved)),
        percent(of(&|m| m.score.saved_honestly)),
        of(&|m| m.score.equal_steps as f64),
        percent(of(&|m| m.dealt)),
        percent(of(&|m| m.oracle.accuracy)),
        of(&|m| m.oracle.latency),
    )]
}

/// The findings with those on photographs.
pub(super) fn add(findings: Findings, said: Vec<String>) -> Findings {
    said.into_iter().fold(findings, Findings::and)
}
