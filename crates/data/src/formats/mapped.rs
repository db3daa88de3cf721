//! From named arrays to a recording, as a [`Mapping`] says.

use std::ops::Range;

use chiasm_core::TimeAxis;

use super::arrays::{Arrays, Values};
use super::mapping::{Axes, CovariateAt, EpochsAt, Mapping};
use crate::recording::{Activity, Covariate, Draft, Epoch, Session, Spikes, Traces, Unit};
use crate::{DataError, Place};

impl Mapping {
    /// Reads the recording's parts from where the mapping says they stand. Of traces, only the samples within `span_s`
    /// are read.
    pub(crate) fn apply(
        &self,
        file: &dyn Arrays,
        span_s: Option<(f64, f64)>,
    ) -> Result<Draft, DataError> {
        let located = |e: DataError| e.in_file(file.path());
        let (activity, clock, origin) = match (&self.traces, &self.spikes) {
            (Some(traces), _) => self.traces(file, traces, span_s).map_err(located)?,
            (None, Some(spikes)) => {
                let spikes = self.spikes(file, spikes).map_err(located)?;
                let clock = match &self.time {
                    Some(time) => Some(TimeAxis::Explicit(self.times(file, time)?)),
                    None => None,
                };
                (Activity::Spikes(spikes), clock, 0.0)
            }
            (None, None) => {
                return Err(DataError::invalid(
                    Place::dataset("mapping"),
                    "`traces` or `spikes`",
                    "neither",
                ));
            }
        };
        let mut draft = Draft::new(activity);
        self.units(file, &mut draft.units).map_err(located)?;
        for (name, at) in &self.covariates {
            match self.covariate(file, name, at, clock.as_ref(), origin) {
                Err(DataError::Absent { .. }) if at.optional => {}
                channel => draft.covariates.push(channel.map_err(located)?),
            }
        }
        for (kind, at) in &self.epochs {
            match self.epochs(file, kind, at, clock.as_ref(), origin) {
                Err(DataError::Absent { .. }) if at.optional => {}
                found => draft.epochs.extend(found.map_err(located)?),
            }
        }
        draft.session = Session {
            id: if self.session.id.is_empty() {
                stem(file)
            } else {
                self.session.id.clone()
            },
            description: self.session.description.clone(),
            subject: self.session.subject.clone(),
            start: None,
            source: file
                .path()
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
        };
        Ok(draft)
    }

    /// Times in seconds, not yet shifted.
    fn times(&self, file: &dyn Arrays, name: &str) -> Result<Vec<f64>, DataError> {
        let times = file.vector(name)?;
        Ok(times.iter().map(|&t| self.time_unit.to_s(t)).collect())
    }

    fn rate_hz(&self, file: &dyn Arrays, rate: &str) -> Result<f64, DataError> {
        if let Ok(rate) = rate.parse() {
            return Ok(rate);
        }
        let values = file.vector(rate)?;
        match values.as_slice() {
            [rate] => Ok(*rate),
            _ => Err(DataError::invalid(
                Place::dataset(rate),
                "one number, the rate in Hz",
                format!("{} numbers", values.len()),
            )),
        }
    }

    /// The traces, the clock of all their samples (also those outside the span), and what was taken off all times.
    fn traces(
        &self,
        file: &dyn Arrays,
        name: &str,
        span_s: Option<(f64, f64)>,
    ) -> Result<(Activity, Option<TimeAxis>, f64), DataError> {
        let shape = file.shape(name)?;
        let (first, second) = match shape[..] {
            [n] => (n, 1),
            [a, b] => (a, b),
            _ => {
                let found = format!("shape {shape:?}");
                return Err(DataError::invalid(Place::dataset(name), "a matrix", found));
            }
        };
        let mut times = match &self.time {
            Some(time) => Some(self.times(file, time)?),
            None => None,
        };
        let time_first = match (self.axes, &times) {
            _ if shape.len() == 1 => true,
            (Axes::TimeUnit, _) => true,
            (Axes::UnitTime, _) => false,
            (Axes::Auto, Some(t)) if t.len() == first && t.len() != second => true,
            (Axes::Auto, Some(t)) if t.len() == second && t.len() != first => false,
            (Axes::Auto, t) => {
                let found = match t {
                    Some(t) => format!("{} times for a matrix of {first} x {second}", t.len()),
                    None => format!("a matrix of {first} x {second} without times"),
                };
                let error = DataError::invalid(
                    Place::dataset(name),
                    "axes that tell themselves apart",
                    found,
                );
                return Err(error.with_help("give `axes=time.unit` or `axes=unit.time`"));
            }
        };
        let n_times = if time_first { first } else { second };
        let origin = match &times {
            Some(t) if self.zero => t.first().copied().unwrap_or(0.0),
            _ => 0.0,
        };
        let clock = match (&mut times, &self.rate) {
            (Some(t), _) => {
                for t in t.iter_mut() {
                    *t -= origin;
                }
                TimeAxis::Explicit(std::mem::take(t))
            }
            (None, Some(rate)) => TimeAxis::Regular {
                start_s: self.start,
                rate_hz: self.rate_hz(file, rate)?,
                len: n_times,
            },
            (None, None) => {
                let found = "neither `time` nor `rate` in the mapping";
                let error = DataError::invalid(Place::dataset(name), "a time axis", found);
                return Err(error.with_help(
                    "name the array of times (`time=...`) or give the rate in Hz (`rate=...`)",
                ));
            }
        };
        if clock.len() != n_times {
            let expected = format!("{n_times} times, one for each sample of `{name}`");
            let error = DataError::invalid(
                Place::dataset(self.time.as_deref().unwrap_or("time")),
                expected,
                clock.len(),
            );
            let transposed = if time_first { second } else { first } == clock.len();
            return Err(if transposed {
                error.with_help("the traces look transposed: change `axes`")
            } else {
                error
            });
        }
        let rows = span_s.map_or(0..n_times, |span| rows_within(&clock, span));
        let values = file.matrix(name, time_first, rows.clone())?;
        let traces = Traces {
            time: part_of(&clock, rows),
            values,
            quantity: self.quantity.clone(),
        };
        Ok((Activity::Traces(traces), Some(clock), origin))
    }

