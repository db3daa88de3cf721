//! The one place where a recording is checked.

use std::collections::BTreeMap;

use chiasm_core::TimeAxis;
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::{Activity, Draft, Recording, Spikes, Traces, Unit};
use crate::error::{DataError, Place};

/// What to do with missing samples (NaN) in traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum Missing {
    /// Refuse the recording, naming the first missing sample.
    #[default]
    Refuse,
    /// Keep them as NaN; methods that cannot bear them will refuse.
    Keep,
    /// Drop every unit that has any.
    DropUnits,
    /// Drop every time point at which any unit has one.
    DropFrames,
    /// Interpolate linearly in time over gaps of at most `max_gap_s` between observed samples, and refuse longer ones
    /// and those at either end.
    Interpolate {
        /// The longest gap bridged, from the last sample before it to the first after it, s.
        max_gap_s: f64,
    },
}

/// Something that validation changed, to be shown to the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    /// What was done, in a sentence.
    pub what: String,
    /// How many samples, frames or units it touched.
    pub n: usize,
}

impl Draft {
    /// Checks everything and returns the recording.
    ///
    /// # Errors
    /// [`DataError::Invalid`] with unit, index, expected and found for the first fault: no units or samples, lengths
    /// that disagree, times that are not finite or not ascending, infinite values, missing values (see [`Missing`]),
    /// spikes outside the observation, epochs that end before they start, ids given twice.
    pub fn validate(mut self, missing: Missing) -> Result<Recording, DataError> {
        let mut repairs = Vec::new();
        match &mut self.activity {
            Activity::Traces(traces) => {
                check_traces(traces, &self.units)?;
                mend(traces, &mut self.units, missing, &mut repairs)?;
            }
            Activity::Spikes(spikes) => check_spikes(spikes, &self.units)?,
        }
        check_units(&self.units)?;
        for epoch in &self.epochs {
            let place = || Place::dataset(format!("epoch {} {}", epoch.kind, epoch.label));
            if !(epoch.start_s.is_finite() && epoch.stop_s.is_finite()) {
                let found = format!("{} to {}", epoch.start_s, epoch.stop_s);
                return Err(DataError::invalid(place(), "finite times in s", found));
            }
            if epoch.stop_s < epoch.start_s {
                let expected = format!("an end at or after its start at {} s", epoch.start_s);
                return Err(DataError::invalid(
                    place(),
                    expected,
                    format!("{} s", epoch.stop_s),
                ));
            }
        }
        self.epochs.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        for c in &self.covariates {
            check_axis(&c.time, &c.name)?;
            if c.time.len() != c.values.len() {
                let expected = format!("{} values, one for each time", c.time.len());
                return Err(DataError::invalid(
                    Place::dataset(&c.name),
                    expected,
                    c.values.len(),
                ));
            }
            if let Some(i) = c.values.iter().position(|v| v.is_infinite()) {
                let place = Place::dataset(&c.name).index(i);
                return Err(DataError::invalid(
                    place,
                    "a finite value or NaN",
                    c.values[i],
                ));
            }
        }
        Ok(Recording {
            activity: self.activity,
            units: self.units,
            epochs: self.epochs,
            covariates: self.covariates,
            session: self.session,
            repairs,
        })
    }
}

fn check_axis(time: &TimeAxis, name: &str) -> Result<(), DataError> {
    let place = || Place::dataset(format!("time of {name}"));
    match time {
        TimeAxis::Regular {
            start_s, rate_hz, ..
        } => {
            if !(rate_hz.is_finite() && *rate_hz > 0.0) {
                return Err(DataError::invalid(place(), "a rate above 0 Hz", rate_hz));
            }
            if !start_s.is_finite() {
                return Err(DataError::invalid(place(), "a finite start in s", start_s));
            }
        }
        TimeAxis::Explicit(t) => {
            if let Some(i) = t.iter().position(|v| !v.is_finite()) {
                return Err(DataError::invalid(
                    place().index(i),
                    "a finite time in s",
                    t[i],
                ));
            }
            if let Some(i) = t.windows(2).position(|w| w[1] <= w[0]) {
                let expected = format!("a time after {} s", t[i]);
                return Err(DataError::invalid(place().index(i + 1), expected, t[i + 1]));
            }
        }
    }
    Ok(())
}

