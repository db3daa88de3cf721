//! Our side of `bench/peers/peer_training.py`: training steps of networks on arrays.
//!
//! `peer_training perceptron FOLDER WIDTHS BATCH STEPS RATE`: widths from inputs to outputs, such as `20,64,10`.
//! `peer_training transformer FOLDER VOCABULARY,WIDTH,BLOCKS,HEADS,SPAN BATCH STEPS RATE`: batches are of sequences.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use chiasm_core::{Quiet, Streams};
use chiasm_net::network::{
    Layer, Network, Nonlinearity, Start, Targets, TrainingConfig, Transformer,
};
use chiasm_net::train::Rule;
use mimalloc::MiMalloc;
use ndarray::Array2;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [
        "perceptron" | "transformer",
        folder,
        sizes,
        batch,
        steps,
        rate,
    ] = words.as_slice()
    else {
        let usage = "usage: peer_training perceptron|transformer FOLDER SIZES BATCH STEPS RATE";
        return Err(usage.into());
    };
    let sizes: Vec<usize> = sizes.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let (inputs, layers, span) = match (words[0], sizes.as_slice()) {
        ("perceptron", [inputs, widths @ ..]) => {
            (*inputs, Layer::perceptron(widths, Nonlinearity::Relu), 1)
        }
        ("transformer", &[vocabulary, width, blocks, heads, span]) => {
            let model = Transformer {
                vocabulary,
                width,
                blocks,
                heads,
                span,
                window: None,
                scaled: true,
            };
            (1, Layer::transformer(&model), span)
        }
        _ => return Err("sizes that fit".into()),
    };
    let (batch, steps): (usize, usize) = (batch.parse()?, steps.parse()?);
    let folder = Path::new(folder);
    let streams = Streams::new(0);
    let mut network =
        Network::<f32>::begun(inputs, &layers, Start::Gpt, &mut streams.stream("start"))?;
    for (i, array) in network.parameters_mut().arrays.iter_mut().enumerate() {
        let values = floats(&folder.join(format!("weights-{i}.bin")))?;
        if values.len() != array.values.len() {
            return Err(format!("weights {i} ({}) of another size", array.name).into());
        }
        array.values = values;
    }
    let rows = batch * steps * span;
    let x = Array2::from_shape_vec((rows, inputs), floats(&folder.join("x.bin"))?)?;
    let labels: Vec<usize> = floats(&folder.join("labels.bin"))?
        .iter()
        .map(|v| *v as usize)
        .collect();
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let config = TrainingConfig {
        epochs: 1 + repeats,
        batch,
        optimizer: Rule::ADAM,
        rate: rate.parse()?,
        ..TrainingConfig::default()
    };
    let mut seconds = Vec::new();
    let mut loss = 0.0;
    let parameters = network.parameters().len();
    let mut training = config.start(network)?;
    for repeat in 0..=repeats {
        let start = Instant::now();
        let found = training.epoch(x.view(), Targets::Classes(&labels), &streams, &Quiet)?;
        if repeat > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        } else {
            loss = found.loss;
        }
    }
    println!("{{\"seconds\": {seconds:?}, \"loss\": {loss}, \"parameters\": {parameters}}}");
    Ok(())
}

fn floats(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let each = bytes.chunks_exact(4);
    Ok(each
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}
