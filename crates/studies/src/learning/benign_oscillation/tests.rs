use chiasm_lab::{Bench, Preset, Settings, Study};

use super::*;

#[test]
fn the_smallest_run_measures_every_claim_and_what_is_exact_holds() {
    let mut bench = Bench::in_memory(3);
    Study::run(&BenignOscillation, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    let value = |name: &str| {
        let metric = record.metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    for claim in BenignOscillation.claims() {
        value(claim.metric);
    }
    for id in [
        "cycles-closed-form",
        "rest-below-threshold",
        "cycle-lost",
        "bounded-to-the-end",
        "positive-to-the-end",
        "dies-above",
        "weak-growth",
        "sample-follows-map",
        "shortfall-linear",
    ] {
        let claim = BenignOscillation
            .claims()
            .into_iter()
            .find(|c| c.id == id)
            .unwrap();
        assert!(
            claim.bound.holds(value(claim.metric)),
            "{id}: {}",
            value(claim.metric)
        );
    }
    assert_eq!(record.figures.len(), 4);
    let standing = &record.tables[0].rows[0][3];
    assert!(standing.contains("k = 0.100 (stable"), "{standing}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert_eq!(field(&|c| c.data.n_weak = 16), "data.n_weak");
    assert_eq!(field(&|c| c.data.n_weak = 0), "data.n_weak");
    assert_eq!(field(&|c| c.data.q = 0.0), "data.q");
    assert_eq!(field(&|c| c.k = -1.0), "k");
    assert_eq!(field(&|c| c.around = [1.3, 1.1]), "around");
    assert_eq!(field(&|c| c.passes = 0), "passes");
    assert_eq!(field(&|c| c.sweep = 1), "sweep");
    assert_eq!(field(&|c| c.photos.large = 0.01), "photos.large");
    assert_eq!(field(&|c| c.photos.channels = [0, 4]), "photos.channels");
}
