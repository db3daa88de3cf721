//! Spiking layers, forward and backward: neurons alone, and sparse against dense products.

#![allow(missing_docs)]

use chiasm_net::layers::spiking::{
    Lif, lif, lif_composed, spike_counts, spiking_linear, spiking_linear_composed,
};
use chiasm_net::tensor::{Device, Tensor};
use chiasm_net::train::upload;
use criterion::{Criterion, criterion_group, criterion_main};

/// Numbers between 0 and 1 that look random.
fn draws(n: usize) -> impl Iterator<Item = f32> {
    let mut state = 1u64;
    (0..n).map(move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32
    })
}

fn neurons(c: &mut Criterion) {
    let mut group = c.benchmark_group("lif and its gradient, 100 steps, batch 16, 512 neurons");
    group.sample_size(10);
    let device = Device::flex().autodiff();
    let shape = [100, 16, 512];
    let input = upload(draws(shape.iter().product()).collect(), shape, &device);
    let leak = Tensor::<1>::from_floats([0.9], &device);
    for (name, layer) in [
        ("one pass", lif as fn(_, _, &Lif) -> _),
        ("composed", lif_composed),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let (input, leak) = (input.clone().require_grad(), leak.clone().require_grad());
                layer(input, leak, &Lif::default()).map(|s| spike_counts(s).sum().backward())
            });
        });
    }
    group.finish();
}

fn layers(c: &mut Criterion) {
    let mut group = c.benchmark_group("linear and lif, 100 steps, batch 16, 512 to 512");
    group.sample_size(10);
    let device = Device::flex().autodiff();
    let (shape, n) = ([100, 16, 512], 512);
    let weights = upload(
        draws(n * n).map(|d| 0.2 * d - 0.08).collect(),
        [n, n],
        &device,
    );
    let leak = Tensor::<1>::from_floats([0.9], &device);
    for share in [0.01, 0.05, 0.2] {
        let spikes = draws(shape.iter().product()).map(|d| f32::from(u8::from(d < share)));
        let input = upload(spikes.collect(), shape, &device);
        for (name, layer) in [
            ("sparse", spiking_linear as fn(_, _, _, _, &Lif) -> _),
            ("dense", spiking_linear_composed),
        ] {
            group.bench_function(format!("{name}, {share} active"), |b| {
                b.iter(|| {
                    let weights = weights.clone().require_grad();
                    let out = layer(input.clone(), weights, None, leak.clone(), &Lif::default());
                    out.map(|s| spike_counts(s).sum().backward())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, neurons, layers);
criterion_main!(benches);
