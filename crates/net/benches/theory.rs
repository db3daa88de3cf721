//! Theories of learning: a map of deficits, steps of deep matrix completion, passes of a network whose predictions oscillate.

#![allow(missing_docs)]

use chiasm_core::{Quiet, Streams};
use chiasm_net::theory::critical_periods::{
    Completion, Grid, Init, Observed, Schedule, Target, Task, sweep,
};
use chiasm_net::theory::oscillation::{Descent, Network, Recipe, Settings};
use criterion::{Criterion, criterion_group, criterion_main};

fn deficits(c: &mut Criterion) {
    let mut group = c.benchmark_group("deficits");
    group.sample_size(10);
    let task = Task::hierarchy().expect("a task");
    let grid = Grid {
        depths: vec![4],
        onsets: (0..40).map(|i| 15 * i).collect(),
        lengths: (1..16).map(|i| 20 * i).collect(),
    };
    group.bench_function("600 deficits, 8 modes, 1000 steps", |b| {
        b.iter(|| {
            sweep(
                task.singular_values(),
                &[0.01; 8],
                &grid,
                (0.01, 1000),
                &Quiet,
            )
        });
    });
    group.finish();
}

fn completion(c: &mut Criterion) {
    let mut group = c.benchmark_group("completion, depth 3, 100 steps");
    group.sample_size(10);
    let streams = Streams::new(1);
    for (n, observed) in [(50, 750), (100, 2000)] {
        let target = Target::random(n, 5, &mut streams.stream("target")).expect("a target");
        let seen = Observed::draw(n, observed, &mut streams.stream("seen")).expect("entries");
        let network = Completion::<f32>::new((n, 3), Init::Gaussian, 0.001, 0.2, &streams);
        let network = network.expect("a network");
        let schedule = Schedule {
            steps: 100,
            ..Schedule::default()
        };
        group.bench_function(format!("side {n}"), |b| {
            b.iter(|| network.clone().train(&seen, &target, &schedule, &Quiet));
        });
    }
    group.finish();
}

fn oscillation(c: &mut Criterion) {
    let mut group = c.benchmark_group("oscillation");
    group.sample_size(10);
    let (streams, recipe) = (Streams::new(1), Recipe::default());
    let features = recipe.features(&streams).expect("features");
    let train = recipe.train(&features, &streams).expect("samples");
    let network = Network::draw(8, 64, 0.0125, &streams).expect("a network");
    let settings = Settings {
        passes: 100,
        ..Settings::default()
    };
    group.bench_function("100 passes over 16 samples", |b| {
        b.iter(|| {
            let descent = Descent::new(network.clone(), &train, &features, settings);
            descent.and_then(|mut d| d.run(&streams, &Quiet))
        });
    });
    group.finish();
}

criterion_group!(benches, deficits, completion, oscillation);
criterion_main!(benches);
