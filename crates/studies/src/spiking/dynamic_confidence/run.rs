//! The experiment: networks trained, turned into spikes, calibrated on images kept apart, and measured on the test images.

use chiasm_core::stats::greater;
use chiasm_core::{Failure, Inside};
use chiasm_lab::{Bench, Findings};
use chiasm_net::spiking::confidence::{Agent, Calibration, Outputs, score};
use chiasm_net::spiking::qcfs::{QcfsNetwork, Run, SpikingNetwork};
use ndarray::{Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::arms::{Measured, measure};
use super::claims::MNIST_ALONE;
use super::config::Config;
use super::{drift, figures, photos};
use crate::images::{self, Part};

/// One network and what was measured of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    network: QcfsNetwork,
    pub(super) measured: Measured,
    /// Accuracy of the quantized network, and of its spikes after the long run.
    quantized: f64,
    long: f64,
    /// Spikes of a neuron for an image, in all steps and until the agent stops.
    spikes: f64,
    agent_spikes: f64,
    /// Neurons of the first layer whose spikes in as many steps as there are levels are not their level, as a fraction.
    unequal: f64,
}

/// Images as rows of pixels from 0 to 1.
struct Rows {
    pixels: Array2<f32>,
    labels: Vec<usize>,
}

/// Those to learn from and to calibrate on, and those to test on.
struct Data {
    train: Rows,
    test: Rows,
    name: &'static str,
}

/// The first `n`, or all where there are fewer.
fn first(part: &Part, n: usize) -> Rows {
    let n = n.min(part.labels.len());
    Rows {
        pixels: part
            .pixels
            .slice(s![..n, ..])
            .mapv(|v| f32::from(v) / 255.0),
        labels: part.labels[..n].iter().map(|l| usize::from(*l)).collect(),
    }
}

/// Test images whose first layer is compared, and that are recorded.
const COMPARED: usize = 100;
const RECORDED: usize = 20;
const STEP_S: f64 = 0.001;

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let n_train = config.n_train + config.n_calibration;
    let found = images::load(config.images, (n_train, config.n_test), bench)?;
    let data = Data {
        train: first(&found.train, n_train),
        test: first(&found.test, config.n_test),
        name: found.name,
    };
    if !found.is_mnist() {
        for claim in MNIST_ALONE {
            bench.not_at_this_scale(
                claim,
                format!("the figure is MNIST's; these are {}", data.name),
            );
        }
    }
    bench.watch().stage("networks", config.networks as u64);
    let arms = bench.arms(config.networks, |i, bench| {
        let arm = bench.stage(&format!("network-{i}"), |bench| {
            arm(i, config, &data, bench)
        })?;
        bench.watch().tick(1);
        Ok(arm)
    })?;
    report(&arms, bench)?;
    let steps = drift::run(bench)?;
    for (mu, steps) in drift::DRIFTS.iter().zip(steps) {
        bench.metric(&format!("drift/{mu}"), steps, "steps")?;
    }
    let ordered = (steps[0] - steps[1]).min(steps[1] - steps[2]);
    bench.metric("drift/ordered-by", ordered, "steps")?;
    let first = &arms[0];
    for figure in figures::all(&first.measured, data.name, "") {
        bench.figure(figure)?;
    }
    record(first, &data, config, bench)?;
    let said = photos::run(config, bench)?;
    let findings = findings(&arms, config, data.name);
    Ok(said.into_iter().fold(findings, Findings::and))
}

fn arm(i: usize, config: &Config, data: &Data, bench: &Bench) -> Result<Arm, Failure> {
    let streams = bench.streams().child(&format!("network {i}"));
    let (pixels, labels) = (&data.train.pixels, &data.train.labels);
    // What the data set has beyond the calibration images is trained on.
    let n_train = pixels.nrows().saturating_sub(config.n_calibration).max(1);
    let train = pixels.slice(s![..n_train, ..]);
    let quiet = Inside(bench.watch());
    let network = config
        .network
        .fit(train, &labels[..n_train], 10, &streams, &quiet)?;
    let spiking = network.spiking();
    let outputs =
        |run: Run, labels: &[usize]| -> Result<Outputs, Failure> { Ok(run.outputs(labels)?) };
    let calibration = spiking.run(pixels.slice(s![n_train.., ..]), config.steps)?;
    let calibration = outputs(calibration, &labels[n_train..])?;
    let (pixels, labels) = (data.test.pixels.view(), &data.test.labels);
    let run = spiking.run(pixels, config.long_steps)?;
    let neurons = (spiking.n_neurons() * labels.len()) as f64;
    let spikes = run
        .spikes
        .column(config.steps - 1)
        .iter()
        .map(|n| f64::from(*n))
        .sum::<f64>();
    let counts = run.spikes.clone();
    let long = outputs(run, labels)?;
    let how = Calibration {
        smoothing: config.smoothing,
        tolerance: config.tolerance,
        ..Calibration::default()
    };
    let test = long.first_steps(config.steps);
    let measured = measure(&calibration, &test, &how, config.deals, bench)?;
    let decisions = measured.agent().decide(&test);
    let agent_spikes = decisions
        .iter()
        .enumerate()
        .map(|(i, d)| f64::from(counts[[i, d.steps - 1]]))
        .sum::<f64>();
    let whole = Agent::new(1.0, 1.0)?;
    Ok(Arm {
        quantized: right(&network, pixels, labels)?,
        long: score(&long, whole, 0.0).accuracy,
        spikes: spikes / neurons,
        agent_spikes: agent_spikes / neurons,
        unequal: unequal(&network, &spiking, pixels, config.network.levels)?,
        measured,
        network,
    })
}

