//! The worm recordings, read through the shipped mapping, against values that h5py reads from the same files.

use std::path::PathBuf;

use chiasm_data::io::{Mapping, ReadOptions, read};
use chiasm_data::{DataError, Missing};

/// The folder of real data: `CHIASM_DATA`, then `../shared/data` beside the project.
fn worm(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CHIASM_DATA")
        .map(PathBuf::from)
        .into_iter()
        .chain([root.join("../shared/data")])
        .map(|data| data.join("worm").join(format!("{name}-data.h5")))
        .find(|path| path.exists())
}

/// File, units, reversals, first and last trace value, velocity at frame 400, last time: by h5py.
type Facts = (&'static str, usize, usize, f64, f64, f64, f64);
const FACTS: [Facts; 4] = [
    (
        "2022-07-26-31",
        146,
        34,
        -1.0149599151557789,
        -1.720214509077671,
        -1.1952681488725324e-10,
        480.66509246546775,
    ),
    (
        "2022-07-26-38",
        141,
        29,
        -0.7819280307103568,
        -1.4208755697071096,
        -0.0273228834220835,
        480.61963638290763,
    ),
    (
        "2022-07-27-31",
        145,
        20,
        -0.9904971011825416,
        0.19444188591488148,
        0.004656924915727208,
        480.64009157242253,
    ),
    (
        "2022-07-27-38",
        135,
        30,
        1.1231652746385583,
        0.07475720476409416,
        -0.026931002325852972,
        480.6425916515291,
    ),
];

#[test]
fn the_four_worms_read_as_h5py_reads_them() {
    for (name, n_units, n_reversals, first, last, velocity, end) in FACTS {
        let Some(path) = worm(name) else {
            eprintln!("skipped: no worm recordings here (set CHIASM_DATA)");
            return;
        };
        let recording = read(&path, &ReadOptions::default()).expect("a worm recording");
        let traces = recording.traces().expect("traces");
        assert_eq!(traces.values.dim(), (800, n_units), "{name}");
        assert_eq!(traces.values[[0, 0]], first as f32);
        assert_eq!(traces.values[[799, n_units - 1]], last as f32);
        assert_eq!(traces.time.at(0), 0.0);
        assert_eq!(traces.time.at(799), end, "{name}");
        let channel = recording.covariate("velocity").expect("velocity");
        assert!((channel.values[400] - velocity).abs() < 1e-15, "{name}");
        assert_eq!(channel.unit, "mm/s");
        let pumping = recording.covariate("pumping").expect("pumping");
        assert!(pumping.values.iter().all(|v| v.is_nan()));
        assert_eq!(recording.epochs_of("reversal").count(), n_reversals);
        // The epochs and the vector of reversals are two accounts of one thing.
        let vector = recording.covariate("reversal_vec").expect("reversal_vec");
        for i in 0..800 {
            let t = traces.time.at(i);
            let inside = recording
                .epochs_of("reversal")
                .any(|e| (e.start_s..e.stop_s).contains(&t));
            assert_eq!(
                f64::from(u8::from(inside)),
                vector.values[i],
                "{name}, frame {i}"
            );
        }
    }
}

#[test]
fn the_mapping_on_the_command_line_reads_the_same_numbers() {
    let Some(path) = worm("2022-07-26-31") else {
        eprintln!("skipped: no worm recordings here (set CHIASM_DATA)");
        return;
    };
    let map: Mapping = "traces=gcamp/trace_array,time=timing/timestamp_confocal,axes=time.unit,velocity=behavior/velocity"
        .parse()
        .expect("a mapping");
    let options = ReadOptions {
        map: Some(map.clone()),
        ..ReadOptions::default()
    };
    let mapped = read(&path, &options).expect("a recording");
    let shipped = read(&path, &ReadOptions::default()).expect("a recording");
    let traces = mapped.traces().expect("traces");
    assert_eq!(traces.values, shipped.traces().expect("traces").values);
    assert_eq!(traces.time.at(0), 1_228_334.146_131_169_5);

    // A span of time is the same rows, read alone.
    let part = ReadOptions {
        span_s: Some((100.0, 200.0)),
        ..ReadOptions::default()
    };
    let part = read(&path, &part).expect("a part");
    let (whole, part) = (
        shipped.traces().expect("traces"),
        part.traces().expect("traces"),
    );
    let first = (0..800)
        .find(|&i| whole.time.at(i) >= 100.0)
        .expect("a row");
    assert_eq!(part.time.at(0), whole.time.at(first));
    assert_eq!(part.values.row(0), whole.values.row(first));

    // A slip in a name is answered with the nearest.
    let wrong = ReadOptions {
        map: Some(Mapping {
            traces: Some("gcamp/trace_aray".into()),
            ..map
        }),
        missing: Missing::Keep,
        ..ReadOptions::default()
    };
    let error = read(&path, &wrong).expect_err("no such dataset");
    assert!(matches!(error, DataError::Absent { .. }), "{error}");
    let help = chiasm_core::Diagnose::help(&error);
    assert_eq!(help.as_deref(), Some("did you mean `gcamp/trace_array`?"));
}
