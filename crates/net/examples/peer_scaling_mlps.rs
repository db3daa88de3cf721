//! Our side of `bench/peers/peer_scaling_mlps.py`.
//!
//! `peer_scaling_mlps FOLDER ARCHITECTURE BATCH STEPS RATE` trains a perceptron for so many steps of Lion on images that lie in
//! `FOLDER`: `x.bin` (`f32`, standardized, image by image), `labels.bin` (`u32`) and the parameters at the start, array by array in
//! the network's order, `start.bin` (`f32`, weights `[in, out]`). Batches are taken in order, over and over.

#![allow(clippy::print_stdout)]

mod timed;

use std::error::Error;
use std::path::Path;

use chiasm_core::{Quiet, Streams};
use chiasm_net::network::{Loss, Mix, Network, Supply, Targets, TrainingConfig};
use chiasm_net::perceptrons::Perceptron;
use chiasm_net::train::Rule;

const USAGE: &str = "usage: peer_scaling_mlps FOLDER ARCHITECTURE BATCH STEPS RATE";
/// Red, green and blue of 32 x 32 pixels, and classes.
const INPUTS: usize = 3 * 32 * 32;
const CLASSES: usize = 10;

/// Batches in the order in which the images lie, whatever order is asked for: both sides see the same.
struct InOrder {
    x: Vec<f32>,
    labels: Vec<usize>,
    /// Labels of the steps, batch by batch.
    order: Vec<usize>,
    batch: usize,
}

impl InOrder {
    fn image(&self, step: usize, i: usize) -> usize {
        (step * self.batch + i) % self.labels.len()
    }
}

impl Supply<f32> for InOrder {
    fn inputs(&self) -> usize {
        INPUTS
    }

    fn targets(&self) -> Targets<'_, f32> {
        Targets::Classes(&self.order)
    }

    fn fill(&self, _: usize, step: usize, samples: &[usize], rows: &mut [f32]) -> Option<Mix> {
        for (i, row) in rows.chunks_exact_mut(INPUTS).enumerate() {
            let image = self.image(step, i);
            row.copy_from_slice(&self.x[image * INPUTS..(image + 1) * INPUTS]);
        }
        // The whole weight is on the partner: the image that was written.
        let partners = (0..samples.len()).map(|i| step * self.batch + i).collect();
        Some(Mix {
            partners,
            kept: 0.0,
        })
    }
}

fn words(path: &Path) -> Result<Vec<[u8; 4]>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes
        .chunks_exact(4)
        .map(|b| [b[0], b[1], b[2], b[3]])
        .collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, architecture, batch, steps, rate] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let folder = Path::new(folder);
    let (batch, steps): (usize, usize) = (batch.parse()?, steps.parse()?);
    let floats = |name: &str| -> Result<Vec<f32>, Box<dyn Error>> {
        let all = words(&folder.join(name))?;
        Ok(all.into_iter().map(f32::from_le_bytes).collect())
    };
    let labels = words(&folder.join("labels.bin"))?;
    let labels: Vec<usize> = labels
        .into_iter()
        .map(|b| u32::from_le_bytes(b) as usize)
        .collect();
    let mut supply = InOrder {
        x: floats("x.bin")?,
        order: vec![],
        labels,
        batch,
    };
    supply.order = (0..batch * steps)
        .map(|k| supply.labels[supply.image(k / batch, k % batch)])
        .collect();
    let layers = architecture.parse::<Perceptron>()?.layers(CLASSES);
    let streams = Streams::new(0);
    let mut network = Network::<f32>::new(INPUTS, &layers, &mut streams.stream("start"))?;
    let start = floats("start.bin")?;
    if start.len() != network.parameters().len() {
        return Err(format!("start.bin: expected {} numbers", network.parameters().len()).into());
    }
    let mut left = &start[..];
    for array in &mut network.parameters_mut().arrays {
        let (own, rest) = left.split_at(array.values.len());
        array.values.copy_from_slice(own);
        left = rest;
    }
    let config = TrainingConfig {
        epochs: 1,
        batch,
        optimizer: Rule::LION,
        rate: rate.parse()?,
        loss: Loss::CrossEntropy { smoothing: 0.3 },
        ..TrainingConfig::default()
    };
    let work = || -> Result<f64, Box<dyn Error>> {
        let mut training = config.start(network.clone())?;
        Ok(training.epoch_of(&supply, &streams, &Quiet)?.loss)
    };
    let (seconds, loss) = timed::timed(work)?;
    println!("{{\"seconds\": {seconds:?}, \"loss\": {loss}}}");
    Ok(())
}
