//! Files of h5py, pynwb, numpy, pandas and scipy read by chiasm, and chiasm's read by them.
//!
//! The libraries are installed from PyPI at pinned versions into a virtual environment below Cargo's temporary folder,
//! once for each set of pins. Where there is no Python the test says so and passes, unless `CHIASM_REQUIRE_PYTHON=1`.

use std::path::{Path, PathBuf};
use std::process::Command;

use chiasm_core::TimeAxis;
use chiasm_data::io::{Mapping, ReadOptions, read, write};
use chiasm_data::{DataError, DiskFiles, Recording};
use ndarray::Array2;
use sha2::{Digest, Sha256};

const LABELS: [&str; 7] = ["AVAL", "AVAR", "RIML", "RIMR", "AVB", "γ1", "x"];

fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python")
}

/// Runs a command; its output is the error.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// The Python of an environment that holds the pinned libraries.
fn python() -> Result<PathBuf, String> {
    let pins = scripts().join("requirements.txt");
    let text = std::fs::read(&pins).map_err(|e| e.to_string())?;
    let key: String = Sha256::digest(&text)
        .iter()
        .take(6)
        .map(|b| format!("{b:02x}"))
        .collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{key}"));
    let python = folder.join("bin/python");
    if !folder.join("ready").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(&pins))?;
        std::fs::write(folder.join("ready"), b"").map_err(|e| e.to_string())?;
    }
    Ok(python)
}

/// What the Python side says the files hold.
struct Truth {
    folder: PathBuf,
    x: Array2<f32>,
    t: Vec<f64>,
    speed: Vec<f64>,
    spikes: Vec<Vec<f64>>,
}

