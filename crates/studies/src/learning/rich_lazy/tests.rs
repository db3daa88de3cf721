use std::collections::BTreeMap;
use std::path::Path;

use chiasm_lab::{Bench, ClaimKind, Fit, Input, Preset, Settings, Study};
use ndarray::Array2;

use super::config::Task;
use super::*;

fn value(bench: &Bench, name: &str) -> f64 {
    let metric = bench.record().metrics.iter().find(|m| m.name == name);
    metric.unwrap_or_else(|| panic!("{name} is missing")).value
}

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&RichLazyStudy, &Config::smoke(), &mut bench).unwrap();
    for claim in RichLazyStudy.claims() {
        let excused = bench.record().excused.contains_key(claim.id);
        let measured = bench
            .record()
            .metrics
            .iter()
            .find(|m| m.name == claim.metric);
        assert!(measured.is_some() || excused, "{}", claim.id);
        if let Some(found) = measured
            && claim.kind == ClaimKind::Exact
            && !excused
        {
            assert!(
                claim.bound.holds(found.value),
                "{}: {}",
                claim.id,
                found.value
            );
        }
    }
    assert!(bench.record().excused.contains_key("same-loss"));
    assert!(
        bench
            .record()
            .excused
            .contains_key("connectome-learns-richer")
    );
    assert!((value(&bench, "theory/alignment/rank-10") - 0.96476).abs() < 0.02);
    assert_eq!(bench.record().figures.len(), 5);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert!(Config::preset(Preset::Paper).validate().is_ok());
    assert_eq!(field(&|c| c.sweeps = vec![]), "sweeps");
    assert_eq!(
        field(&|c| c.sweeps[1].task = Task::TwoAlternatives),
        "sweeps.1.task"
    );
    assert_eq!(
        field(&|c| c.sweeps[0].ranks = vec![0, 300]),
        "sweeps.0.ranks"
    );
    assert_eq!(
        field(&|c| c.sweeps[0].ranks = vec![1, 30]),
        "sweeps.0.ranks"
    );
    assert_eq!(
        field(&|c| c.sweeps[0].ranks = vec![1, 301]),
        "sweeps.0.ranks"
    );
    assert_eq!(field(&|c| c.nets = 1), "nets");
    assert_eq!(field(&|c| c.learning.gain = -1.0), "learning.gain");
    assert_eq!(field(&|c| c.learning.leak = 0.0), "learning.leak");
    assert_eq!(field(&|c| c.theory.descents = 20_000), "theory.descents");
    assert_eq!(field(&|c| c.theory.kappas = vec![0.5]), "theory.kappas");
    assert_eq!(field(&|c| c.structured.hidden = 1), "structured.hidden");
    let fit = FitConfig {
        task: Task::Digits,
        ..FitConfig::default()
    };
    assert_eq!(fit.validate().unwrap_err().field, "task");
}

fn fitted(config: &FitConfig, path: &Path) -> Result<Bench, Failure> {
    let input = Input {
        paths: vec![path.to_path_buf()],
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&RichLazyFit, config, &input, &mut bench)?;
    Ok(bench)
}

#[test]
fn own_weights_learn_beside_gaussian_ones_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, values: &Array2<f64>| {
        let path = folder.path().join(name);
        let arrays = BTreeMap::from([("weights".to_owned(), values.clone().into_dyn())]);
        chiasm_data::arrays::write_npz(&chiasm_data::DiskFiles, &path, &arrays).unwrap();
        path
    };
    let low = Array2::from_shape_fn((12, 12), |(i, j)| {
        ((i * 5) as f64).sin() * ((j * 3) as f64).cos()
    });
    let path = put("low.npz", &low);
    let config = FitConfig {
        iterations: 30,
        nets: 2,
        ..FitConfig::default()
    };
    let bench = fitted(&config, &path).unwrap();
    assert!((value(&bench, "low/participation/own") - 1.0).abs() < 1e-9);
    let (own, gaussian) = (
        value(&bench, "low/norm/own"),
        value(&bench, "low/norm/gaussian"),
    );
    assert!((own / gaussian - 1.0).abs() < 1e-12);
    assert_eq!(bench.record().figures.len(), 1);
    let text = |name: &str, values: &Array2<f64>| {
        fitted(&config, &put(name, values))
            .err()
            .unwrap()
            .to_string()
    };
    assert!(text("wide.npz", &Array2::ones((2, 3))).contains("a square matrix"));
    assert!(text("zero.npz", &Array2::zeros((3, 3))).contains("not 0"));
    let mut holes = low;
    holes[[1, 1]] = f64::NAN;
    assert!(text("holes.npz", &holes).contains("index 13"));
}
