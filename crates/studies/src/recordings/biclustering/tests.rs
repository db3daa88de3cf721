use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chiasm_analysis::biclustering::Biclustering;
use chiasm_core::{Failure, Group, Quiet, TimeAxis, Watch};
use chiasm_data::generate::{ClusteredCounts, clustered_counts};
use chiasm_data::{Activity, DiskFiles, Draft, Missing, Spikes, Traces};
use chiasm_lab::bench::Checkpoints;
use chiasm_lab::{Bench, Fit, Input, Preset, Settings, Study};
use ndarray::Array2;

use super::*;

fn small() -> FitConfig {
    FitConfig {
        method: Biclustering {
            states: 3,
            sweeps: 30,
            burn_in: 10,
            chains: 2,
            ..FitConfig::default().method
        },
        stages: 3,
        ..FitConfig::default()
    }
}

fn fitted(config: &FitConfig, path: &Path, missing: Missing) -> Result<Bench, Failure> {
    let input = Input {
        paths: vec![path.to_path_buf()],
        missing,
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&BiclusteringFit, config, &input, &mut bench)?;
    Ok(bench)
}

fn value(bench: &Bench, name: &str) -> f64 {
    bench
        .record()
        .metrics
        .iter()
        .find(|m| m.name == name)
        .unwrap()
        .value
}

/// A file of sampled counts `[bin, unit]` at 2 Hz.
fn file(folder: &Path, name: &str, values: Array2<f32>, missing: Missing) -> PathBuf {
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 2.0,
            len: values.nrows(),
        },
        values,
        quantity: "spike count".into(),
    }));
    for (u, unit) in draft.units.iter_mut().enumerate() {
        unit.id = format!("u{u}");
    }
    let path = folder.join(name);
    chiasm_data::io::write(&DiskFiles, &path, &draft.validate(missing).unwrap()).unwrap();
    path
}

fn some_counts(n_bins: usize, n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n_bins, n), |(t, u)| {
        let on = (t / 12) % 2 == u % 2;
        if on {
            (3 + (t * 5 + u) % 4) as f32
        } else {
            ((t + 2 * u) % 3 == 0) as u8 as f32
        }
    })
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |config: Config| config.validate().unwrap_err().field;
    assert_eq!(
        refused(Config {
            held_out: 0.0,
            ..Config::smoke()
        }),
        "held_out"
    );
    assert_eq!(
        refused(Config {
            arm_sweeps: 1,
            ..Config::smoke()
        }),
        "arm_sweeps"
    );
    assert_eq!(
        refused(Config {
            poisson_sweeps: 1,
            ..Config::smoke()
        }),
        "poisson_sweeps"
    );
    let bad = FitConfig {
        bin_s: Some(0.0),
        ..FitConfig::default()
    };
    assert_eq!(bad.validate().unwrap_err().field, "bin_s");
    Config::preset(Preset::Paper).validate().unwrap();
    FitConfig::preset(Preset::Paper).validate().unwrap();
}

#[test]
fn the_poisson_variant_may_be_left_out() {
    let mut bench = Bench::in_memory(2);
    let config = Config {
        poisson_sweeps: 0,
        ..Config::smoke()
    };
    Study::run(&BiclusteringStudy, &config, &mut bench).unwrap();
    assert!(bench.record().excused.contains_key("poisson-states"));
}

#[test]
fn a_recording_with_regions_and_epochs_is_compared_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = ClusteredCounts {
        cluster_size: 8,
        n_bins: 400,
        ..ClusteredCounts::default()
    };
    let (recording, _) = clustered_counts(&data, &chiasm_core::Streams::new(3)).unwrap();
    let path = folder.path().join("counts.nwb");
    chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
    // Long enough for the chains to find the clusters, which are the regions here.
    let mut config = small();
    config.method.sweeps = 150;
    config.method.burn_in = 100;
    let bench = fitted(&config, &path, Missing::Refuse).unwrap();
    assert_eq!(
        (value(&bench, "neurons"), value(&bench, "bins")),
        (24.0, 400.0)
    );
    let (within, between) = (
        value(&bench, "regions/within"),
        value(&bench, "regions/between"),
    );
    assert!(within > between + 0.3, "{within} {between}");
    assert!(value(&bench, "epochs/adjusted_rand") > -1.0);
    let record = bench.record();
    assert_eq!(record.figures.len(), 5);
    assert!(
        record
            .tables
            .iter()
            .any(|t| t.id == "neurons" && t.rows.len() == 24)
    );
    assert_eq!(record.recordings[0].0, "paths");
    let none = FitConfig {
        epochs: Some("trial".into()),
        ..small()
    };
    assert!(
        fitted(&none, &path, Missing::Refuse)
            .err()
            .unwrap()
            .to_string()
            .contains("`trial`")
    );
}

