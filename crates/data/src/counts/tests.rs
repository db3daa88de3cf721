use super::*;
use crate::{Draft, Epoch, Missing};

fn spikes(times: Vec<Vec<f64>>, stop_s: f64) -> Draft {
    Draft::new(Activity::Spikes(Spikes {
        times,
        start_s: 0.0,
        stop_s,
    }))
}

fn traces(values: Array2<f32>, time: TimeAxis) -> Draft {
    Draft::new(Activity::Traces(Traces {
        time,
        values,
        quantity: String::new(),
    }))
}

fn regular(rate_hz: f64, len: usize) -> TimeAxis {
    TimeAxis::Regular {
        start_s: 0.0,
        rate_hz,
        len,
    }
}

fn epoch(start_s: f64, stop_s: f64) -> Epoch {
    Epoch {
        kind: "trial".into(),
        label: "a".into(),
        start_s,
        stop_s,
    }
}

fn by(bin_s: f64) -> Counting {
    Counting {
        bin_s: Some(bin_s),
        ..Counting::default()
    }
}

fn in_trials(bin_s: Option<f64>) -> Counting {
    Counting {
        bin_s,
        trials: Some("trial".into()),
        ..Counting::default()
    }
}

#[test]
fn spikes_fall_into_the_bins_of_their_trials() {
    let mut draft = spikes(
        vec![vec![0.05, 0.15, 0.17, 1.02, 1.99], vec![0.5, 1.1]],
        2.0,
    );
    let whole = by(0.1).counts(&draft.clone().validate(Missing::Refuse).unwrap());
    let whole = whole.unwrap();
    assert_eq!(whole.values.dim(), (20, 2));
    assert_eq!(whole.values.column(0).to_vec()[..2], [1, 2]);
    assert_eq!(whole.values.sum(), 7);
    assert_eq!(whole.time(), regular(10.0, 20));

    draft.epochs = vec![epoch(1.0, 1.3), epoch(0.0, 0.2)];
    let parted = in_trials(Some(0.1)).counts(&draft.validate(Missing::Refuse).unwrap());
    let parted = parted.unwrap();
    assert_eq!(parted.trials, [0..2, 2..5]);
    assert_eq!(parted.starts_s, [0.0, 1.0]);
    assert_eq!(parted.trial(0).column(0).to_vec(), [1, 2]);
    assert_eq!(parted.trial(1).column(0).to_vec(), [1, 0, 0]);
    assert_eq!(parted.trial(1).column(1).to_vec(), [0, 1, 0]);
    assert_eq!(parted.times_s()[2], 1.0);
    let second = parted.select_trials(&[1]).unwrap();
    assert_eq!(second.trials, std::slice::from_ref(&(0..3)));
    assert_eq!(second.trial(0), parted.trial(1));
    assert!(parted.select_trials(&[]).is_err() && parted.select_trials(&[2]).is_err());
}

#[test]
fn sampled_counts_are_taken_as_they_are_or_summed() {
    let values = Array2::from_shape_fn((7, 2), |(t, u)| (t * (u + 1)) as f32);
    let recording = traces(values, regular(2.0, 7))
        .validate(Missing::Refuse)
        .unwrap();
    let own = Counting::default().counts(&recording).unwrap();
    assert_eq!((own.bin_s, own.n_bins(), own.n_units()), (0.5, 7, 2));
    assert_eq!(own.values.column(1).to_vec(), [0, 2, 4, 6, 8, 10, 12]);
    let summed = by(1.0).counts(&recording).unwrap();
    // The last sample makes no whole bin.
    assert_eq!(summed.values.column(0).to_vec(), [1, 5, 9]);
    let error = by(0.7).counts(&recording).unwrap_err().to_string();
    assert!(error.contains("bin_s") && error.contains("0.7"), "{error}");
}

#[test]
fn trials_that_follow_each_other_share_no_sample() {
    let values = Array2::from_shape_fn((60, 1), |(t, _)| t as f32);
    let mut draft = traces(values, regular(50.0, 60));
    draft.epochs = (0..3)
        .map(|k| epoch(f64::from(k) * 0.4, f64::from(k + 1) * 0.4))
        .collect();
    let counts = in_trials(None).counts(&draft.validate(Missing::Refuse).unwrap());
    let counts = counts.unwrap();
    assert_eq!(counts.trials, [0..20, 20..40, 40..60]);
    assert_eq!(
        counts.values.column(0).to_vec(),
        (0..60).collect::<Vec<u32>>()
    );
}

