//! A recording as a table of columns: what CSV and Parquet share.
//!
//! - wide: a column of times (`time_s`, `time` or `t`) and one for each unit; columns `covariate:NAME` (or
//!   `covariate:NAME[UNIT]`) are channels;
//! - long: columns `unit`, `time_s`, and `value` for traces; without `value` each row is a spike.

use std::path::{Path, PathBuf};

use chiasm_core::TimeAxis;
use ndarray::{Array2, ArrayD, IxDyn};

use super::arrays::{Arrays, Values};
use super::facts::Facts;
use super::mapping::Mapping;
use crate::recording::{Activity, Covariate, Draft, Recording, Session, Spikes, Traces, Unit};
use crate::{DataError, Place};

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// Numbers, NaN where empty; with the first cell that is not a number, if any.
    Numbers(Vec<f64>, Option<(usize, String)>),
    /// Texts.
    Texts(Vec<String>),
}

impl Column {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(v, _) => v.len(),
            Self::Texts(t) => t.len(),
        }
    }
}

/// Columns by name, all of one length.
pub(crate) struct Table {
    pub(crate) path: PathBuf,
    pub(crate) columns: Vec<(String, Column)>,
    pub(crate) facts: Option<Facts>,
    /// The columns that a mapping names, which `*` (all others, as a matrix) leaves out.
    pub(crate) named: Vec<String>,
}

pub(crate) const UNIT_NAMES: [&str; 4] = ["unit", "unit_id", "neuron", "cluster"];
const TIME_NAMES: [&str; 7] = [
    "time_s",
    "time",
    "t",
    "timestamp",
    "timestamps",
    "seconds",
    "spike_time",
];
const VALUE_NAMES: [&str; 2] = ["value", "trace"];
const CHANNEL: &str = "covariate:";

/// The column of times, by its name.
pub(crate) fn time_column(columns: &[impl AsRef<str>]) -> Option<usize> {
    find(columns, &TIME_NAMES)
}

/// The first column of the first of these names that there is.
fn find(columns: &[impl AsRef<str>], names: &[&str]) -> Option<usize> {
    let called = |column: &str, name: &str| column.trim().eq_ignore_ascii_case(name);
    names
        .iter()
        .find_map(|name| columns.iter().position(|c| called(c.as_ref(), name)))
}

impl Table {
    fn wrong(&self, place: Place, expected: impl Into<String>, found: impl ToString) -> DataError {
        DataError::invalid(place, expected, found.to_string()).in_file(&self.path)
    }

    fn find(&self, names: &[&str]) -> Option<usize> {
        let columns: Vec<&str> = self.columns.iter().map(|(n, _)| n.as_str()).collect();
        find(&columns, names)
    }

    fn numbers_of(&self, idx: usize) -> Result<&[f64], DataError> {
        let (name, column) = &self.columns[idx];
        match column {
            Column::Numbers(values, None) => Ok(values),
            Column::Numbers(_, Some((row, cell))) => Err(self.wrong(
                Place::dataset(name).index(*row),
                "a number",
                format!("`{cell}`"),
            )),
            Column::Texts(_) => Err(self.wrong(Place::dataset(name), "numbers", "text")),
        }
    }

