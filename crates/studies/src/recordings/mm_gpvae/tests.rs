use chiasm_core::{Streams, TimeAxis};
use chiasm_data::generate::{RotatingDigits, rotating_digits};
use chiasm_data::{Activity, Covariate, DiskFiles, Draft, Epoch, Missing, Recording, Traces};
use chiasm_lab::{Bench, Fit, Input, Settings, Study};
use ndarray::Array2;

use super::*;

#[test]
fn the_study_measures_every_claim() {
    let mut bench = Bench::in_memory(0);
    MmGpVaeStudy.run(&Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    for claim in MmGpVaeStudy.claims() {
        assert!(
            record.metrics.iter().any(|m| m.name == claim.metric),
            "{} is not measured",
            claim.metric
        );
    }
    let figures: Vec<&str> = record.figures.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(
        figures,
        [
            "angle-from-images",
            "priors",
            "latents",
            "rates",
            "images",
            "training",
            "sweep"
        ]
    );
    assert_eq!(record.tables[0].rows.len(), 4);
}

#[test]
fn presets_are_valid_and_settings_are_refused_by_name() {
    for preset in [chiasm_lab::Preset::Quick, chiasm_lab::Preset::Paper] {
        Config::preset(preset).validate().unwrap();
    }
    FitConfig::default().validate().unwrap();
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(refused(|c| c.test_trials = 300), "test_trials");
    assert_eq!(refused(|c| c.model.n_shared = 0), "model.n_shared");
    assert_eq!(refused(|c| c.data.size = 2), "data.size");
    assert_eq!(refused(|c| c.single_rate = f64::NAN), "single_rate");
}

/// Counts of units driven by two latents, one of which two channels follow.
fn recording(bins: usize) -> Recording {
    let config = RotatingDigits {
        n_trials: 1,
        n_bins: bins,
        n_units: 12,
        size: 8,
        length_bins: 5.0,
        ..RotatingDigits::default()
    };
    let made = rotating_digits(&config, None, &Streams::new(3)).unwrap();
    let values = Array2::from_shape_fn((bins, 12), |(t, u)| made.counts[[0, t, u]]);
    let time = TimeAxis::Regular {
        start_s: 2.0,
        rate_hz: 10.0,
        len: bins,
    };
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: time.clone(),
        values,
        quantity: "count".into(),
    }));
    let channel = |name: &str, f: &dyn Fn(usize) -> f64| Covariate {
        name: name.into(),
        unit: "mm".into(),
        time: time.clone(),
        values: (0..bins).map(f).collect(),
    };
    draft.covariates = vec![
        channel("velocity", &|t| 3.0 * made.latents[[0, t, 0]] + 1.0),
        channel("angle", &|t| made.latents[[0, t, 0]].sin()),
        channel("still", &|_| 1.0),
    ];
    draft.epochs = (0..12)
        .map(|i| Epoch {
            kind: "lap".into(),
            label: String::new(),
            start_s: 2.0 + 3.0 * f64::from(i),
            stop_s: 2.0 + 3.0 * f64::from(i) + 2.0 + 0.1 * f64::from(i % 3),
        })
        .collect();
    draft.validate(Missing::Refuse).unwrap()
}

fn quick() -> FitConfig {
    let mut config = FitConfig {
        trial_bins: 20,
        ..FitConfig::default()
    };
    config.model.epochs = 20;
    config.model.n_neural = 2;
    config.model.n_behavior = 1;
    config.model.n_shared = 1;
    config
}

fn fit_of(recording: &Recording, config: &FitConfig) -> Result<Bench, chiasm_core::Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.npz");
    chiasm_data::io::write(&DiskFiles, &path, recording).unwrap();
    let input = Input {
        paths: vec![path],
        missing: Missing::Keep,
        ..Input::default()
    };
    let mut bench = Bench::in_memory(0);
    MmGpVaeFit.fit(config, &input, &mut bench).map(|_| bench)
}