#[test]
fn trials_are_cut_into_pieces_that_keep_all_bins() {
    let values = Array2::from_shape_fn((11, 1), |(t, _)| t as f32);
    let recording = traces(values, regular(2.0, 11))
        .validate(Missing::Refuse)
        .unwrap();
    let counts = Counting::default().counts(&recording).unwrap();
    let cut = counts.cut(3);
    assert_eq!(cut.trials, [0..3, 3..6, 6..11]);
    assert_eq!(cut.starts_s, [0.0, 1.5, 3.0]);
    assert_eq!(cut.values, counts.values);
    assert_eq!(counts.cut(20), counts);
}

#[test]
fn a_gap_in_time_begins_a_new_trial() {
    let time = TimeAxis::Explicit(vec![0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2]);
    let recording = traces(Array2::ones((7, 1)), time)
        .validate(Missing::Refuse)
        .unwrap();
    let counts = Counting::default().counts(&recording).unwrap();
    assert_eq!(counts.trials, [0..4, 4..7]);
    assert_eq!(counts.starts_s, [0.0, 5.0]);
}

#[test]
fn what_is_no_count_is_refused_with_unit_and_index() {
    let error = |change: fn(&mut Array2<f32>)| {
        let mut values = Array2::ones((5, 3));
        change(&mut values);
        let recording = traces(values, regular(1.0, 5))
            .validate(Missing::Keep)
            .unwrap();
        Counting::default()
            .counts(&recording)
            .unwrap_err()
            .to_string()
    };
    let fraction = error(|v| v[[3, 1]] = 0.5);
    assert!(fraction.contains("unit 1, index 3") && fraction.contains("whole number"));
    assert!(error(|v| v[[0, 0]] = -1.0).contains("0 or more"));
    assert!(error(|v| v[[2, 2]] = f32::NAN).contains("missing"));
    assert!(error(|v| v[[2, 2]] = 2e6).contains("million"));
    assert!(error(|v| v.column_mut(2).fill(0.0)).contains("unit 2: expected at least one spike"));
}

#[test]
fn silent_units_are_refused_dropped_or_kept() {
    let recording = || {
        let draft = spikes(vec![vec![0.1], vec![], vec![0.3]], 1.0);
        draft.validate(Missing::Refuse).unwrap()
    };
    let treated = |silent| Counting { silent, ..by(0.1) }.counts(&recording());
    assert!(
        treated(Silent::Refuse)
            .unwrap_err()
            .to_string()
            .contains("unit 1")
    );
    let dropped = treated(Silent::Drop).unwrap();
    assert_eq!(
        (dropped.n_units(), dropped.dropped.clone()),
        (2, vec!["1".to_owned()])
    );
    assert_eq!(treated(Silent::Keep).unwrap().n_units(), 3);
    let silence = spikes(vec![vec![]], 1.0).validate(Missing::Refuse).unwrap();
    let all = Counting {
        silent: Silent::Drop,
        ..by(0.1)
    };
    assert!(
        all.counts(&silence)
            .unwrap_err()
            .to_string()
            .contains("silence")
    );
}

#[test]
fn trials_out_of_place_are_refused_by_name() {
    let error = |epochs: Vec<Epoch>, counting: Counting| {
        let mut draft = spikes(vec![vec![0.1, 0.6]], 1.0);
        draft.epochs = epochs;
        let recording = draft.validate(Missing::Refuse).unwrap();
        counting.counts(&recording).unwrap_err().to_string()
    };
    let trials = || in_trials(Some(0.1));
    assert!(error(vec![], trials()).contains("no epochs at all"));
    let mut other = epoch(0.0, 1.0);
    other.kind = "run".into();
    assert!(error(vec![other], trials()).contains("kinds run"));
    assert!(error(vec![epoch(0.0, 0.5), epoch(0.4, 1.0)], trials()).contains("0.5 s"));
    assert!(error(vec![epoch(0.5, 1.5)], trials()).contains("within the recording"));
    assert!(error(vec![epoch(0.0, 0.15)], trials()).contains("trial a"));
    assert!(error(vec![], by(0.0)).contains("bin_s"));
    assert!(error(vec![], by(2.0)).contains("at least 2 bins"));
    assert!(error(vec![], by(1e-12)).contains("at most"));
}
