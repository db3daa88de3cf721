//! One recording in six formats gives one answer; what is no recording, or none that can be fitted, gives an error that
//! names the file.

use std::fs;
use std::path::Path;

use chiasm::core::{Streams, TimeAxis};
use chiasm::data::generate::{PlantedCalcium, PlantedMotif, planted_calcium};
use chiasm::data::io;
use chiasm::data::{
    Activity, Covariate, DiskFiles, Draft, Epoch, Missing, Recording, Traces, Unit,
};
use ndarray::Array2;
use serde_json::Value;

use crate::support::Sandbox;

/// The smallest settings of a fit: what is tried here is the way from file to report.
const FIT: [&str; 9] = [
    "fit",
    "dynamic-connectome",
    "--json",
    "--set",
    "connectome.factorization.starts=1",
    "--set",
    "connectome.rank_rule.max_rank=2",
    "--set",
    "surrogates=0",
];

/// Where the arrays that [`write_arrays`] leaves stand.
const MAP: &str = "traces=traces,time=time,axes=time.unit,quantity=planted,velocity=velocity[mm/s],\
                   epochs.reversal=bouts";

/// Planted communities of one animal, on an uneven clock, with a channel and with bouts.
fn animal() -> Recording {
    let config = PlantedCalcium {
        n_neurons: 10,
        n_animals: 1,
        duration_s: 240.0,
        rate_hz: 2.0,
        motifs: vec![PlantedMotif {
            start_s: 40.0,
            stop_s: 140.0,
            animals: vec![0],
            community_sizes: vec![4, 3],
        }],
        hidden_share: 0.0,
        ..PlantedCalcium::default()
    };
    let (animals, _) = planted_calcium(&config, &Streams::new(3)).expect("valid");
    let mut draft = animals.into_iter().next().expect("one").into_draft();
    let Activity::Traces(traces) = &mut draft.activity else {
        panic!("calcium comes as traces")
    };
    let times_s = (0..traces.time.len()).map(|i| i as f64 / 2.0 + 0.1 * (i as f64).sin().abs());
    traces.time = TimeAxis::Explicit(times_s.collect());
    traces.quantity = "planted".into();
    let time = traces.time.clone();
    draft.units = (0..10).map(|i| Unit::new(i.to_string())).collect();
    draft.covariates = vec![Covariate {
        name: "velocity".into(),
        unit: "mm/s".into(),
        values: time.to_vec().iter().map(|t| (t / 9.0).sin()).collect(),
        time,
    }];
    draft.epochs = (0..8)
        .map(|i| Epoch {
            kind: "reversal".into(),
            label: String::new(),
            start_s: 28.3 * f64::from(i) + 5.7,
            stop_s: 28.3 * f64::from(i) + 12.9,
        })
        .collect();
    draft.session.id = "animal".into();
    draft.session.subject = String::new();
    draft.validate(Missing::Refuse).expect("valid")
}

/// What a mapped file holds: names, shapes `[rows, columns]` and values in C order.
fn arrays(recording: &Recording) -> Vec<(&'static str, [usize; 2], Vec<f64>)> {
    let traces = recording.traces().expect("traces");
    let (n_samples, n_units) = traces.values.dim();
    let bouts: Vec<f64> = recording
        .epochs()
        .iter()
        .flat_map(|e| [e.start_s, e.stop_s])
        .collect();
    let velocity = recording.covariate("velocity").expect("there");
    vec![
        (
            "traces",
            [n_samples, n_units],
            traces.values.iter().map(|&v| f64::from(v)).collect(),
        ),
        ("time", [n_samples, 1], traces.time.to_vec()),
        ("velocity", [n_samples, 1], velocity.values.clone()),
        ("bouts", [bouts.len() / 2, 2], bouts),
    ]
}

/// A MAT 5 file of double matrices (MathWorks, "MAT-File Format", 2024): a header of 128 bytes, then an element of type
/// 14 for each, which holds flags, dimensions, name and values, each padded to 8 bytes.
fn mat(recording: &Recording) -> Vec<u8> {
    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).expect("small");
        let mut bytes = [kind.to_le_bytes(), length.to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
    let mut file = vec![b' '; 124];
    file[..19].copy_from_slice(b"MATLAB 5.0 MAT-file");
    file.extend([0, 1, b'I', b'M']);
    for (name, [rows, columns], values) in arrays(recording) {
        let dims = [rows as i32, columns as i32].map(i32::to_le_bytes).concat();
        let by_column = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c));
        let data: Vec<u8> = by_column.flat_map(|i| values[i].to_le_bytes()).collect();
        let parts = [
            element(6, &[6, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &dims),
            element(1, name.as_bytes()),
            element(9, &data),
        ];
        file.extend(element(14, &parts.concat()));
    }
    file
}

