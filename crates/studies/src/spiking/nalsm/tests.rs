use chiasm_lab::{Bench, Preset, Settings, Study};

use super::*;

#[test]
fn the_smallest_run_measures_what_needs_no_scale_and_excuses_the_rest() {
    let mut bench = Bench::in_memory(3);
    Study::run(&NalsmStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    let value = |name: &str| {
        let metric = record.metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    assert!(value("astrocyte/relaxation-error") < 1e-12);
    assert!(value("astrocyte/silence") > 1000.0);
    assert!(value("astrocyte/distance-from-rest") > 1e-3);
    assert_eq!(value("invariants/weights-out-of-bounds"), 0.0);
    assert!(value("invariants/shortest-interval") >= 3.0);
    assert_eq!(value("invariants/samples-differing-alone"), 0.0);
    for claim in NalsmStudy.claims() {
        let measured = record.metrics.iter().any(|m| m.name == claim.metric);
        assert_ne!(
            measured,
            record.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
    }
    // The reservoir's activity is left for the methods on recordings.
    let (name, recording) = &record.recordings[0];
    assert_eq!((name.as_str(), recording.n_units()), ("reservoir", 64));
    assert_eq!(recording.epochs_of("trial").count(), 3);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert_eq!(field(&|c| c.n_test = 1005), "n_test");
    assert_eq!(field(&|c| c.w_a = f64::NAN), "w_a");
    assert_eq!(field(&|c| c.sweep = vec![0.1, 0.01]), "sweep");
    assert_eq!(field(&|c| c.fixed = vec![0.5, 3.5]), "fixed");
    assert_eq!(field(&|c| c.baseline = 0.85), "baseline");
    assert_eq!(field(&|c| c.readout.batch = 0), "readout.batch");
    assert_eq!(field(&|c| c.few_train = 5000), "few_train");
}
