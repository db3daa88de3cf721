//! A dense layer, and epochs of the multi-modal GP-VAE at the scaled and the paper's sizes.

#![allow(missing_docs)]

use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{RotatingDigits, rotating_digits};
use chiasm_net::layers::{Activation, dense, dense_composed};
use chiasm_net::models::mm_gpvae::{Missing, MmGpVae, Trials};
use chiasm_net::tensor::{Device, Tensor};
use chiasm_net::train::upload;
use criterion::{Criterion, criterion_group, criterion_main};

fn layers(c: &mut Criterion) {
    let mut group = c.benchmark_group("dense layer and its gradients, 1200 rows, 784 to 512");
    group.sample_size(10);
    let device = Device::flex().autodiff();
    let make = |rows: usize, columns: usize| -> Tensor<2> {
        let values = (0..rows * columns)
            .map(|k| (k % 17) as f32 / 17.0 - 0.5)
            .collect();
        upload(values, [rows, columns], &device)
    };
    let (x, w, b) = (make(1200, 784), make(784, 512), make(1, 512));
    for (name, layer) in [
        ("one pass", dense as fn(_, _, _, _) -> Tensor<2>),
        ("composed", dense_composed),
    ] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let (w, b) = (w.clone().require_grad(), b.clone().require_grad());
                layer(x.clone().require_grad(), w, b, Activation::Elu)
                    .sum_dim(0)
                    .sum()
                    .backward()
            });
        });
    }
    group.finish();
}

fn epochs(c: &mut Criterion) {
    let mut group = c.benchmark_group("mm-gpvae, one epoch of 60 trials");
    group.sample_size(10);
    let scaled = vec![128, 64];
    let paper = MmGpVae::default().behavior_widths;
    for (name, size, n_units, behavior_widths) in
        [("scaled", 20, 50, scaled), ("paper", 36, 100, paper)]
    {
        let config = RotatingDigits {
            n_trials: 60,
            size,
            n_units,
            ..RotatingDigits::default()
        };
        let Ok(made) = rotating_digits(&config, None, &Streams::new(0)) else {
            continue;
        };
        let Ok(trials) = Trials::new(Some(made.counts), Some(made.images), Missing::Refuse) else {
            continue;
        };
        let model = MmGpVae {
            behavior_widths,
            ..MmGpVae::default()
        };
        let streams = Streams::new(1);
        let Ok(start) = model.start(&trials, &streams) else {
            continue;
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut training = start.clone();
                model.train(&trials, &mut training, 1, &streams, &Quiet)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, layers, epochs);
criterion_main!(benches);
