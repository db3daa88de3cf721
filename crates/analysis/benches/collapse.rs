//! Measures of neural collapse: the passes over samples of a hundred classes, and the pairs of a vocabulary.
#![allow(missing_docs)] // criterion's macros make public items.

use std::hint::black_box;

use chiasm_analysis::collapse::{Collapse, FeatureModel, Form, Pairs, Perturbation};
use chiasm_core::{Quiet, Streams};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

fn normal(rows: usize, columns: usize, name: &str) -> Array2<f64> {
    let mut rng = Streams::new(1).stream(name);
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

fn kernels(c: &mut Criterion) {
    let mut group = c.benchmark_group("collapse");
    group.sample_size(10);
    let labels: Vec<usize> = (0..10_000).map(|i| i % 100).collect();
    let x = normal(10_000, 512, "samples");
    group.bench_function("NC1 and NC2, 10,000 x 512, 100 classes", |b| {
        b.iter(|| Collapse::of(black_box(x.view()), &labels, 100, None).expect("fits"));
    });
    let means = normal(2000, 256, "means");
    let variances = vec![1.0; 2000];
    group.bench_function("pairs of 2,000 classes, 256 features", |b| {
        let pairs = Pairs::default();
        b.iter(|| {
            pairs
                .measure(black_box(means.view()), &variances, &Quiet)
                .expect("fits")
        });
    });
    let model = FeatureModel::default();
    let minimum = model
        .collapsed((10, 100, 64), &mut Streams::new(1).stream("frame"))
        .expect("in range");
    let operator = Perturbation::at(&model, &minimum).expect("in range");
    let change = normal(64, 1000, "change");
    group.bench_function("exact perturbation of 1,000 x 64", |b| {
        b.iter(|| {
            operator
                .apply(Form::Exact, black_box(change.view()))
                .expect("ends")
        });
    });
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
