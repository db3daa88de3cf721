use std::collections::BTreeMap;

use chiasm_data::DiskFiles;
use chiasm_data::arrays::write_npz;
use chiasm_lab::{Bench, Fit, Input, Settings, Study};
use ndarray::{Array1, Array3, ArrayD};

use super::*;

#[test]
fn every_claim_is_measured() {
    let mut bench = Bench::in_memory(3);
    Study::run(&DynamicConfidenceStudy, &Config::smoke(), &mut bench).unwrap();
    let value = |name: &str| {
        let metric = bench.record().metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    for claim in DynamicConfidenceStudy.claims() {
        value(claim.metric);
    }
    assert_eq!(value("first-layer/unequal"), 0.0);
    assert!(value("oracle/above-agent") >= 0.0);
    assert!(value("drift/ordered-by") > 0.0);
    assert!(value("quantized/accuracy") > 0.5);
    assert_eq!(value("photographs/first-layer/unequal"), 0.0);
    assert!(value("photographs/spikes/agent") <= value("photographs/spikes/all-steps"));
    assert_eq!(bench.record().recordings.len(), 1);
    let ids: Vec<&str> = bench
        .record()
        .figures
        .iter()
        .map(|f| f.id.as_str())
        .collect();
    assert_eq!(ids.len(), 8);
    assert!(ids.contains(&"latency") && ids.contains(&"photographs-latency"));
}

#[test]
fn photographs_can_be_left_out_and_their_claims_say_so() {
    let mut config = Config::smoke();
    config.photos.networks = 0;
    let mut bench = Bench::in_memory(3);
    Study::run(&DynamicConfidenceStudy, &config, &mut bench).unwrap();
    let left = &bench.record().excused;
    for claim in claims::photographs() {
        assert!(left.contains_key(claim.id), "{}", claim.id);
    }
    let metrics = &bench.record().metrics;
    assert!(metrics.iter().all(|m| !m.name.starts_with("photographs/")));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |config: Config| config.validate().unwrap_err().field;
    let config = Config::default();
    config.validate().unwrap();
    let steps = Config {
        steps: 1,
        ..config.clone()
    };
    assert_eq!(refused(steps), "steps");
    let long = Config {
        long_steps: 4,
        ..config.clone()
    };
    assert_eq!(refused(long), "long_steps");
    let mut deep = config.clone();
    deep.photos.channels = vec![4; 6];
    assert_eq!(refused(deep), "photos.channels");
    let mut still = config.clone();
    still.photos.rate = 0.0;
    assert_eq!(refused(still), "photos.rate");
    let mut hidden = config;
    hidden.network.hidden = vec![];
    assert_eq!(refused(hidden), "network.hidden");
    let share = FitConfig {
        calibration_share: 1.0,
        ..FitConfig::default()
    };
    assert_eq!(share.validate().unwrap_err().field, "calibration_share");
}

/// 120 samples, 6 steps, 3 classes; every fourth sample is slow.
fn file(folder: &std::path::Path, spoil: impl FnOnce(&mut Array3<f64>, &mut Array1<f64>)) -> Input {
    let mut labels = Array1::from_shape_fn(120, |i| (i % 3) as f64);
    let mut logits = Array3::from_shape_fn((120, 6, 3), |(i, t, c)| {
        let told = c == i % 3 && (i % 4 != 0 || t > 2);
        let wrong = i % 4 == 0 && t < 2 && c == (i + 1) % 3;
        f64::from(u8::from(told)) + 0.5 * f64::from(u8::from(wrong))
    });
    spoil(&mut logits, &mut labels);
    let path = folder.join("outputs.npz");
    let arrays: BTreeMap<String, ArrayD<f64>> = [
        ("logits".to_owned(), logits.into_dyn()),
        ("labels".to_owned(), labels.into_dyn()),
    ]
    .into();
    write_npz(&DiskFiles, &path, &arrays).unwrap();
    Input {
        paths: vec![path],
        ..Input::default()
    }
}

#[test]
fn own_outputs_are_calibrated_and_measured_apart() {
    let folder = tempfile::tempdir().unwrap();
    let input = file(folder.path(), |_, _| ());
    let mut bench = Bench::in_memory(1);
    let found = Fit::fit(
        &DynamicConfidenceFit,
        &FitConfig::default(),
        &input,
        &mut bench,
    );
    let found = found.unwrap();
    assert!(found.summary[0].contains("60 samples"));
    let metrics = &bench.record().metrics;
    let value = |name: &str| metrics.iter().find(|m| m.name == name).unwrap().value;
    assert_eq!(value("agent/accuracy"), 1.0);
    assert!(value("agent/latency") < 6.0);
    assert_eq!(bench.record().figures.len(), 4);
}

#[test]
fn own_outputs_that_cannot_be_are_refused_by_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = |input: &Input, config: FitConfig| {
        let mut bench = Bench::in_memory(1);
        let found = Fit::fit(&DynamicConfidenceFit, &config, input, &mut bench);
        found.unwrap_err().to_string()
    };
    let input = file(folder.path(), |logits, _| logits[[7, 2, 1]] = f64::NAN);
    let refused = text(&input, FitConfig::default());
    assert!(refused.contains("outputs.npz") && refused.contains("sample 7, step 2, class 1"));
    let input = file(folder.path(), |_, labels| labels[5] = 1.5);
    assert!(text(&input, FitConfig::default()).contains("index 5"));
    let input = file(folder.path(), |_, _| ());
    let unknown = FitConfig {
        outputs: "scores".into(),
        ..FitConfig::default()
    };
    assert!(text(&input, unknown).contains("scores"));
    let flat = FitConfig {
        outputs: "labels".into(),
        ..FitConfig::default()
    };
    assert!(text(&input, flat).contains("sample, step, class"));
    let all = FitConfig {
        calibration: Some("labels".into()),
        ..FitConfig::default()
    };
    // Class 0 is measured on, the others are calibrated on.
    let mut bench = Bench::in_memory(1);
    Fit::fit(&DynamicConfidenceFit, &all, &input, &mut bench).unwrap();
    let none = Input::default();
    assert!(text(&none, FitConfig::default()).contains("one file"));
}
