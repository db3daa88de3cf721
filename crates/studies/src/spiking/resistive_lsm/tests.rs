use chiasm_lab::{Bench, Preset, Settings, Study};

use super::*;

#[test]
fn the_smallest_run_measures_what_needs_no_scale_and_excuses_the_rest() {
    let mut bench = Bench::in_memory(3);
    Study::run(&ResistiveLsmStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    let value = |name: &str| {
        let metric = record.metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    assert_eq!(value("identity/no-memory"), 0.0);
    assert_eq!(value("identity/scaled"), 0.0);
    assert!(value("identity/loss-error") < 1e-9);
    assert!(value("cost/ratio") > value("cost/ratio-sparse"));
    // Drawn digits are easy: even 5 passes do far better than chance.
    assert!(value("vision/reservoir/accuracy") > 0.3);
    assert!((value("audio/reservoir/rate") / 0.18 - 1.0).abs() < 0.2);
    for claim in ResistiveLsmStudy.claims() {
        let measured = record.metrics.iter().any(|m| m.name == claim.metric);
        assert_ne!(
            measured,
            record.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
    }
    let table = record.tables.iter().find(|t| t.id == "held-out-pairs");
    assert_eq!(table.map(|t| t.rows.len()), Some(2));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert!(Config::smoke().validate().is_ok());
    assert_eq!(field(&|c| c.n_train = 0), "n_train");
    assert_eq!(field(&|c| c.held_out = 37), "held_out");
    assert_eq!(field(&|c| c.voiced_takes = 5), "voiced_takes");
    assert_eq!(field(&|c| c.audio_rate = f64::NAN), "audio_rate");
    assert_eq!(field(&|c| c.read_noise = vec![0.02]), "read_noise");
    assert_eq!(field(&|c| c.stuck = vec![0.2, 0.1]), "stuck");
    assert_eq!(field(&|c| c.device.read_noise = 0.1), "device");
    assert_eq!(field(&|c| c.device.variation = 0.0), "device.variation");
    assert_eq!(field(&|c| c.vision.decay = 2.0), "vision.decay");
    assert_eq!(field(&|c| c.mel.bands = 0), "mel.bands");
    assert_eq!(field(&|c| c.saccades.floor = 0.0), "saccades.floor");
    assert_eq!(field(&|c| c.contrastive.batch = 1), "contrastive.batch");
    assert_eq!(
        field(&|c| c.temperatures = vec![0.0]),
        "contrastive.temperature"
    );
}
