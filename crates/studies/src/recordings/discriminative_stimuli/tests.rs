use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chiasm_core::{Failure, Streams, TimeAxis};
use chiasm_data::arrays::write_npz;
use chiasm_data::generate::{CellTypes, MovieTypes, cell_types, movie_types};
use chiasm_data::{Activity, Covariate, DiskFiles, Draft, Missing, Traces};
use chiasm_lab::{Bench, Fit, Input, Preset, Settings, Study};
use ndarray::{Array2, ArrayD, IxDyn};

use super::*;

#[test]
fn every_claim_is_measured_or_excused_and_runs_are_alike() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut bench = Bench::in_memory(3);
            Study::run(&DiscriminativeStimuliStudy, &Config::smoke(), &mut bench).unwrap();
            bench.record().clone()
        })
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.metrics, three.metrics);
    assert_eq!(format!("{:?}", one.figures), format!("{:?}", three.figures));
    for claim in DiscriminativeStimuliStudy.claims() {
        let measured = one.metrics.iter().any(|m| m.name == claim.metric);
        assert!(
            measured || one.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
    }
    let value = |name: &str| one.metrics.iter().find(|m| m.name == name).unwrap().value;
    assert_eq!(value("toy/least-ari"), 1.0);
    assert_eq!(value("toy/most-clusters"), 2.0);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |config: Config| config.validate().unwrap_err().field;
    let d = Config::default;
    assert_eq!(
        refused(Config {
            start_clusters: vec![8, 4],
            ..d()
        }),
        "start_clusters"
    );
    assert_eq!(
        refused(Config {
            start_clusters: vec![97],
            ..d()
        }),
        "start_clusters"
    );
    let mut cold = d();
    cold.paper.temperature = f64::NAN;
    assert_eq!(refused(cold), "paper.temperature");
    let mut bad = FitConfig::default();
    bad.clustering.clip = vec![(1.0, 0.0)];
    assert_eq!(bad.validate().unwrap_err().field, "clustering.clip");
    Config::preset(Preset::Paper).validate().unwrap();
}

fn fitted(config: &FitConfig, path: &Path) -> Result<Bench, Failure> {
    let input = Input {
        paths: vec![path.to_path_buf()],
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&DiscriminativeStimuliFit, config, &input, &mut bench)?;
    Ok(bench)
}

fn value(bench: &Bench, name: &str) -> f64 {
    let metric = bench.record().metrics.iter().find(|m| m.name == name);
    metric.unwrap_or_else(|| panic!("no {name}")).value
}

type Arrays = BTreeMap<String, ArrayD<f64>>;

fn write(path: &Path, arrays: &Arrays) -> PathBuf {
    write_npz(&DiskFiles, path, arrays).unwrap();
    path.to_path_buf()
}

fn image_model() -> Arrays {
    let planted = CellTypes {
        per_type: (6, 6),
        ..CellTypes::default()
    };
    let truth = cell_types(&planted, &Streams::new(2)).unwrap();
    let n = truth.labels.len();
    let filters = truth
        .filters
        .into_shape_with_order(IxDyn(&[n, 18, 18]))
        .unwrap();
    let labels = truth.labels.iter().map(|&l| l as f64).collect::<Vec<f64>>();
    BTreeMap::from([
        ("filters".into(), filters),
        (
            "gains".into(),
            ArrayD::from_shape_vec(vec![n], truth.gains).unwrap(),
        ),
        ("offsets".into(), ArrayD::from_elem(vec![n], -1.0)),
        (
            "labels".into(),
            ArrayD::from_shape_vec(vec![n], labels).unwrap(),
        ),
    ])
}

#[test]
fn a_model_file_is_clustered_and_compared_with_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder.path().join("model.npz"), &image_model());
    let mut config = FitConfig::default();
    config.clustering.clusters = 16;
    config.clustering.split = false;
    let bench = fitted(&config, &path).unwrap();
    assert!(value(&bench, "ari") > 0.8, "{}", value(&bench, "ari"));
    assert_eq!(value(&bench, "neurons"), 48.0);
    let record = bench.record();
    assert_eq!(record.tables[0].rows.len(), 48);
    assert_eq!(record.recordings[0].1.n_units(), 324);
    assert_eq!(record.figures.len(), 4);
    // Labels from a file of one's own, and reference responses.
    let labels = folder.path().join("labels.csv");
    let text: String = (0..48).map(|i| format!("{i},t{}\n", i / 6)).collect();
    std::fs::write(&labels, format!("neuron,type\n{text}")).unwrap();
    let responses = ArrayD::from_shape_fn(vec![5, 48], |i| ((i[0] * 7 + i[1]) % 5) as f64);
    let arrays = BTreeMap::from([("responses".into(), responses)]);
    let reference = write(&folder.path().join("reference.npz"), &arrays);
    let own = FitConfig {
        labels: Some(labels.clone()),
        reference: Some(reference.clone()),
        ..config.clone()
    };
    assert!(value(&fitted(&own, &path).unwrap(), "ari") > 0.5);
    std::fs::write(&labels, "type\na\nb\n").unwrap();
    let error = fitted(&own, &path).err().unwrap().to_string();
    assert!(
        error.contains("labels.csv") && error.contains("48 neurons"),
        "{error}"
    );
    let narrow = BTreeMap::from([("responses".into(), ArrayD::zeros(vec![5, 7]))]);
    write(&reference, &narrow);
    let own = FitConfig {
        reference: Some(reference),
        ..config
    };
    let error = fitted(&own, &path).err().unwrap().to_string();
    assert!(
        error.contains("responses") && error.contains("[5, 7]"),
        "{error}"
    );
}

