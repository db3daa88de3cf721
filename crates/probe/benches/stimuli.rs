//! One gradient of all clusters, and whole clusterings.

use std::hint::black_box;

use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{CellTypes, cell_types};
use chiasm_probe::stimuli::baseline::random;
use chiasm_probe::stimuli::{
    Ascent, Config, Groups, LinearNonlinear, Nonlinearity, Normalization, Precision, StimulusShape,
};
use criterion::{Criterion, criterion_group, criterion_main};

fn neurons(side: usize, per_type: usize) -> (LinearNonlinear, Normalization, Vec<usize>) {
    let planted = CellTypes {
        side,
        per_type: (per_type, per_type),
        ..CellTypes::default()
    };
    let streams = Streams::new(1);
    let truth = cell_types(&planted, &streams).expect("plantable");
    let shape = StimulusShape::image(side, side);
    let model = LinearNonlinear::new(shape, truth.filters, Nonlinearity::Softplus)
        .and_then(|m| m.with_gains(truth.gains))
        .and_then(|m| m.with_offsets(truth.offsets))
        .expect("a model");
    let normalization =
        Normalization::from_model(&model, 200, 6.0, &mut streams.stream("reference"));
    (model, normalization.expect("finite"), truth.labels)
}

fn ascent(c: &mut Criterion) {
    let mut group = c.benchmark_group("ascent, 10 steps");
    for (name, side, per_type, precision) in [
        ("96 neurons, 18 x 18", 18, 12, Precision::Double),
        ("1000 neurons, 48 x 48", 48, 125, Precision::Double),
        ("1000 neurons, 48 x 48, single", 48, 125, Precision::Single),
    ] {
        let (model, normalization, labels) = neurons(side, per_type);
        let model = model.with_precision(precision);
        let groups = Groups::new(&labels).expect("no cluster is empty");
        let start = random(8, side * side, 6.0, &mut Streams::new(2).stream("start"));
        let ascent = Ascent {
            steps: 10,
            ..Ascent::default()
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let found = ascent.run(&model, &normalization, &groups, start.clone(), &Quiet);
                black_box(found.expect("finite"))
            });
        });
    }
    group.finish();
}

fn clustering(c: &mut Criterion) {
    let (model, normalization, _) = neurons(18, 12);
    let mut group = c.benchmark_group("clustering, 96 neurons from 24 clusters");
    group.sample_size(10);
    for (name, config) in [
        ("paper's rule", Config::default()),
        ("held out", Config::held_out()),
    ] {
        let config = Config {
            split: false,
            ..config
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let types = config.fit(&model, &normalization, &Streams::new(1), &Quiet);
                black_box(types.expect("finite"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ascent, clustering);
criterion_main!(benches);
