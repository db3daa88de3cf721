use std::path::{Path, PathBuf};

use chiasm_analysis::switching::{Bias, Link, SwitchingGlm};
use chiasm_core::Streams;
use chiasm_data::generate::{SwitchingNetwork, switching_network};
use chiasm_data::{Activity, Counting, DiskFiles, Draft, Missing, Spikes, Traces};
use chiasm_lab::{Bench, Input, Preset, Settings};

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
            Study::run(&OnehotHmmGlmStudy, &Config::smoke(), &mut bench).unwrap();
            bench.record().clone()
        })
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.metrics, three.metrics);
    assert_eq!(format!("{:?}", one.figures), format!("{:?}", three.figures));
    for claim in OnehotHmmGlmStudy.claims() {
        let measured = one.metrics.iter().any(|m| m.name == claim.metric);
        assert!(
            measured || one.excused.contains_key(claim.id),
            "{}",
            claim.id
        );
    }
    let value = |name: &str| one.metrics.iter().find(|m| m.name == name).unwrap().value;
    assert!(value("chain/brute_force_difference") < 1e-12);
    assert!(value("held_out/truth") > value("held_out/one_state"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::smoke();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(refused(|c| c.networks = 0), "networks");
    assert_eq!(refused(|c| c.scarce_trials = 0), "scarce_trials");
    assert_eq!(refused(|c| c.scarce_trials = 5), "ample_trials");
    assert_eq!(refused(|c| c.ample_trials = 5), "ample_trials");
    assert_eq!(refused(|c| c.test_trials = 0), "test_trials");
    assert_eq!(refused(|c| c.model.states = 3), "model.states");
    assert_eq!(refused(|c| c.model.prior_sd = 0.0), "model.prior_sd");
    assert_eq!(refused(|c| c.data.stay = 2.0), "data.stay");
    for preset in [Preset::Quick, Preset::Paper] {
        Config::preset(preset).validate().unwrap();
    }
    let folds = FitConfig {
        folds: 1,
        ..FitConfig::default()
    };
    assert_eq!(folds.validate().unwrap_err().field, "folds");
    let states = FitConfig {
        compare_states: vec![2, 0],
        ..FitConfig::default()
    };
    assert_eq!(states.validate().unwrap_err().field, "compare_states");
    let bin = FitConfig {
        counting: Counting {
            bin_s: Some(0.0),
            ..Counting::default()
        },
        ..FitConfig::default()
    };
    assert_eq!(bin.validate().unwrap_err().field, "counting.bin_s");
}

fn quick() -> FitConfig {
    FitConfig {
        model: SwitchingGlm {
            states: 2,
            restarts: 1,
            epochs: 10,
            one_hot_epochs: 5,
            link: Link::Sigmoid,
            bias: Bias::Shared,
            ..SwitchingGlm::default()
        },
        ..FitConfig::default()
    }
}

fn written(folder: &Path, name: &str, draft: Draft) -> PathBuf {
    let path = folder.join(name);
    let recording = draft.validate(Missing::Keep).unwrap();
    chiasm_data::io::write(&DiskFiles, &path, &recording).unwrap();
    path
}

fn fitted(config: &FitConfig, path: PathBuf) -> Result<Bench, Failure> {
    let input = Input {
        paths: vec![path],
        missing: Missing::Keep,
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&OnehotHmmGlmFit, config, &input, &mut bench)?;
    Ok(bench)
}

#[test]
fn own_counts_are_fitted_in_trials_and_states_come_back_as_a_recording() {
    let network = SwitchingNetwork {
        states: 2,
        units: 6,
        trials: 4,
        bins: 400,
        ..SwitchingNetwork::default()
    };
    let (recording, _) = switching_network(&network, &Streams::new(2)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["counts.npz", "counts.nwb"] {
        let path = written(folder.path(), name, recording.clone().into_draft());
        let config = FitConfig {
            counting: Counting {
                trials: Some("trial".into()),
                ..Counting::default()
            },
            compare_states: vec![1, 2],
            folds: 2,
            ..quick()
        };
        let bench = fitted(&config, path).unwrap();
        let record = bench.record();
        let value = |name: &str| {
            record
                .metrics
                .iter()
                .find(|m| m.name == name)
                .unwrap()
                .value
        };
        assert_eq!(
            (value("units"), value("trials"), value("bins")),
            (6.0, 4.0, 1600.0)
        );
        assert!(value("held_out/2_states") > value("held_out/1_states"));
        assert!(value("occupancy/state_1") >= value("occupancy/state_2"));
        let (name, states) = &record.recordings[0];
        assert_eq!((name.as_str(), states.n_units()), ("states", 2));
        assert!(states.epochs_of("state").count() > 4);
        let ids: Vec<&str> = record.figures.iter().map(|f| f.id.as_str()).collect();
        assert_eq!(
            ids,
            ["weights", "prior", "states", "training", "number-of-states"]
        );
        assert_eq!(record.tables.len(), 3);
    }
}

fn counts(change: impl Fn(usize, usize) -> f32) -> Draft {
    Draft::new(Activity::Traces(Traces {
        time: chiasm_core::TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 50.0,
            len: 300,
        },
        values: ndarray::Array2::from_shape_fn((300, 3), |(t, u)| change(t, u)),
        quantity: String::new(),
    }))
}

fn pattern(t: usize, u: usize) -> f32 {
    ((t * 7 + u * 3) % 5 / 3) as f32
}

#[test]
fn what_is_no_count_ends_in_an_error_with_file_unit_and_index() {
    let folder = tempfile::tempdir().unwrap();
    let error = |name: &str, change: &dyn Fn(usize, usize) -> f32, config: &FitConfig| {
        let path = written(folder.path(), name, counts(change));
        let text = fitted(config, path.clone()).err().unwrap().to_string();
        assert!(text.contains(&path.display().to_string()), "{text}");
        text
    };
    let with =
        |at: (usize, usize), v: f32| move |t, u| if (t, u) == at { v } else { pattern(t, u) };
    assert!(error("a.npz", &with((9, 1), 0.5), &quick()).contains("unit 1, index 9"));
    assert!(error("b.npz", &with((9, 1), -1.0), &quick()).contains("0 or more"));
    assert!(error("c.npz", &with((9, 2), f32::NAN), &quick()).contains("missing"));
    assert!(error("d.npz", &|_, _| 0.0, &quick()).contains("at least one spike"));
    let silent = |t, u| if u == 2 { 0.0 } else { pattern(t, u) };
    assert!(error("e.npz", &silent, &quick()).contains("unit 2"));
    let many = FitConfig {
        model: SwitchingGlm {
            states: 301,
            ..quick().model
        },
        ..quick()
    };
    assert!(error("f.npz", &pattern, &many).contains("301 states"));
    let trials = FitConfig {
        counting: Counting {
            trials: Some("trial".into()),
            ..Counting::default()
        },
        ..quick()
    };
    assert!(error("g.npz", &pattern, &trials).contains("no epochs at all"));
    let long = FitConfig {
        model: SwitchingGlm {
            history_bins: 400,
            ..quick().model
        },
        ..quick()
    };
    assert!(error("h.npz", &pattern, &long).contains("more than 400 bins"));
    // Two files have no units in common.
    let input = Input {
        paths: vec!["a.npz".into(), "b.npz".into()],
        ..Input::default()
    };
    let two = Fit::fit(&OnehotHmmGlmFit, &quick(), &input, &mut Bench::in_memory(0));
    assert!(two.err().unwrap().to_string().contains("found 2 files"));
}

#[test]
fn one_unit_one_state_and_constant_counts_are_fitted() {
    let folder = tempfile::tempdir().unwrap();
    let one = FitConfig {
        model: SwitchingGlm {
            states: 1,
            ..quick().model
        },
        ..quick()
    };
    let constant = written(folder.path(), "constant.npz", counts(|_, _| 1.0));
    let bench = fitted(&one, constant.clone()).unwrap();
    let visited = |bench: &Bench| {
        let metrics = &bench.record().metrics;
        metrics
            .iter()
            .find(|m| m.name == "states_visited")
            .unwrap()
            .value
    };
    assert_eq!(visited(&bench), 1.0);
    // Two states of what never changes are one state, and that is said.
    let bench = fitted(&quick(), constant).unwrap();
    let notes = bench.record().notes.join("; ");
    assert!(
        notes.contains("never visited") || notes.contains("nearly the same"),
        "{notes}"
    );
    // Spike times of one unit, cut into pieces for the comparison.
    let times = (0..400)
        .map(|k| f64::from(k) * 0.05 + f64::from(k % 7) * 0.003)
        .collect();
    let spikes = Draft::new(Activity::Spikes(Spikes {
        times: vec![times],
        start_s: 0.0,
        stop_s: 21.0,
    }));
    let path = written(folder.path(), "spikes.nwb", spikes);
    let config = FitConfig {
        compare_states: vec![1],
        ..one
    };
    let bench = fitted(&config, path).unwrap();
    assert!(
        bench
            .record()
            .metrics
            .iter()
            .any(|m| m.name == "held_out/1_states")
    );
}
