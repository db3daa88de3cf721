//! Linear readouts of spike counts, of both modalities and on chips of every kind.

use chiasm_analysis::readout::{Samples, Softmax, Standard};
use chiasm_circuit::frozen::{self, Reservoir, Search};
use chiasm_circuit::memristor::Device;
use chiasm_core::{Failure, Inside, Streams};
use chiasm_lab::Bench;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::data::{Data, Modality};

/// What is read out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Counts of the events themselves.
    Events,
    /// A reservoir of normal weights.
    Normal(frozen::Config),
    /// A reservoir of memristors.
    Chip(frozen::Config, Device),
}

impl Source {
    pub(super) fn reservoir(
        &self,
        n_inputs: usize,
        streams: &Streams,
    ) -> Result<Option<Reservoir>, Failure> {
        Ok(match self {
            Self::Events => None,
            Self::Normal(config) => Some(Reservoir::random(n_inputs, config, streams)?),
            Self::Chip(config, device) => {
                Some(Reservoir::on_chip(n_inputs, config, device, streams)?)
            }
        })
    }
}

/// One readout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Probe {
    pub(super) name: String,
    /// On the test.
    pub(super) accuracy: f64,
    /// Spikes for each neuron and step; of events, for each channel.
    pub(super) rate: f64,
    /// Test samples without a spike.
    pub(super) n_silent: usize,
}

pub(super) const EVENTS: &str = "events";
pub(super) const SMALL: &str = "reservoir";
pub(super) const LARGE: &str = "large-reservoir";
pub(super) const ALONE: &str = "no-recurrence";
pub(super) const STRONG: &str = "strong-recurrence";
pub(super) const CHIP: &str = "chip";

pub(super) fn noisy_name(noise: f64) -> String {
    format!("chip-noise-{noise}")
}

pub(super) fn stuck_name(stuck: f64) -> String {
    format!("chip-stuck-{stuck}")
}

/// The chip with noise and a converter.
pub(super) fn noisy(config: &Config, read_noise: f64) -> Device {
    Device {
        read_noise,
        adc_bits: config.adc_bits,
        ..config.device
    }
}

/// Readouts of images.
pub(super) fn vision(
    config: &Config,
    data: &Data,
    bench: &mut Bench,
) -> Result<Vec<Probe>, Failure> {
    let small = config.vision;
    let with = |recurrent_gain| frozen::Config {
        recurrent_gain,
        ..small
    };
    let large = frozen::Config {
        n_neurons: config.large,
        ..small
    };
    let mut sources = vec![
        (EVENTS.to_owned(), Source::Events),
        (SMALL.into(), Source::Normal(small)),
        (LARGE.into(), Source::Normal(large)),
        (ALONE.into(), Source::Normal(with(0.0))),
        (STRONG.into(), Source::Normal(with(config.strong))),
        (CHIP.into(), Source::Chip(small, config.device)),
    ];
    for noise in &config.read_noise {
        let device = noisy(config, *noise);
        sources.push((noisy_name(*noise), Source::Chip(small, device)));
    }
    for stuck in &config.stuck {
        let device = Device {
            stuck: *stuck,
            ..config.device
        };
        sources.push((stuck_name(*stuck), Source::Chip(small, device)));
    }
    probes("vision", &sources, &data.vision, &config.readout, bench)
}

/// Readouts of sounds; `tuned` are the reservoir's settings at the gain that was found.
pub(super) fn audio(
    config: &Config,
    tuned: frozen::Config,
    data: &Data,
    bench: &mut Bench,
) -> Result<Vec<Probe>, Failure> {
    let alone = frozen::Config {
        recurrent_gain: 0.0,
        ..tuned
    };
    let sources = [
        (EVENTS.to_owned(), Source::Events),
        (SMALL.into(), Source::Normal(tuned)),
        (ALONE.into(), Source::Normal(alone)),
        (CHIP.into(), Source::Chip(tuned, config.device)),
        (noisy_name(0.05), Source::Chip(tuned, noisy(config, 0.05))),
    ];
    probes("audio", &sources, &data.audio, &config.audio_readout, bench)
}

fn probes(
    modality: &str,
    sources: &[(String, Source)],
    data: &Modality,
    readout: &Softmax,
    bench: &mut Bench,
) -> Result<Vec<Probe>, Failure> {
    bench.watch().stage(&format!("readouts of {modality}"), 0);
    let streams = bench.streams().child(modality);
    bench.arms(sources.len(), |i, bench| {
        let (name, source) = &sources[i];
        bench.stage(&format!("{modality} {name}"), |bench| {
            let (train, test, mut probe) = features(name, source, data, &streams, bench)?;
            let streams = streams.child("readout");
            let standard = Standard::of(train.view())?;
            let (train, test) = (standard.apply(train.view())?, standard.apply(test.view())?);
            let of = Samples::new(train.view(), &data.train.labels, 10)?;
            let fitted = readout.fit(&of, None, &streams, &Inside(bench.watch()))?;
            let of = Samples::new(test.view(), &data.test.labels, 10)?;
            probe.accuracy = fitted.model.accuracy(&of)?;
            Ok(probe)
        })
    })
}

/// Features of the training and the test samples.
fn features(
    name: &str,
    source: &Source,
    data: &Modality,
    streams: &Streams,
    bench: &Bench,
) -> Result<(Array2<f32>, Array2<f32>, Probe), Failure> {
    let mut probe = Probe {
        name: name.into(),
        accuracy: 0.0,
        rate: 0.0,
        n_silent: 0,
    };
    let n_inputs = data.train.steps[0].n_channels();
    let Some(reservoir) = source.reservoir(n_inputs, streams)? else {
        let per_step = n_inputs * data.test.steps[0].len();
        probe.rate = data.test.mean_events() / per_step as f64;
        return Ok((data.train.counts(), data.test.counts(), probe));
    };
    let watch = Inside(bench.watch());
    let encode = |part: &str, steps| reservoir.encode(steps, &streams.child(part), &watch);
    let train = encode("train reads", &data.train.steps)?;
    let test = encode("test reads", &data.test.steps)?;
    (probe.rate, probe.n_silent) = (test.rate, test.n_silent);
    Ok((train.counts, test.counts, probe))
}

/// The gain at which the reservoir of sounds spikes at the rate that was asked for, on some training samples.
pub(super) fn tune(
    config: &Config,
    data: &Data,
    bench: &mut Bench,
) -> Result<(frozen::Config, Search), Failure> {
    const SAMPLES: usize = 200;
    bench.stage("gain", |bench| {
        let streams = bench.streams().child("audio");
        let steps = &data.audio.train.steps;
        let steps = &steps[..steps.len().min(SAMPLES)];
        let reservoir = Reservoir::random(config.mel.bands, &config.audio, &streams)?;
        let watch = Inside(bench.watch());
        let (found, search) = reservoir.with_rate(steps, config.audio_rate, &streams, &watch)?;
        Ok((*found.config(), search))
    })
}
