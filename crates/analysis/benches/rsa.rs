//! Kernels of representational similarity analysis at the size of the published AlexNet RDMs: 55 RDMs of 92 stimuli.
#![allow(missing_docs)] // criterion's macros make public items.

use std::hint::black_box;

use chiasm_analysis::rsa::map::grid;
use chiasm_analysis::rsa::{
    Bootstrap, Geodesic, Similarity, Thresholds, Transform, ZeroEdges, accuracy_map, bootstrap,
    compare,
};
use chiasm_core::{Quiet, Streams};
use chiasm_data::Rdms;
use chiasm_data::generate::{NetworkRdms, network_rdms};
use criterion::{Criterion, criterion_group, criterion_main};

fn rdms() -> Rdms {
    let planted = NetworkRdms {
        n_layers: 5,
        n_seeds: 11,
        n_stimuli: 92,
        ..NetworkRdms::default()
    };
    network_rdms(&planted, &Streams::new(1))
        .expect("settings in range")
        .rdms
}

fn kernels(c: &mut Criterion) {
    let rdms = rdms();
    let thresholds = Thresholds::default();
    let near = Thresholds::new(0.0, 0.2).expect("in range");
    let mut group = c.benchmark_group("rsa");
    group.sample_size(20);
    for (name, transform) in [
        ("rank", Transform::Rank),
        ("geo-topological", Transform::GeoTopological(thresholds)),
        (
            "two-step geodesic",
            Transform::Geodesic(Geodesic::TwoStep(near), ZeroEdges::Keep),
        ),
    ] {
        group.bench_function(name, |b| b.iter(|| transform.apply(black_box(&rdms))));
    }
    group.bench_function("compare, Spearman 55 x 55", |b| {
        b.iter(|| compare(&rdms, &rdms, Similarity::Spearman));
    });
    let cells = grid(0.05, true).expect("a step in range");
    group.bench_function("map, 0.05 grid", |b| {
        b.iter(|| accuracy_map(&rdms, &cells, &Quiet))
    });
    let how = Bootstrap {
        n_resamples: 10,
        ..Bootstrap::default()
    };
    let arms = [vec![Transform::GeoTopological(thresholds)]];
    group.bench_function("bootstrap, 10 resamples", |b| {
        b.iter(|| bootstrap(&rdms, &arms, how, &Streams::new(1), &Quiet));
    });
}

criterion_group!(benches, kernels);
criterion_main!(benches);
