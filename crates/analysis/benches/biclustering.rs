//! Sweeps of the biclustering sampler, and draws of Pólya-Gamma variables.

#![allow(missing_docs)]

use std::hint::black_box;

use chiasm_analysis::biclustering::{Biclustering, Counts};
use chiasm_analysis::polya_gamma;
use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{ClusteredCounts, clustered_counts};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn sweeps(c: &mut Criterion) {
    let (recording, _) =
        clustered_counts(&ClusteredCounts::default(), &Streams::new(1)).expect("valid settings");
    let values = recording
        .traces()
        .expect("sampled")
        .values
        .t()
        .mapv(f64::from);
    let counts = Counts::new(values.view()).expect("counts");
    let method = Biclustering {
        sweeps: 210,
        burn_in: 200,
        ..Biclustering::default()
    };
    let streams = Streams::new(1);
    let started = method.start(&counts, &streams).expect("valid counts");
    let settled = method
        .advance(&counts, &[], started, 200, &streams, &Quiet)
        .expect("a chain");
    let mut group = c.benchmark_group("biclustering");
    group.sample_size(10);
    group.bench_function("10 sweeps, 30 neurons, 500 bins", |b| {
        b.iter_batched(
            || settled.clone(),
            |chains| method.advance(&counts, &[], chains, 210, &streams, &Quiet),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn draws(c: &mut Criterion) {
    let mut group = c.benchmark_group("polya_gamma");
    for (name, b, tilt) in [
        ("b=0.5", 0.5, 1.0),
        ("b=1", 1.0, 1.0),
        ("b=3.5", 3.5, 1.0),
        ("b=12", 12.0, 1.0),
    ] {
        let mut rng = Streams::new(1).stream("draws");
        group.bench_function(name, |bencher| {
            bencher.iter(|| polya_gamma::draw(black_box(b), black_box(tilt), &mut rng));
        });
    }
    group.finish();
}

criterion_group!(benches, sweeps, draws);
criterion_main!(benches);