impl Truth {
    fn read(folder: PathBuf) -> Self {
        let doubles = |name: &str| -> Vec<f64> {
            let bytes = std::fs::read(folder.join(name)).expect(name);
            let words = bytes.chunks_exact(8);
            words
                .map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")))
                .collect()
        };
        let bytes = std::fs::read(folder.join("x.f4")).expect("x");
        let words = bytes.chunks_exact(4);
        let x: Vec<f32> = words
            .map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")))
            .collect();
        let flat = doubles("spikes.f8");
        let mut rest = flat.as_slice();
        let spikes = (0..4)
            .map(|i| {
                let (train, after) = rest.split_at(20 * i);
                rest = after;
                train.to_vec()
            })
            .collect();
        Self {
            x: Array2::from_shape_vec((60, 7), x).expect("a matrix"),
            t: doubles("t.f8"),
            speed: doubles("speed.f8"),
            spikes,
            folder,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn open(&self, name: &str, map: Option<&str>) -> Result<Recording, DataError> {
        let options = ReadOptions {
            map: map.map(|m| m.parse().expect("a mapping")),
            ..ReadOptions::default()
        };
        read(self.file(name), &options)
    }

    fn check_traces(&self, recording: &Recording, what: &str) {
        let traces = recording.traces().expect(what);
        assert_eq!(traces.values, self.x, "{what}");
        assert_eq!(traces.time, TimeAxis::Explicit(self.t.clone()), "{what}");
    }

    fn check_speed(&self, recording: &Recording, what: &str) {
        let channel = recording.covariate("speed").expect(what);
        assert_eq!(channel.values, self.speed, "{what}");
        assert_eq!(channel.time.to_vec(), self.t, "{what}");
    }
}

fn labels(recording: &Recording) -> Vec<&str> {
    recording
        .units()
        .iter()
        .map(chiasm_data::Unit::name)
        .collect()
}

#[test]
fn both_ways() {
    let python = match python() {
        Ok(python) => python,
        Err(why) if std::env::var_os("CHIASM_REQUIRE_PYTHON").is_some_and(|v| v == "1") => {
            panic!("no Python environment: {why}")
        }
        Err(why) => {
            eprintln!("skipped: no Python environment could be made: {why}");
            return;
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    if let Err(why) = run(Command::new(&python)
        .arg(scripts().join("theirs.py"))
        .arg(folder.path()))
    {
        panic!("theirs.py failed: {why}");
    }
    let truth = Truth::read(folder.path().to_path_buf());
    hdf5(&truth);
    nwb(&truth);
    tables(&truth);
    let recordings = write_ours(&truth);
    if let Err(why) = run(Command::new(&python)
        .arg(scripts().join("ours.py"))
        .arg(folder.path()))
    {
        panic!("ours.py failed: {why}");
    }
    drop(recordings);
}

fn hdf5(truth: &Truth) {
    for version in ["earliest", "v108", "v110", "v112", "latest"] {
        let file = format!("h5py-{version}.h5");
        let layouts = [
            "plain",
            "double",
            "big_endian",
            "chunked",
            "gzip",
            "shuffle",
            "fletcher",
            "lzf",
            "growing",
            "growing_1",
            "soft",
            "deep/er/x",
        ];
        for layout in layouts {
            let what = format!("{layout} of {file}");
            let map = format!("traces={layout},time=t,speed=speed,labels=labels");
            let recording = truth
                .open(&file, Some(&map))
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            truth.check_traces(&recording, &what);
            truth.check_speed(&recording, &what);
            assert_eq!(labels(&recording), LABELS, "{what}");
        }
        let open = |map: &str| {
            truth
                .open(&file, Some(map))
                .unwrap_or_else(|e| panic!("{map} of {file}: {e}"))
        };
        truth.check_traces(&open("traces=transposed,time=t,axes=unit.time"), &file);
        truth.check_traces(&open("traces=transposed,time=t"), &file);
        truth.check_traces(&open("traces=plain,time=table/t,speed=table/speed"), &file);
        assert_eq!(
            labels(&open(
                "traces=plain,time=t,labels=units/label,ids=units/id,kinds=units/tag"
            )),
            LABELS
        );
        assert_eq!(
            labels(&open("traces=plain,time=t,labels=labels_fixed")),
            LABELS
        );
        let regular = open("traces=plain,rate=rate,axes=time.unit,start=2");
        let time = TimeAxis::Regular {
            start_s: 2.0,
            rate_hz: 10.0,
            len: 60,
        };
        assert_eq!(regular.traces().expect("traces").time, time);
        let packed = open("traces=lzf_shuffle,rate=1,axes=time.unit");
        assert_eq!(
            packed.traces().expect("traces").values.row(50),
            truth.x.row(1)
        );
        assert_eq!(
            open("spikes=ragged").spikes().expect("spikes").times,
            truth.spikes
        );
        let half = open("traces=plain,time=t,h=half@half,flags=flags@t,scaled=scaled@t");
        assert_eq!(
            half.covariate("h").expect("half").values,
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(
            half.covariate("flags").expect("flags").values[..4],
            [1.0, 0.0, 0.0, 1.0]
        );
        assert_eq!(half.covariate("scaled").expect("scaled").values[59], 59.0);
        let ms = open("traces=plain,time=t_ms,time_unit=ms");
        assert!((ms.traces().expect("traces").time.at(3) - truth.t[3]).abs() < 1e-9);
        for (map, says) in [
            ("traces=nothing,time=t", "nothing"),
            ("traces=none,time=t", "none"),
            ("traces=units,time=t", "units"),
            ("traces=labels,time=t", "labels"),
            ("traces=away,time=t", "away"),
            ("traces=loop,time=t", "loop"),
            ("traces=plain,time=labels", "labels"),
            ("traces=gzipp,time=t", "gzipp"),
        ] {
            let error = truth.open(&file, Some(map)).expect_err(map).to_string();
            assert!(
                error.contains(&file) && error.contains(says),
                "{map}: {error}"
            );
        }
        let error = truth.open(&file, None).expect_err("no mapping");
        assert!(matches!(error, DataError::Unsupported { .. }), "{error}");
    }
    let error = truth
        .open("virtual.h5", Some("traces=virtual,time=t"))
        .expect_err("virtual");
    assert!(error.to_string().contains("virtual dataset"), "{error}");
}

fn nwb(truth: &Truth) {
    for file in ["ophys-0.nwb", "ophys-1.nwb"] {
        let recording = truth
            .open(file, None)
            .unwrap_or_else(|e| panic!("{file}: {e}"));
        truth.check_traces(&recording, file);
        truth.check_speed(&recording, file);
        assert_eq!(labels(&recording), LABELS, "{file}");
        assert_eq!(recording.traces().expect("traces").quantity, "dF/F");
        let light = recording.covariate("light").expect("light");
        let time = TimeAxis::Regular {
            start_s: 1.0,
            rate_hz: 10.0,
            len: 30,
        };
        assert_eq!(
            (&light.time, light.values[3], light.unit.as_str()),
            (&time, 1.5, "V")
        );
        let stage = recording.covariate("stage_y").expect("stage_y");
        assert_eq!(stage.values[5] as f32, truth.x[[5, 1]]);
        let trials: Vec<_> = recording
            .epochs_of("trial")
            .map(|e| (e.start_s, e.label.as_str()))
            .collect();
        assert_eq!(trials, [(0.0, "A"), (10.0, "B"), (20.0, "A"), (30.0, "B")]);
        assert_eq!(recording.epochs_of("reversal").count(), 1);
        assert_eq!(recording.session().subject, "worm 1");
        assert_eq!(
            recording.session().start.as_deref(),
            Some("2024-01-02T03:04:05+00:00")
        );
        let part = ReadOptions {
            span_s: Some((truth.t[10], truth.t[19])),
            ..ReadOptions::default()
        };
        let part = read(truth.file(file), &part).expect("a part");
        assert_eq!(
            part.traces().expect("traces").values,
            truth.x.slice(ndarray::s![10..20, ..])
        );
    }
    let recording = truth.open("units.nwb", None).expect("units");
    let spikes = recording.spikes().expect("spikes");
    assert_eq!(spikes.times, truth.spikes);
    assert_eq!((spikes.start_s, spikes.stop_s), (0.0, 100.0));
    assert_eq!(recording.units()[2].id, "12");
    assert_eq!(recording.units()[2].region.as_deref(), Some("CA1"));
}

fn tables(truth: &Truth) {
    for file in [
        "numpy.npz",
        "pandas.csv",
        "pandas.parquet",
        "scipy.mat",
        "v73.mat",
    ] {
        let recording = truth
            .open(file, None)
            .unwrap_or_else(|e| panic!("{file}: {e}"));
        truth.check_traces(&recording, file);
        truth.check_speed(&recording, file);
        assert_eq!(labels(&recording), LABELS, "{file}");
    }
    let npy = truth
        .open("numpy.npy", Some("traces=array,rate=2,axes=time.unit"))
        .expect("npy");
    assert_eq!(npy.traces().expect("traces").values, truth.x);
    let cells = truth
        .open("cells.mat", Some("spikes=data/st,labels=data/name"))
        .expect("cells");
    assert_eq!(cells.spikes().expect("spikes").times, truth.spikes);
    assert_eq!(labels(&cells), LABELS[..4]);
    // Units that never fire are not in a long table.
    let long = truth.open("long.parquet", None).expect("long");
    assert_eq!(long.spikes().expect("spikes").times, truth.spikes[1..]);
    let named: Mapping = "traces=*,time=time_s,speed=covariate:speed[mm/s]"
        .parse()
        .expect("a mapping");
    assert_eq!(named.covariates["speed"].unit, "mm/s");
}

fn write_ours(truth: &Truth) -> Vec<Recording> {
    let traces = truth.open("ophys-0.nwb", None).expect("traces");
    // Only channels on the clock of the traces, so that the first is `speed`.
    let mut draft = traces.into_draft();
    draft.covariates.retain(|c| c.name == "speed");
    let traces = draft
        .clone()
        .validate(chiasm_data::Missing::Refuse)
        .expect("sound");
    if let chiasm_data::Activity::Traces(t) = &mut draft.activity {
        t.time = TimeAxis::Regular {
            start_s: 3.0,
            rate_hz: 12.5,
            len: 60,
        };
    }
    let regular = draft.validate(chiasm_data::Missing::Refuse).expect("sound");
    let spikes = truth.open("units.nwb", None).expect("spikes");
    for extension in ["npz", "csv", "parquet", "nwb"] {
        for (name, recording) in [
            ("traces", &traces),
            ("spikes", &spikes),
            ("regular", &regular),
        ] {
            let path = truth.file(&format!("ours-{name}.{extension}"));
            write(&DiskFiles, &path, recording).expect("written");
        }
    }
    vec![traces, spikes, regular]
}