    /// The recording in the table, by its column names.
    pub(crate) fn draft(&self) -> Result<Draft, DataError> {
        let rows = self.columns.iter().map(|(_, c)| c.len()).max().unwrap_or(0);
        let spikes_only = self.facts.as_ref().is_some_and(|f| f.span_s.is_some());
        if rows == 0 && !spikes_only {
            return Err(self.wrong(
                Place::default(),
                "at least one row below the header, within the span asked for",
                "none",
            ));
        }
        let Some(time) = self.find(&TIME_NAMES) else {
            let names: Vec<&str> = self
                .columns
                .iter()
                .take(8)
                .map(|(n, _)| n.as_str())
                .collect();
            let error = self.wrong(
                Place::dataset("header"),
                "a column of times in s: time_s, time or t",
                names.join(", "),
            );
            return Err(error.with_help(
                "name it with --map time=COLUMN,traces=*, or give the rate: --map traces=*,rate=HZ,axes=time.unit",
            ));
        };
        let times = self.numbers_of(time)?;
        let unit = self.find(&UNIT_NAMES).filter(|_| self.columns.len() <= 3);
        let mut draft = match (unit, self.find(&VALUE_NAMES)) {
            (Some(unit), Some(value)) => self.long_traces(times, unit, self.numbers_of(value)?)?,
            (Some(unit), None) => self.long_spikes(times, unit)?,
            (None, _) => self.wide(times, time)?,
        };
        self.add_facts(&mut draft)?;
        Ok(draft)
    }

