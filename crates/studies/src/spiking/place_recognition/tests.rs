use std::collections::BTreeMap;

use chiasm_data::arrays::write_npz;
use chiasm_data::generate::route;
use chiasm_data::{DataError, DiskFiles};
use chiasm_lab::{Bench, Fit, Input, Settings, Study};

use super::*;

#[test]
fn every_claim_is_measured_or_excused() {
    let config = Config::smoke();
    let mut bench = Bench::in_memory(3);
    Study::run(&PlaceRecognitionStudy, &config, &mut bench).unwrap();
    let record = bench.record();
    for claim in PlaceRecognitionStudy.claims() {
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
    assert_eq!(value("paper-module/neurons"), 1584.0);
    assert_eq!(value("order/differing"), 0.0);
    assert_eq!(value("silencing/differing"), 0.0);
    assert_eq!(record.figures.len(), 6);
}

#[test]
fn own_images_are_taken_and_what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let smoke = Config::smoke();
    let (traverses, _) = route(&smoke.route.0, &chiasm_core::Streams::new(1)).unwrap();
    let paths: Vec<_> = traverses
        .iter()
        .enumerate()
        .map(|(t, images)| {
            let path = folder.path().join(format!("{t}.npz"));
            let images = images.mapv(f64::from).into_dyn();
            write_npz(
                &DiskFiles,
                &path,
                &BTreeMap::from([("images".into(), images)]),
            )
            .unwrap();
            path
        })
        .collect();
    let config = FitConfig {
        experiment: smoke.experiment,
        ..FitConfig::default()
    };
    let run = |config: &FitConfig, paths: &[std::path::PathBuf]| {
        let input = Input {
            paths: paths.to_vec(),
            ..Input::default()
        };
        let mut bench = Bench::in_memory(1);
        let found = PlaceRecognitionFit.fit(config, &input, &mut bench);
        found.map(|_| bench.record().clone())
    };
    let record = run(&config, &paths).unwrap();
    assert!(record.metrics.iter().any(|m| m.name == "sad/recall-at-1"));
    let error = run(&config, &paths[..1]).unwrap_err();
    assert!(error.downcast_ref::<DataError>().is_some(), "{error}");
    let mut long = config.clone();
    long.experiment.module.places_per_module = 9;
    long.experiment.calibration_places = 9;
    let error = run(&long, &paths).unwrap_err().to_string();
    assert!(error.contains("9 places"), "{error}");
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
    FitConfig::default().validate().unwrap();
    let field = refused(&|c| c.experiment.calibration_places = 30);
    assert_eq!(field, "experiment.calibration_places");
    assert_eq!(
        refused(&|c| c.experiment.thresholds = vec![5]),
        "experiment.thresholds"
    );
    assert_eq!(refused(&|c| c.experiment.repeats = 0), "experiment.repeats");
    assert_eq!(
        refused(&|c| c.experiment.module.dt_ms = 1.0),
        "experiment.module.dt_ms"
    );
    assert_eq!(refused(&|c| c.route.0.n_places = 40), "route.n_places");
    assert_eq!(refused(&|c| c.route.0.gammas = vec![]), "route.gammas");
    let one = |c: &mut Config| (c.route.0.gammas, c.route.0.contrasts) = (vec![1.0], vec![1.0]);
    assert_eq!(refused(&one), "route.gammas");
}
