use chiasm_core::{Quiet, TimeAxis};
use chiasm_data::{Activity, Draft, Epoch, Missing, Recording, Spikes, Traces, Unit};
use ndarray::{Array2, Axis};

use super::*;

fn recording(values: Array2<f32>, rate_hz: f64) -> Recording {
    draft(values, rate_hz).validate(Missing::Keep).unwrap()
}

fn draft(values: Array2<f32>, rate_hz: f64) -> Draft {
    let time = TimeAxis::Regular {
        start_s: 0.0,
        rate_hz,
        len: values.nrows(),
    };
    Draft::new(Activity::Traces(Traces {
        time,
        values,
        quantity: "dF/F".into(),
    }))
}

/// Three sines of different pace, no two in step.
fn sines(n: usize, rate_hz: f64) -> Array2<f32> {
    Array2::from_shape_fn((n, 3), |(t, u)| {
        (t as f64 / rate_hz / (4.0 + u as f64)).sin() as f32
    })
}

fn plain() -> Affinity {
    Affinity {
        trace_sigma_s: 0.0,
        affinity_sigma_s: 0.0,
        ..Affinity::default()
    }
}

#[test]
fn the_formulas_by_hand() {
    let values = ndarray::array![
        [0.0f32, 0.0],
        [1.0, 2.0],
        [2.0, 4.0],
        [1.0, 4.0],
        [0.0, 6.0],
        [2.0, 6.0],
        [1.0, 5.0],
        [3.0, 4.0],
        [0.0, 3.0],
        [2.0, 3.0],
        [1.0, 1.0],
        [1.0, 0.0]
    ];
    let rec = recording(values.clone(), 1.0);
    let column =
        |u: usize| -> Vec<f64> { values.column(u).iter().map(|v| f64::from(*v)).collect() };
    let d = |u: usize| -> Vec<f64> {
        let x = column(u);
        let mut d: Vec<f64> = (1..11).map(|t| (x[t + 1] - x[t - 1]) / 2.0).collect();
        d.insert(0, x[1] - x[0]);
        d.push(x[11] - x[10]);
        let sizes: Vec<f64> = d.iter().map(|v| v.abs()).collect();
        let scale = chiasm_core::stats::median(&sizes) / 0.6745;
        d.iter().map(|v| v / scale).collect()
    };
    let z = |u: usize| -> Vec<f64> {
        let x = column(u);
        let (m, s) = (chiasm_core::stats::mean(&x), chiasm_core::stats::sd(&x, 0));
        x.iter().map(|v| (v - m) / s).collect()
    };
    type Formula = fn(f64, f64) -> f64;
    let cases: [(AffinityKind, Vec<f64>, Vec<f64>, Formula); 4] = [
        (AffinityKind::Differential, d(0), d(1), |a, b| {
            if a * b > 0.0 {
                (a * b).sqrt() * (-(a - b).powi(2) / 2.0).exp()
            } else {
                0.0
            }
        }),
        (AffinityKind::Coactivity, z(0), z(1), |a, b| {
            (a.max(0.0) * b.max(0.0)).sqrt()
        }),
        (AffinityKind::ZProduct, z(0), z(1), |a, b| (a * b).max(0.0)),
        (AffinityKind::LevelKernel, z(0), z(1), |a, b| {
            (-(a - b).powi(2) / 2.0).exp()
        }),
    ];
    for (kind, a, b, formula) in cases {
        let out = Affinity { kind, ..plain() }.of(&rec, &Quiet).unwrap();
        for t in 0..12 {
            let expected = formula(a[t], b[t]).min(3.0);
            assert!(
                (f64::from(out.values[[t, 0]]) - expected).abs() < 1e-5,
                "{kind:?} {t}"
            );
        }
    }
}

