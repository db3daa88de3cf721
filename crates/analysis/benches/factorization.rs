//! Sweeps of the masked tensor factorization at three sizes.

#![allow(missing_docs)]

use chiasm_analysis::connectome::factorization::{Factorization, MaskedTensor};
use chiasm_core::{Quiet, Streams};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array3;
use rand::RngExt;

fn sweeps(c: &mut Criterion) {
    let mut group = c.benchmark_group("factorization, 10 sweeps of rank 8");
    group.sample_size(10);
    for (name, shape) in [
        ("small", (200, 300, 4)),
        ("one worm", (480, 10_585, 1)),
        ("20 animals", (250, 1_225, 20)),
    ] {
        let mut rng = Streams::new(0).stream(name);
        let x = Array3::from_shape_fn(shape, |_| rng.random::<f32>());
        let Ok(tensor) = MaskedTensor::from_dense(&x) else {
            continue;
        };
        let fit = Factorization {
            rank: 8,
            starts: 1,
            max_sweeps: 10,
            tolerance: 0.0,
            ..Factorization::default()
        };
        group.bench_function(name, |b| {
            b.iter(|| fit.fit(&tensor, &Streams::new(0), &Quiet))
        });
    }
    group.finish();
}

criterion_group!(benches, sweeps);
criterion_main!(benches);
