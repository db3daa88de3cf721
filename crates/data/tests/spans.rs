//! A span of a recording: every format reads the same part of it, in whatever order its values lie.

use std::path::Path;

use chiasm_core::TimeAxis;
use chiasm_data::io::{ReadOptions, read, read_bytes, write};
use chiasm_data::{
    Activity, Covariate, DiskFiles, Draft, Missing, Recording, Spikes, Traces, Unit,
};
use ndarray::Array2;

const SPAN: (f64, f64) = (2.0, 3.5);

fn recording(activity: Activity) -> Recording {
    let mut draft = Draft::new(activity);
    for (i, unit) in draft.units.iter_mut().enumerate() {
        *unit = Unit::new(format!("u{i}"));
    }
    draft.covariates = vec![Covariate {
        name: "speed".into(),
        unit: "m/s".into(),
        time: TimeAxis::Explicit((0..50).map(|i| f64::from(i) * 0.2).collect()),
        values: (0..50).map(f64::from).collect(),
    }];
    draft.validate(Missing::Refuse).expect("valid")
}

fn traces(time: TimeAxis) -> Recording {
    let values = Array2::from_shape_fn((time.len(), 3), |(t, u)| (10 * t + u) as f32);
    recording(Activity::Traces(Traces {
        time,
        values,
        quantity: "dF/F".into(),
    }))
}

fn within(span: Option<(f64, f64)>) -> ReadOptions {
    ReadOptions {
        span_s: span,
        ..ReadOptions::default()
    }
}

#[test]
fn traces_within_a_span_are_the_same_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let regular = TimeAxis::Regular {
        start_s: 0.5,
        rate_hz: 10.0,
        len: 60,
    };
    let uneven = TimeAxis::Explicit((0..60).map(|i| f64::from(i * i) / 400.0).collect());
    for (clock, first, n) in [(regular, 15, 16), (uneven, 29, 9)] {
        let whole = traces(clock.clone());
        for extension in ["npz", "nwb", "csv", "tsv", "parquet"] {
            let path = folder.path().join(format!("r.{extension}"));
            write(&DiskFiles, &path, &whole).expect(extension);
            let part = read(&path, &within(Some(SPAN))).expect(extension);
            let found = part.traces().expect("traces");
            let expected = whole.traces().expect("traces");
            assert_eq!(
                found.values,
                expected.values.slice(ndarray::s![first..first + n, ..]),
                "{extension}"
            );
            for (i, t) in found.time.to_vec().into_iter().enumerate() {
                assert!((t - clock.at(first + i)).abs() < 1e-9, "{extension}: {t}");
                assert!((SPAN.0..=SPAN.1).contains(&t), "{extension}: {t}");
            }
            // What stands on another clock stays whole.
            assert_eq!(part.covariates()[0].values.len(), 50, "{extension}");
            let none = read(&path, &within(Some((100.0, 101.0)))).expect_err(extension);
            assert!(
                none.to_string().contains(&format!("r.{extension}")),
                "{none}"
            );
        }
    }
}

#[test]
fn spikes_within_a_span_are_the_same_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let train = |step: f64| (0..40).map(|i| f64::from(i) * step).collect();
    let whole = recording(Activity::Spikes(Spikes {
        times: vec![train(0.1), train(0.25), vec![]],
        start_s: 0.0,
        stop_s: 12.0,
    }));
    for extension in ["npz", "nwb", "csv", "tsv", "parquet"] {
        let path = folder.path().join(format!("s.{extension}"));
        write(&DiskFiles, &path, &whole).expect(extension);
        let part = read(&path, &within(Some(SPAN))).expect(extension);
        let counts: Vec<usize> = part
            .spikes()
            .expect("spikes")
            .times
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(counts, [16, 7, 0], "{extension}");
        assert_eq!(part.span_s(), SPAN, "{extension}");
    }
}

/// An NPY file of `<f8` or `>i2` values.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn arrays_are_read_line_by_line_in_either_order() {
    const FRAMES: usize = 50;
    const UNITS: usize = 4;
    let value = |t: usize, u: usize| (100 * t + u) as i16;
    for time_first in [true, false] {
        for fortran in [true, false] {
            let (n_first, n_second) = if time_first {
                (FRAMES, UNITS)
            } else {
                (UNITS, FRAMES)
            };
            let at = |a: usize, b: usize| if time_first { value(a, b) } else { value(b, a) };
            let data: Vec<u8> = (0..n_first * n_second)
                .map(|i| {
                    if fortran {
                        at(i % n_first, i / n_first)
                    } else {
                        at(i / n_second, i % n_second)
                    }
                })
                .flat_map(i16::to_be_bytes)
                .collect();
            let bytes = npy(">i2", fortran, &format!("{n_first}, {n_second}"), &data);
            let axes = if time_first { "time.unit" } else { "unit.time" };
            let mut map = format!("traces=array,rate=10,axes={axes}")
                .parse()
                .expect("a mapping");
            for span in [None, Some(SPAN)] {
                let options = ReadOptions {
                    map: Some(map),
                    span_s: span,
                    ..ReadOptions::default()
                };
                let found = read_bytes(Path::new("a.npy"), &bytes, &options).expect(axes);
                let found = &found.traces().expect("traces").values;
                let (first, n) = if span.is_some() {
                    (20, 16)
                } else {
                    (0, FRAMES)
                };
                let expected =
                    Array2::from_shape_fn((n, UNITS), |(t, u)| f32::from(value(first + t, u)));
                assert_eq!(*found, expected, "{axes} {fortran} {span:?}");
                map = options.map.expect("put there");
            }
            let cut = read_bytes(
                Path::new("a.npy"),
                &bytes[..bytes.len() - 1],
                &ReadOptions {
                    map: Some(map),
                    ..ReadOptions::default()
                },
            );
            let said = cut.expect_err("cut short").to_string();
            assert!(
                said.contains("a.npy") && said.contains("400 bytes"),
                "{said}"
            );
        }
    }
}