#[test]
fn windowed_pearson_is_pearson_in_the_window() {
    let rec = recording(sines(80, 1.0), 1.0);
    let config = Affinity {
        kind: AffinityKind::WindowedPearson,
        window_s: 20.0,
        ..plain()
    };
    let out = config.of(&rec, &Quiet).unwrap();
    let x: Vec<Vec<f64>> = (0..3)
        .map(|u| {
            rec.trace(u)
                .unwrap()
                .iter()
                .map(|v| f64::from(*v))
                .collect()
        })
        .collect();
    for t in [0usize, 5, 40, 79] {
        let w = t.saturating_sub(10)..(t + 11).min(80);
        for (p, &(i, j)) in out.pairs.iter().enumerate() {
            let r = chiasm_core::stats::pearson(&x[i][w.clone()], &x[j][w.clone()]).max(0.0);
            assert!((f64::from(out.values[[t, p]]) - r).abs() < 1e-5);
        }
    }
}

#[test]
fn smoothing_along_time_is_the_gaussian_of_the_instantaneous_affinity() {
    let rec = recording(sines(150, 1.0), 1.0);
    let raw = plain().of(&rec, &Quiet).unwrap();
    let smooth = Affinity {
        affinity_sigma_s: 4.0,
        ..plain()
    }
    .of(&rec, &Quiet)
    .unwrap();
    for p in 0..3 {
        let x: Vec<f64> = raw.values.column(p).iter().map(|v| f64::from(*v)).collect();
        let expected = chiasm_core::stats::gaussian_smooth(&x, 4.0);
        for (a, b) in smooth.values.column(p).iter().zip(expected) {
            assert!((f64::from(*a) - b).abs() < 1e-5);
        }
    }
}

#[test]
fn scale_and_offset_of_a_trace_do_not_matter() {
    let x = sines(100, 1.0);
    let mut y = x.clone();
    y.column_mut(1).mapv_inplace(|v| 50.0 * v + 7.0);
    let of = |v: Array2<f32>| Affinity::default().of(&recording(v, 1.0), &Quiet).unwrap();
    for (a, b) in of(x).values.iter().zip(&of(y).values) {
        assert!((a - b).abs() < 1e-3);
    }
}

#[test]
fn a_fine_clock_is_averaged_and_a_coarse_one_interpolated() {
    let fine = on_clock(&Affinity::default(), &recording(sines(3000, 50.0), 50.0)).unwrap();
    let coarse = on_clock(&Affinity::default(), &recording(sines(30, 0.5), 0.5)).unwrap();
    assert_eq!((fine.time.len(), coarse.time.len()), (60, 59));
    for t in 1..58 {
        for u in 0..3 {
            let truth = (t as f64 / (4.0 + u as f64)).sin();
            assert!((fine.values[[u, t]] - truth).abs() < 0.01);
            assert!((coarse.values[[u, t]] - truth).abs() < 0.04);
        }
    }
}

#[test]
fn short_gaps_are_bridged_and_long_ones_missing() {
    let mut x = sines(100, 1.0);
    x[[20, 0]] = f32::NAN;
    for t in 50..60 {
        x[[t, 1]] = f32::NAN;
    }
    let out = Affinity::default().of(&recording(x, 1.0), &Quiet).unwrap();
    assert!(!out.values[[20, 1]].is_nan());
    // Pair (0, 1) lacks the frames of unit 1's gap; pair (0, 2) lacks none.
    assert!(
        out.values
            .column(0)
            .iter()
            .skip(50)
            .take(10)
            .all(|v| v.is_nan())
    );
    assert_eq!(
        out.values.column(0).iter().filter(|v| v.is_nan()).count(),
        10
    );
    assert!(out.values.column(1).iter().all(|v| !v.is_nan()));
}

#[test]
fn spikes_become_rates() {
    let train = |phase: f64| {
        (0..400)
            .map(|k| f64::from(k) * 0.5 + phase)
            .filter(|t| (t / 10.0).sin() > 0.0)
            .collect()
    };
    let spikes = Spikes {
        times: vec![train(0.1), train(0.3)],
        start_s: 0.0,
        stop_s: 200.0,
    };
    let rec = Draft::new(Activity::Spikes(spikes))
        .validate(Missing::Refuse)
        .unwrap();
    let traces = on_clock(&Affinity::default(), &rec).unwrap();
    assert!((traces.values.row(0)[10] - 2.0).abs() < 1e-9);
    let out = Affinity {
        kind: AffinityKind::Coactivity,
        ..Affinity::default()
    }
    .of(&rec, &Quiet)
    .unwrap();
    assert!(out.values[[15, 0]] > 0.5 && out.values[[47, 0]] < 0.2);
}