    fn spikes(&self, file: &dyn Arrays, name: &str) -> Result<Spikes, DataError> {
        let to_s = |t: &f64| self.time_unit.to_s(*t);
        let times: Vec<Vec<f64>> = match (file.get(name)?, &self.spike_units) {
            (Values::Ragged(lists), None) => lists
                .iter()
                .map(|list| list.iter().map(to_s).collect())
                .collect(),
            (Values::Numbers(_), Some(owner)) => {
                let (spikes, owners) = (file.vector(name)?, file.vector(owner)?);
                return self.flat(&spikes, &owners, owner);
            }
            (Values::Numbers(flat), None)
                if flat.shape().iter().filter(|&&n| n != 1).count() <= 1 =>
            {
                vec![flat.iter().map(to_s).collect()]
            }
            (other, _) => {
                let expected = "lists of times, or a flat list with `spike_units`";
                return Err(DataError::invalid(
                    Place::dataset(name),
                    expected,
                    other.kind(),
                ));
            }
        };
        Ok(self.observed(times))
    }

    /// Spikes from a flat list and their owners: unit numbers from the smallest to the largest that occurs, in order.
    fn flat(&self, spikes: &[f64], owners: &[f64], name: &str) -> Result<Spikes, DataError> {
        if spikes.len() != owners.len() {
            let expected = format!("{} units, one for each spike", spikes.len());
            return Err(DataError::invalid(
                Place::dataset(name),
                expected,
                owners.len(),
            ));
        }
        let mut known: Vec<i64> = Vec::with_capacity(owners.len());
        for (i, &owner) in owners.iter().enumerate() {
            if owner.fract() != 0.0 || owner.abs() > 9e15 {
                let place = Place::dataset(name).index(i);
                return Err(DataError::invalid(place, "a whole number", owner));
            }
            known.push(owner as i64);
        }
        let owners = known.clone();
        known.sort_unstable();
        known.dedup();
        let mut times = vec![Vec::new(); known.len()];
        for (&t, owner) in spikes.iter().zip(&owners) {
            if let Ok(unit) = known.binary_search(owner) {
                times[unit].push(self.time_unit.to_s(t));
            }
        }
        for train in &mut times {
            train.sort_by(f64::total_cmp);
        }
        Ok(self.observed(times))
    }

    fn observed(&self, times: Vec<Vec<f64>>) -> Spikes {
        let [start_s, stop_s] = self.span.unwrap_or_else(|| {
            let all = || times.iter().flatten().copied();
            [all().fold(0.0, f64::min), all().fold(0.0, f64::max)]
        });
        Spikes {
            times,
            start_s,
            stop_s,
        }
    }

    fn units(&self, file: &dyn Arrays, units: &mut [Unit]) -> Result<(), DataError> {
        let n = units.len();
        let column = |name: &Option<String>| -> Result<Option<Vec<String>>, DataError> {
            let Some(name) = name else { return Ok(None) };
            let texts = file.texts(name)?;
            if texts.len() != n {
                let expected = format!("{n} entries, one for each unit");
                return Err(DataError::invalid(
                    Place::dataset(name),
                    expected,
                    texts.len(),
                ));
            }
            Ok(Some(texts))
        };
        let some = |text: String| Some(text).filter(|t| !t.is_empty());
        if let Some(ids) = column(&self.ids)? {
            for (unit, id) in units.iter_mut().zip(ids) {
                unit.id = id;
            }
        }
        if let Some(labels) = column(&self.labels)? {
            for (unit, label) in units.iter_mut().zip(labels) {
                unit.label = some(label);
            }
        }
        if let Some(regions) = column(&self.regions)? {
            for (unit, region) in units.iter_mut().zip(regions) {
                unit.region = some(region);
            }
        }
        if let Some(kinds) = column(&self.kinds)? {
            for (unit, kind) in units.iter_mut().zip(kinds) {
                unit.kind = some(kind);
            }
        }
        if let Some(name) = &self.positions {
            let places = file.numbers(name)?;
            let expected = || format!("shape [{n}, 3]");
            if places.shape() != [n, 3] {
                let found = format!("shape {:?}", places.shape());
                return Err(DataError::invalid(Place::dataset(name), expected(), found));
            }
            for (unit, place) in units.iter_mut().zip(places.outer_iter()) {
                let place: Vec<f64> = place.iter().copied().collect();
                unit.position = place
                    .try_into()
                    .ok()
                    .filter(|p: &[f64; 3]| !p.iter().any(|v| v.is_nan()));
            }
        }
        Ok(())
    }

