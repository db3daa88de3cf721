use chiasm_lab::{Bench, ClaimKind, Settings, Study};

use super::*;

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&QuadraticNetworksStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    let value = |name: &str| {
        let metric = record.metrics.iter().find(|m| m.name == name);
        metric.map(|m| m.value)
    };
    for claim in QuadraticNetworksStudy.claims() {
        let measured = value(claim.metric);
        assert!(
            measured.is_some() || record.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
        if claim.kind == ClaimKind::Exact {
            assert!(
                claim.bound.holds(measured.unwrap()),
                "{}: {measured:?}",
                claim.id
            );
        }
    }
    // Bars of the card's scale are none for 4 passes.
    assert!(record.excused.contains_key("better-than-ordinary"));
    assert_eq!((record.figures.len(), record.tables[0].rows.len()), (6, 22));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(field(&|c| c.width = 0), "width");
    assert_eq!(field(&|c| c.noise = f64::NAN), "noise");
    assert_eq!(field(&|c| c.rate = 0.0), "rate");
    assert_eq!(field(&|c| c.momentum = 1.0), "momentum");
    assert_eq!(field(&|c| c.gammas = vec![0.1]), "gammas");
    assert_eq!(field(&|c| c.gammas = vec![0.1, 2.0]), "gammas");
    assert_eq!(field(&|c| c.deep_gamma = 0.0), "deep_gamma");
    let of_bearings =
        |change: &dyn Fn(&mut bearings::Bearings)| field(&|c| change(&mut c.bearings));
    assert_eq!(
        of_bearings(&|b| b.train_share = 1.0),
        "bearings.train_share"
    );
    assert_eq!(of_bearings(&|b| b.snr_db = f64::NAN), "bearings.snr_db");
    assert_eq!(of_bearings(&|b| b.step = 0), "bearings.step");
    assert_eq!(of_bearings(&|b| b.gamma = 1.5), "bearings.gamma");
    assert_eq!(of_bearings(&|b| b.samples = 100), "bearings.samples");
}
