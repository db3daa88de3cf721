//! Four artificial systems leave recordings as an animal would. Three see the same images: a perceptron (`perceptron.npz`),
//! a network of integrate-and-fire neurons (`spiking.npz`) and a liquid state machine (`reservoir.npz`). One is a memory that
//! is written and read (`memory.npz`). Every method then takes them:
//!
//! ```text
//! cargo run --release --example crossing -- out
//! chiasm fit trsa out/perceptron.npz out/spiking.npz --set epochs=stimulus --set distance=euclidean --set task=compare
//! chiasm fit dynamic-connectome out/reservoir.npz --set connectome.affinity.clock_s=0.02 \
//!     --set connectome.affinity.constant=drop
//! chiasm fit onehot-hmm-glm out/memory.npz --set model.states=2 --set counting.bin_s=0.01 \
//!     --set counting.silent=drop
//! ```
//!
//! The images are MNIST's where they are on this machine (`chiasm data get mnist`), else drawn digits, which stand in for
//! them and are easier to tell apart.

#![allow(clippy::print_stdout, clippy::print_stderr)] // An example is a program: its output is its result.

use std::path::Path;
use std::process::ExitCode;

use chiasm::circuit::ca3::{Cam, Config as CamConfig, random_contents};
use chiasm::circuit::reservoir::{Config, Reservoir, Stimuli};
use chiasm::core::{Failure, Quiet, SettingError, Streams};
use chiasm::data::datasets::images::{LabelledImages, Split};
use chiasm::data::datasets::{Roots, find};
use chiasm::data::generate::drawn_digits;
use chiasm::data::{DataError, DiskFiles, Recording, io};
use chiasm::net::network::{Layer, Network, Nonlinearity, Targets, TrainingConfig};
use chiasm::net::spiking::qcfs::Qcfs;
use ndarray::{Array2, Axis, s};

