use std::path::PathBuf;

use chiasm_core::Group;
use chiasm_data::generate::{CerebralFlow, cerebral_flow};
use chiasm_data::{Activity, DiskFiles, Draft, Missing, Recording, Spikes, Traces};
use chiasm_lab::{Bench, Entry, Fit, Input, Preset, Settings, Study};
use ndarray::Array2;

use super::*;

#[test]
fn every_claim_is_measured() {
    let mut bench = Bench::in_memory(3);
    Study::run(&TimeseriesNetworksStudy, &Config::smoke(), &mut bench).unwrap();
    for claim in TimeseriesNetworksStudy.claims() {
        let measured = bench
            .record()
            .metrics
            .iter()
            .any(|m| m.name == claim.metric);
        assert!(measured, "{}", claim.id);
    }
    let value = |name: &str| {
        bench
            .record()
            .metrics
            .iter()
            .find(|m| m.name == name)
            .unwrap()
            .value
    };
    // Small as it is, the effect and its null are there.
    assert!(value("cycle/fibrillation/drop") > value("cycle/sinus/drop") + 0.1);
    assert!(value("cycle/narrowed/drop") < 0.6 * value("cycle/fibrillation/drop"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::smoke();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(refused(|c| c.subjects = 1), "subjects");
    assert_eq!(refused(|c| c.density = 1.0), "density");
    assert_eq!(refused(|c| c.laid_out = 3), "laid_out");
    assert_eq!(refused(|c| c.samples = 20_000), "beats");
    let refused = |change: fn(&mut FitConfig)| {
        let mut config = FitConfig::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(refused(|c| c.construction = Construction::Cycle), "beats");
    assert_eq!(refused(|c| c.window_step_s = 0.0), "window_step_s");
    assert_eq!(refused(|c| c.lag_s = Some(-1.0)), "lag_s");
    assert_eq!(
        refused(|c| (c.distance, c.nearest) = (Some(1.0), Some(2))),
        "nearest"
    );
    assert_eq!(refused(|c| c.bin_s = Some(f64::NAN)), "bin_s");
    let entry: Entry = entry();
    assert!(
        entry
            .fit()
            .unwrap()
            .check(&entry.fit().unwrap().preset(Preset::Quick))
            .is_ok()
    );
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn keep(&self, name: &str, recording: &Recording) -> PathBuf {
        let path = self.0.path().join(name);
        chiasm_data::io::write(&DiskFiles, path.clone(), recording).unwrap();
        path
    }
}

fn traces(columns: &[Vec<f32>], rate_hz: f64) -> Recording {
    let n = columns[0].len();
    Draft::new(Activity::Traces(Traces {
        time: chiasm_core::TimeAxis::Regular {
            start_s: 0.0,
            rate_hz,
            len: n,
        },
        values: Array2::from_shape_fn((n, columns.len()), |(t, u)| columns[u][t]),
        quantity: String::new(),
    }))
    .validate(Missing::Refuse)
    .unwrap()
}

fn fit(
    config: &FitConfig,
    path: PathBuf,
) -> Result<chiasm_lab::bench::Record, chiasm_core::Failure> {
    config.validate()?;
    let mut bench = Bench::in_memory(5);
    let input = Input {
        paths: vec![path],
        ..Input::default()
    };
    Fit::fit(&TimeseriesNetworksFit, config, &input, &mut bench)?;
    Ok(bench.record().clone())
}

fn metric(record: &chiasm_lab::bench::Record, name: &str) -> f64 {
    record
        .metrics
        .iter()
        .find(|m| m.name == name)
        .unwrap()
        .value
}

#[test]
fn every_construction_on_a_recording() {
    let folder = Folder::new();
    let planted = CerebralFlow {
        n_beats: 40,
        step_s: 0.02,
        ..CerebralFlow::default()
    };
    let streams = chiasm_core::Streams::new(1);
    let recording = cerebral_flow(&planted, &streams)
        .unwrap()
        .recording()
        .unwrap();
    let path = folder.keep("flow.npz", &recording);
    for construction in [
        Construction::Natural,
        Construction::Horizontal,
        Construction::Windows,
        Construction::Recurrence,
        Construction::Cycle,
    ] {
        let config = FitConfig {
            construction,
            beat_epochs: Some("beat".into()),
            lag_s: Some(0.2),
            layout_steps: 5,
            edges: true,
            graphml: true,
            ..FitConfig::default()
        };
        let record = fit(&config, path.clone()).unwrap();
        assert_eq!(metric(&record, "units"), 4.0);
        let table = record.tables.iter().find(|t| t.id == "units").unwrap();
        assert_eq!(table.rows.len(), 4);
        let graph = record
            .documents
            .iter()
            .find(|d| d.id == "network-1")
            .unwrap();
        let listed = graph.text.matches("<edge ").count() as f64;
        assert_eq!(listed, table.rows[0][2].parse::<f64>().unwrap());
        let edges = record.tables.iter().find(|t| t.id == "edges-1").unwrap();
        let of_first: f64 = table.rows[0][2].parse().unwrap();
        assert_eq!(edges.rows.len() as f64, of_first, "{construction:?}");
        assert!(
            record.figures.iter().any(|f| f.id == "layouts"),
            "{construction:?}"
        );
    }
}

#[test]
fn spikes_are_counted_and_odd_recordings_are_named() {
    let folder = Folder::new();
    let spikes = Draft::new(Activity::Spikes(Spikes {
        times: vec![
            (0..50).map(|k| 0.37 * f64::from(k * k % 53)).collect(),
            vec![],
        ],
        start_s: 0.0,
        stop_s: 20.0,
    }));
    let mut spikes = spikes;
    if let Activity::Spikes(s) = &mut spikes.activity {
        s.times[0].sort_by(f64::total_cmp);
    }
    let path = folder.keep("spikes.npz", &spikes.validate(Missing::Refuse).unwrap());
    let refused = fit(&FitConfig::default(), path.clone()).unwrap_err();
    assert_eq!(refused.group(), Group::Input);
    assert!(refused.to_string().contains("bin_s"), "{refused}");
    let binned = FitConfig {
        bin_s: Some(0.5),
        layout_steps: 5,
        ..FitConfig::default()
    };
    let record = fit(&binned, path.clone()).unwrap();
    // A silent unit has a visibility graph, the bare path, and it is said so; it has no recurrence network.
    assert!(
        record
            .notes
            .iter()
            .any(|n| n.contains("Unit 1: the series is constant (0)"))
    );
    let states = FitConfig {
        construction: Construction::Recurrence,
        lag_s: Some(0.5),
        ..binned.clone()
    };
    let refused = fit(&states, path).unwrap_err().to_string();
    assert!(
        refused.contains("unit 1: the series is constant (0)"),
        "{refused}"
    );
    let one = folder.keep(
        "one.npz",
        &traces(&[(0..100).map(|i| (i * 37 % 101) as f32).collect()], 10.0),
    );
    assert_eq!(metric(&fit(&binned, one.clone()).unwrap(), "units"), 1.0);
    let cycles = FitConfig {
        construction: Construction::Cycle,
        beat_epochs: Some("beat".into()),
        ..FitConfig::default()
    };
    let refused = fit(&cycles, one.clone()).unwrap_err().to_string();
    assert!(refused.contains("beat_epochs"), "{refused}");
    let windows = FitConfig {
        construction: Construction::Windows,
        ..FitConfig::default()
    };
    let few = fit(
        &FitConfig {
            window_s: 5.0,
            window_step_s: 5.0,
            ..windows
        },
        one.clone(),
    )
    .unwrap_err();
    assert!(few.to_string().contains("expected at least 10"), "{few}");
    let guarded = FitConfig {
        max_edges: 50,
        ..FitConfig::default()
    };
    let many = fit(&guarded, one).unwrap_err();
    assert!(
        many.to_string().contains("unit 0: more than 50 edges"),
        "{many}"
    );
}

#[test]
fn a_file_of_beats_marks_cycles() {
    let folder = Folder::new();
    let x: Vec<f32> = (0..2000)
        .map(|i| ((i % 20) as f32 * 0.3).sin() + (i % 7) as f32 * 0.01)
        .collect();
    let path = folder.keep("wave.npz", &traces(&[x], 20.0));
    let beats = Draft::new(Activity::Spikes(Spikes {
        times: vec![(0..90).map(f64::from).collect()],
        start_s: 0.0,
        stop_s: 100.0,
    }));
    let beats = folder.keep("beats.csv", &beats.validate(Missing::Refuse).unwrap());
    let config = FitConfig {
        construction: Construction::Cycle,
        beats: Some(beats),
        layout_steps: 5,
        ..FitConfig::default()
    };
    let record = fit(&config, path).unwrap();
    assert_eq!(metric(&record, "nodes/mean"), 89.0);
    assert_eq!(metric(&record, "density/mean"), 1.0);
    let table = record.tables.iter().find(|t| t.id == "units").unwrap();
    assert!(table.columns.contains(&"at_one_cycle".to_owned()));
}
