//! Graphs of series, and their measures.
#![allow(missing_docs)] // criterion's macros make public items.

use std::hint::black_box;

use chiasm_analysis::timeseries_graph::measures::{Measures, clustering};
use chiasm_analysis::timeseries_graph::{Layout, Recurrence, Series, Visibility};
use chiasm_core::{Quiet, Streams};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::RngExt;

fn noise(n: usize) -> Vec<f64> {
    let mut rng = Streams::new(1).stream("noise");
    (0..n).map(|_| rng.random()).collect()
}

fn series(x: &[f64]) -> Series<'_> {
    Series::even(x, 0.0, 0.1).expect("finite")
}

fn kernels(c: &mut Criterion) {
    let mut group = c.benchmark_group("timeseries graph");
    group.sample_size(20);
    let (long, short) = (noise(100_000), noise(1500));
    let ramp: Vec<f64> = (0..100_000).map(f64::from).collect();
    for (name, method, x) in [
        ("natural, noise, 1e5", Visibility::default(), &long),
        ("natural, ramp, 1e5", Visibility::default(), &ramp),
        ("horizontal, noise, 1e5", Visibility::horizontal(), &long),
        (
            "natural through one sample, noise, 1e5",
            Visibility {
                penetrable: 1,
                ..Visibility::default()
            },
            &long,
        ),
    ] {
        group.bench_function(name, |b| b.iter(|| method.build(black_box(&series(x)))));
    }
    group.bench_function("recurrence, 1500 states", |b| {
        b.iter(|| Recurrence::default().build(&series(&short), &Quiet));
    });
    let states = Recurrence::default()
        .build(&series(&short), &Quiet)
        .expect("not constant");
    let graph = states.timed.graph;
    group.bench_function("triangles, 1500 states", |b| {
        b.iter(|| clustering(&graph.adjacency(), &Quiet));
    });
    let measures = Measures {
        rewired: 0,
        ..Measures::default()
    };
    group.bench_function("all measures, 1500 states", |b| {
        b.iter(|| measures.of(&graph, &Streams::new(1), &Quiet));
    });
    let layout = Layout {
        iterations: 10,
        ..Layout::default()
    };
    group.bench_function("layout, 10 steps, 1500 states", |b| {
        b.iter(|| layout.of(&graph, &Streams::new(1), &Quiet));
    });
}

criterion_group!(benches, kernels);
criterion_main!(benches);