    fn covariate(
        &self,
        file: &dyn Arrays,
        name: &str,
        at: &CovariateAt,
        clock: Option<&TimeAxis>,
        origin: f64,
    ) -> Result<Covariate, DataError> {
        let values = file.vector(&at.dataset)?;
        let time = match (&at.time, clock) {
            (Some(time), _) => {
                TimeAxis::Explicit(self.times(file, time)?.iter().map(|t| t - origin).collect())
            }
            (None, Some(clock)) => clock.clone(),
            (None, None) => {
                let expected = "times for a channel beside spikes";
                let error = DataError::invalid(Place::dataset(&at.dataset), expected, "none");
                return Err(
                    error.with_help(format!("write `{name}={}@DATASET_OF_TIMES`", at.dataset))
                );
            }
        };
        if time.len() != values.len() {
            let expected = format!("{} values, one for each time", time.len());
            return Err(DataError::invalid(
                Place::dataset(&at.dataset),
                expected,
                values.len(),
            ));
        }
        Ok(Covariate {
            name: name.to_owned(),
            unit: at.unit.clone(),
            time,
            values,
        })
    }

    fn epochs(
        &self,
        file: &dyn Arrays,
        kind: &str,
        at: &EpochsAt,
        clock: Option<&TimeAxis>,
        origin: f64,
    ) -> Result<Vec<Epoch>, DataError> {
        let bounds = file.numbers(&at.dataset)?;
        let pairs: Vec<(f64, f64)> = match bounds.shape() {
            _ if bounds.is_empty() => Vec::new(),
            [2, n] => (0..*n).map(|i| (bounds[[0, i]], bounds[[1, i]])).collect(),
            [n, 2] => (0..*n).map(|i| (bounds[[i, 0]], bounds[[i, 1]])).collect(),
            [2] => vec![(bounds[[0]], bounds[[1]])],
            shape => {
                let found = format!("shape {shape:?}");
                return Err(DataError::invalid(
                    Place::dataset(&at.dataset),
                    "starts and ends, [2, n] or [n, 2]",
                    found,
                ));
            }
        };
        let time_of = |frame: f64, index: usize| -> Result<f64, DataError> {
            let expected = || match clock {
                Some(clock) => format!("a frame from {} to {}", at.first_frame, clock.len()),
                None => "times (there is no clock to count frames by)".to_owned(),
            };
            let wrong =
                || DataError::invalid(Place::dataset(&at.dataset).index(index), expected(), frame);
            let clock = clock.filter(|c| !c.is_empty()).ok_or_else(wrong)?;
            let frame = frame - f64::from(at.first_frame);
            if frame < 0.0 || frame.fract() != 0.0 || frame > clock.len() as f64 {
                return Err(wrong());
            }
            let (frame, last) = (frame as usize, clock.len() - 1);
            // The end of the last frame is one step after its start.
            Ok(if frame <= last {
                clock.at(frame)
            } else {
                clock.at(last) + clock.median_step_s().unwrap_or(0.0)
            })
        };
        pairs
            .into_iter()
            .enumerate()
            .map(|(i, (start, stop))| {
                let (start_s, stop_s) = if at.frames {
                    let stop = if at.end_included { stop + 1.0 } else { stop };
                    (time_of(start, i)?, time_of(stop, i)?)
                } else {
                    let shift = |t| self.time_unit.to_s(t) - origin;
                    (shift(start), shift(stop))
                };
                Ok(Epoch {
                    kind: kind.to_owned(),
                    label: String::new(),
                    start_s,
                    stop_s,
                })
            })
            .collect()
    }
}

fn stem(file: &dyn Arrays) -> String {
    file.path()
        .file_stem()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// The samples of an ascending clock that lie within a span of time, its ends included.
pub(crate) fn rows_within(clock: &TimeAxis, (start, stop): (f64, f64)) -> Range<usize> {
    let n = clock.len();
    let first = partition(n, |i| clock.at(i) < start);
    let last = partition(n, |i| clock.at(i) <= stop);
    first..last.max(first)
}

/// The first index for which `holds` is false; it must be true before and false after.
fn partition(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The samples `rows` of a clock.
pub(crate) fn part_of(clock: &TimeAxis, rows: Range<usize>) -> TimeAxis {
    match clock {
        TimeAxis::Regular { rate_hz, .. } => TimeAxis::Regular {
            start_s: clock.at(rows.start),
            rate_hz: *rate_hz,
            len: rows.len(),
        },
        TimeAxis::Explicit(t) => TimeAxis::Explicit(t[rows].to_vec()),
    }
}
