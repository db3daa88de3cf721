//! Measures of a hidden code of 128 units on 32 clusters.
#![allow(missing_docs)] // criterion's macros make public items.

use std::hint::black_box;

use chiasm_analysis::geometry::{Dichotomy, Pairing, Samples, Svm, ccgp, decode, parallelism};
use chiasm_analysis::kernel::{cka, cka_unbiased, gram};
use chiasm_core::Streams;
use chiasm_data::generate::{AlignedClusters, aligned_clusters};
use criterion::{Criterion, criterion_group, criterion_main};

fn measures(c: &mut Criterion) {
    let config = AlignedClusters {
        labels: 5,
        inputs: 128,
        ..AlignedClusters::default()
    };
    let streams = Streams::new(1);
    let task = aligned_clusters(&config, &streams).expect("settings in range");
    let (kernel, target) = (gram(task.means.view()), task.target_kernel());
    let label = Dichotomy::new(task.labels.column(0).to_vec()).expect("two classes");
    let means = Samples::of_means(task.means.view()).expect("finite");
    let noisy = Samples::noisy(task.means.view(), 0.5, 20, &streams).expect("finite");
    let pairs = parallelism(task.means.view(), &label, Pairing::Nearest)
        .expect("two classes")
        .pairs;
    let svm = Svm::default();
    let mut group = c.benchmark_group("geometry");
    group.bench_function("cka", |b| {
        b.iter(|| cka(black_box(kernel.view()), target.view()))
    });
    group.bench_function("unbiased cka", |b| {
        b.iter(|| cka_unbiased(black_box(kernel.view()), target.view()))
    });
    group.bench_function("parallelism", |b| {
        b.iter(|| parallelism(black_box(task.means.view()), &label, Pairing::Nearest))
    });
    group.bench_function("ccgp, 16 pairs", |b| {
        b.iter(|| ccgp(black_box(&means), &label, &pairs, 100, &svm))
    });
    group.bench_function("decode", |b| {
        b.iter(|| decode(black_box(&means), &noisy, &label, &svm))
    });
    group.finish();
}

criterion_group!(benches, measures);
criterion_main!(benches);
