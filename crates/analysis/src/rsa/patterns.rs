//! Patterns from a recording: what each unit did, on average, in each condition. So any recording, of an animal or of a
//! model, becomes an RDM.

use chiasm_data::{Activity, Recording};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::RsaError;

/// What the conditions of a recording are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conditions {
    /// The labels of the epochs of this kind (such as `stimulus`); epochs of one label are averaged.
    Epochs(String),
    /// So many time bins of one length.
    Bins(usize),
}

/// Mean activity by condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    /// Names of the conditions, in the order of their first epoch.
    pub conditions: Vec<String>,
    /// `[condition, unit]`: mean of the trace, or spikes per second.
    pub values: Array2<f64>,
}

/// The mean activity of every unit in every condition. A sample belongs to an epoch if its time lies in
/// `[start_s, stop_s)`; samples that are missing (NaN) are left out of the mean.
///
/// # Errors
/// [`RsaError::FewConditions`] below 3 conditions; [`RsaError::NoSample`] where a unit has no sample in a condition,
/// [`RsaError::NoTime`] where no recorded time of spikes lies in it; [`RsaError::NotFinite`] for a rate beyond `f64`.
pub fn patterns(recording: &Recording, conditions: &Conditions) -> Result<Patterns, RsaError> {
    let spans = spans(recording, conditions);
    if spans.len() < 3 {
        return Err(RsaError::FewConditions {
            found: spans.len(),
            from: match conditions {
                Conditions::Epochs(kind) => format!("labels of epochs of kind `{kind}`"),
                Conditions::Bins(n) => format!("{n} time bins"),
            },
        });
    }
    let mut values = Array2::zeros((spans.len(), recording.n_units()));
    let n_conditions = match conditions {
        Conditions::Epochs(_) => spans.len(),
        Conditions::Bins(n) => *n,
    };
    for ((name, spans), row) in spans.iter().zip(values.axis_iter_mut(Axis(0))) {
        for (unit, v) in row.into_iter().enumerate() {
            *v = mean_activity(recording, unit, spans, (name, n_conditions))?;
        }
    }
    if let Some(((condition, unit), &value)) = values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(RsaError::NotFinite {
            what: format!("mean activity in condition `{}`", spans[condition].0),
            index: unit,
            value,
        });
    }
    Ok(Patterns {
        conditions: spans.into_iter().map(|(name, _)| name).collect(),
        values,
    })
}

type Spans = Vec<(f64, f64)>;

fn spans(recording: &Recording, conditions: &Conditions) -> Vec<(String, Spans)> {
    let mut named: Vec<(String, Spans)> = Vec::new();
    match conditions {
        Conditions::Epochs(kind) => {
            for e in recording.epochs_of(kind) {
                let span = (e.start_s, e.stop_s);
                match named.iter_mut().find(|(name, _)| *name == e.label) {
                    Some((_, spans)) => spans.push(span),
                    None => named.push((e.label.clone(), vec![span])),
                }
            }
        }
        Conditions::Bins(n) => {
            let (start, stop) = recording.span_s();
            let at = |i: usize| start + (stop - start) * i as f64 / *n as f64;
            // With more bins than samples one is empty, and the first such is among as many bins as samples and one:
            // no need to make a billion bins to say so.
            let most = match recording.activity() {
                Activity::Traces(t) => t.time.len().saturating_add(1).max(3),
                Activity::Spikes(_) => usize::MAX,
            };
            for i in 0..(*n).min(most) {
                // The very last sample belongs to the last bin.
                let end = if i + 1 == *n {
                    f64::INFINITY
                } else {
                    at(i + 1)
                };
                named.push((format!("bin {i}"), vec![(at(i), end)]));
            }
        }
    }
    named
}

/// The mean activity of a unit within these spans; the condition's name and the number of conditions are for the error.
pub(crate) fn mean_activity(
    recording: &Recording,
    unit: usize,
    spans: &[(f64, f64)],
    (condition, n_conditions): (&str, usize),
) -> Result<f64, RsaError> {
    mean_within(recording, unit, spans).map_err(|nothing| match nothing {
        Nothing::Samples { n_missing, of } => RsaError::NoSample {
            condition: condition.to_owned(),
            n_conditions,
            unit,
            n_missing,
            n_samples: of,
        },
        Nothing::Time => RsaError::NoTime {
            condition: condition.to_owned(),
            n_conditions,
        },
    })
}

/// Why there is no mean.
enum Nothing {
    Samples { n_missing: usize, of: usize },
    Time,
}

fn mean_within(recording: &Recording, unit: usize, spans: &[(f64, f64)]) -> Result<f64, Nothing> {
    match recording.activity() {
        Activity::Traces(t) => {
            let (mut sum, mut count, mut n_missing) = (0.0, 0usize, 0usize);
            let trace = t.values.column(unit);
            for &(start, stop) in spans {
                let first = first_at(&t.time, start);
                for i in first..t.time.len() {
                    if t.time.at(i) >= stop {
                        break;
                    }
                    if trace[i].is_finite() {
                        sum += f64::from(trace[i]);
                        count += 1;
                    } else {
                        n_missing += 1;
                    }
                }
            }
            let of = t.time.len();
            if count == 0 {
                return Err(Nothing::Samples { n_missing, of });
            }
            Ok(sum / count as f64)
        }
        Activity::Spikes(s) => {
            let train = &s.times[unit];
            let (mut spikes, mut seconds) = (0usize, 0.0);
            for &(start, stop) in spans {
                let (start, stop) = (start.max(s.start_s), stop.min(s.stop_s));
                let before = |t: f64| train.partition_point(|&x| x < t);
                spikes += before(stop).saturating_sub(before(start));
                seconds += (stop - start).max(0.0);
            }
            if seconds > 0.0 {
                Ok(spikes as f64 / seconds)
            } else {
                Err(Nothing::Time)
            }
        }
    }
}

/// The first sample not before `start`.
fn first_at(time: &chiasm_core::TimeAxis, start: f64) -> usize {
    let (mut low, mut high) = (0, time.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if time.at(middle) < start {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
