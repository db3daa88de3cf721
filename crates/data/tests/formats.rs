//! What is written reads back the same, in every format; what is damaged is refused, never with a panic.

use std::path::{Path, PathBuf};

use chiasm_core::TimeAxis;
use chiasm_data::io::{Format, Mapping, ReadOptions, read, read_bytes, write};
use chiasm_data::{
    Activity, Covariate, DataError, DiskFiles, Draft, Epoch, Missing, Recording, Session, Spikes,
    Traces, Unit,
};
use ndarray::Array2;
use proptest::prelude::*;

const EXTENSIONS: [&str; 5] = ["npz", "nwb", "csv", "tsv", "parquet"];

fn keep() -> ReadOptions {
    ReadOptions {
        missing: Missing::Keep,
        ..ReadOptions::default()
    }
}

/// A recording as text with every bit of every number, its channels by name and its epochs in one order.
fn exact(recording: &Recording) -> String {
    let mut draft = recording.clone().into_draft();
    draft.covariates.sort_by(|a, b| a.name.cmp(&b.name));
    draft.epochs.sort_by_key(|e| {
        (
            e.start_s.to_bits(),
            e.kind.clone(),
            e.label.clone(),
            e.stop_s.to_bits(),
        )
    });
    let activity = match &draft.activity {
        Activity::Traces(t) => {
            let bits: Vec<u32> = t
                .values
                .iter()
                .map(|v| {
                    if v.is_nan() {
                        f32::NAN.to_bits()
                    } else {
                        v.to_bits()
                    }
                })
                .collect();
            format!("{:?} {} {:?} {bits:?}", t.time, t.quantity, t.values.dim())
        }
        Activity::Spikes(s) => format!("{s:?}"),
    };
    format!(
        "{activity}\n{:?}\n{:?}\n{:?}\n{:?}",
        draft.units, draft.epochs, draft.covariates, draft.session
    )
}

fn text() -> impl Strategy<Value = String> + Clone {
    "[a-zA-Zα-ω0-9_\"', ;#]{0,8}[a-z0-9]"
}

fn maybe(text: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), text.prop_map(Some)]
}

fn clock(len: usize) -> impl Strategy<Value = TimeAxis> {
    prop_oneof![
        (-1e3..1e3_f64, 1e-3..1e4_f64).prop_map(move |(start_s, rate_hz)| TimeAxis::Regular {
            start_s,
            rate_hz,
            len
        }),
        (-1e6..1e6_f64, prop::collection::vec(1e-3..10.0_f64, len)).prop_map(|(start, steps)| {
            let times = steps.iter().scan(start, |t, step| {
                *t += step;
                Some(*t)
            });
            TimeAxis::Explicit(times.collect())
        }),
    ]
}

fn units(n: usize) -> impl Strategy<Value = Vec<Unit>> {
    let unit = (
        text(),
        maybe(text()),
        maybe(text()),
        maybe(text()),
        prop::option::of([-1e3..1e3_f64, -1e3..1e3, -1e3..1e3]),
    );
    prop::collection::vec(unit, n).prop_map(|units| {
        let numbered = units.into_iter().enumerate();
        numbered
            .map(|(i, (id, label, region, kind, position))| Unit {
                id: format!("{i}{id}"),
                label,
                position,
                region,
                kind,
            })
            .collect()
    })
}

fn activity() -> impl Strategy<Value = Activity> {
    let value = prop_oneof![
        8 => any::<f32>().prop_filter("finite", |v| v.is_finite()),
        1 => Just(f32::NAN),
        1 => Just(-0.0_f32),
    ];
    let traces = (1_usize..12, 1_usize..5).prop_flat_map(move |(n, u)| {
        let values = prop::collection::vec(value.clone(), n * u);
        (clock(n), values, prop_oneof![Just(String::new()), text()]).prop_map(
            move |(time, mut values, quantity)| {
                values[0] = 0.5;
                let values = Array2::from_shape_vec((n, u), values).expect("a matrix");
                Activity::Traces(Traces {
                    time,
                    values,
                    quantity,
                })
            },
        )
    });
    let spikes = prop::collection::vec(prop::collection::vec(0.0..100.0_f64, 0..6), 1..5).prop_map(
        |mut times| {
            for train in &mut times {
                train.sort_by(f64::total_cmp);
            }
            Activity::Spikes(Spikes {
                times,
                start_s: -1.5,
                stop_s: 101.25,
            })
        },
    );
    prop_oneof![traces, spikes]
}

