//! Our side of `bench/peers/peer_convolution.py`: descent of a convolutional network on one batch.
//!
//! `peer_convolution FOLDER STEPS RATE` reads `batch.npz` (`x` `[image, pixel]`, `labels`) and `weights.npz` (as PyTorch names
//! them), trains by plain descent in single precision, and prints the seconds and the last loss.

#![allow(clippy::print_stdout)]

mod timed;

use std::error::Error;
use std::path::Path;

use chiasm_core::{Quiet, Streams};
use chiasm_data::NamedArrays;
use chiasm_net::network::{Layer, Network, Nonlinearity, Pooling, Targets, TrainingConfig, Window};
use chiasm_net::train::Rule;
use mimalloc::MiMalloc;
use ndarray::Ix2;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Two convolutions with pools on images of 3 x 32 x 32, and a dense layer.
fn layers() -> Vec<Layer> {
    let pool = |image| Layer::Pool {
        window: Window::tiles(image, 2),
        pooling: Pooling::Max,
    };
    vec![
        Layer::convolution(Window::same([3, 32, 32]), 32),
        Layer::Each(Nonlinearity::Relu),
        pool([32, 32, 32]),
        Layer::convolution(Window::same([32, 16, 16]), 64),
        Layer::Each(Nonlinearity::Relu),
        pool([64, 16, 16]),
        Layer::dense(10),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, steps, rate] = &arguments[..] else {
        return Err("usage: peer_convolution FOLDER STEPS RATE".into());
    };
    let folder = Path::new(folder);
    let (steps, rate): (usize, f64) = (steps.parse()?, rate.parse()?);
    let batch = NamedArrays::open(folder.join("batch.npz"))?;
    let x = batch.numbers("x")?.mapv(|v| v as f32);
    let x = x.into_dimensionality::<Ix2>()?;
    let labels = batch.vector("labels")?;
    let labels: Vec<usize> = labels.iter().map(|l| *l as usize).collect();
    let streams = Streams::new(0);
    let mut start = Network::<f32>::new(x.ncols(), &layers(), &mut streams.stream("overwritten"))?;
    start.load(&folder.join("weights.npz"))?;
    let config = TrainingConfig {
        epochs: steps,
        batch: x.nrows(),
        optimizer: Rule::Sgd { momentum: 0.0 },
        rate,
        ..TrainingConfig::default()
    };
    let work = || -> Result<f64, Box<dyn Error>> {
        let mut training = config.start(start.clone())?;
        let epochs = training.finish(x.view(), Targets::Classes(&labels), &streams, &Quiet)?;
        Ok(epochs.last().map_or(f64::NAN, |e| e.loss))
    };
    let (seconds, loss) = timed::timed(work)?;
    println!("{{\"seconds\": {seconds:?}, \"loss\": {loss}}}");
    Ok(())
}
