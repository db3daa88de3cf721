//! The block model on the clock, for the comparison with its peers in `bench/peers/peer_block_model.py`.
//!
//! `peer_block_model generate lfr|complete N SEED` writes a graph as lines `a,b,weight`;
//! `peer_block_model fit PATH RESTARTS` fits one and prints a JSON line with the seconds of each repeat and the
//! description length.
#![allow(clippy::print_stdout)] // An example is a program: its output is its result.

use std::time::Instant;

use chiasm_analysis::connectome::block_model::{BlockModel, WeightedGraph};
use chiasm_core::{Failure, Quiet, SettingError, Streams};
use chiasm_data::generate::{Lfr, lfr};
use rand::RngExt;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| {
        text.parse::<usize>()
            .map_err(|_| SettingError::new("argument", "a whole number", text))
    };
    match words[..] {
        ["generate", kind, n, seed] => generate(kind, number(n)?, number(seed)?),
        ["fit", path, restarts] => fit(path, number(restarts)?),
        _ => Err(SettingError::new("arguments", "generate or fit", words.join(" ")).into()),
    }
}

/// `lfr`: card 01's setting (2, .5, 25, .25), degrees up to 100; `complete`: every pair joined, exponential weights of
/// mean 3 within four groups of unequal size and 1 between.
fn generate(kind: &str, n: usize, seed: usize) -> Result<(), Failure> {
    let mut rng = Streams::new(seed as u64).stream("graph");
    let edges = if kind == "lfr" {
        let settings = Lfr {
            n_nodes: n,
            mu_topology: 0.5,
            mu_weight: 0.25,
            ..Lfr::default()
        };
        lfr(&settings, &mut rng)?.edges
    } else {
        let group = |i: usize| (4.0 * (i as f64 / n as f64).sqrt()) as usize;
        let mut edges = Vec::new();
        for a in 0..n {
            for b in a + 1..n {
                let mean = if group(a) == group(b) { 3.0 } else { 1.0 };
                edges.push((a, b, -mean * (1.0 - rng.random::<f64>()).ln() + 1e-12));
            }
        }
        edges
    };
    for (a, b, w) in edges {
        println!("{a},{b},{w:e}");
    }
    Ok(())
}

fn fit(path: &str, restarts: usize) -> Result<(), Failure> {
    let refuse = |what: &str| SettingError::new("graph", "lines `a,b,weight`", what);
    let text = std::fs::read_to_string(path).map_err(|e| refuse(&e.to_string()))?;
    let mut edges = Vec::new();
    for line in text.lines() {
        let cells: Vec<f64> = line.split(',').filter_map(|c| c.parse().ok()).collect();
        let [a, b, w] = cells[..] else {
            return Err(refuse(line).into());
        };
        edges.push((a as usize, b as usize, w));
    }
    let n = edges.iter().map(|e| e.0.max(e.1) + 1).max().unwrap_or(0);
    let graph = WeightedGraph::from_edges(n, &edges)?;
    let model = BlockModel {
        restarts,
        ..BlockModel::default()
    };
    let repeats = std::env::var("PEER_REPEATS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(1);
    let run = || model.fit(&graph, &Streams::new(1), &Quiet);
    let mut blocks = run()?;
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        blocks = run()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    println!(
        "{{\"seconds\": {seconds:?}, \"description_length\": {}, \"n_blocks\": {}, \"degree_corrected\": {}}}",
        blocks.description.total(),
        blocks.n_blocks(),
        blocks.degree_corrected
    );
    Ok(())
}