#[test]
fn refusals_name_the_unit() {
    let config = Affinity::default();
    let refuse = |v: Array2<f32>| config.of(&recording(v, 1.0), &Quiet).unwrap_err();
    let mut constant = sines(50, 1.0);
    constant.column_mut(1).fill(3.3);
    assert_eq!(
        refuse(constant.clone()),
        AffinityError::Constant {
            names: vec!["1".into()],
            n_units: 3
        }
    );
    let dropped = Affinity {
        constant: Constant::Drop,
        ..config.clone()
    }
    .of(&recording(constant, 1.0), &Quiet)
    .unwrap();
    assert_eq!(
        (dropped.names.len(), dropped.dropped),
        (2, vec!["1".to_string()])
    );
    let mut missing = sines(50, 1.0);
    missing.column_mut(2).fill(f32::NAN);
    assert_eq!(
        refuse(missing),
        AffinityError::AllMissing { name: "2".into() }
    );
    let one = sines(50, 1.0).select(Axis(1), &[0]);
    assert_eq!(refuse(one), AffinityError::TooFewUnits { found: 1 });
    assert!(matches!(
        refuse(sines(5, 1.0)),
        AffinityError::TooShort { found: 5, .. }
    ));
    let mut twice = draft(sines(50, 1.0), 1.0);
    for u in [0, 2] {
        twice.units[u].label = Some("AVAL".into());
    }
    let error = config
        .of(&twice.validate(Missing::Refuse).unwrap(), &Quiet)
        .unwrap_err();
    assert!(matches!(
        error,
        AffinityError::DuplicateName {
            first: 0,
            second: 2,
            ..
        }
    ));
    let small = Affinity {
        max_memory_gib: 1e-7,
        ..config.clone()
    };
    let error = small
        .of(&recording(sines(50, 1.0), 1.0), &Quiet)
        .unwrap_err();
    assert!(matches!(error, AffinityError::TooLarge { .. }));
    let bad = Affinity {
        clock_s: 0.0,
        ..config.clone()
    };
    assert!(matches!(
        bad.of(&recording(sines(50, 1.0), 1.0), &Quiet),
        Err(AffinityError::Setting(_))
    ));
}

#[test]
fn animals_are_matched_by_name_and_cut_to_shared_time() {
    let named = |names: [&str; 3], n: usize, stimulus_s: f64| {
        let mut d = draft(sines(n, 1.0), 1.0);
        d.units = names.iter().map(|n| Unit::new(*n)).collect();
        d.epochs.push(Epoch {
            kind: "stimulus".into(),
            label: String::new(),
            start_s: stimulus_s,
            stop_s: stimulus_s + 5.0,
        });
        let config = Affinity {
            align_on: Some("stimulus".into()),
            ..Affinity::default()
        };
        config
            .of(&d.validate(Missing::Refuse).unwrap(), &Quiet)
            .unwrap()
    };
    let all = [
        named(["A", "B", "C"], 60, 20.0),
        named(["C", "D", "A"], 80, 10.0),
    ];
    let joined = tensor_of(&all).unwrap();
    assert_eq!(joined.names, ["A", "B", "C", "D"]);
    assert_eq!(joined.pairs, [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)]);
    assert_eq!(joined.unseen, [(1, 3)]);
    assert_eq!((joined.time.at(0), joined.time.len()), (-10.0, 50));
    // Pair (A, C) is the second animal's column (C, A), ten frames into the first animal and none into the second.
    let second = joined.tensor.animal(1).unwrap();
    assert_eq!(second[[3, 1]], all[1].values[[3, 1]]);
    assert!(second[[3, 0]].is_nan());
    assert_eq!(
        joined.tensor.animal(0).unwrap()[[3, 1]],
        all[0].values[[13, 1]]
    );
    let other = Affinity {
        clock_s: 2.0,
        ..Affinity::default()
    }
    .of(&recording(sines(60, 1.0), 1.0), &Quiet)
    .unwrap();
    assert!(matches!(
        tensor_of(&[all[0].clone(), other]),
        Err(TensorError::Clock { .. })
    ));
    assert!(matches!(tensor_of(&[]), Err(TensorError::NoAnimal)));
}