fn recording() -> impl Strategy<Value = Recording> {
    let epoch = (
        prop_oneof![Just("trial".to_owned()), Just("a/b".to_owned()), text()],
        prop_oneof![Just(String::new()), text()],
        -10.0..10.0_f64,
        0.0..10.0_f64,
    );
    let channel = (
        any::<bool>(),
        text(),
        (1_usize..6).prop_flat_map(|n| clock(n).boxed()).boxed(),
        any::<f64>(),
    );
    activity().prop_flat_map(move |activity| {
        let n = match &activity {
            Activity::Traces(t) => t.values.ncols(),
            Activity::Spikes(s) => s.times.len(),
        };
        (
            Just(activity),
            units(n),
            prop::collection::vec(epoch.clone(), 0..4),
            prop::collection::vec(channel.clone(), 0..4),
            (text(), text(), text(), text(), any::<bool>()),
        )
            .prop_map(|(activity, units, epochs, channels, session)| {
                let shared = match &activity {
                    Activity::Traces(t) => Some(t.time.clone()),
                    Activity::Spikes(_) => None,
                };
                let mut draft = Draft::new(activity);
                draft.units = units;
                draft.epochs = epochs
                    .into_iter()
                    .map(|(kind, label, start_s, length)| Epoch {
                        kind,
                        label,
                        start_s,
                        stop_s: start_s + length,
                    })
                    .collect();
                draft.covariates = channels
                    .into_iter()
                    .enumerate()
                    .map(|(i, (own, unit, time, value))| {
                        let time = shared.clone().filter(|_| !own).unwrap_or(time);
                        let mut values = vec![0.25; time.len()];
                        values[0] = if value.is_finite() { value } else { f64::NAN };
                        Covariate {
                            name: format!("c{i} {unit}"),
                            unit,
                            time,
                            values,
                        }
                    })
                    .collect();
                let (id, description, subject, source, dated) = session;
                draft.session = Session {
                    id,
                    description,
                    subject,
                    start: dated.then(|| "2024-01-02T03:04:05+00:00".to_owned()),
                    source,
                };
                draft.validate(Missing::Keep).expect("a sound recording")
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_format_keeps_everything(recording in recording()) {
        let folder = tempfile::tempdir().expect("a folder");
        for extension in EXTENSIONS {
            let path = folder.path().join(format!("{extension}/r.{extension}"));
            write(&DiskFiles, &path, &recording).expect(extension);
            let back = read(&path, &keep()).expect(extension);
            prop_assert_eq!(exact(&back), exact(&recording), "{}", extension);
            // The same recording gives the same bytes.
            let first = std::fs::read(&path).expect("bytes");
            write(&DiskFiles, &path, &recording).expect(extension);
            prop_assert_eq!(std::fs::read(&path).expect("bytes"), first, "{}", extension);
        }
    }

    #[test]
    fn damaged_files_are_refused_or_read_but_never_panic(
        recording in recording(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        for (extension, bytes) in encodings(&recording) {
            let path = PathBuf::from(format!("r.{extension}"));
            let mut damaged = bytes.clone();
            for (at, byte) in &hits {
                let at = at.index(damaged.len());
                damaged[at] = *byte;
            }
            // Either outcome is right, so long as it is an outcome.
            let _ = read_bytes(&path, &damaged, &keep());
            let cut = cut.index(bytes.len());
            let _ = read_bytes(&path, &bytes[..cut], &keep());
        }
    }
}

/// The recording in each format.
fn encodings(recording: &Recording) -> Vec<(&'static str, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    EXTENSIONS
        .into_iter()
        .map(|extension| {
            let path = folder.path().join(format!("{extension}/r.{extension}"));
            write(&DiskFiles, &path, recording).expect(extension);
            (extension, std::fs::read(&path).expect("bytes"))
        })
        .collect()
}

fn small() -> Recording {
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Explicit(vec![0.0, 0.5, 1.25, 2.0]),
        values: Array2::from_shape_fn((4, 3), |(i, u)| i as f32 - 0.1 * u as f32),
        quantity: "dF/F".into(),
    }));
    draft.epochs.push(Epoch {
        kind: "reversal".into(),
        label: String::new(),
        start_s: 0.5,
        stop_s: 1.25,
    });
    draft.covariates.push(Covariate {
        name: "velocity".into(),
        unit: "mm/s".into(),
        time: TimeAxis::Explicit(vec![0.0, 0.5, 1.25, 2.0]),
        values: vec![0.1, f64::NAN, -0.2, 0.3],
    });
    draft.validate(Missing::Refuse).expect("sound")
}

#[test]
fn a_file_cut_short_anywhere_is_an_outcome_and_an_error_for_binary_formats() {
    for (extension, bytes) in encodings(&small()) {
        let path = PathBuf::from(format!("r.{extension}"));
        let step = (bytes.len() / 400).max(1);
        for cut in (0..bytes.len()).step_by(step) {
            let outcome = read_bytes(&path, &bytes[..cut], &keep());
            let must_fail = matches!(extension, "npz" | "parquet") || cut < bytes.len() / 4;
            if must_fail && !matches!(extension, "csv" | "tsv") {
                let error = outcome.expect_err("a cut file");
                assert!(
                    error.to_string().contains("r."),
                    "{extension} at {cut}: {error}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_recording_is_refused_by_name() {
    let garbage: Vec<u8> = (0..4096_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for extension in ["h5", "nwb", "npz", "npy", "csv", "mat", "parquet", "xyz"] {
        let path = PathBuf::from(format!("dir/file.{extension}"));
        for bytes in [
            &[][..],
            &garbage,
            b"\x00",
            b"\x89HDF\r\n\x1a\n",
            b"PK\x03\x04",
            b"PAR1PAR1",
            b"\x93NUMPY\x01\x00",
        ] {
            let error =
                read_bytes(&path, bytes, &ReadOptions::default()).expect_err("no recording");
            assert!(
                error.to_string().starts_with("dir/file."),
                "{extension}: {error}"
            );
        }
    }
    for format in [
        Format::Hdf5,
        Format::Nwb,
        Format::Npz,
        Format::Csv,
        Format::Mat,
        Format::Parquet,
    ] {
        let options = ReadOptions {
            format: Some(format),
            ..ReadOptions::default()
        };
        read_bytes(Path::new("f"), &garbage, &options).expect_err("garbage");
        read_bytes(Path::new("f"), &[], &options).expect_err("empty");
    }
    let error = read("nowhere/file.npz", &ReadOptions::default()).expect_err("not there");
    assert!(matches!(error, DataError::Io { .. }), "{error}");
}

fn npy(shape: &str, descr: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

#[test]
fn headers_that_promise_more_than_there_is_allocate_nothing() {
    let map: Mapping = "traces=array,rate=10,axes=time.unit"
        .parse()
        .expect("a mapping");
    let options = ReadOptions {
        map: Some(map),
        ..ReadOptions::default()
    };
    for shape in [
        "(1152921504606846976,)",
        "(4294967296, 4294967296)",
        "(9999999999999999999999,)",
        "(-1,)",
        "(",
    ] {
        for descr in [
            "<f8",
            "<U0",
            "|S0",
            "<U4611686018427387905",
            "<f3",
            "[('a','f8')]",
        ] {
            let error = read_bytes(Path::new("x.npy"), &npy(shape, descr, &[0; 64]), &options)
                .expect_err("a false header");
            assert!(error.to_string().starts_with("x.npy"), "{error}");
        }
    }
    // And an honest one reads.
    let data: Vec<u8> = (0..6).flat_map(|v| f64::from(v).to_le_bytes()).collect();
    let recording =
        read_bytes(Path::new("x.npy"), &npy("(3, 2)", "<f8", &data), &options).expect("a matrix");
    assert_eq!(
        recording.traces().expect("traces").values,
        ndarray::array![[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    );
}

#[test]
fn missing_values_are_refused_kept_or_mended_as_asked() {
    let csv = b"time_s,a,b\n0,1,2\n1,,3\n2,3,4\n";
    let error = read_bytes(Path::new("x.csv"), csv, &ReadOptions::default()).expect_err("missing");
    assert!(error.to_string().contains("unit a, index 1"), "{error}");
    let kept = read_bytes(Path::new("x.csv"), csv, &keep()).expect("kept");
    assert!(kept.has_missing() && kept.repairs().len() == 1);
    let all = b"time_s,a\n0,NaN\n1,\n";
    let error = read_bytes(Path::new("x.csv"), all, &keep()).expect_err("all missing");
    assert!(error.to_string().contains("NaN throughout"), "{error}");
}

#[test]
fn tables_of_others_are_read() {
    let read =
        |text: &str| read_bytes(Path::new("x.csv"), text.as_bytes(), &ReadOptions::default());
    let wide = read("time;AVAL;covariate:speed[mm/s]\n0;1.5;3\n1;2.5;4\n").expect("semicolons");
    assert_eq!(wide.units()[0].id, "AVAL");
    assert_eq!(wide.covariate("speed").expect("speed").unit, "mm/s");
    let spikes = read("unit,time\nb,2.5\na,1\nb,0.5\n").expect("long spikes");
    assert_eq!(
        spikes.spikes().expect("spikes").times,
        [vec![0.5, 2.5], vec![1.0]]
    );
    let traces = read("time,unit,value\n0,x,1\n1,x,2\n0,y,3\n1,y,4\n").expect("long traces");
    assert_eq!(
        traces.traces().expect("traces").values,
        ndarray::array![[1.0, 3.0], [2.0, 4.0]]
    );
    for (text, says) in [
        (
            "time,a\n0,1\n1,x\n",
            "`a`, index 1: expected a number, found `x`",
        ),
        ("time,a\n0,1\n1\n", "CSV"),
        ("a,b\n0,1\n", "a column of times"),
        ("time,a\n1,1\n0,2\n", "a time after 1 s"),
        ("time,unit,value\n0,x,1\n1,x,2\n0,y,3\n", "unit y"),
        ("time,a,a\n0,1,2\n", "two columns are called `a`"),
        ("time,a\n", "at least one row"),
    ] {
        let error = read(text).expect_err(says).to_string();
        assert!(
            error.starts_with("x.csv") && error.contains(says),
            "{error}"
        );
    }
}

#[test]
fn a_foreign_json_beside_a_table_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (csv, json) = (folder.path().join("r.csv"), folder.path().join("r.json"));
    std::fs::write(&json, b"{\"mine\": true}").expect("a file");
    let error = write(&DiskFiles, &csv, &small()).expect_err("not ours");
    assert!(
        error.to_string().contains("which is not chiasm's"),
        "{error}"
    );
    assert_eq!(std::fs::read(&json).expect("a file"), b"{\"mine\": true}");
    assert!(!csv.exists());
}

#[test]
fn mappings_are_parsed_and_slips_are_named() {
    let map: Mapping =
        "spikes=st, spike_units=su, time_unit=ms, span=0:10, epochs.trial=tr, v=b/v[mm/s]@b/t"
            .parse()
            .expect("a mapping");
    assert_eq!(map.span, Some([0.0, 10.0]));
    assert_eq!(map.covariates["v"].unit, "mm/s");
    assert_eq!(map.covariates["v"].time.as_deref(), Some("b/t"));
    assert_eq!(map.epochs["trial"].dataset, "tr");
    let help = |text: &str| {
        let error = text.parse::<Mapping>().expect_err(text);
        format!(
            "{error}; {}",
            chiasm_core::Diagnose::help(&error).unwrap_or_default()
        )
    };
    assert!(help("trace=x,time=t").contains("did you mean `traces`?"));
    assert!(help("traces").contains("KEY=VALUE"));
    assert!(help("traces=a,axes=up").contains("time.unit, unit.time"));
    assert!(help("traces=a,traces=b").contains("twice"));
    assert!(help("traces=a,spikes=b").contains("both"));
    assert!(help("traces=a,time=b,rate=3").contains("both"));
    assert!(!Mapping::shipped().expect("shipped mappings").is_empty());
    assert!(Mapping::from_toml("traces = 3", Path::new("m.toml")).is_err());
    assert!(Mapping::from_toml("tracs = 'x'", Path::new("m.toml")).is_err());
}
