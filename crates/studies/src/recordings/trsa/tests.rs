use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chiasm_core::{Failure, Quiet};
use chiasm_lab::bench::Checkpoints;
use chiasm_lab::{Bench, Entry, Fit, Input, Preset, Settings, Study};

use super::*;

#[test]
fn every_claim_is_measured_or_excused_and_runs_are_alike() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut bench = Bench::in_memory(3);
            Study::run(&TrsaStudy, &Config::smoke(), &mut bench).unwrap();
            bench.record().clone()
        })
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.metrics, three.metrics);
    assert_eq!(format!("{:?}", one.figures), format!("{:?}", three.figures));
    for claim in TrsaStudy.claims() {
        let measured = one.metrics.iter().any(|m| m.name == claim.metric);
        assert!(
            measured || one.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
        assert!(!claim.place.is_empty());
    }
    let value = |name: &str| one.metrics.iter().find(|m| m.name == name).unwrap().value;
    assert!(value("eights/ratio/rank") > 4.0 && value("eights/ratio/geodesic") < 0.8);
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

#[test]
fn what_was_not_measured_is_absent_and_said_again_when_a_run_goes_on() {
    let config = Config {
        stimuli: 24,
        bootstraps: 4,
        impute_duplicates: true,
        ..Config::smoke()
    };
    let kept = Arc::new(Kept::default());
    let run = || {
        let mut bench = Bench::new(3, Arc::new(Quiet), kept.clone());
        Study::run(&TrsaStudy, &config, &mut bench).unwrap();
        bench.record().clone()
    };
    let first = run();
    let has = |name: &str| first.metrics.iter().any(|m| m.name == name);
    assert!(has("accuracy/k-nearest") && has("error/rank"));
    // Geodesics are not drawn anew with imputed duplicates: neither 0 nor 1 stands for what is unknown.
    assert!(!has("error/k-nearest") && !has("error/two-step"));
    let bars = first.figures.iter().find(|f| f.id == "networks-families");
    let errors: Vec<f64> = bars
        .unwrap()
        .panels
        .iter()
        .flat_map(|p| &p.marks)
        .filter_map(|m| match m {
            chiasm_lab::figure::Mark::Bars { error, .. } => Some(error.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert!(errors.iter().any(|e| e.is_nan()) && errors.iter().any(|e| *e > 0.0));
    let said = |notes: &[String]| notes.iter().any(|n| n.contains("no bootstrap error"));
    assert!(said(&first.notes));
    let resumed = run();
    assert_eq!(first.notes, resumed.notes);
    assert_eq!(first.metrics, resumed.metrics);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |config: Config| config.validate().unwrap_err().field;
    assert_eq!(
        refused(Config {
            grid_step: 0.0,
            ..Config::smoke()
        }),
        "grid_step"
    );
    assert_eq!(
        refused(Config {
            noise_levels: vec![],
            ..Config::smoke()
        }),
        "noise_levels"
    );
    assert_eq!(
        refused(Config {
            seeds: 1,
            ..Config::smoke()
        }),
        "seeds"
    );
    assert_eq!(
        refused(Config {
            bootstraps: 0,
            ..Config::smoke()
        }),
        "bootstraps"
    );
    let bad = FitConfig {
        lower: 0.8,
        upper: 0.2,
        ..FitConfig::default()
    };
    assert_eq!(bad.validate().unwrap_err().field, "lower");
    Config::preset(Preset::Paper).validate().unwrap();
    let _: Entry = entry();
}

fn quick() -> FitConfig {
    FitConfig {
        grid_step: 0.25,
        draws: 1,
        bootstraps: 10,
        ..FitConfig::default()
    }
}

fn fitted(config: &FitConfig, paths: &[PathBuf]) -> Result<Bench, chiasm_core::Failure> {
    let input = Input {
        paths: paths.to_vec(),
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&TrsaFit, config, &input, &mut bench)?;
    Ok(bench)
}

#[test]
fn own_files_with_labels_are_identified_and_bad_ones_end_in_their_error() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let square = |d: [f64; 6]| {
        let [a, b, c, e, f, g] = d;
        format!("0,{a},{b},{c}\n{a},0,{e},{f}\n{b},{e},0,{g}\n{c},{f},{g},0\n")
    };
    let paths: Vec<PathBuf> = [
        ("a.csv", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ("b.csv", [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]),
        ("c.csv", [10.0, 21.0, 30.0, 42.0, 50.0, 63.0]),
        ("d.csv", [63.0, 50.0, 42.0, 30.0, 21.0, 10.0]),
    ]
    .into_iter()
    .map(|(name, d)| put(name, &square(d)))
    .collect();
    let labels = put("labels.csv", "subject,region\nx,V1\nx,IT\ny,V1\ny,IT\n");
    let config = FitConfig {
        labels: Some(labels),
        ..quick()
    };
    let bench = fitted(&config, &paths).unwrap();
    let rank = bench
        .record()
        .metrics
        .iter()
        .find(|m| m.name == "accuracy/rank")
        .unwrap();
    assert_eq!(rank.value, 1.0);
    assert_eq!(bench.record().figures.len(), 5);

    let error =
        |config: &FitConfig, paths: &[PathBuf]| fitted(config, paths).err().unwrap().to_string();
    assert!(error(&quick(), &paths).contains("has no subject"));
    let one = put("one.csv", "subject,region\nx,V1\nx,IT\nx,V1\nx,IT\n");
    let one = FitConfig {
        labels: Some(one),
        ..quick()
    };
    assert!(error(&one, &paths).contains("at least 2 subjects, found 1"));
    let missing = put("missing.csv", "subject,region\nx,V1\nx,IT\ny,V1\ny,V1\n");
    let missing = FitConfig {
        labels: Some(missing),
        ..quick()
    };
    assert!(error(&missing, &paths).contains("region `IT` is found in subject `x` alone"));
    let equal = put("equal.csv", &square([1.0; 6]));
    assert!(error(&quick(), &[equal]).contains("distances that differ"));
    let wide = put("wide.csv", "0,1,2\n1,0,3\n");
    assert!(error(&quick(), &[wide]).contains("a square matrix"));
    let lopsided = put("lopsided.csv", "0,1,2\n5,0,3\n2,3,0\n");
    assert!(error(&quick(), &[lopsided]).contains("a symmetric matrix"));
    let both = FitConfig {
        epochs: Some("trial".into()),
        bins: Some(5),
        ..quick()
    };
    assert!(error(&both, &paths).contains("found both"));
    // Comparison alone needs no labels.
    let only = FitConfig {
        task: Task::Compare,
        ..quick()
    };
    assert!(fitted(&only, &paths).is_ok());
}

#[test]
fn recordings_become_rdms_by_region() {
    use chiasm_core::TimeAxis;
    use chiasm_data::{Activity, DiskFiles, Draft, Epoch, Missing, Traces};
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (s, subject) in ["anna", "bert", "carl"].iter().enumerate() {
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Regular {
                start_s: 0.0,
                rate_hz: 1.0,
                len: 24,
            },
            values: ndarray::Array2::from_shape_fn((24, 16), |(t, u)| {
                let (condition, region) = (t / 4, u / 8);
                let shared = ((condition * (3 + 4 * region) + u * (region + 2)) as f32).sin();
                shared + 0.1 * ((t * 7 + u * 13 + s * 29) as f32).sin()
            }),
            quantity: String::new(),
        }));
        for (u, unit) in draft.units.iter_mut().enumerate() {
            unit.region = Some(if u < 8 { "V1" } else { "IT" }.into());
        }
        draft.epochs = (0..6)
            .map(|c| Epoch {
                kind: "stimulus".into(),
                label: format!("image {c}"),
                start_s: f64::from(c) * 4.0,
                stop_s: f64::from(c) * 4.0 + 4.0,
            })
            .collect();
        draft.session.subject = (*subject).into();
        let path = folder.path().join(format!("{subject}.npz"));
        let recording = draft.validate(Missing::Refuse).unwrap();
        chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
        paths.push(path);
    }
    let config = FitConfig {
        epochs: Some("stimulus".into()),
        ..quick()
    };
    let bench = fitted(&config, &paths).unwrap();
    let value = |name: &str| {
        bench
            .record()
            .metrics
            .iter()
            .find(|m| m.name == name)
            .unwrap()
            .value
    };
    assert_eq!((value("rdms"), value("stimuli")), (6.0, 6.0));
    assert_eq!(value("accuracy/rank"), 1.0);
    let none = FitConfig {
        epochs: Some("trial".into()),
        ..quick()
    };
    assert!(
        fitted(&none, &paths)
            .err()
            .unwrap()
            .to_string()
            .contains("`trial`")
    );
}