    fn wide(&self, times: &[f64], time: usize) -> Result<Draft, DataError> {
        let mut columns = Vec::new();
        let mut channels = Vec::new();
        for (i, (name, _)) in self.columns.iter().enumerate().filter(|&(i, _)| i != time) {
            let values = self.numbers_of(i)?;
            if let Some(name) = name.strip_prefix(CHANNEL) {
                channels.push((name, values));
            } else {
                columns.push((name, values));
            }
        }
        let shape = (times.len(), columns.len());
        let values = Array2::from_shape_fn(shape, |(i, u)| columns[u].1[i] as f32);
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Explicit(times.to_vec()),
            values,
            quantity: String::new(),
        }));
        draft.units = columns.iter().map(|(n, _)| Unit::new(n.as_str())).collect();
        draft.covariates = channels
            .into_iter()
            .map(|(name, values)| {
                let (name, unit) = match name.strip_suffix(']').and_then(|n| n.rsplit_once('[')) {
                    Some((name, unit)) if self.facts.is_none() => (name, unit),
                    _ => (name, ""),
                };
                Covariate {
                    name: name.to_owned(),
                    unit: unit.to_owned(),
                    time: TimeAxis::Explicit(times.to_vec()),
                    values: values.to_vec(),
                }
            })
            .collect();
        Ok(draft)
    }

    /// The units of a long table, in the order of the facts or of their first row, and the unit of each row.
    fn owners(&self, unit: usize) -> Result<(Vec<Unit>, Vec<usize>), DataError> {
        let numbered;
        let texts: &[String] = match &self.columns[unit].1 {
            Column::Texts(t) => t,
            Column::Numbers(v, _) => {
                numbered = v.iter().map(ToString::to_string).collect::<Vec<_>>();
                &numbered
            }
        };
        let mut units: Vec<Unit> = self
            .facts
            .as_ref()
            .map(|f| f.units.clone())
            .unwrap_or_default();
        let closed = !units.is_empty();
        let mut known: std::collections::BTreeMap<String, usize> = units
            .iter()
            .enumerate()
            .map(|(i, u)| (u.id.clone(), i))
            .collect();
        let mut owners = Vec::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let owner = match known.get(text) {
                Some(&owner) => owner,
                None if closed => {
                    let place = Place::dataset(&self.columns[unit].0).index(row);
                    return Err(self.wrong(place, "a unit of the facts beside this file", text));
                }
                None => {
                    units.push(Unit::new(text.as_str()));
                    known.insert(text.clone(), units.len() - 1);
                    units.len() - 1
                }
            };
            owners.push(owner);
        }
        Ok((units, owners))
    }

    fn long_spikes(&self, times: &[f64], unit: usize) -> Result<Draft, DataError> {
        let (units, owners) = self.owners(unit)?;
        let mut trains = vec![Vec::new(); units.len()];
        for (&t, &owner) in times.iter().zip(&owners) {
            trains[owner].push(t);
        }
        for train in &mut trains {
            train.sort_by(f64::total_cmp);
        }
        let mut draft = Draft::new(Activity::Spikes(Spikes {
            times: trains,
            start_s: times.iter().copied().fold(0.0, f64::min),
            stop_s: times.iter().copied().fold(0.0, f64::max),
        }));
        draft.units = units;
        Ok(draft)
    }

    fn long_traces(&self, times: &[f64], unit: usize, values: &[f64]) -> Result<Draft, DataError> {
        let (units, owners) = self.owners(unit)?;
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
        for (row, &owner) in owners.iter().enumerate() {
            rows[owner].push(row);
        }
        for list in &mut rows {
            list.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
        }
        let clock: Vec<f64> = rows
            .first()
            .into_iter()
            .flatten()
            .map(|&r| times[r])
            .collect();
        for (list, unit) in rows.iter().zip(&units) {
            let fault = (0..list.len().max(clock.len()))
                .find(|&i| list.get(i).map(|&r| times[r]) != clock.get(i).copied());
            if let Some(i) = fault {
                let expected = format!("the times of unit {}, {} in all", units[0].id, clock.len());
                let found = list
                    .get(i)
                    .map_or("no row".to_owned(), |&r| format!("{} s", times[r]));
                let place = Place::dataset("time").unit(&unit.id).index(i);
                return Err(self.wrong(place, expected, found));
            }
        }
        let shape = (clock.len(), units.len());
        let matrix = Array2::from_shape_fn(shape, |(i, u)| values[rows[u][i]] as f32);
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Explicit(clock),
            values: matrix,
            quantity: String::new(),
        }));
        draft.units = units;
        Ok(draft)
    }

    fn add_facts(&self, draft: &mut Draft) -> Result<(), DataError> {
        let Some(facts) = &self.facts else {
            let file = |s: Option<&std::ffi::OsStr>| {
                s.map_or_else(String::new, |n| n.to_string_lossy().into_owned())
            };
            draft.session = Session {
                id: file(self.path.file_stem()),
                source: file(self.path.file_name()),
                ..Session::default()
            };
            return Ok(());
        };
        let n = draft.units.len();
        if facts.units.len() != n {
            let expected = format!("{n} units, one for each in the table");
            return Err(self.wrong(Place::dataset("facts, units"), expected, facts.units.len()));
        }
        draft.units.clone_from(&facts.units);
        match &mut draft.activity {
            Activity::Traces(t) => {
                t.quantity.clone_from(&facts.quantity);
                if let Some(clock) = facts.clock {
                    let regular = TimeAxis::Regular {
                        start_s: clock.start_s,
                        rate_hz: clock.rate_hz,
                        len: t.values.nrows(),
                    };
                    // The column of times still rules: a table cut by hand is no longer on the old clock.
                    if regular.to_vec() == t.time.to_vec() {
                        t.time = regular;
                    }
                }
            }
            Activity::Spikes(s) => {
                if let Some([start, stop]) = facts.span_s {
                    (s.start_s, s.stop_s) = (start, stop);
                }
            }
        }
        let columns = std::mem::take(&mut draft.covariates);
        let clock = match &draft.activity {
            Activity::Traces(t) => Some(&t.time),
            Activity::Spikes(_) => None,
        };
        for channel in &facts.covariates {
            let place = || Place::dataset(format!("facts, covariate {}", channel.name));
            let values: Vec<f64> = match &channel.values {
                Some(values) => values.iter().map(|v| v.unwrap_or(f64::NAN)).collect(),
                None => columns
                    .iter()
                    .find(|c| c.name == channel.name)
                    .map(|c| c.values.clone())
                    .ok_or_else(|| {
                        let expected = format!("a column `{CHANNEL}{}` in the table", channel.name);
                        self.wrong(place(), expected, "none")
                    })?,
            };
            let time = match (&channel.times_s, channel.regular, clock) {
                (Some(t), _, _) => TimeAxis::Explicit(t.clone()),
                (None, Some(r), _) => TimeAxis::Regular {
                    start_s: r.start_s,
                    rate_hz: r.rate_hz,
                    len: values.len(),
                },
                (None, None, Some(clock)) => clock.clone(),
                (None, None, None) => return Err(self.wrong(place(), "its times", "none")),
            };
            draft.covariates.push(Covariate {
                name: channel.name.clone(),
                unit: channel.unit.clone(),
                time,
                values,
            });
        }
        draft.epochs.clone_from(&facts.epochs);
        draft.session = facts.session.clone();
        Ok(())
    }
}

