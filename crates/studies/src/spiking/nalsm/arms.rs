//! The reservoirs: one wiring with every kind of plasticity, initialized, measured and read out.

use chiasm_circuit::reservoir::{
    Config as Liquid, Plasticity, Reservoir, Stimuli, branching_factor, rank,
};
use chiasm_core::{Failure, Streams, Watch, stats};
use chiasm_lab::Bench;
use ndarray::{Array2, Axis, s};
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::data::Data;
use super::read::{self, Accuracy};

/// How a reservoir is read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Not at all.
    Nothing,
    /// On a smaller part of the training images.
    Few,
    /// On all.
    All,
}

/// One kind of reservoir.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) plasticity: Plasticity,
    reads: Reads,
    /// Whether the rank of its counts is wanted.
    kernel: bool,
}

/// What was found of one reservoir.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    pub(super) name: String,
    pub(super) network: usize,
    /// Mean over samples; `None` where nothing branched.
    pub(super) branching: Option<f64>,
    /// Mean rate of the reservoir over test samples, Hz.
    pub(super) rate_hz: Option<f64>,
    /// On all training images, and on few.
    pub(super) accuracy: Option<Accuracy>,
    pub(super) few: Option<Accuracy>,
    /// Ranks of the counts of more and more test images, and of the same images with noise.
    pub(super) ranks: Vec<(usize, usize, usize)>,
    /// Of the first network, where its counts' rank is wanted: the weights after the initialization, and of some of its
    /// images the astrocyte at the end and the spikes of reservoir and inputs.
    pub(super) weights: Vec<f32>,
    pub(super) history: Vec<Shown>,
}

/// What happened while one image was shown in the initialization.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) image: usize,
    pub(super) astrocyte: f64,
    pub(super) reservoir: u32,
    pub(super) inputs: u32,
}

pub(super) fn astrocyte(w_a: f64, fraction: f64) -> Plasticity {
    Plasticity::Astrocyte { w_a, fraction }
}

pub(super) fn main_name(config: &Config) -> String {
    strength_name(config.w_a)
}

pub(super) fn strength_name(w_a: f64) -> String {
    format!("w-a-{w_a}")
}

pub(super) fn fixed_name(weight: f64) -> String {
    format!("fixed-{weight}")
}

pub(super) fn fraction_name(fraction: f64) -> String {
    format!("fraction-{fraction}")
}

pub(super) const STDP: &str = "stdp";
pub(super) const GATED: &str = "gated";

/// Every kind, for one network.
pub(super) fn kinds(config: &Config, network: usize) -> Vec<Kind> {
    let first = network == 0;
    let other = if config.read_all {
        Reads::All
    } else {
        Reads::Nothing
    };
    let ablation = match other {
        Reads::Nothing if first => Reads::Few,
        other => other,
    };
    let kind = |name: String, plasticity, reads, kernel: bool| Kind {
        name,
        plasticity,
        reads,
        kernel: kernel && first,
    };
    let mut kinds = vec![];
    for w_a in config.strengths() {
        let main = w_a == config.w_a;
        let reads = if main { Reads::All } else { other };
        kinds.push(kind(strength_name(w_a), astrocyte(w_a, 1.0), reads, main));
    }
    for &weight in &config.fixed {
        let main = weight == config.baseline;
        let reads = if main { Reads::All } else { other };
        kinds.push(kind(
            fixed_name(weight),
            Plasticity::Fixed { weight },
            reads,
            main && config.read_all,
        ));
    }
    kinds.push(kind(STDP.into(), Plasticity::Stdp, ablation, true));
    let gated = Plasticity::Gated {
        threshold_hz: config.gate_hz[0],
        band_hz: config.gate_hz[1],
        weight: 1.0,
    };
    kinds.push(kind(GATED.into(), gated, ablation, config.read_all));
    for &fraction in &config.fractions {
        let plasticity = astrocyte(config.w_a, fraction);
        kinds.push(kind(fraction_name(fraction), plasticity, ablation, false));
    }
    kinds
}

