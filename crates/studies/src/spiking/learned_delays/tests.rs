use std::path::PathBuf;

use chiasm_core::Streams;
use chiasm_data::generate::{OrderTask, order_task};
use chiasm_data::recording::{Activity, Draft, Epoch, Missing, Spikes};
use chiasm_data::{DataError, DiskFiles};
use chiasm_lab::{Bench, Fit, Input, Settings, Study};

use super::*;

#[test]
fn every_claim_is_measured_or_excused() {
    let config = Config::smoke();
    let mut bench = Bench::in_memory(3);
    Study::run(&LearnedDelaysStudy, &config, &mut bench).unwrap();
    let record = bench.record();
    for claim in LearnedDelaysStudy.claims() {
        let measured = record.metrics.iter().any(|m| m.name == claim.metric);
        let excused = record.excused.contains_key(claim.id);
        assert!(measured != excused, "{}", claim.id);
    }
    let value = |name: &str| {
        record
            .metrics
            .iter()
            .find(|m| m.name == name)
            .unwrap()
            .value
    };
    assert!(value("kernel/values-off") <= 5e-4);
    assert!(value("kernel/slope-off") <= 1e-4);
    for name in ["rings-f64", "shift", "no-delay"] {
        assert_eq!(value(&format!("identity/{name}")), 0.0, "{name}");
    }
    assert_eq!(record.figures.len(), 10);
    assert_eq!(record.documents.len(), 1);
    assert_eq!(record.recordings.len(), 1);
}

#[test]
fn spoken_words_that_come_as_spikes_are_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../data/tests/golden/heidelberg/three.h5"
    );
    let mut config = Config::smoke();
    config.heidelberg.network.hidden = vec![6, 5];
    config.heidelberg.network.epochs = 2;
    config.heidelberg.folder = Some(folder.path().into());
    let run = |config: &Config, bench: &mut Bench| {
        let found = Study::run(&LearnedDelaysStudy, config, bench);
        found.map_err(|e| e.to_string())
    };
    let refused = run(&config, &mut Bench::in_memory(3)).unwrap_err();
    assert!(refused.contains("shd_train.h5"), "{refused}");
    for name in ["shd_train.h5", "shd_test.h5"] {
        std::fs::copy(golden, folder.path().join(name)).unwrap();
    }
    let mut bench = Bench::in_memory(3);
    let found = run(&config, &mut bench).unwrap();
    let said = found.summary.last().unwrap();
    assert!(said.contains("3 to learn from, 3 to test on"), "{said}");
    let metrics = &bench.record().metrics;
    let value = |name: &str| metrics.iter().find(|m| m.name == name).map(|m| m.value);
    // Thirds of three words.
    let thirds = value("heidelberg/learned").unwrap() * 3.0;
    assert!((thirds - thirds.round()).abs() < 1e-9);
    // Three words are not the paper's.
    assert_eq!(value("shd/accuracy"), None);
    assert!(bench.record().excused.contains_key(claims::SHD));
}

/// Trials of the task of order as a recording on disk.
fn recording(folder: &std::path::Path, n: usize, label: fn(usize) -> String) -> PathBuf {
    let task = OrderTask {
        train: n,
        classes: 3,
        channels: 6,
        ..OrderTask::default()
    };
    let (samples, ..) = order_task(&task, &Streams::new(1)).unwrap();
    let (step, each) = (0.01, 0.7);
    let mut times = vec![vec![]; 6];
    let mut epochs = vec![];
    for (i, sample) in samples.iter().enumerate() {
        let start = i as f64 * each;
        for (t, channel) in &sample.spikes {
            times[*channel].push(start + (*t as f64 + 0.5) * step);
        }
        epochs.push(Epoch {
            kind: "trial".into(),
            label: label(sample.class),
            start_s: start,
            stop_s: start + each,
        });
    }
    let mut draft = Draft::new(Activity::Spikes(Spikes {
        times,
        start_s: 0.0,
        stop_s: n as f64 * each,
    }));
    draft.epochs = epochs;
    let recording = draft.validate(Missing::Refuse).unwrap();
    let path = folder.join("own.npz");
    chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
    path
}

#[test]
fn own_spikes_are_taken_and_what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = FitConfig::default();
    config.network.hidden = vec![8];
    config.network.epochs = 2;
    let run = |config: &FitConfig, path: PathBuf| {
        let input = Input {
            paths: vec![path],
            ..Input::default()
        };
        let mut bench = Bench::in_memory(1);
        let found = LearnedDelaysFit.fit(config, &input, &mut bench);
        found.map(|_| bench.record().clone())
    };
    let path = recording(folder.path(), 60, |class| format!("word {class}"));
    let record = run(&config, path.clone()).unwrap();
    for name in ["accuracy/learned", "accuracy/none", "accuracy/counts"] {
        assert!(record.metrics.iter().any(|m| m.name == name), "{name}");
    }
    assert!(
        record.documents[0]
            .text
            .starts_with("layer,pre,post,weight,delay_steps\n0,0,0,")
    );
    config.test_every = 30;
    let error = run(&config, path.clone()).unwrap_err().to_string();
    assert!(error.contains("the trials of class `word 0`"), "{error}");
    config.test_every = 5;
    config.trials = "reversal".into();
    let error = run(&config, path).unwrap_err();
    assert!(error.downcast_ref::<DataError>().is_some(), "{error}");
    config.trials = "trial".into();
    let one = recording(folder.path(), 30, |_| "all".into());
    let error = run(&config, one).unwrap_err().to_string();
    assert!(
        error.contains("classes: expected at least 2, found 1"),
        "{error}"
    );
    let unnamed = recording(folder.path(), 30, |_| String::new());
    let error = run(&config, unnamed).unwrap_err().to_string();
    assert!(error.contains("a label, the class"), "{error}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        assert!(config.validate().is_ok());
        change(&mut config);
        config.validate().unwrap_err().field
    };
    Config::preset(chiasm_lab::Preset::Paper)
        .validate()
        .unwrap();
    assert_eq!(refused(&|c| c.recovery.length = 4), "recovery.length");
    assert_eq!(refused(&|c| c.order.task.classes = 1), "order.task.classes");
    assert_eq!(
        refused(&|c| c.order.network.tau_ms = 1.0),
        "order.network.tau_ms"
    );
    assert_eq!(refused(&|c| c.order.sparsity = 0.0), "order.sparsity");
    assert_eq!(refused(&|c| c.order.wide = 0.1), "order.wide");
    assert_eq!(
        refused(&|c| c.order.max_delays_ms = vec![1.0]),
        "order.max_delays_ms"
    );
    assert_eq!(
        refused(&|c| c.spoken.cochlea.bands = 0),
        "spoken.cochlea.bands"
    );
    assert_eq!(refused(&|c| c.spoken.test = 0), "spoken.test");
    let fit = FitConfig {
        test_every: 1,
        ..FitConfig::default()
    };
    assert_eq!(fit.validate().unwrap_err().field, "test_every");
}
