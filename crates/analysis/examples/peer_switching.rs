//! Our side of `bench/peers/peer_switching.py`: rounds of expectation and maximization of a switching Poisson model with
//! free weights, and the held-out likelihood of given parameters.
//!
//! The folder holds `train.bin` and `test.bin` (three numbers: trials, bins, units; `u64`, little-endian; then the counts
//! `[trial, bin, unit]`, `f64`, little-endian) and `parameters.bin` (states, units; then weights `[state, to, from]`, biases
//! `[unit]` and transition probabilities `[from, to]`).

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Instant;

use chiasm_analysis::hmm::HiddenChain;
use chiasm_analysis::switching::{
    Coupling, Link, Observation, Precision, SwitchingGlm, SwitchingModel, exponential_kernel,
};
use chiasm_core::{Quiet, Streams};
use chiasm_data::{Counts, Unit};
use mimalloc::MiMalloc;
use ndarray::{Array1, Array2, Array3};

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let [Some(folder), Some(states), Some(rounds), Some(steps)] =
        std::array::from_fn(|_| arguments.next())
    else {
        return Err("usage: peer_switching FOLDER STATES ROUNDS STEPS [single|double]".into());
    };
    let precision = match arguments.next().as_deref() {
        None | Some("single") => Precision::Single,
        Some("double") => Precision::Double,
        Some(other) => {
            return Err(format!("precision must be single or double, found {other}").into());
        }
    };
    let folder = Path::new(&folder);
    let (train, test) = (
        counts(&folder.join("train.bin"))?,
        counts(&folder.join("test.bin"))?,
    );
    let held_out = parameters(&folder.join("parameters.bin"))?
        .decode(&test)?
        .per_count();
    let model = SwitchingGlm {
        states: states.parse()?,
        epochs: rounds.parse()?,
        steps: steps.parse()?,
        restarts: 1,
        tolerance: 0.0,
        coupling: Coupling::Free,
        precision,
        ..SwitchingGlm::default()
    };
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    let mut training = f64::NAN;
    for repeat in 0..=repeats {
        let start = Instant::now();
        training = model
            .fit(&train, &Streams::new(0), &Quiet)?
            .decoded
            .per_count();
        if repeat > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!("{{\"seconds\": {seconds:?}, \"held_out\": {held_out}, \"training\": {training}}}");
    Ok(())
}

struct Numbers(BufReader<File>);

impl Numbers {
    fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(Self(BufReader::with_capacity(1 << 20, File::open(path)?)))
    }

    fn word(&mut self) -> Result<[u8; 8], Box<dyn Error>> {
        let mut word = [0; 8];
        self.0.read_exact(&mut word)?;
        Ok(word)
    }

    fn sizes<const N: usize>(&mut self) -> Result<[usize; N], Box<dyn Error>> {
        let mut sizes = [0; N];
        for size in &mut sizes {
            *size = usize::try_from(u64::from_le_bytes(self.word()?))?;
        }
        Ok(sizes)
    }

    fn values(&mut self, n: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        (0..n)
            .map(|_| Ok(f64::from_le_bytes(self.word()?)))
            .collect()
    }
}

fn counts(path: &Path) -> Result<Counts, Box<dyn Error>> {
    let mut file = Numbers::open(path)?;
    let [trials, bins, units] = file.sizes()?;
    let values = file.values(trials * bins * units)?;
    let values = Array2::from_shape_vec((trials * bins, units), values)?;
    Ok(Counts {
        values: values.mapv(|v| v as u32),
        trials: (0..trials).map(|k| k * bins..(k + 1) * bins).collect(),
        starts_s: vec![0.0; trials],
        labels: vec![String::new(); trials],
        bin_s: 0.02,
        units: (0..units).map(|u| Unit::new(u.to_string())).collect(),
        dropped: vec![],
    })
}

fn parameters(path: &Path) -> Result<SwitchingModel, Box<dyn Error>> {
    let mut file = Numbers::open(path)?;
    let [states, units] = file.sizes()?;
    let weights =
        Array3::from_shape_vec((states, units, units), file.values(states * units * units)?)?;
    let bias = file.values(units)?;
    let transition = Array2::from_shape_vec((states, states), file.values(states * states)?)?;
    Ok(SwitchingModel {
        weights,
        bias: Array2::from_shape_fn((states, units), |(_, i)| bias[i]),
        chain: HiddenChain::new(Array1::from_elem(states, 1.0 / states as f64), transition)?,
        kernel: exponential_kernel(5),
        link: Link::Sigmoid,
        observation: Observation::Poisson,
        skip_bins: 0,
    })
}
