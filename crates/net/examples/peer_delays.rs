//! Our side of `bench/peers/peer_delays.py`: steps of training a network with learned delays.
//!
//! `peer_delays FOLDER SAMPLES TIME CHANNELS HIDDEN CLASSES TAPS SIGMA` reads spikes (`spikes.bin`: bytes, `[sample, time,
//! channel]`), labels (`labels.bin`: bytes), and for each layer of synapses weights and positions (`weights-L.bin`,
//! `positions-L.bin`: `f32`, little-endian, `[in, out]`).

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use chiasm_core::{Quiet, Streams};
use chiasm_net::spiking::delays::{Config, DelayNetwork, Event, Training, Trains};

const USAGE: &str = "usage: peer_delays FOLDER SAMPLES TIME CHANNELS HIDDEN CLASSES TAPS SIGMA";

fn floats(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let each = bytes.chunks_exact(4);
    Ok(each
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, sizes @ .., sigma] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let sizes: Result<Vec<usize>, _> = sizes.iter().map(|s| s.parse()).collect();
    let [n, time, channels, hidden, classes, taps] = sizes?[..] else {
        return Err(USAGE.into());
    };
    let sigma: f64 = sigma.parse()?;
    let folder = Path::new(folder);
    let spikes = std::fs::read(folder.join("spikes.bin"))?;
    let samples = spikes.chunks_exact(time * channels).map(|sample| {
        let active = sample.iter().enumerate().filter(|(_, s)| **s != 0);
        let event = |(at, _): (usize, &u8)| Event::new(at / channels, at % channels, 1.0);
        active.map(event).collect()
    });
    let labels = std::fs::read(folder.join("labels.bin"))?;
    let labels = labels.iter().map(|l| usize::from(*l)).collect();
    let train = Trains::new((time, channels), samples.collect(), labels, classes)?;
    let config = Config {
        hidden: vec![hidden, hidden],
        max_delay_ms: 10.0 * taps as f64,
        dropout: 0.0,
        // One batch: an epoch is a step.
        batch: n,
        epochs: 1_000_000,
        sigma_start: Some(sigma),
        sigma_end: sigma,
        ..Config::default()
    };
    let streams = Streams::new(0);
    let mut network = DelayNetwork::new(&config, channels, classes, &streams)?;
    for layer in 0..network.n_layers() {
        let of = |name: &str| floats(&folder.join(format!("{name}-{layer}.bin")));
        network.set_synapses(layer, &of("weights")?, &of("positions")?)?;
    }
    let mut training = Training::of(&config, network);
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    for repeat in 0..=repeats {
        let clock = Instant::now();
        training.epoch(&train, &streams, &Quiet)?;
        if repeat > 0 {
            seconds.push(clock.elapsed().as_secs_f64());
        }
    }
    let loss = training.epochs()[0].loss;
    let spikes = training.epochs()[0].spikes;
    println!("{{\"seconds\": {seconds:?}, \"loss\": {loss}, \"spikes\": {spikes}}}");
    Ok(())
}
