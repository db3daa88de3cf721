use chiasm_lab::{Bench, Preset, Settings, Study};

use super::*;

#[test]
fn the_smallest_run_measures_every_claim_and_what_is_exact_holds() {
    let mut bench = Bench::in_memory(3);
    Study::run(&CriticalPeriods, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    let value = |name: &str| {
        let metric = record.metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    for claim in CriticalPeriods.claims() {
        value(claim.metric);
    }
    for id in [
        "descent-is-the-reduction",
        "late-shared",
        "modes-learned",
        "small-starts",
        "late-gate-no-trace",
        "conserved",
        "exponential-ratio",
        "early-gap",
        "freed-mode-waits",
        "freed-mode-taken",
        "values-flow",
        "gap-closes",
    ] {
        let claim = CriticalPeriods
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
    assert!(value("damage/early-depth-4") > 0.9 && value("damage/late-depth-4") < 0.01);
    assert_eq!(record.figures.len(), 9);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert_eq!(field(&|c| c.paths.depths = vec![4]), "paths.depths");
    assert_eq!(field(&|c| c.paths.onsets[2] = 900), "paths.onsets");
    assert_eq!(field(&|c| c.paths.rate = 0.0), "paths.rate");
    assert_eq!(field(&|c| c.paths.width = 7), "paths.width");
    assert_eq!(field(&|c| c.matrices.observed = 2501), "matrices.observed");
    assert_eq!(field(&|c| c.matrices.observed = 0), "matrices.observed");
    assert_eq!(field(&|c| c.matrices.ranks = vec![51]), "matrices.ranks");
    assert_eq!(field(&|c| c.matrices.depths = vec![0]), "matrices.depths");
    assert_eq!(
        field(&|c| c.matrices.switches = vec![5]),
        "matrices.switches"
    );
    assert_eq!(field(&|c| c.matrices.more = vec![100]), "matrices.more");
    assert_eq!(field(&|c| c.matrices.init = f64::NAN), "matrices.init");
    assert_eq!(field(&|c| c.flow.rank_first = 21), "flow.rank_first");
}

#[test]
fn a_rate_that_is_not_stable_is_refused_with_its_bound() {
    let mut config = Config::smoke();
    config.paths.rate = 0.2;
    let error = Study::run(&CriticalPeriods, &config, &mut Bench::in_memory(3)).unwrap_err();
    assert!(error.to_string().contains("expected less than"), "{error}");
}
