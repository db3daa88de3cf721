use super::*;
use chiasm_core::TimeAxis;
use ndarray::array;

fn traces(values: Array2<f32>) -> Draft {
    let time = TimeAxis::Regular {
        start_s: 0.0,
        rate_hz: 2.0,
        len: values.nrows(),
    };
    Draft::new(Activity::Traces(Traces {
        time,
        values,
        quantity: "dF/F".into(),
    }))
}

fn spikes(times: Vec<Vec<f64>>) -> Draft {
    Draft::new(Activity::Spikes(Spikes {
        times,
        start_s: 0.0,
        stop_s: 10.0,
    }))
}

fn refusal(draft: Draft, missing: Missing) -> String {
    draft
        .validate(missing)
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn a_good_recording_keeps_its_facts() {
    let mut draft = traces(array![[1.0, 2.0], [3.0, 4.0]]);
    draft.units[1].label = Some("AVAL".into());
    let r = draft.validate(Missing::Refuse).unwrap();
    assert_eq!((r.n_units(), r.span_s()), (2, (0.0, 0.5)));
    assert_eq!((r.units()[0].name(), r.units()[1].name()), ("0", "AVAL"));
    assert_eq!(r.trace(1).unwrap().to_vec(), [2.0, 4.0]);
    assert!(r.trace(2).is_none() && r.repairs().is_empty() && !r.has_missing());
}

#[test]
fn each_refusal_names_place_expected_and_found() {
    let nan = f32::NAN;
    assert_eq!(
        refusal(traces(array![[1.0, 2.0], [3.0, nan]]), Missing::Refuse),
        "`traces`, unit 1, index 1: expected a finite value, found NaN (one of 1 in all)"
    );
    assert_eq!(
        refusal(traces(array![[1.0], [f32::INFINITY]]), Missing::Keep),
        "`traces`, unit 0, index 1: expected a finite value, found inf"
    );
    assert!(refusal(traces(Array2::zeros((0, 3))), Missing::Keep).contains("at least one unit"));
    assert!(refusal(traces(array![[nan, nan]]), Missing::Keep).contains("NaN throughout"));
    assert_eq!(
        refusal(spikes(vec![vec![1.0, 0.5]]), Missing::Refuse),
        "`spike_times`, unit 0, index 1: expected a time at or after 1 s, found 0.5"
    );
    assert!(refusal(spikes(vec![vec![1.0, 50.0]]), Missing::Refuse).contains("from 0 to 10 s"));
    let mut twice = traces(array![[1.0, 2.0]]);
    twice.units[1].id = "0".into();
    assert!(refusal(twice, Missing::Refuse).contains("an id of its own (unit 0 has it too)"));
    let mut unsorted = traces(array![[1.0], [2.0]]);
    if let Activity::Traces(t) = &mut unsorted.activity {
        t.time = TimeAxis::Explicit(vec![1.0, 1.0]);
    }
    assert_eq!(
        refusal(unsorted, Missing::Refuse),
        "`time of traces`, index 1: expected a time after 1 s, found 1"
    );
}

#[test]
fn a_transposed_matrix_is_recognised() {
    let mut draft = traces(Array2::zeros((3, 2)));
    if let Activity::Traces(t) = &mut draft.activity {
        t.time = TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: 2,
        };
    }
    let error = draft.validate(Missing::Refuse).unwrap_err();
    assert!(
        chiasm_core::Diagnose::help(&error)
            .unwrap()
            .contains("transposed")
    );
}

#[test]
fn missing_samples_follow_the_policy_and_never_silently() {
    let nan = f32::NAN;
    let holed = || traces(array![[0.0, 5.0], [nan, 6.0], [2.0, 7.0]]);
    let kept = holed().validate(Missing::Keep).unwrap();
    assert!(kept.has_missing() && kept.repairs()[0].n == 1);
    let units = holed().validate(Missing::DropUnits).unwrap();
    assert_eq!((units.n_units(), units.units()[0].id.as_str()), (1, "1"));
    let frames = holed().validate(Missing::DropFrames).unwrap();
    assert_eq!(
        frames.traces().unwrap().time,
        TimeAxis::Explicit(vec![0.0, 1.0])
    );
    let bridged = holed()
        .validate(Missing::Interpolate { max_gap_s: 1.0 })
        .unwrap();
    assert_eq!(bridged.trace(0).unwrap().to_vec(), [0.0, 1.0, 2.0]);
    assert_eq!(
        bridged.repairs(),
        [Repair {
            what: "interpolated 1 missing samples".into(),
            n: 1
        }]
    );
    assert!(refusal(holed(), Missing::Interpolate { max_gap_s: 0.9 }).contains("at most 0.9 s"));
}

#[test]
fn spikes_are_counted_in_whole_bins() {
    let r = spikes(vec![vec![0.0, 0.1, 9.95], vec![]])
        .validate(Missing::Refuse)
        .unwrap();
    let (time, counts) = r.spike_counts(0.1).unwrap();
    assert_eq!(
        (time.len(), counts.sum(), counts[[0, 0]], counts[[99, 0]]),
        (100, 3, 1, 1)
    );
    assert!(r.spike_counts(0.0).is_err() && r.spike_counts(11.0).is_err());
}

#[test]
fn selection_keeps_order_and_refuses_strangers() {
    let r = traces(array![[1.0, 2.0, 3.0]])
        .validate(Missing::Refuse)
        .unwrap();
    let s = r.select_units(&[2, 0]).unwrap();
    assert_eq!(s.traces().unwrap().values, array![[3.0, 1.0]]);
    assert!(r.select_units(&[3]).is_err() && r.select_units(&[]).is_err());
    assert!(r.select_units(&[1, 1]).is_err());
}

#[test]
fn covariates_move_to_another_clock() {
    let c = Covariate {
        name: "velocity".into(),
        unit: "mm/s".into(),
        time: TimeAxis::Explicit(vec![0.0, 1.0, 3.0]),
        values: vec![0.0, 2.0, 6.0],
    };
    let at = c.at(&[0.5, 2.0, 3.0]);
    assert_eq!(at, [1.0, 4.0, 6.0]);
    assert!(c.at(&[-0.1])[0].is_nan() && c.at(&[3.1])[0].is_nan());
}
