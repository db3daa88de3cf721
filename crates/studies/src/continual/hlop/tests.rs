use chiasm_lab::{Bench, Preset, Settings, Study};

use super::*;

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&HlopStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    let value = |name: &str| {
        let metric = record.metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    for claim in HlopStudy.claims() {
        value(claim.metric);
        let exact = claim.kind == chiasm_lab::ClaimKind::Exact;
        assert!(
            !exact || claim.bound.holds(value(claim.metric)),
            "{}",
            claim.id
        );
    }
    // The first task is learned before anything is projected.
    assert_eq!(value("hlop/first-apart"), 0.0);
    assert!(value("full-rank/second") < 0.5);
    assert!(value("together/acc") > 0.3);
    // On drawn digits the figures of MNIST are no bar.
    assert!(record.excused.contains_key("forgets-little"));
    assert!(record.excused.contains_key("full-scale-accuracy"));
    assert_eq!((record.figures.len(), record.tables[0].rows.len()), (5, 17));
}

#[test]
fn arms_that_were_not_asked_for_excuse_their_claims() {
    let mut bench = Bench::in_memory(3);
    let config = Config {
        arms: vec![Arm::Sequential],
        keep_tasks: true,
        ..Config::smoke()
    };
    Study::run(&HlopStudy, &config, &mut bench).unwrap();
    let record = bench.record();
    assert!(record.excused["forgets-less"].contains("`hlop`"));
    for claim in HlopStudy.claims() {
        let measured = record.metrics.iter().any(|m| m.name == claim.metric);
        assert!(
            measured || record.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert_eq!(field(&|c| c.tasks = 1), "tasks");
    assert_eq!(field(&|c| c.tasks = 20), "protect.rows.later");
    assert_eq!(field(&|c| c.layers.hidden = vec![]), "layers.hidden");
    assert_eq!(field(&|c| c.layers.hidden = vec![64]), "protect.rows.first");
    assert_eq!(
        field(&|c| c.protect.input_rate = f64::NAN),
        "protect.input_rate"
    );
    assert_eq!(field(&|c| c.arms = vec![]), "arms");
    assert_eq!(field(&|c| c.arms.push(Arm::Hlop)), "arms");
    assert_eq!(field(&|c| c.train.batch = 0), "train.batch");
    assert_eq!(field(&|c| c.replay.per_class = 0), "replay.per_class");
}
