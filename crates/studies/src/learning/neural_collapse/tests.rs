use std::collections::BTreeMap;
use std::path::PathBuf;

use chiasm_core::TimeAxis;
use chiasm_data::arrays::write_npz;
use chiasm_data::{Activity, DiskFiles, Draft, Epoch, Missing, Traces};
use chiasm_lab::{Bench, Fit, Input, Settings, Study};
use ndarray::{Array2, ArrayD};

use super::*;

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&NeuralCollapseStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    for claim in NeuralCollapseStudy.claims() {
        match record.metrics.iter().find(|m| m.name == claim.metric) {
            // Drawn digits and two networks are no bar.
            Some(_) if record.excused.contains_key(claim.id) => {}
            Some(metric) => assert!(
                claim.bound.holds(metric.value),
                "{} {}",
                claim.id,
                metric.value
            ),
            None => assert!(record.excused.contains_key(claim.id), "{}", claim.id),
        }
    }
    for claim in [
        "spectrum-reference",
        "layers-collapse",
        "feature-decay-matters-more",
    ] {
        assert!(record.excused.contains_key(claim), "{claim}");
    }
    let has = |name: &str| record.metrics.iter().any(|m| m.name == name);
    assert!(has("untrained/nc1/3") && has("decay/nc1/head-zero"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(field(&|c| c.model.lambda_w = 0.0), "model.lambda_w");
    assert_eq!(field(&|c| c.model.lambda_h = 0.0), "model.lambda_h");
    assert_eq!(field(&|c| c.model.lambda_h = 1.0), "model.lambda_h");
    assert_eq!(field(&|c| c.model.beta = 0.0), "model.beta");
    assert_eq!(field(&|c| c.classes = 1), "classes");
    assert_eq!(field(&|c| c.per_class = 1), "per_class");
    assert_eq!(field(&|c| c.features = 4), "features");
    let rows = |c: &mut Config| (c.per_class, c.features) = (100, 12);
    assert_eq!(field(&rows), "features");
    assert_eq!(field(&|c| c.decays = vec![]), "decays");
    assert_eq!(field(&|c| c.flow_decays = vec![0.1, 0.0]), "flow_decays");
    assert_eq!(field(&|c| c.springs = vec![0.0]), "springs");
    assert_eq!(field(&|c| c.flow.step = 0.0), "flow.step");
    assert_eq!(field(&|c| c.flow_lambda_w = f64::NAN), "flow_lambda_w");
    assert_eq!(field(&|c| c.layerwise.layers = 1), "layerwise.layers");
    assert_eq!(field(&|c| c.layerwise.rate = 0.0), "layerwise.rate");
    assert_eq!(field(&|c| c.decay.hidden = vec![]), "decay.hidden");
    assert_eq!(field(&|c| c.decay.networks = 0), "decay.networks");
    Config::preset(chiasm_lab::Preset::Paper)
        .validate()
        .unwrap();
    let both = FitConfig {
        epochs: Some("trial".into()),
        labels: Some("labels.csv".into()),
        ..FitConfig::default()
    };
    assert_eq!(both.validate().unwrap_err().field, "epochs");
}

fn fitted(config: &FitConfig, paths: &[PathBuf]) -> Result<Bench, Failure> {
    let input = Input {
        paths: paths.to_vec(),
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&NeuralCollapseFit, config, &input, &mut bench)?;
    Ok(bench)
}

fn value(bench: &Bench, name: &str) -> f64 {
    let metric = bench.record().metrics.iter().find(|m| m.name == name);
    metric.unwrap_or_else(|| panic!("{name} is missing")).value
}

/// Three classes at the corners of a triangle, scattered by so much.
fn triangle(scatter: f64) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..30).map(|i| i % 3).collect();
    let x = Array2::from_shape_fn((30, 2), |(i, j)| {
        let angle = labels[i] as f64 * 2.0 * std::f64::consts::PI / 3.0;
        let corner = [angle.cos(), angle.sin()][j];
        corner + scatter * ((i * 7 + j * 13) as f64).sin()
    });
    (x, labels)
}

/// What a file of arrays holds.
type Arrays = BTreeMap<String, ArrayD<f64>>;