#[test]
fn a_movie_model_is_clustered() {
    let folder = tempfile::tempdir().unwrap();
    let planted = MovieTypes {
        side: 8,
        lags: 4,
        n_types: 4,
        per_type: (5, 5),
        ..MovieTypes::default()
    };
    let truth = movie_types(&planted, &Streams::new(2)).unwrap();
    let space = truth
        .space
        .into_shape_with_order(IxDyn(&[20, 8, 8]))
        .unwrap();
    let arrays = BTreeMap::from([
        ("space".into(), space),
        ("time".into(), truth.time.into_dyn()),
    ]);
    let path = write(&folder.path().join("movies.npz"), &arrays);
    let mut config = FitConfig::default();
    config.clustering.clusters = 8;
    config.clustering.norm = Some(30.0);
    config.clustering.split = false;
    let bench = fitted(&config, &path).unwrap();
    assert!((2.0..=8.0).contains(&value(&bench, "types")));
    assert!(bench.record().metrics.iter().all(|m| m.name != "ari"));
}

#[test]
fn models_that_do_not_fit_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.npz");
    let error = |change: &dyn Fn(&mut Arrays)| {
        let mut arrays = image_model();
        change(&mut arrays);
        write(&path, &arrays);
        let error = fitted(&FitConfig::default(), &path)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("model.npz"), "{error}");
        error
    };
    let flat = |a: &mut Arrays| {
        a.insert("filters".into(), ArrayD::zeros(vec![48, 324]));
    };
    assert!(error(&flat).contains("[neuron, line, column]"));
    let nan = |a: &mut Arrays| {
        a.get_mut("filters").unwrap()[[0, 0, 5]] = f64::NAN;
    };
    let text = error(&nan);
    assert!(
        text.contains("filters") && text.contains("index 5"),
        "{text}"
    );
    let gains = |a: &mut Arrays| {
        a.insert("gains".into(), ArrayD::zeros(vec![3]));
    };
    assert!(error(&gains).contains("48 neurons"));
    let labels = |a: &mut Arrays| {
        a.insert("labels".into(), ArrayD::zeros(vec![3]));
    };
    assert!(error(&labels).contains("48 neurons"));
    let one = |a: &mut Arrays| {
        a.clear();
        a.insert("filters".into(), ArrayD::ones(vec![1, 4, 4]));
    };
    assert!(error(&one).contains("at least 2 neurons"));
    let two = Input {
        paths: vec![path.clone(), path],
        ..Input::default()
    };
    let fault = Fit::fit(
        &DiscriminativeStimuliFit,
        &FitConfig::default(),
        &two,
        &mut Bench::in_memory(1),
    );
    assert!(fault.unwrap_err().to_string().contains("2 files"));
}

/// ON and OFF units at a corner, on frames of white noise shown at 20 Hz.
fn recording(pixels: bool) -> (Draft, ArrayD<f64>, ArrayD<f64>) {
    let n = 900;
    let pixel = |t: usize, p: usize| ((t * 7919 + p * 104_729 + t * p * 31) % 997) as f64 / 997.0;
    let values = Array2::from_shape_fn((n, 6), |(t, u)| {
        let sign = if u % 2 == 0 { 1.0 } else { -1.0 };
        (sign * (pixel(t, 4) - 0.5) + 0.05 * pixel(t + 3, u + 20)) as f32
    });
    let time = TimeAxis::Regular {
        start_s: 0.0,
        rate_hz: 20.0,
        len: n,
    };
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: time.clone(),
        values,
        quantity: String::new(),
    }));
    if pixels {
        draft.covariates = (0..9)
            .map(|p| Covariate {
                name: format!("pixel:{}:{}", p / 3, p % 3),
                unit: String::new(),
                time: time.clone(),
                values: (0..n).map(|t| pixel(t, p)).collect(),
            })
            .collect();
    } else {
        draft.covariates = vec![Covariate {
            name: "velocity".into(),
            unit: "mm/s".into(),
            time,
            values: vec![0.0; n],
        }];
    }
    let frames = ArrayD::from_shape_fn(vec![n, 3, 3], |i| pixel(i[0], i[1] * 3 + i[2]));
    let times = ArrayD::from_shape_fn(vec![n], |i| i[0] as f64 / 20.0);
    (draft, frames, times)
}

#[test]
fn a_recording_with_its_frames_gives_on_and_off_and_one_without_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write_recording = |name: &str, pixels| {
        let path = folder.path().join(name);
        let recording = recording(pixels).0.validate(Missing::Refuse).unwrap();
        chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
        path
    };
    let mut config = FitConfig {
        lags: 1,
        nonlinearity: chiasm_probe::stimuli::Nonlinearity::Identity,
        ..FitConfig::default()
    };
    config.clustering.clusters = 4;
    let with = write_recording("with.npz", true);
    let bench = fitted(&config, &with).unwrap();
    assert_eq!(value(&bench, "types"), 2.0);
    assert!(value(&bench, "receptive-fields/correlation") > 0.9);
    // The same from a file of frames.
    let without = write_recording("without.npz", false);
    let (_, frames, times) = recording(false);
    let arrays = BTreeMap::from([("frames".into(), frames), ("frame_times".into(), times)]);
    let frames = write(&folder.path().join("frames.npz"), &arrays);
    let own = FitConfig {
        frames: Some(frames),
        ..config.clone()
    };
    assert_eq!(value(&fitted(&own, &without).unwrap(), "types"), 2.0);
    let error = fitted(&config, &without).err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("without.npz") && text.contains("stimulus frames"),
        "{text}"
    );
    assert!(text.contains("velocity"), "{text}");
    assert!(error.help().is_some_and(|h| h.contains("frames=FILE.npz")));
}