fn write_hdf5(path: &Path, recording: &Recording) {
    let file = rust_hdf5::H5File::create(path).expect("created");
    for (name, [rows, columns], values) in arrays(recording) {
        let shape: &[usize] = if columns == 1 {
            &[rows]
        } else {
            &[rows, columns]
        };
        let dataset = file.new_dataset::<f64>().shape(shape).create(name);
        dataset.expect("made").write_raw(&values).expect("written");
    }
    file.close().expect("closed");
}

/// Whether two results say the same: numbers to 1e-6, everything else to the letter.
fn assert_same(a: &Value, b: &Value, at: &str) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            assert!(x.keys().eq(y.keys()), "{at}");
            for (key, value) in x {
                assert_same(value, &y[key], &format!("{at}/{key}"));
            }
        }
        (Value::Array(x), Value::Array(y)) => {
            assert_eq!(x.len(), y.len(), "{at}");
            for (i, (x, y)) in x.iter().zip(y).enumerate() {
                assert_same(x, y, &format!("{at}/{i}"));
            }
        }
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().expect("f64"), y.as_f64().expect("f64"));
            assert!((x - y).abs() <= 1e-6 * x.abs().max(1.0), "{at}: {x} {y}");
        }
        _ => assert_eq!(a, b, "{at}"),
    }
}

/// The tables and figures of a run: every CSV below its folder, cell by cell.
fn cells(folder: &Path) -> Value {
    let mut files = serde_json::Map::new();
    for part in ["tables", "figures"] {
        let mut paths: Vec<_> = fs::read_dir(folder.join(part))
            .expect("a folder")
            .map(|e| e.expect("an entry").path())
            .filter(|p| p.extension().is_some_and(|e| e == "csv"))
            .collect();
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).expect("readable");
            let cell = |c: &str| c.parse::<f64>().map_or_else(|_| c.into(), Value::from);
            let row = |l: &str| l.split(',').map(cell).collect::<Vec<Value>>();
            let rows: Vec<Vec<Value>> = text.lines().map(row).collect();
            let name = path.file_name().expect("a name").to_string_lossy();
            files.insert(format!("{part}/{name}"), rows.into());
        }
    }
    assert!(files.len() >= 4, "{files:?}");
    Value::Object(files)
}

#[test]
fn one_recording_gives_the_same_numbers_from_every_format() {
    let sandbox = Sandbox::new();
    let recording = animal();
    // In folders of their own: the name of the file is part of the report.
    let formats = ["npz", "csv", "nwb", "parquet", "mat", "h5"];
    let mut first: Option<(Value, Value)> = None;
    for format in formats {
        let folder = sandbox.join(format);
        fs::create_dir(&folder).expect("made");
        let path = folder.join(format!("animal.{format}"));
        match format {
            "mat" => fs::write(&path, mat(&recording)).expect("written"),
            "h5" => write_hdf5(&path, &recording),
            _ => io::write(&DiskFiles, &path, &recording).expect("written"),
        }
        let file = format!("{format}/animal.{format}");
        let run = format!("{format}/run");
        let mut args = FIT.to_vec();
        args.extend([file.as_str(), "--out", run.as_str()]);
        if matches!(format, "mat" | "h5") {
            args.extend(["--map", MAP]);
        }
        let ended = sandbox.chiasm(&args);
        assert_eq!(ended.code, Some(0), "{format}: {}", ended.all());
        let mut json = ended.json();
        let fields = json.as_object_mut().expect("an object");
        for differs in ["folder", "report", "input", "provenance"] {
            assert!(fields.remove(differs).is_some(), "{differs}");
        }
        for differs in ["wall_s", "peak_memory_bytes"] {
            assert!(fields.remove(differs).is_some(), "{differs}");
        }
        assert!(
            json["metrics"].as_object().is_some_and(|m| m.len() > 3),
            "{}",
            json["metrics"]
        );
        let found = (json, cells(&sandbox.join(&run)));
        match &first {
            None => first = Some(found),
            Some((json, cells)) => {
                assert_same(json, &found.0, format);
                assert_same(cells, &found.1, format);
            }
        }
    }
}

