//! The recurrent network at the size of paper 17: 300 units, 32 trials of 8 steps, 3 outputs.
#![allow(missing_docs)] // criterion's macros make public items.

use std::hint::black_box;

use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{CognitiveTask, cognitive_trials};
use chiasm_net::recurrent::{
    Read, Recurrent, RecurrentConfig, RecurrentTraining, RecurrentTrainingConfig, Sequences, starts,
};
use criterion::{Criterion, criterion_group, criterion_main};

fn network(c: &mut Criterion) {
    let streams = Streams::new(1);
    let weights = starts::gaussian(300, 1.25, &mut streams.stream("weights")).expect("in range");
    let config = RecurrentConfig::default();
    let network = Recurrent::<f32>::new(&config, weights.view(), &mut streams.stream("rest"))
        .expect("shapes fit");
    let task = CognitiveTask::TwoAlternatives { fixation: false };
    let drawn = cognitive_trials(task, 32, &mut streams.stream("trials")).expect("in range");
    let trials = Sequences::new(drawn.inputs.mapv(|v| v as f32), drawn.labels).expect("shapes fit");
    let mut group = c.benchmark_group("recurrent");
    group.sample_size(10);
    let how = RecurrentTrainingConfig {
        iterations: usize::MAX,
        ..RecurrentTrainingConfig::default()
    };
    let mut training = RecurrentTraining::new(&how, network.clone()).expect("in range");
    group.bench_function("10 steps of training", |b| {
        b.iter(|| {
            let upto = training.iterations() + 10;
            let draw = |_: &mut chiasm_core::Rng| Ok(trials.clone());
            black_box(training.advance(upto, &streams, &Quiet, draw))
        });
    });
    group.bench_function("tangent kernel, 768 x 768", |b| {
        b.iter(|| network.tangent_kernel(black_box(&trials), Read::All));
    });
    group.finish();
}

criterion_group!(benches, network);
criterion_main!(benches);
