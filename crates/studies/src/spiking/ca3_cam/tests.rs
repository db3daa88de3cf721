use chiasm_lab::{Bench, Settings, Study};

use super::*;

#[test]
fn every_claim_is_measured_and_the_authors_runs_are_reproduced() {
    let mut bench = Bench::in_memory(3);
    Study::run(&Ca3CamStudy, &Config::smoke(), &mut bench).unwrap();
    let value = |name: &str| {
        let metric = bench.record().metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    for claim in Ca3CamStudy.claims() {
        value(claim.metric);
        assert!(!claim.place.is_empty());
    }
    for run in ["first", "stress", "map"] {
        assert_eq!(value(&format!("{run}/counts-differing")), 0.0);
        assert_eq!(value(&format!("{run}/answers-missed")), 0.0);
    }
    assert_eq!(value("map/spikes-unasked"), 0.0);
    let spikes = ["first", "stress", "map"].map(|run| value(&format!("{run}/spikes")));
    assert_eq!(spikes, [262.0, 1567.0, 402.0]);
    assert_eq!(value("full-rule/rewritten/by-cue"), 1.0);
    assert_eq!(value("full-rule/old-kept"), 0.0);
    assert_eq!(value("no-plasticity/written/by-cue"), 0.0);
    assert_eq!(value("no-depression/old-kept"), 1.0);
    assert_eq!(value("willshaw/written/by-cue"), 1.0);
    assert_eq!(value("willshaw/rewritten/by-cue"), 0.0);
    assert_eq!(value("willshaw/passes-by-content"), 8.0);
    assert_eq!(value("capacity/least-by-cue"), 1.0);
    assert!(value("spacing-7/by-content") < value("spacing-9/by-content"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |config: Config| config.validate().unwrap_err().field;
    let config = Config::default();
    assert!(config.validate().is_ok());
    Config::preset(chiasm_lab::Preset::Paper)
        .validate()
        .unwrap();
    let without_seven = Config {
        spacings_ms: vec![8, 9],
        ..config.clone()
    };
    assert_eq!(refused(without_seven), "spacings_ms");
    assert_eq!(
        refused(Config {
            density: 1.0,
            ..config.clone()
        }),
        "density"
    );
    assert_eq!(
        refused(Config {
            capacity_densities: vec![0.5, f64::NAN],
            ..config.clone()
        }),
        "capacity_densities"
    );
    assert_eq!(
        refused(Config {
            capacity_cues: vec![],
            ..config.clone()
        }),
        "capacity_cues"
    );
    assert_eq!(
        refused(Config {
            spacing_memories: 0,
            ..config.clone()
        }),
        "spacing_memories"
    );
    assert_eq!(
        refused(Config {
            n_cues: 1,
            ..config
        }),
        "n_cues"
    );
}