pub(super) fn liquid(config: &Config, n_inputs: usize, plasticity: Plasticity) -> Liquid {
    Liquid {
        n_inputs,
        n_neurons: config.side.pow(3),
        grid: [config.side; 3],
        sample_ms: config.sample_ms,
        plasticity,
        ..Liquid::default()
    }
}

/// The streams of one network: of its wiring, and of what it is shown.
pub(super) fn network_streams(streams: &Streams, network: usize) -> Streams {
    streams.child("network").child(&network.to_string())
}

/// The order of the images that initialize the weights: all in random order, again and again.
pub(super) fn initial_order(config: &Config, n: usize, streams: &Streams) -> Vec<usize> {
    use rand::seq::SliceRandom;
    let mut order = vec![];
    for round in 0..config.initial_images.div_ceil(n) {
        let mut all: Vec<usize> = (0..n).collect();
        all.shuffle(&mut streams.indexed("initial order", round));
        order.extend(all);
    }
    order.truncate(config.initial_images);
    order
}

/// All networks, one after the other, each with all its kinds at once. Of each network everything is kept as a stage.
pub(super) fn all(config: &Config, data: &Data, bench: &mut Bench) -> Result<Vec<Arm>, Failure> {
    let mut arms = vec![];
    for network in 0..config.networks {
        let kinds = kinds(config, network);
        bench.watch().stage(
            &format!("network {} of {}", network + 1, config.networks),
            kinds.iter().map(|kind| steps(config, data, kind)).sum(),
        );
        let base = liquid(config, data.train.stimuli.n_inputs(), Plasticity::Stdp);
        let streams = network_streams(bench.streams(), network);
        let base = Reservoir::new(&base, &streams)?;
        let found = bench.arms(kinds.len(), |i, bench| {
            let name = format!("{}-{network}", kinds[i].name);
            bench.stage(&name, |bench| {
                one(
                    config,
                    data,
                    &base,
                    &kinds[i],
                    network,
                    bench.streams(),
                    bench.watch(),
                )
            })
        })?;
        arms.extend(found);
    }
    Ok(arms)
}

/// Samples and images that a kind is shown, for the progress.
fn steps(config: &Config, data: &Data, kind: &Kind) -> u64 {
    let initial = match kind.plasticity {
        Plasticity::Fixed { .. } => 0,
        _ => config.initial_images,
    };
    let of = |reads| match reads {
        Reads::Nothing => 0,
        Reads::Few => config.few_train,
        Reads::All => config.n_train + config.n_validation,
    };
    let read = of(kind.reads)
        + if kind.reads == Reads::Nothing {
            0
        } else {
            config.n_test
        };
    let noisy = if kind.kernel { data.kernel.len() } else { 0 };
    (initial + read + noisy) as u64
}

