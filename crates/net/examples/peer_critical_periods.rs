//! Our side of `bench/peers/peer_critical_periods.py`.
//!
//! `peer_critical_periods sweep DEPTHS ONSETS LENGTHS STEPS` runs the reduced dynamics of the hierarchy's eight modes over a grid of
//! deficits (numbers of onsets and lengths, depths joined by commas), all starts at .01.
//!
//! `peer_critical_periods completion FOLDER SIDE DEPTH SWITCH STEPS RATE` completes one matrix and then another: reads weights
//! (`weights-L.bin`), both matrices (`first.bin`, `second.bin`: `f32`, little-endian, row by row) and the positions seen
//! (`seen.bin`: `u32`, row times side plus column).

#![allow(clippy::print_stdout)]

mod timed;

use std::error::Error;
use std::path::Path;

use chiasm_core::Quiet;
use chiasm_net::theory::critical_periods::{
    Completion, Grid, Observed, Schedule, Target, Task, sweep,
};
use ndarray::Array2;

const USAGE: &str = "usage: peer_critical_periods sweep DEPTHS ONSETS LENGTHS STEPS | completion FOLDER SIDE DEPTH SWITCH STEPS RATE";

fn floats(path: &Path, n: usize) -> Result<Array2<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let each = bytes.chunks_exact(4);
    let values = each.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    Ok(Array2::from_shape_vec((n, n), values.collect())?)
}

fn timed(work: impl FnMut() -> Result<f64, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let (seconds, figure) = timed::timed(work)?;
    println!("{{\"seconds\": {seconds:?}, \"figure\": {figure}}}");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["sweep", depths, onsets, lengths, steps] => {
            let (onsets, lengths): (usize, usize) = (onsets.parse()?, lengths.parse()?);
            let steps: usize = steps.parse()?;
            let depths: Result<Vec<usize>, _> = depths.split(',').map(str::parse).collect();
            let grid = Grid {
                depths: depths?,
                onsets: (0..onsets).map(|i| i * 700 / onsets).collect(),
                lengths: (1..=lengths).map(|i| i * 300 / lengths).collect(),
            };
            let task = Task::hierarchy()?;
            timed(|| {
                let found = sweep(
                    task.singular_values(),
                    &[0.01; 8],
                    &grid,
                    (0.01, steps),
                    &Quiet,
                )?;
                let mut sum = 0.0;
                for d in 0..grid.depths.len() {
                    for l in 0..lengths {
                        sum += (0..onsets).map(|o| found.damage(d, l, o)).sum::<f64>();
                    }
                }
                Ok(sum / (grid.depths.len() * lengths * onsets) as f64)
            })
        }
        ["completion", folder, side, depth, switch, steps, rate] => {
            let folder = Path::new(folder);
            let (n, depth): (usize, usize) = (side.parse()?, depth.parse()?);
            let (switch, steps): (usize, usize) = (switch.parse()?, steps.parse()?);
            let rate: f64 = rate.parse()?;
            let weights: Result<Vec<Array2<f32>>, _> = (0..depth)
                .map(|l| floats(&folder.join(format!("weights-{l}.bin")), n))
                .collect();
            let weights = weights?;
            let target = |name: &str| -> Result<Target, Box<dyn Error>> {
                let matrix = floats(&folder.join(name), n)?;
                Ok(Target::new(matrix.mapv(f64::from), n)?)
            };
            let (first, second) = (target("first.bin")?, target("second.bin")?);
            let bytes = std::fs::read(folder.join("seen.bin"))?;
            let at = bytes.chunks_exact(4).map(|b| {
                let i = u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize;
                (i / n, i % n)
            });
            let seen = Observed::new(n, at.collect())?;
            timed(|| {
                let mut network = Completion::from_weights(weights.clone(), rate)?;
                let schedule = |steps| Schedule {
                    steps,
                    ..Schedule::default()
                };
                network.train(&seen, &first, &schedule(switch), &Quiet)?;
                let found = network.train(&seen, &second, &schedule(steps), &Quiet)?;
                Ok(found.error)
            })
        }
        _ => Err(USAGE.into()),
    }
}