/// Images to learn from, and images shown afterwards: three of each digit.
const TRAIN: usize = 2000;
const SHOWN: usize = 30;
/// Steps for which the spiking network sees an image, and their length.
const STEPS: usize = 16;
const STEP_S: f64 = 0.001;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: crossing FOLDER (for the recordings)");
        return ExitCode::from(2);
    };
    let folder = Path::new(&folder);
    if let Err(e) = std::fs::create_dir_all(folder) {
        eprintln!("{}: {e}", folder.display());
        return ExitCode::from(2);
    }
    match cross(folder) {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn cross(folder: &Path) -> Result<Vec<String>, Failure> {
    let streams = Streams::new(0);
    let (source, images, labels) = digits(&streams)?;
    let (learn, shown) = (s![..TRAIN, ..], s![TRAIN.., ..]);
    let (x, targets) = (images.slice(learn), &labels[..TRAIN]);
    // Three of each digit: names say which is which in every recording alike.
    let (rows, names) = few_of_each(&labels[TRAIN..]);
    let seen: Array2<f32> = images.slice(shown).select(Axis(0), &rows);
    let keep = |name: &str, recording: &Recording| -> Result<(), DataError> {
        io::write(&DiskFiles, folder.join(name), recording)
    };

    let layers = Layer::perceptron(&[64, 32, 10], Nonlinearity::Relu);
    let start = Network::<f32>::new(images.ncols(), &layers, &mut streams.stream("start"))?;
    let config = TrainingConfig {
        epochs: 6,
        batch: 50,
        rate: 1e-3,
        ..TrainingConfig::default()
    };
    let mut training = config.start(start)?;
    training.finish(x, Targets::Classes(targets), &streams, &Quiet)?;
    let perceptron = training.into_network();
    // The activity after each nonlinearity, and the outputs.
    let recording = perceptron.record(seen.view(), &names, &[1, 3, 4])?;
    keep("perceptron.npz", &recording)?;
    // For other programs: `torch.nn.Sequential` of the same layers takes them as they are.
    perceptron.save(&DiskFiles, &folder.join("perceptron.safetensors"))?;

    let qcfs = Qcfs {
        hidden: vec![64, 32],
        epochs: 6,
        ..Qcfs::default()
    };
    let trained = qcfs.fit(x, targets, 10, &streams, &Quiet)?;
    let spiking = trained.spiking();
    let recording = spiking.record(seen.view(), &names, STEPS, STEP_S)?;
    keep("spiking.npz", &recording)?;

    let config = Config {
        n_inputs: images.ncols(),
        n_neurons: 125,
        grid: [5, 5, 5],
        ..Config::default()
    };
    let mut reservoir = Reservoir::new(&config, &streams)?;
    let (stimuli, _scale) = Stimuli::images(seen.view(), None)?;
    let order: Vec<usize> = (0..stimuli.len()).collect();
    reservoir.initialize(&stimuli, &order, &streams, &Quiet)?;
    let recording = reservoir.recording(&stimuli, &order, &names, &streams)?;
    keep("reservoir.npz", &recording)?;

    // Written, then read by cues and by lines of contents.
    let contents = random_contents(6, 12, 0.3, &mut streams.stream("contents"));
    let mut memory = Cam::new(6, 12, &CamConfig::default())?;
    for (cue, content) in (0..).zip(&contents) {
        memory.learn(cue, content)?;
    }
    for turn in 0..64 {
        memory.recall_cue(turn % 6)?;
        memory.run(&[], 10)?;
        memory.recall_content(&[turn % 12])?;
        memory.run(&[], 10)?;
    }
    keep("memory.npz", &memory.recording()?)?;

    let right = |of: &[usize]| {
        let hits = of
            .iter()
            .zip(&labels[TRAIN..])
            .filter(|(a, b)| a == b)
            .count();
        100.0 * hits as f64 / of.len() as f64
    };
    let unseen = images.slice(shown);
    let run = spiking.run(unseen, STEPS)?;
    let last = run.sums.slice(s![.., STEPS - 1, ..]);
    let told: Vec<usize> = last
        .rows()
        .into_iter()
        .map(|row| {
            (0..row.len())
                .max_by(|a, b| row[*a].total_cmp(&row[*b]))
                .unwrap_or(0)
        })
        .collect();
    Ok(vec![
        format!("images: {source}"),
        format!(
            "perceptron: {:.1} % of unseen images",
            right(&perceptron.classify(unseen)?)
        ),
        format!("spiking: {:.1} % of unseen images", right(&told)),
        format!(
            "recordings of {} images in {}",
            names.len(),
            folder.display()
        ),
    ])
}

/// Where the images come from, the images as rows from 0 to 1, and their digits.
fn digits(streams: &Streams) -> Result<(&'static str, Array2<f32>, Vec<usize>), Failure> {
    let n = TRAIN + 10 * SHOWN;
    let set =
        find("mnist").and_then(|set| LabelledImages::open(set, &Roots::from_env(), Split::Train));
    let (source, images, labels) = match set {
        Ok(set) => {
            let chunk = set.load()?;
            ("MNIST", chunk.images, chunk.labels)
        }
        Err(_) => {
            let (images, labels) = drawn_digits(n, streams)?;
            ("drawn digits, which stand in for MNIST", images, labels)
        }
    };
    let pixels = images.dim().1 * images.dim().2;
    let values: Vec<f32> = images
        .iter()
        .take(n * pixels)
        .map(|v| f32::from(*v) / 255.0)
        .collect();
    let few = |e| SettingError::new("images", format!("at least {n}"), e);
    let rows = Array2::from_shape_vec((n, pixels), values).map_err(few)?;
    Ok((
        source,
        rows,
        labels.into_iter().take(n).map(usize::from).collect(),
    ))
}

/// The first [`SHOWN`] images that make as many of every digit, in the order of the digits, and their names: `3 b` is the
/// second three.
fn few_of_each(labels: &[usize]) -> (Vec<usize>, Vec<String>) {
    let each = SHOWN / 10;
    let mut rows = vec![];
    let mut names = vec![];
    for digit in 0..10 {
        let of_digit = (0..labels.len()).filter(|i| labels[*i] == digit).take(each);
        for (letter, row) in ('a'..).zip(of_digit) {
            rows.push(row);
            names.push(format!("{digit} {letter}"));
        }
    }
    (rows, names)
}