/// Traces at 2 Hz from a rule, of units `u0`, `u1`, ...
fn draft(n_samples: usize, n_units: usize, value: impl Fn(usize, usize) -> f32) -> Draft {
    let values = Array2::from_shape_fn((n_samples, n_units), |(t, u)| value(t, u));
    let time = TimeAxis::Explicit((0..n_samples).map(|t| t as f64 / 2.0).collect());
    let mut draft = Draft::new(Activity::Traces(Traces {
        time,
        values,
        quantity: String::new(),
    }));
    for (i, unit) in draft.units.iter_mut().enumerate() {
        unit.id = format!("u{i}");
    }
    draft
}

/// Sound files of recordings that no method can use.
#[test]
fn what_cannot_be_fitted_is_refused_by_file_field_and_index() {
    let sandbox = Sandbox::new();
    let wave = |t: usize, u: usize| ((t * (u + 2)) as f32 / 7.0).sin();
    let cases: [(&str, Draft, &[&str]); 5] = [
        (
            "constant",
            draft(300, 4, |_, _| 1.0),
            &["no scale for 4 of 4 units", "u0, u1, u2, u3"],
        ),
        (
            "one-constant",
            draft(300, 4, |t, u| if u == 2 { 5.0 } else { wave(t, u) }),
            &["no scale for 1 of 4 units", "constant trace in u2"],
        ),
        (
            "single",
            draft(300, 1, wave),
            &["expected at least 2 units to form a pair, found 1"],
        ),
        (
            "short",
            draft(2, 4, wave),
            &["expected at least 10 frames", "found 1"],
        ),
        (
            "hole",
            draft(300, 4, |t, u| {
                if (t, u) == (7, 3) {
                    f32::NAN
                } else {
                    wave(t, u)
                }
            }),
            &["`traces`", "unit u3", "index 7", "found NaN", "--missing"],
        ),
    ];
    for (name, draft, words) in cases {
        let recording = draft.validate(Missing::Keep).expect("a recording");
        for format in ["npz", "csv", "nwb", "parquet"] {
            let file = format!("{name}.{format}");
            io::write(&DiskFiles, sandbox.join(&file), &recording).expect("written");
            let run = format!("run-{file}");
            let mut args = FIT.to_vec();
            args.extend([file.as_str(), "--out", run.as_str()]);
            let ended = sandbox.chiasm(&args);
            assert_eq!(ended.code, Some(2), "{file}: {}", ended.all());
            let error = &ended.json()["error"];
            let said = format!("{} {}", error["message"], error["help"]);
            for word in words.iter().chain([&file.as_str()]) {
                assert!(said.contains(word), "{file}: `{word}` in {said}");
            }
            assert_eq!(error["causes"], Value::Array(vec![]), "said twice");
        }
    }
}

/// What is no recording at all, for both methods: empty, noise, sound at first and then noise, and cut short.
#[test]
fn damaged_files_are_refused_by_name() {
    let sandbox = Sandbox::new();
    let recording = animal();
    let noise: Vec<u8> = (0..3000u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    for format in ["npz", "csv", "nwb", "parquet", "mat", "h5"] {
        let path = sandbox.join(&format!("sound.{format}"));
        match format {
            "mat" => fs::write(&path, mat(&recording)).expect("written"),
            "h5" => write_hdf5(&path, &recording),
            _ => io::write(&DiskFiles, &path, &recording).expect("written"),
        }
        let sound = fs::read(&path).expect("there");
        let head = [&sound[..520], &noise].concat();
        // Cut within a line, for a table that ends with a line is a table.
        let middle = sound.len() / 2
            + sound[sound.len() / 2..]
                .iter()
                .position(|&b| b == b',')
                .unwrap_or(0);
        let cases = [
            ("empty", vec![]),
            ("noise", noise.clone()),
            ("head", head),
            ("cut", sound[..middle].to_vec()),
        ];
        for (name, bytes) in cases {
            let file = format!("{name}.{format}");
            fs::write(sandbox.join(&file), bytes).expect("written");
            let run = format!("run-{file}");
            let mut args = FIT.to_vec();
            args.extend([file.as_str(), "--out", run.as_str()]);
            let bins = [
                "fit", "trsa", "--json", "--set", "bins=10", &file, "--out", &run,
            ];
            for args in [&args[..], &bins] {
                let ended = sandbox.chiasm(args);
                assert_eq!(ended.code, Some(2), "{file}: {}", ended.all());
                let error = &ended.json()["error"];
                let said = error["message"].as_str().expect("a message");
                assert!(said.contains(&file), "{said}");
            }
        }
    }
}