fn check_units(units: &[Unit]) -> Result<(), DataError> {
    let mut seen = BTreeMap::new();
    for (i, unit) in units.iter().enumerate() {
        if let Some(first) = seen.insert(unit.id.as_str(), i) {
            let expected = format!("an id of its own (unit {first} has it too)");
            return Err(DataError::invalid(
                Place::dataset("units").index(i),
                expected,
                &unit.id,
            ));
        }
        if let Some(p) = unit.position.filter(|p| p.iter().any(|v| v.is_infinite())) {
            let place = Place::dataset("units").unit(&unit.id).index(i);
            return Err(DataError::invalid(
                place,
                "a finite position",
                format!("{p:?}"),
            ));
        }
    }
    Ok(())
}

fn check_traces(traces: &Traces, units: &[Unit]) -> Result<(), DataError> {
    let (n_times, n_units) = traces.values.dim();
    let place = || Place::dataset("traces");
    if n_units == 0 || n_times == 0 {
        let found = format!("shape [time {n_times}, unit {n_units}]");
        return Err(DataError::invalid(
            place(),
            "at least one unit and one sample",
            found,
        ));
    }
    if units.len() != n_units {
        let expected = format!("{n_units} units, one for each column of the traces");
        return Err(DataError::invalid(
            Place::dataset("units"),
            expected,
            units.len(),
        ));
    }
    check_axis(&traces.time, "traces")?;
    if traces.time.len() != n_times {
        let expected = format!("{n_times} times, one for each row of the traces");
        let error = DataError::invalid(Place::dataset("time"), expected, traces.time.len());
        return Err(if traces.time.len() == n_units {
            error.with_help("the traces look transposed: give their axes as unit.time")
        } else {
            error
        });
    }
    if let Some(((i, u), v)) = traces.values.indexed_iter().find(|(_, v)| v.is_infinite()) {
        return Err(DataError::invalid(
            place().unit(&units[u].id).index(i),
            "a finite value",
            v,
        ));
    }
    Ok(())
}

fn check_spikes(spikes: &Spikes, units: &[Unit]) -> Result<(), DataError> {
    let place = || Place::dataset("spike_times");
    if spikes.times.is_empty() {
        return Err(DataError::invalid(place(), "at least one unit", "none"));
    }
    if units.len() != spikes.times.len() {
        let expected = format!("{} units, one for each spike train", spikes.times.len());
        return Err(DataError::invalid(
            Place::dataset("units"),
            expected,
            units.len(),
        ));
    }
    let (start, stop) = (spikes.start_s, spikes.stop_s);
    if !(start.is_finite() && stop.is_finite() && stop >= start) {
        let found = format!("{start} to {stop} s");
        return Err(DataError::invalid(
            place(),
            "a finite span that ends after it starts",
            found,
        ));
    }
    for (unit, train) in units.iter().zip(&spikes.times) {
        let at = |i| place().unit(&unit.id).index(i);
        for (i, &t) in train.iter().enumerate() {
            if !t.is_finite() {
                return Err(DataError::invalid(at(i), "a finite time in s", t));
            }
            if !(start..=stop).contains(&t) {
                let expected = format!("a time from {start} to {stop} s");
                return Err(DataError::invalid(at(i), expected, t)
                    .with_help("spike times are in seconds; divide if these are ms or samples"));
            }
            if i > 0 && t < train[i - 1] {
                let expected = format!("a time at or after {} s", train[i - 1]);
                return Err(DataError::invalid(at(i), expected, t));
            }
        }
    }
    Ok(())
}