fn one(
    config: &Config,
    data: &Data,
    base: &Reservoir,
    kind: &Kind,
    network: usize,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Arm, Failure> {
    let streams = network_streams(streams, network);
    let settings = Liquid {
        plasticity: kind.plasticity,
        ..base.config().clone()
    };
    let mut reservoir = base.with(&settings, &streams)?;
    let order = initial_order(config, data.train.labels.len(), &streams);
    let initial = reservoir.initialize(&data.train.stimuli, &order, &streams, watch)?;
    let of_test = streams.child("test");
    let mut factors = vec![];
    for sample in 0..config.branching_samples {
        let response = reservoir.respond(&data.test.stimuli, sample, &of_test)?;
        factors.extend(branching_factor(&reservoir, &response));
    }
    let mut arm = Arm {
        name: kind.name.clone(),
        network,
        branching: (!factors.is_empty()).then(|| stats::mean(&factors)),
        rate_hz: None,
        accuracy: None,
        few: None,
        ranks: vec![],
        weights: vec![],
        history: vec![],
    };
    if kind.kernel {
        arm.weights = reservoir.weights().to_vec();
        let n = initial.astrocyte.len();
        let shown = (0..n).step_by(n.div_ceil(500).max(1)).map(|image| Shown {
            image,
            astrocyte: initial.astrocyte[image],
            reservoir: initial.reservoir_spikes[image],
            inputs: initial.input_spikes[image],
        });
        arm.history = shown.collect();
    }
    if kind.reads == Reads::Nothing {
        return Ok(arm);
    }
    let counts = reservoir.features(&data.test.stimuli, &of_test, watch)?;
    let total: f64 = counts.iter().map(|c| f64::from(*c)).sum();
    arm.rate_hz = Some(total / counts.len() as f64 / f64::from(config.sample_ms) * 1000.0);
    if kind.kernel {
        let noisy = reservoir.features(&data.noisy, &streams.child("noisy"), watch)?;
        arm.ranks = ranks(&counts.select(Axis(0), &data.kernel), &noisy);
    }
    readouts(
        config, data, &reservoir, kind, &counts, &mut arm, &streams, watch,
    )?;
    Ok(arm)
}

#[allow(clippy::too_many_arguments)]
fn readouts(
    config: &Config,
    data: &Data,
    reservoir: &Reservoir,
    kind: &Kind,
    test: &Array2<u16>,
    arm: &mut Arm,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<(), Failure> {
    let inside = chiasm_core::Inside(watch);
    let numbers = |counts: &Array2<u16>| counts.mapv(f32::from);
    let of = |stimuli: &Stimuli, name| reservoir.features(stimuli, &streams.child(name), watch);
    let test = numbers(test);
    let tested = (test.view(), &data.test.labels[..]);
    let few = few(config);
    let train = if kind.reads == Reads::All {
        numbers(&of(&data.train.stimuli, "train")?)
    } else {
        let p = data.train.stimuli.as_probabilities();
        let first = p.map(|p| p.slice(s![..few, ..]).to_owned());
        let first = Stimuli::probabilities(first.unwrap_or_default())?;
        numbers(&of(&first, "train")?)
    };
    let streams = streams.child("readout");
    let labels = &data.train.labels;
    if kind.reads == Reads::All {
        let validation = match &data.validation {
            Some(part) => Some((numbers(&of(&part.stimuli, "validation")?), &part.labels[..])),
            None => None,
        };
        let validation = validation.as_ref().map(|(x, labels)| (x.view(), *labels));
        let train = (train.view(), &labels[..]);
        let found = read::accuracy(
            train,
            validation,
            tested,
            &config.readout,
            &streams,
            &inside,
        )?;
        arm.accuracy = Some(found);
    }
    if !config.read_all && arm.network == 0 {
        let train = (train.slice(s![..few, ..]), &labels[..few]);
        let found = read::accuracy(train, None, tested, &config.readout, &streams, &inside)?;
        arm.few = Some(found);
    }
    Ok(())
}

/// The reservoir of the first network again, with the weights that were found.
pub(super) fn again(
    config: &Config,
    data: &Data,
    plasticity: Plasticity,
    weights: &[f32],
    streams: &Streams,
) -> Result<Reservoir, Failure> {
    let settings = liquid(config, data.train.stimuli.n_inputs(), plasticity);
    let mut reservoir = Reservoir::new(&settings, &network_streams(streams, 0))?;
    reservoir.set_weights(weights.to_vec())?;
    Ok(reservoir)
}

pub(super) fn few(config: &Config) -> usize {
    config.few_train.min(config.n_train)
}

/// Ranks of the counts of a fifth of the images, two fifths, ... and all.
fn ranks(counts: &Array2<u16>, noisy: &Array2<u16>) -> Vec<(usize, usize, usize)> {
    let n = counts.nrows();
    let of = |m: usize| {
        let first = |c: &Array2<u16>| rank(c.slice(s![..m, ..]));
        (m, first(counts), first(noisy))
    };
    (1..=5).map(|k| of(n * k / 5)).filter(|r| r.0 > 0).collect()
}