fn right(
    network: &QcfsNetwork,
    pixels: ArrayView2<'_, f32>,
    labels: &[usize],
) -> Result<f64, Failure> {
    let logits = network.logits(pixels)?;
    let rows = logits.rows().into_iter().zip(labels);
    let told = rows.filter(|(row, label)| {
        let row: Vec<f32> = row.to_vec();
        chiasm_net::spiking::confidence::confidence(&row, 1.0).0 == **label
    });
    Ok(told.count() as f64 / labels.len() as f64)
}

/// Where the first layer's spikes in `levels` steps differ from its quantized activations, both from the same sums.
fn unequal(
    network: &QcfsNetwork,
    spiking: &SpikingNetwork,
    pixels: ArrayView2<'_, f32>,
    levels: u32,
) -> Result<f64, Failure> {
    let some = pixels.slice(s![..pixels.nrows().min(COMPARED), ..]);
    let counts = spiking.first_layer(some, levels as usize)?;
    let expected = network.first_levels(some)?;
    let pairs = counts.iter().zip(&expected);
    let unequal = pairs.filter(|(a, b)| a != b).count();
    Ok(unequal as f64 / counts.len().max(1) as f64)
}

fn mean(arms: &[Arm], of: impl Fn(&Arm) -> f64) -> f64 {
    arms.iter().map(of).sum::<f64>() / arms.len() as f64
}

fn report(arms: &[Arm], bench: &mut Bench) -> Result<(), Failure> {
    let names = arms[0].measured.numbers();
    for (k, (name, _, unit)) in names.iter().enumerate() {
        bench.metric(name, mean(arms, |a| a.measured.numbers()[k].1), unit)?;
    }
    bench.metric("quantized/accuracy", mean(arms, |a| a.quantized), "1")?;
    bench.metric("long/accuracy", mean(arms, |a| a.long), "1")?;
    let apart = arms.iter().map(|a| (a.long - a.quantized).abs());
    bench.metric("long/apart", apart.fold(0.0, greater), "1")?;
    bench.metric("spikes/all-steps", mean(arms, |a| a.spikes), "1")?;
    bench.metric("spikes/agent", mean(arms, |a| a.agent_spikes), "1")?;
    let saved = mean(arms, |a| 1.0 - a.agent_spikes / a.spikes);
    bench.metric("spikes/saved", saved, "1")?;
    let apart = (saved - mean(arms, |a| a.measured.score.saved)).abs();
    bench.metric("spikes/apart-from-latency", apart, "1")?;
    bench.metric("first-layer/unequal", mean(arms, |a| a.unequal), "1")?;
    let spread = |of: &dyn Fn(&Arm) -> f64| {
        let values: Vec<f64> = arms.iter().map(of).collect();
        chiasm_core::stats::sd(&values, 1)
    };
    if arms.len() > 1 {
        bench.metric(
            "spread/accuracy",
            spread(&|a| a.measured.score.accuracy),
            "1",
        )?;
        bench.metric(
            "spread/latency",
            spread(&|a| a.measured.score.latency),
            "steps",
        )?;
    }
    for (t, _) in arms[0].measured.score.fixed.iter().enumerate() {
        let accuracy = mean(arms, |a| a.measured.score.fixed[t]);
        bench.log("fixed/accuracy", (t + 1) as f64, accuracy);
    }
    Ok(())
}

fn record(arm: &Arm, data: &Data, config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let n = data.test.labels.len().min(RECORDED);
    let names: Vec<String> = data.test.labels[..n]
        .iter()
        .map(ToString::to_string)
        .collect();
    let shown = data.test.pixels.slice(s![..n, ..]);
    let recording = arm
        .network
        .spiking()
        .record(shown, &names, config.steps, STEP_S)?;
    bench.recording("spikes", recording)
}

fn findings(arms: &[Arm], config: &Config, name: &str) -> Findings {
    let percent = |x: f64| format!("{:.2} %", 100.0 * x);
    let of = |f: &dyn Fn(&Measured) -> f64| mean(arms, |a| f(&a.measured));
    Findings::new(format!(
        "On {name}, {} spiking networks tell {} of the test images after {} steps for everyone, and {} when each image's run \
         ends at its confidence, after {:.2} steps in the mean.",
        arms.len(),
        percent(of(&|m| m.whole())),
        config.steps,
        percent(of(&|m| m.score.accuracy)),
        of(&|m| m.score.latency),
    ))
    .and(format!(
        "Against the fewest steps for everyone that do as well within {} ({:.1} in the mean) {} of the steps are saved, against all \
         steps {}; of the spikes {}.",
        percent(super::arms::EQUAL),
        of(&|m| m.score.equal_steps as f64),
        percent(of(&|m| m.score.saved_honestly)),
        percent(of(&|m| m.score.saved)),
        percent(mean(arms, |a| 1.0 - a.agent_spikes / a.spikes)),
    ))
    .and(format!(
        "The same stop times dealt out at random: {}. An oracle that stops at the first right step: {} after {:.2} steps.",
        percent(of(&|m| m.dealt)),
        percent(of(&|m| m.oracle.accuracy)),
        of(&|m| m.oracle.latency),
    ))
}
