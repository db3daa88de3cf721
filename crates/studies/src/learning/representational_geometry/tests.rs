use std::path::PathBuf;

use chiasm_core::TimeAxis;
use chiasm_data::{Activity, DiskFiles, Draft, Epoch, Missing, Traces};
use chiasm_lab::{Bench, ClaimKind, Fit, Input, Preset, Settings, Study};
use ndarray::Array2;

use super::*;

fn value(bench: &Bench, name: &str) -> f64 {
    let metric = bench.record().metrics.iter().find(|m| m.name == name);
    metric.unwrap_or_else(|| panic!("{name} is missing")).value
}

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&GeometryStudy, &Config::smoke(), &mut bench).unwrap();
    for claim in GeometryStudy.claims() {
        let excused = bench.record().excused.contains_key(claim.id);
        let measured = bench
            .record()
            .metrics
            .iter()
            .find(|m| m.name == claim.metric);
        assert!(measured.is_some() || excused, "{}", claim.id);
        if let Some(found) = measured
            && claim.kind == ClaimKind::Exact
        {
            assert!(
                claim.bound.holds(found.value),
                "{}: {}",
                claim.id,
                found.value
            );
        }
    }
    // Eight clusters of one hidden layer of 16 units are no test of the card's bars.
    assert!(bench.record().excused.contains_key("relu-inputs"));
    // An untrained code follows its inputs; training turns it to the labels.
    let at = |measure: &str, unit: &str| value(&bench, &format!("{measure}/k1-s1-n1/{unit}"));
    assert!(at("target", "tanh") > at("target", "untrained-tanh"));
    assert!(at("input", "untrained-relu") > at("input", "relu") - 0.05);
    assert_eq!(bench.record().figures.len(), 7);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert_eq!(field(&|c| c.cells = vec![]), "cells");
    assert_eq!(field(&|c| c.cells.push(c.cells[0])), "cells.2");
    assert_eq!(field(&|c| c.clusters = 20), "clusters");
    assert_eq!(field(&|c| c.cells[0].separability = 2.0), "separability");
    assert_eq!(field(&|c| c.cells[0].rank = Some(40)), "rank");
    assert_eq!(field(&|c| c.nets = 0), "nets");
    assert_eq!(field(&|c| c.side_nets = 0), "side_nets");
    assert_eq!(field(&|c| c.rate = f64::NAN), "rate");
    assert_eq!(field(&|c| c.caps = vec![1.0, 2.0]), "caps");
    assert_eq!(field(&|c| c.lifts = vec![1.0]), "lifts");
    assert_eq!(field(&|c| c.noises = vec![1.0, 1.0]), "noises");
    assert_eq!(field(&|c| c.xor.epsilons = vec![]), "xor.epsilons");
    assert_eq!(field(&|c| c.weights.task.inputs = 1), "weights.task.inputs");
    let fit = |change: &dyn Fn(&mut FitConfig)| {
        let mut config = FitConfig::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(fit(&|c| c.folds = 1), "folds");
    assert_eq!(fit(&|c| c.trials = String::new()), "trials");
    assert_eq!(fit(&|c| c.c = 0.0), "c");
    assert_eq!(fit(&|c| c.shuffles = 1), "shuffles");
}

/// Two variables, side and tone, coded by 10 units, in trials of one second; one unit is silent.
fn recording(folder: &tempfile::TempDir, name: &str, conditions: usize) -> PathBuf {
    let n = 24 * conditions / 4;
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: n,
        },
        values: Array2::from_shape_fn((n, 10), |(t, u)| {
            let condition = t % conditions;
            let wave = |k: usize| ((u * k) as f32 * 1.7).sin();
            let noise = 0.2 * ((t * 7 + u * 13) as f32).sin();
            if u == 9 {
                return 0.0;
            }
            (condition / 2) as f32 * wave(1) + (condition % 2) as f32 * wave(2) + noise
        }),
        quantity: String::new(),
    }));
    draft.epochs = (0..n)
        .map(|i| Epoch {
            kind: "trial".into(),
            label: format!("{}", i % conditions),
            start_s: i as f64,
            stop_s: i as f64 + 1.0,
        })
        .collect();
    let path = folder.path().join(name);
    let recording = draft.validate(Missing::Refuse).unwrap();
    chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
    path
}

fn fitted(config: &FitConfig, paths: &[PathBuf]) -> Result<Bench, Failure> {
    let input = Input {
        paths: paths.to_vec(),
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&GeometryFit, config, &input, &mut bench)?;
    Ok(bench)
}

#[test]
fn own_trials_have_their_geometry_measured() {
    let folder = tempfile::tempdir().unwrap();
    let one = recording(&folder, "one.npz", 4);
    let config = FitConfig {
        shuffles: 19,
        ..FitConfig::default()
    };
    let bench = fitted(&config, std::slice::from_ref(&one)).unwrap();
    let at = |name: &str| value(&bench, name);
    // Conditions 2 and 3 against 0 and 1 is the first variable; 1 and 2 against 0 and 3 is neither.
    assert!(at("parallelism/2 + 3") > 0.8 && at("parallelism-p/2 + 3") == 0.05);
    assert_eq!(at("ccgp/2 + 3"), 1.0);
    assert!(at("decoding/2 + 3") > 0.9);
    assert!(at("parallelism/1 + 2") < at("parallelism/2 + 3"));
    assert_eq!(
        (at("units"), at("conditions"), at("trials")),
        (9.0, 4.0, 24.0)
    );
    assert!(
        bench
            .record()
            .notes
            .iter()
            .any(|n| n.contains("1 units that never change"))
    );
    assert_eq!(bench.record().figures.len(), 2);

    let two = recording(&folder, "two.npz", 4);
    let bench = fitted(&config, &[one.clone(), two]).unwrap();
    assert!((value(&bench, "cka/one/two") - 1.0).abs() < 1e-9);
    assert!(value(&bench, "one/ccgp/2 + 3") == 1.0);

    let own = FitConfig {
        positive: vec![vec!["1".into()]],
        ..config.clone()
    };
    let text = |config: &FitConfig, path: &PathBuf| {
        let found = fitted(config, std::slice::from_ref(path));
        found.err().unwrap().to_string()
    };
    assert!(text(&own, &one).contains("at least 2"));
    let unknown = FitConfig {
        positive: vec![vec!["1".into(), "9".into()]],
        ..config.clone()
    };
    assert!(text(&unknown, &one).contains("`positive.0`"));
    let odd = recording(&folder, "odd.npz", 12);
    assert!(text(&config, &odd).contains("`positive`"));
    let other = FitConfig {
        trials: "stimulus".into(),
        ..config
    };
    assert!(text(&other, &one).contains("epochs of kind `stimulus`"));
}
