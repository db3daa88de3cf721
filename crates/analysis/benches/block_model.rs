//! The block model on the graphs it is meant for: complete ones of a recording's size, and sparse ones.
#![allow(missing_docs)] // criterion's macros write undocumented functions.

use chiasm_analysis::connectome::block_model::{BlockModel, WeightedGraph};
use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{Lfr, lfr};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::RngExt;

/// Every pair joined, exponential weights of mean 3 within three groups and 1 between.
fn complete(n: usize) -> WeightedGraph {
    let mut rng = Streams::new(1).stream("complete");
    let mut edges = Vec::new();
    for a in 0..n {
        for b in a + 1..n {
            let mean = if a % 3 == b % 3 { 3.0 } else { 1.0 };
            edges.push((a, b, mean * (1e-9 - (1.0 - rng.random::<f64>()).ln())));
        }
    }
    WeightedGraph::from_edges(n, &edges).expect("edges are sound")
}

fn sparse(n: usize) -> WeightedGraph {
    let settings = Lfr {
        n_nodes: n,
        mu_topology: 0.5,
        ..Lfr::default()
    };
    let graph = lfr(&settings, &mut Streams::new(1).stream("lfr")).expect("settings are sound");
    WeightedGraph::from_edges(n, &graph.edges).expect("edges are sound")
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("block_model");
    group.sample_size(10);
    let model = BlockModel {
        restarts: 1,
        ..BlockModel::default()
    };
    for (name, graph) in [
        ("complete_60", complete(60)),
        ("complete_150", complete(150)),
        ("lfr_125", sparse(125)),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| model.fit(&graph, &Streams::new(2), &Quiet));
        });
    }
    group.finish();
}

criterion_group!(benches, fits);
criterion_main!(benches);