/// Applies the policy for missing samples.
fn mend(
    traces: &mut Traces,
    units: &mut Vec<Unit>,
    missing: Missing,
    repairs: &mut Vec<Repair>,
) -> Result<(), DataError> {
    let holes: usize = traces.values.iter().filter(|v| v.is_nan()).count();
    if holes == 0 {
        return Ok(());
    }
    if holes == traces.values.len() {
        return Err(DataError::invalid(
            Place::dataset("traces"),
            "values",
            "NaN throughout",
        ));
    }
    let mut repaired = |what: String, n| repairs.push(Repair { what, n });
    match missing {
        Missing::Refuse => {
            let ((i, u), _) = traces
                .values
                .indexed_iter()
                .find(|(_, v)| v.is_nan())
                .expect("holes > 0");
            let place = Place::dataset("traces").unit(&units[u].id).index(i);
            let found = format!("NaN (one of {holes} in all)");
            return Err(
                DataError::invalid(place, "a finite value", found).with_help(
                    "choose what to do: --missing keep, drop-units, drop-frames or interpolate",
                ),
            );
        }
        Missing::Keep => repaired(format!("kept {holes} missing samples as NaN"), holes),
        Missing::DropUnits => {
            let keep: Vec<usize> = (0..units.len())
                .filter(|&u| !traces.values.column(u).iter().any(|v| v.is_nan()))
                .collect();
            let dropped: Vec<&str> = (0..units.len())
                .filter(|u| keep.binary_search(u).is_err())
                .map(|u| units[u].name())
                .collect();
            if keep.is_empty() {
                let expected = "a unit without missing samples";
                return Err(
                    DataError::invalid(Place::dataset("traces"), expected, "none")
                        .with_help("try --missing drop-frames or interpolate"),
                );
            }
            let what = format!("dropped units with missing samples: {}", dropped.join(", "));
            repaired(what, dropped.len());
            traces.values = traces.values.select(Axis(1), &keep);
            *units = keep.iter().map(|&u| units[u].clone()).collect();
        }
        Missing::DropFrames => {
            let keep: Vec<usize> = (0..traces.values.nrows())
                .filter(|&i| !traces.values.row(i).iter().any(|v| v.is_nan()))
                .collect();
            let n = traces.values.nrows() - keep.len();
            if keep.is_empty() {
                let expected = "a time point without missing samples";
                return Err(
                    DataError::invalid(Place::dataset("traces"), expected, "none")
                        .with_help("try --missing drop-units or interpolate"),
                );
            }
            repaired(format!("dropped {n} time points with missing samples"), n);
            traces.values = traces.values.select(Axis(0), &keep);
            traces.time = TimeAxis::Explicit(keep.iter().map(|&i| traces.time.at(i)).collect());
        }
        Missing::Interpolate { max_gap_s } => {
            interpolate(&mut traces.values, &traces.time, units, max_gap_s)?;
            repaired(format!("interpolated {holes} missing samples"), holes);
        }
    }
    Ok(())
}

fn interpolate(
    values: &mut Array2<f32>,
    time: &TimeAxis,
    units: &[Unit],
    max_gap_s: f64,
) -> Result<(), DataError> {
    for (u, mut column) in values.columns_mut().into_iter().enumerate() {
        let n = column.len();
        let mut i = 0;
        while i < n {
            if !column[i].is_nan() {
                i += 1;
                continue;
            }
            let end = (i..n).find(|&j| !column[j].is_nan()).unwrap_or(n);
            let place = || Place::dataset("traces").unit(&units[u].id).index(i);
            if i == 0 || end == n {
                let expected = "an observed sample on either side of the gap";
                return Err(DataError::invalid(
                    place(),
                    expected,
                    "a gap at the end of the trace",
                ));
            }
            let (before, after) = (time.at(i - 1), time.at(end));
            if after - before > max_gap_s {
                let expected = format!("gaps of at most {max_gap_s} s");
                let found = format!("one of {:.3} s", after - before);
                return Err(DataError::invalid(place(), expected, found));
            }
            let (low, high) = (f64::from(column[i - 1]), f64::from(column[end]));
            for j in i..end {
                let fraction = (time.at(j) - before) / (after - before);
                column[j] = (low + fraction * (high - low)) as f32;
            }
            i = end;
        }
    }
    Ok(())
}