#[test]
fn own_files_are_measured_and_bad_ones_end_in_their_error() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, scatter: f64, change: &dyn Fn(&mut Arrays)| {
        let (x, labels) = triangle(scatter);
        let weights = triangle(0.0).0.slice(ndarray::s![..3, ..]).to_owned();
        let labels: Vec<f64> = labels.iter().map(|l| *l as f64).collect();
        let mut arrays = BTreeMap::from([
            ("features".into(), x.into_dyn()),
            ("labels".into(), ndarray::arr1(&labels).into_dyn()),
            ("weights".into(), weights.into_dyn()),
        ]);
        change(&mut arrays);
        let path = folder.path().join(name);
        write_npz(&DiskFiles, &path, &arrays).unwrap();
        path
    };
    let same = |_: &mut BTreeMap<String, ArrayD<f64>>| {};
    let (early, late) = (put("early.npz", 0.4, &same), put("late.npz", 0.01, &same));
    let bench = fitted(&FitConfig::default(), &[early.clone(), late]).unwrap();
    assert!(value(&bench, "nc1/1") < 0.01 * value(&bench, "nc1/0"));
    assert!(value(&bench, "nc3/1") < 0.05 && value(&bench, "nc4/1") == 1.0);
    assert_eq!(bench.record().tables[0].rows[1][0], "late");

    let error =
        |config: &FitConfig, path: PathBuf| fitted(config, &[path]).err().unwrap().to_string();
    let default = FitConfig::default();
    let gap = put("gap.npz", 0.1, &|a| {
        let labels = a["labels"].mapv(|l| if l == 1.0 { 3.0 } else { l });
        a.insert("labels".into(), labels);
        a.remove("weights");
    });
    assert!(error(&default, gap).contains("class 1 has no samples"));
    let half = put("half.npz", 0.1, &|a| {
        let labels = a["labels"].mapv(|l| l + 0.5);
        a.insert("labels".into(), labels);
    });
    assert!(error(&default, half).contains("the number of a class"));
    let nan = put("nan.npz", 0.1, &|a| {
        let mut x = a["features"].clone();
        x[[4, 1]] = f64::NAN;
        a.insert("features".into(), x);
    });
    assert!(error(&default, nan).contains("row 4, column 1"));
    let flat = put("flat.npz", 0.1, &|a| {
        a.insert("features".into(), ArrayD::zeros(vec![30]));
    });
    assert!(error(&default, flat).contains("[sample, feature]"));
    let wide = put("wide.npz", 0.1, &|a| {
        a.insert("weights".into(), ArrayD::zeros(vec![3, 5]));
    });
    assert!(error(&default, wide).contains("features of the classifier: expected 2, found 5"));
    let csv = folder.path().join("labels.csv");
    let names: String = triangle(0.0)
        .1
        .iter()
        .map(|l| format!("{}\n", ["a", "b", "c"][*l]))
        .collect();
    std::fs::write(&csv, format!("label\n{names}")).unwrap();
    let with = FitConfig {
        labels: Some(csv),
        ..FitConfig::default()
    };
    let bench = fitted(&with, &[early]).unwrap();
    assert!(value(&bench, "nc1/0") > 0.01);
}

#[test]
fn layers_of_a_recording_are_measured_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (wide, labels) = triangle(0.3);
    let narrow = triangle(0.01).0;
    let values = Array2::from_shape_fn((30, 4), |(i, u)| {
        (if u < 2 {
            wide[[i, u]]
        } else {
            narrow[[i, u - 2]]
        }) as f32
    });
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: 30,
        },
        values,
        quantity: "activation".into(),
    }));
    for (u, unit) in draft.units.iter_mut().enumerate() {
        unit.region = Some(format!("layer {}", u / 2));
    }
    draft.epochs = labels
        .iter()
        .enumerate()
        .map(|(i, l)| Epoch {
            kind: "stimulus".into(),
            label: format!("digit {l}"),
            start_s: i as f64,
            stop_s: i as f64 + 1.0,
        })
        .collect();
    let path = folder.path().join("network.npz");
    let recording = draft.validate(Missing::Refuse).unwrap();
    chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
    for per_epoch in [PerEpoch::Mean, PerEpoch::Frames] {
        let config = FitConfig {
            epochs: Some("stimulus".into()),
            per_epoch,
            ..FitConfig::default()
        };
        let bench = fitted(&config, std::slice::from_ref(&path)).unwrap();
        assert!(value(&bench, "nc1/1") < 0.01 * value(&bench, "nc1/0"));
        assert_eq!(bench.record().tables[0].rows[1][0], "network layer 1");
    }
    let none = FitConfig {
        epochs: Some("trial".into()),
        ..FitConfig::default()
    };
    let error = fitted(&none, &[path]).err().unwrap().to_string();
    assert!(error.contains("epochs `trial`"), "{error}");
}