#[test]
fn fit_finds_what_behavior_and_neurons_share() {
    let mut config = quick();
    config.model.epochs = 200;
    let bench = fit_of(&recording(600), &config).unwrap();
    let record = bench.record();
    let metric = |name: &str| {
        record
            .metrics
            .iter()
            .find(|m| m.name == name)
            .unwrap()
            .value
    };
    assert!(metric("behavior_r2/from_both/velocity") > 0.8);
    assert!(metric("behavior_r2/from_neural/velocity") > 0.5);
    assert!(record.notes.iter().any(|n| n.contains("still")));
    let names: Vec<&str> = record.recordings.iter().map(|r| r.0.as_str()).collect();
    assert_eq!(names, ["latents", "latent-variances"]);
    let latents = &record.recordings[0].1;
    assert_eq!((latents.n_units(), latents.covariates().len()), (2, 2));
    assert_eq!(latents.units()[1].id, "shared 1");
    // Neural activity alone.
    let mut alone = quick();
    alone.model.modalities = chiasm_net::models::mm_gpvae::Modalities::Neural;
    let bench = fit_of(&recording(600), &alone).unwrap();
    let metrics = &bench.record().metrics;
    assert!(metrics.iter().any(|m| m.name == "neural_r2/from_both"));
    assert!(!metrics.iter().any(|m| m.name.starts_with("behavior_r2")));
    // Trials from epochs of unequal length.
    config.epochs = "lap".into();
    config.model.epochs = 5;
    config.test_every = 4;
    fit_of(&recording(600), &config).unwrap();
}

#[test]
fn fit_names_what_it_refuses() {
    let refused = |r: &Recording, c: &FitConfig| fit_of(r, c).err().unwrap().to_string();
    let whole = recording(300);
    let said = refused(&whole.select_units(&[0]).unwrap(), &quick());
    assert!(
        said.contains("own.npz") && said.contains("at least 2 units"),
        "{said}"
    );
    let changed = |f: &dyn Fn(&mut Draft)| {
        let mut draft = whole.clone().into_draft();
        f(&mut draft);
        draft.validate(Missing::Keep).unwrap()
    };
    fn traces(d: &mut Draft) -> &mut Array2<f32> {
        match &mut d.activity {
            Activity::Traces(t) => &mut t.values,
            Activity::Spikes(_) => unreachable!("made of traces"),
        }
    }
    let silent = changed(&|d| traces(d).column_mut(3).fill(0.0));
    let said = refused(&silent, &quick());
    assert!(
        said.contains("unit 3") && said.contains("at least one spike"),
        "{said}"
    );
    let flat = changed(&|d| {
        traces(d).mapv_inplace(|v| v + 0.5);
        traces(d).column_mut(3).fill(0.5);
    });
    assert!(refused(&flat, &quick()).contains("values that vary"));
    let fractions = changed(&|d| traces(d)[[7, 2]] = 0.5);
    let poisson = FitConfig {
        activity: super::config::Activity::Poisson,
        ..quick()
    };
    let said = refused(&fractions, &poisson);
    assert!(
        said.contains("unit 2") && said.contains("index 7"),
        "{said}"
    );
    let bare = changed(&|d| d.covariates.clear());
    assert!(refused(&bare, &quick()).contains("behavior channel"));
    let unknown = FitConfig {
        channels: vec!["velocty".into()],
        ..quick()
    };
    assert!(refused(&whole, &unknown).contains("velocty"));
    let still = FitConfig {
        channels: vec!["still".into()],
        ..quick()
    };
    assert!(refused(&whole, &still).contains("varies"));
    let long = FitConfig {
        trial_bins: 200,
        ..quick()
    };
    assert!(refused(&whole, &long).contains("trials of 200 bins"));
    let kind = FitConfig {
        epochs: "run".into(),
        ..quick()
    };
    assert!(refused(&whole, &kind).contains("run"));
    // A hole in counts is refused, in traces masked.
    let hole = changed(&|d| traces(d)[[7, 2]] = f32::NAN);
    let gaussian = FitConfig {
        activity: super::config::Activity::Gaussian,
        ..quick()
    };
    assert!(refused(&hole, &poisson).contains("index 7"));
    fit_of(&hole, &gaussian).unwrap();
}
