//! Kernels of switching models at the size of the paper's scarce data: 5 states, 20 units, 4 trials of 2000 bins.
#![allow(missing_docs)] // criterion's macros make public items.

use std::hint::black_box;

use chiasm_analysis::hmm::HiddenChain;
use chiasm_analysis::switching::{Coupling, Precision, SwitchingGlm};
use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{SwitchingNetwork, switching_network};
use chiasm_data::{Counting, Counts};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;

fn counts() -> Counts {
    let network = SwitchingNetwork {
        trials: 4,
        ..SwitchingNetwork::default()
    };
    let (recording, _) = switching_network(&network, &Streams::new(1)).expect("settings in range");
    let counting = Counting {
        trials: Some("trial".into()),
        ..Counting::default()
    };
    counting.counts(&recording).expect("planted counts")
}

fn kernels(c: &mut Criterion) {
    let counts = counts();
    let mut group = c.benchmark_group("switching");
    group.sample_size(10);
    // One round: an expectation, 20 steps; then the closing expectation and the decoding in double precision.
    for coupling in [Coupling::Free, Coupling::Gaussian] {
        for precision in [Precision::Single, Precision::Double] {
            let model = SwitchingGlm {
                coupling,
                precision,
                restarts: 1,
                epochs: 1,
                ..SwitchingGlm::default()
            };
            group.bench_function(format!("round, {coupling:?}, {precision:?}"), |b| {
                b.iter(|| model.fit(black_box(&counts), &Streams::new(1), &Quiet));
            });
        }
    }
    let chain = HiddenChain::sticky(5, 0.98).expect("five states");
    let emission = Array2::from_shape_fn((2000, 5), |(t, s)| {
        -10.0 - ((t / 50 + s) % 5) as f64 - 0.1 * ((t * 7 + s) % 11) as f64
    });
    group.bench_function("smooth 2000 bins", |b| {
        b.iter(|| chain.smooth(black_box(emission.view())));
    });
    group.bench_function("smooth 2000 bins in logs", |b| {
        b.iter(|| chain.smooth_in_logs(black_box(emission.view())));
    });
    group.bench_function("viterbi 2000 bins", |b| {
        b.iter(|| chain.viterbi(black_box(emission.view())));
    });
}

criterion_group!(benches, kernels);
criterion_main!(benches);
