use chiasm_core::Streams;
use chiasm_data::DiskFiles;
use chiasm_data::generate::{PlantedCalcium, planted_calcium};
use chiasm_lab::{Bench, Fit, Input, Settings, Study};

use super::*;

#[test]
fn the_study_measures_every_claim_and_finds_the_motifs() {
    let mut bench = Bench::in_memory(0);
    DynamicConnectomeStudy
        .run(&Config::smoke(), &mut bench)
        .unwrap();
    let record = bench.record();
    let metric = |name: &str| {
        record
            .metrics
            .iter()
            .find(|m| m.name == name)
            .map(|m| m.value)
    };
    for claim in DynamicConnectomeStudy.claims() {
        assert!(
            metric(claim.metric).is_some(),
            "{} is not measured",
            claim.metric
        );
    }
    assert!(metric("time_correlation/method").unwrap() > 0.9);
    assert!(metric("pair_auc/method").unwrap() > 0.95);
    let figures: Vec<&str> = record.figures.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(
        figures,
        ["benchmark", "rank-diagnostics", "components", "arms"]
    );
}

#[test]
fn fit_takes_files_and_names_what_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let (animals, _) = planted_calcium(&PlantedCalcium::default(), &Streams::new(1)).unwrap();
    let paths: Vec<_> = (0..2)
        .map(|a| {
            let path = folder.path().join(format!("animal-{a}.npz"));
            chiasm_data::io::write(&DiskFiles, &path, &animals[a]).unwrap();
            path
        })
        .collect();
    let mut config = FitConfig::default();
    config.connectome.factorization.starts = 2;
    config.connectome.rank_rule.max_rank = 4;
    config.connectome.block_model.restarts = 2;
    config.behavior.bouts = "stimulus".into();
    config.behavior.shifts.n_shifts = 199;
    let mut bench = Bench::in_memory(0);
    let input = Input {
        paths,
        ..Input::default()
    };
    DynamicConnectomeFit
        .fit(&config, &input, &mut bench)
        .unwrap();
    let record = bench.record();
    assert_eq!(record.recordings.len(), 2);
    assert!(record.figures.iter().any(|f| f.id == "overview-2"));
    assert!(
        record
            .metrics
            .iter()
            .any(|m| m.name == "bouts_least_family_p/animal_1")
    );
    assert!(!record.tables[0].rows.is_empty());

    let none = DynamicConnectomeFit.fit(&config, &Input::default(), &mut Bench::in_memory(0));
    assert!(
        none.unwrap_err()
            .to_string()
            .contains("at least one recording")
    );
    let path = folder.path().join("single.npz");
    chiasm_data::io::write(&DiskFiles, &path, &animals[0].select_units(&[0]).unwrap()).unwrap();
    let input = Input {
        paths: vec![path],
        ..Input::default()
    };
    let error = DynamicConnectomeFit
        .fit(&config, &input, &mut Bench::in_memory(0))
        .unwrap_err();
    assert!(error.to_string().contains("at least 2 units"), "{error}");
}

#[test]
fn presets_are_valid() {
    for preset in [chiasm_lab::Preset::Quick, chiasm_lab::Preset::Paper] {
        Config::preset(preset).validate().unwrap();
    }
    FitConfig::default().validate().unwrap();
}