#[test]
fn spike_times_are_binned() {
    let folder = tempfile::tempdir().unwrap();
    let times = (0..5)
        .map(|u| {
            (0..60)
                .map(|s| f64::from(s) * 0.5 + f64::from(u) * 0.07)
                .filter(|t| (t / 6.0) as usize % 2 == u as usize % 2 || u == 0)
                .collect()
        })
        .collect();
    let draft = Draft::new(Activity::Spikes(Spikes {
        times,
        start_s: 0.0,
        stop_s: 31.0,
    }));
    let path = folder.path().join("spikes.nwb");
    chiasm_data::io::write(&DiskFiles, &path, &draft.validate(Missing::Refuse).unwrap()).unwrap();
    let bench = fitted(&small(), &path, Missing::Refuse).unwrap();
    assert_eq!(
        (value(&bench, "neurons"), value(&bench, "bins")),
        (5.0, 62.0)
    );
    let wide = FitConfig {
        bin_s: Some(1.0),
        ..small()
    };
    assert_eq!(
        value(&fitted(&wide, &path, Missing::Refuse).unwrap(), "bins"),
        31.0
    );
}

#[test]
fn missing_counts_are_done_without_and_silent_units_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut values = some_counts(60, 6);
    values[[3, 2]] = f32::NAN;
    values[[40, 5]] = f32::NAN;
    values.column_mut(4).fill(0.0);
    let path = file(folder.path(), "holed.npz", values, Missing::Keep);
    let bench = fitted(&small(), &path, Missing::Keep).unwrap();
    assert_eq!(value(&bench, "neurons"), 5.0);
    let notes = bench.record().notes.join("; ");
    assert!(
        notes.contains("2 counts are missing") && notes.contains("u4"),
        "{notes}"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_file_and_unit() {
    let folder = tempfile::tempdir().unwrap();
    let good = some_counts(60, 6);
    let mut cases: Vec<(&str, Array2<f32>, &str)> = vec![];
    let mut changed = |name, at: [usize; 2], v: f32, words| {
        let mut values = good.clone();
        values[at] = v;
        cases.push((name, values, words));
    };
    changed("negative.npz", [7, 3], -2.0, "u3");
    changed("fraction.npz", [7, 3], 0.5, "u3");
    cases.push((
        "one-unit.npz",
        some_counts(60, 1),
        "expected more than 2 neurons",
    ));
    cases.push(("two-bins.npz", some_counts(2, 6), "3"));
    cases.push(("states.npz", some_counts(3, 6), "`states`"));
    cases.push(("zeros.npz", Array2::zeros((60, 6)), "zeros.npz"));
    for (name, values, words) in cases {
        let path = file(folder.path(), name, values, Missing::Refuse);
        let error = fitted(&small(), &path, Missing::Refuse).err().unwrap();
        let text = error.to_string();
        assert_eq!(error.group(), Group::Input, "{text}");
        assert!(
            text.contains(name) && text.contains(words),
            "{name}: {text}"
        );
    }
    let mut holed = good.clone();
    holed.column_mut(2).fill(f32::NAN);
    let path = file(folder.path(), "unobserved.npz", holed, Missing::Keep);
    let text = fitted(&small(), &path, Missing::Keep)
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains("u2") && text.contains("observed"), "{text}");
    // Nothing varies, and yet it is a recording of counts.
    let path = file(
        folder.path(),
        "constant.npz",
        Array2::from_elem((40, 5), 2.0),
        Missing::Refuse,
    );
    fitted(&small(), &path, Missing::Refuse).unwrap();
    let two = Input {
        paths: vec![path.clone(), path],
        ..Input::default()
    };
    let error = Fit::fit(&BiclusteringFit, &small(), &two, &mut Bench::in_memory(1))
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("exactly one recording, found 2 files"),
        "{error}"
    );
}

#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Vec<u8>>>);

impl Checkpoints for Kept {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.lock().unwrap().get(name).cloned())
    }
    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.0.lock().unwrap().insert(name.into(), bytes.to_vec());
        Ok(())
    }
}

/// Stops after so many sweeps.
struct StopsAfter(Mutex<u64>);

impl Watch for StopsAfter {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, n: u64) {
        let mut left = self.0.lock().unwrap();
        *left = left.saturating_sub(n);
    }
    fn cancelled(&self) -> bool {
        *self.0.lock().unwrap() == 0
    }
}

#[test]
fn a_killed_fit_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "counts.npz",
        some_counts(60, 6),
        Missing::Refuse,
    );
    let input = Input {
        paths: vec![path],
        ..Input::default()
    };
    let run = |watch: Arc<dyn Watch + Send>, kept: Arc<Kept>| {
        let mut bench = Bench::new(5, watch, kept);
        let ended = Fit::fit(&BiclusteringFit, &small(), &input, &mut bench).map_err(|e| e.group());
        (ended.map(|f| f.summary), bench.record().clone())
    };
    let whole = run(Arc::new(Quiet), Arc::new(Kept::default()));
    let kept = Arc::new(Kept::default());
    // 30 sweeps of two chains in three stages: killed in the second.
    let killed = run(Arc::new(StopsAfter(Mutex::new(31))), kept.clone());
    assert_eq!(killed.0, Err(Group::Cancelled));
    assert_eq!(kept.0.lock().unwrap().len(), 1);
    let resumed = run(Arc::new(Quiet), kept);
    assert_eq!(whole.0.unwrap(), resumed.0.unwrap());
    assert_eq!(whole.1.metrics, resumed.1.metrics);
    assert_eq!(
        format!("{:?}", whole.1.figures),
        format!("{:?}", resumed.1.figures)
    );
}