impl Arrays for Table {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.columns.iter().map(|(n, _)| n.clone()).collect())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        if name == "*" {
            let columns: Vec<&[f64]> = (0..self.columns.len())
                .filter(|&i| !self.named.contains(&self.columns[i].0))
                .map(|i| self.numbers_of(i))
                .collect::<Result<_, _>>()?;
            let rows = columns.first().map_or(0, |c| c.len());
            let matrix = Array2::from_shape_fn((rows, columns.len()), |(i, u)| columns[u][i]);
            return Ok(Values::Numbers(matrix.into_dyn()));
        }
        let idx = self
            .columns
            .iter()
            .position(|(n, _)| n == name)
            .ok_or_else(|| self.absent(name))?;
        if let Column::Texts(texts) = &self.columns[idx].1 {
            return Ok(Values::Texts(texts.clone()));
        }
        let values = self.numbers_of(idx)?.to_vec();
        let n = values.len();
        ArrayD::from_shape_vec(IxDyn(&[n]), values)
            .map(Values::Numbers)
            .map_err(|e| self.wrong(Place::dataset(name), "a column", e))
    }
}

/// The columns that a mapping names.
pub(crate) fn named_by(map: &Mapping) -> Vec<String> {
    let single = [
        &map.time,
        &map.rate,
        &map.spikes,
        &map.spike_units,
        &map.traces,
    ];
    let mut named: Vec<String> = single.into_iter().flatten().cloned().collect();
    for channel in map.covariates.values() {
        named.push(channel.dataset.clone());
        named.extend(channel.time.clone());
    }
    named
}

/// The columns that hold a recording: wide for traces, long for spikes.
pub(crate) fn columns_of(
    recording: &Recording,
    channels: &[&Covariate],
) -> Result<Vec<(String, Column)>, String> {
    match recording.activity() {
        Activity::Traces(t) => {
            let mut columns = vec![("time_s".to_owned(), Column::Numbers(t.time.to_vec(), None))];
            for (u, unit) in recording.units().iter().enumerate() {
                if unit.id.starts_with(CHANNEL) || unit.id.trim().eq_ignore_ascii_case("time_s") {
                    return Err(format!("a unit with the id `{}`", unit.id));
                }
                let values = t.values.column(u).iter().map(|&v| f64::from(v)).collect();
                columns.push((unit.id.clone(), Column::Numbers(values, None)));
            }
            for channel in channels {
                let name = format!("{CHANNEL}{}", channel.name);
                columns.push((name, Column::Numbers(channel.values.clone(), None)));
            }
            // A table of three columns that looks long would be read as one.
            let long = columns.len() <= 3
                && columns
                    .iter()
                    .any(|(n, _)| UNIT_NAMES.contains(&n.trim().to_ascii_lowercase().as_str()));
            if long {
                return Err(
                    "a unit with an id that heads the column of units in a long table".into(),
                );
            }
            Ok(columns)
        }
        Activity::Spikes(s) => {
            let (mut ids, mut times) = (Vec::new(), Vec::new());
            for (unit, train) in recording.units().iter().zip(&s.times) {
                ids.extend(std::iter::repeat_n(unit.id.clone(), train.len()));
                times.extend_from_slice(train);
            }
            Ok(vec![
                ("unit".to_owned(), Column::Texts(ids)),
                ("time_s".to_owned(), Column::Numbers(times, None)),
            ])
        }
    }
}
