//! Our side of `bench/peers/peer_biclustering.py`: settles a chain on the counts in a folder, leaves its state there for the
//! other side, and times sweeps from that state.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fmt::Write;
use std::time::Instant;

use chiasm_analysis::biclustering::{Biclustering, Chain, ChainState, Counts};
use chiasm_core::{Quiet, Streams};
use mimalloc::MiMalloc;
use ndarray::Array2;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let [Some(folder), Some(settle), Some(sweeps)] = std::array::from_fn(|_| arguments.next())
    else {
        return Err("usage: peer_biclustering FOLDER SETTLE SWEEPS".into());
    };
    let (settle, sweeps): (usize, usize) = (settle.parse()?, sweeps.parse()?);
    let text = std::fs::read_to_string(format!("{folder}/counts.txt"))?;
    let rows: Vec<Vec<f64>> = text
        .lines()
        .map(|l| {
            l.split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()
        })
        .collect::<Result<_, _>>()?;
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    let counts = Counts::new(Array2::from_shape_vec(shape, rows.concat())?.view())?;
    let method = Biclustering {
        sweeps: settle + sweeps,
        burn_in: settle + sweeps - 1,
        thin: sweeps,
        ..Biclustering::default()
    };
    // Searches for better states are not part of a sweep: the other side has none.
    let timed = Biclustering {
        search_every: 1_000_000,
        ..method.clone()
    };
    let streams = Streams::new(3);
    let advance = |method: &Biclustering, chains: Vec<Chain>, until| {
        method.advance(&counts, &[], chains, until, &streams, &Quiet)
    };
    let settled = advance(&method, method.start(&counts, &streams)?, settle)?;
    let state = &settled[0].state;
    std::fs::write(
        format!("{folder}/state.txt"),
        written(&method, state, shape.0)?,
    )?;
    let expected = method.expectations(&counts, state)?;
    let weighted = |(q, x): (usize, &f64)| x * (q as f64).cos();
    let paths: f64 = expected.paths.iter().enumerate().map(weighted).sum();
    let size = expected.paths.iter().map(|x| x * x).sum::<f64>().sqrt();
    let steps: f64 = expected.steps.iter().sum();
    let marginals: f64 = expected.marginals.iter().sum();
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    let mut reached = f64::NAN;
    for repeat in 0..=repeats {
        let chains = settled.clone();
        let start = Instant::now();
        let done = advance(&timed, chains, settle + sweeps)?;
        if repeat > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
        let trace = &done[0].trace[settle..];
        reached = trace.iter().map(|t| t.ln_likelihood).sum::<f64>() / trace.len() as f64;
    }
    println!(
        "{{\"seconds\": {seconds:?}, \"paths\": {paths}, \"paths_size\": {size}, \"steps\": {steps}, \"marginals\": {marginals}, \
         \"log_likelihood\": {reached}}}"
    );
    Ok(())
}

/// The state, an array a line: name, shape, values.
fn written(method: &Biclustering, state: &ChainState, n: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let mut line =
        |name: &str, shape: &[usize], values: &mut dyn Iterator<Item = f64>| -> std::fmt::Result {
            let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
            let values: Vec<String> = values.map(|v| format!("{v:e}")).collect();
            writeln!(text, "{name}\t{}\t{}", shape.join(","), values.join(" "))
        };
    let whole = |x: &[usize]| x.iter().map(|v| *v as f64).collect::<Vec<f64>>();
    let (bins, l) = (state.states.len(), state.weights.len());
    let k = state.paths.len() / bins;
    let prior = method.partition_prior(n);
    line("clusters", &[n], &mut whole(&state.clusters).into_iter())?;
    line("states", &[bins], &mut whole(&state.states).into_iter())?;
    line("paths", &[bins, k], &mut state.paths.iter().copied())?;
    line("offsets", &[n], &mut state.offsets.iter().copied())?;
    line(
        "loadings",
        &[n, method.latents],
        &mut state.loadings.iter().copied(),
    )?;
    line("dispersions", &[n], &mut state.dispersions.iter().copied())?;
    line("weights", &[l], &mut state.weights.iter().copied())?;
    line(
        "transitions",
        &[l, l],
        &mut state.transitions.iter().copied(),
    )?;
    line(
        "a",
        &[l, k, k],
        &mut state.dynamics.iter().flat_map(|d| d.a.clone()),
    )?;
    line(
        "b",
        &[l, k],
        &mut state.dynamics.iter().flat_map(|d| d.b.clone()),
    )?;
    line(
        "q",
        &[l, k, k],
        &mut state.dynamics.iter().flat_map(|d| d.q.clone()),
    )?;
    line("ln_v", &[20], &mut (1..=20).map(|t| prior.ln_v(t)))?;
    Ok(text)
}
