//! NPZ, numpy's archive of arrays by name. Holds a whole recording.
//!
//! | key | what |
//! |---|---|
//! | `chiasm_recording` | version of this layout, 1 |
//! | `traces` | `float32`, `[time, unit]` |
//! | `time` | `float64`, s, one for each row; or `time_start_s`, `rate_hz` |
//! | `quantity` | what the traces are |
//! | `spike_times`, `spike_units` | s, and for each spike the position of its unit; `span_s` holds start and end |
//! | `unit_ids`, `unit_labels`, `unit_regions`, `unit_kinds`, `unit_positions` | the unit table; empty or NaN where unknown |
//! | `epoch_kind`, `epoch_label`, `epoch_start_s`, `epoch_stop_s` | epochs |
//! | `covariate_names`, `covariate_units`, `covariate_I`, `covariate_I_time` (or `_start_rate`) | channels; on the clock of the traces where neither time is given |
//! | `session_id`, `_description`, `_subject`, `_start`, `_source` | session facts |

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use chiasm_core::TimeAxis;

use super::arrays::{Arrays, Values};
use super::npy;
use crate::recording::{
    Activity, Covariate, Draft, Epoch, Recording, Session, Spikes, Traces, Unit,
};
use crate::{DataError, Place};

const FORMAT: &str = "NPZ";

/// An NPZ archive (or a lone NPY file, as the array `array`), read whole.
pub(crate) struct Npz {
    path: PathBuf,
    entries: BTreeMap<String, Vec<u8>>,
}

impl Npz {
    /// An archive in memory, called `path` in messages.
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        let malformed = |reason: String| DataError::Malformed {
            path: path.to_path_buf(),
            format: FORMAT,
            reason,
        };
        if npy::is_npy(bytes) {
            let entries = BTreeMap::from([("array".to_owned(), bytes.to_vec())]);
            return Ok(Self {
                path: path.to_path_buf(),
                entries,
            });
        }
        let mut archive =
            zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| malformed(e.to_string()))?;
        let mut entries = BTreeMap::new();
        // Deflate packs at most 1032 to 1: what unpacks to more than that is not honest.
        let mut budget = bytes.len().saturating_mul(1032) as u64;
        for i in 0..archive.len() {
            let mut entry = archive.by_index(i).map_err(|e| malformed(e.to_string()))?;
            let Some(name) = entry.name().strip_suffix(".npy").map(str::to_owned) else {
                continue;
            };
            let mut data = Vec::new();
            let n = entry
                .by_ref()
                .take(budget)
                .read_to_end(&mut data)
                .map_err(|e| malformed(format!("`{name}`: {e}")))?;
            budget -= n as u64;
            if budget == 0 {
                return Err(malformed("it unpacks to more than it can hold".into()));
            }
            entries.insert(name, data);
        }
        Ok(Self {
            path: path.to_path_buf(),
            entries,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether the archive has the layout of this page.
    pub(crate) fn is_recording(&self) -> bool {
        self.has("traces") || (self.has("spike_times") && self.has("spike_units"))
    }

    fn one(&self, name: &str) -> Result<f64, DataError> {
        let values = self.vector(name)?;
        match values[..] {
            [value] => Ok(value),
            _ => Err(self.wrong(name, "one number", values.len())),
        }
    }

    fn wrong(&self, name: &str, expected: impl Into<String>, found: impl ToString) -> DataError {
        DataError::invalid(Place::dataset(name), expected, found.to_string()).in_file(&self.path)
    }

    /// A list with one entry for each of `n` things, if it is there.
    fn column<T>(
        &self,
        name: &str,
        n: usize,
        read: impl Fn(&Self, &str) -> Result<Vec<T>, DataError>,
    ) -> Result<Option<Vec<T>>, DataError> {
        if !self.has(name) {
            return Ok(None);
        }
        let list = read(self, name)?;
        if list.len() != n {
            return Err(self.wrong(name, format!("{n} entries"), list.len()));
        }
        Ok(Some(list))
    }

    /// The recording that the archive holds.
    pub(crate) fn draft(&self) -> Result<Draft, DataError> {
        if self.has("chiasm_recording") && self.one("chiasm_recording")? > 1.0 {
            return Err(DataError::Unsupported {
                path: self.path.clone(),
                format: FORMAT,
                what: "a later version of chiasm's layout".into(),
                help: Some("update chiasm".into()),
            });
        }
        let activity = if self.has("traces") {
            Activity::Traces(self.traces()?)
        } else {
            Activity::Spikes(self.spikes()?)
        };
        let mut draft = Draft::new(activity);
        self.units(&mut draft.units)?;
        draft.epochs = self.epochs()?;
        draft.covariates = self.covariates(&draft.activity)?;
        let fact = |name: &str| -> Result<Option<String>, DataError> {
            let name = format!("session_{name}");
            Ok(match self.has(&name) {
                true => self.texts(&name)?.into_iter().next(),
                false => None,
            })
        };
        draft.session = Session {
            id: fact("id")?.unwrap_or_default(),
            description: fact("description")?.unwrap_or_default(),
            subject: fact("subject")?.unwrap_or_default(),
            start: fact("start")?,
            source: fact("source")?.unwrap_or_default(),
        };
        Ok(draft)
    }

    fn traces(&self) -> Result<Traces, DataError> {
        let values = self.matrix("traces", true, 0..usize::MAX)?;
        let time = if self.has("time") {
            TimeAxis::Explicit(self.vector("time")?)
        } else if self.has("rate_hz") {
            TimeAxis::Regular {
                start_s: match self.has("time_start_s") {
                    true => self.one("time_start_s")?,
                    false => 0.0,
                },
                rate_hz: self.one("rate_hz")?,
                len: values.nrows(),
            }
        } else {
            return Err(self.absent("time"));
        };
        let quantity = match self.has("quantity") {
            true => self
                .texts("quantity")?
                .into_iter()
                .next()
                .unwrap_or_default(),
            false => String::new(),
        };
        Ok(Traces {
            time,
            values,
            quantity,
        })
    }

    fn spikes(&self) -> Result<Spikes, DataError> {
        let flat = self.vector("spike_times")?;
        let owners = self
            .column("spike_units", flat.len(), |s, n| s.vector(n))?
            .unwrap_or_default();
        let n_units = match self.has("unit_ids") {
            true => self.texts("unit_ids")?.len(),
            false => owners.iter().fold(0.0, |n: f64, &o| n.max(o + 1.0)) as usize,
        };
        if n_units > flat.len() && !self.has("unit_ids") {
            return Err(self.wrong("spike_units", "positions of units, from 0", n_units - 1).with_help(
                "for unit numbers with gaps, use --map spikes=spike_times,spike_units=spike_units",
            ));
        }
        let mut times = vec![Vec::new(); n_units];
        for (i, (&t, &owner)) in flat.iter().zip(&owners).enumerate() {
            if owner.fract() != 0.0 || !(0.0..n_units as f64).contains(&owner) {
                let place = Place::dataset("spike_units").index(i);
                let expected = format!("a whole number from 0 to {}", n_units.saturating_sub(1));
                return Err(DataError::invalid(place, expected, owner).in_file(&self.path));
            }
            times[owner as usize].push(t);
        }
        let (start_s, stop_s) = if self.has("span_s") {
            match self.vector("span_s")?[..] {
                [start, stop] => (start, stop),
                _ => return Err(self.wrong("span_s", "start and end", "another number of values")),
            }
        } else {
            (0.0, flat.iter().copied().fold(0.0, f64::max))
        };
        Ok(Spikes {
            times,
            start_s,
            stop_s,
        })
    }

    fn units(&self, units: &mut [Unit]) -> Result<(), DataError> {
        let n = units.len();
        let texts = |name: &str| self.column(name, n, |s, n| s.texts(n));
        let some = |text: String| Some(text).filter(|t| !t.is_empty());
        for (unit, id) in units
            .iter_mut()
            .zip(texts("unit_ids")?.into_iter().flatten())
        {
            unit.id = id;
        }
        for (unit, text) in units
            .iter_mut()
            .zip(texts("unit_labels")?.into_iter().flatten())
        {
            unit.label = some(text);
        }
        for (unit, text) in units
            .iter_mut()
            .zip(texts("unit_regions")?.into_iter().flatten())
        {
            unit.region = some(text);
        }
        for (unit, text) in units
            .iter_mut()
            .zip(texts("unit_kinds")?.into_iter().flatten())
        {
            unit.kind = some(text);
        }
        if self.has("unit_positions") {
            let places = self.numbers("unit_positions")?;
            if places.shape() != [n, 3] {
                let found = format!("shape {:?}", places.shape());
                return Err(self.wrong("unit_positions", format!("shape [{n}, 3]"), found));
            }
            for (unit, place) in units.iter_mut().zip(places.outer_iter()) {
                let place = [place[0], place[1], place[2]];
                unit.position = Some(place).filter(|p| !p.iter().any(|v| v.is_nan()));
            }
        }
        Ok(())
    }

    fn epochs(&self) -> Result<Vec<Epoch>, DataError> {
        if !self.has("epoch_start_s") {
            return Ok(Vec::new());
        }
        let starts = self.vector("epoch_start_s")?;
        let n = starts.len();
        let need = |name: &str| self.absent(name);
        let stops = self
            .column("epoch_stop_s", n, |s, n| s.vector(n))?
            .ok_or_else(|| need("epoch_stop_s"))?;
        let kinds = self.column("epoch_kind", n, |s, n| s.texts(n))?;
        let labels = self.column("epoch_label", n, |s, n| s.texts(n))?;
        let text = |list: &Option<Vec<String>>, i: usize, or: &str| {
            list.as_ref()
                .map_or_else(|| or.to_owned(), |l| l[i].clone())
        };
        Ok((0..n)
            .map(|i| Epoch {
                kind: text(&kinds, i, "epoch"),
                label: text(&labels, i, ""),
                start_s: starts[i],
                stop_s: stops[i],
            })
            .collect())
    }

    fn covariates(&self, activity: &Activity) -> Result<Vec<Covariate>, DataError> {
        if !self.has("covariate_names") {
            return Ok(Vec::new());
        }
        let names = self.texts("covariate_names")?;
        let units = self.column("covariate_units", names.len(), |s, n| s.texts(n))?;
        let one = |(i, name): (usize, String)| {
            let key = format!("covariate_{i}");
            let values = self.vector(&key)?;
            let (explicit, regular) = (format!("{key}_time"), format!("{key}_start_rate"));
            let time = if self.has(&explicit) {
                TimeAxis::Explicit(self.vector(&explicit)?)
            } else if self.has(&regular) {
                match self.vector(&regular)?[..] {
                    [start_s, rate_hz] => TimeAxis::Regular {
                        start_s,
                        rate_hz,
                        len: values.len(),
                    },
                    _ => {
                        return Err(self.wrong(
                            &regular,
                            "start and rate",
                            "another number of values",
                        ));
                    }
                }
            } else if let Activity::Traces(traces) = activity {
                traces.time.clone()
            } else {
                return Err(self.absent(&explicit));
            };
            Ok(Covariate {
                unit: units.as_ref().map_or_else(String::new, |u| u[i].clone()),
                name,
                time,
                values,
            })
        };
        names.into_iter().enumerate().map(one).collect()
    }
}

impl Arrays for Npz {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.entries.keys().cloned().collect())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        let bytes = self.entries.get(name).ok_or_else(|| self.absent(name))?;
        npy::decode(bytes).map_err(|reason| DataError::Malformed {
            path: self.path.clone(),
            format: FORMAT,
            reason: format!("`{name}`: {reason}"),
        })
    }
}

/// The recording as the bytes of an NPZ archive; [`Npz::draft`] reads it back unchanged.
pub(crate) fn encode(recording: &Recording) -> Result<Vec<u8>, String> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // The date is fixed, so that the same recording gives the same bytes.
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    for (name, bytes) in arrays(recording) {
        zip.start_file(format!("{name}.npy"), options)
            .map_err(|e| e.to_string())?;
        zip.write_all(&bytes).map_err(|e| e.to_string())?;
    }
    zip.finish()
        .map(Cursor::into_inner)
        .map_err(|e| e.to_string())
}

/// A column of the unit table.
type Column = fn(&Unit) -> Option<&str>;

/// The arrays of the table above.
fn arrays(recording: &Recording) -> Vec<(String, Vec<u8>)> {
    let mut out = vec![("chiasm_recording".to_owned(), npy::from_i64(&[1]))];
    let mut put = |name: &str, bytes: Vec<u8>| out.push((name.to_owned(), bytes));
    let scalar = |v: f64| npy::from_f64(&[], std::iter::once(v));
    let list = |v: &[f64]| npy::from_f64(&[v.len()], v.iter().copied());
    let text = |t: &str| npy::from_texts(std::iter::once(t));
    let mut clock = None;
    match recording.activity() {
        Activity::Traces(t) => {
            clock = Some(&t.time);
            let shape = [t.values.nrows(), t.values.ncols()];
            put("traces", npy::from_f32(&shape, t.values.iter().copied()));
            match &t.time {
                TimeAxis::Explicit(times) => put("time", list(times)),
                TimeAxis::Regular {
                    start_s, rate_hz, ..
                } => {
                    put("time_start_s", scalar(*start_s));
                    put("rate_hz", scalar(*rate_hz));
                }
            }
            put("quantity", text(&t.quantity));
        }
        Activity::Spikes(s) => {
            let flat: Vec<f64> = s.times.iter().flatten().copied().collect();
            let owners: Vec<i64> = (0..s.times.len())
                .flat_map(|u| std::iter::repeat_n(u as i64, s.times[u].len()))
                .collect();
            put("spike_times", list(&flat));
            put("spike_units", npy::from_i64(&owners));
            put("span_s", list(&[s.start_s, s.stop_s]));
        }
    }
    let units = recording.units();
    put(
        "unit_ids",
        npy::from_texts(units.iter().map(|u| u.id.as_str())),
    );
    let columns: [(&str, Column); 3] = [
        ("unit_labels", |u| u.label.as_deref()),
        ("unit_regions", |u| u.region.as_deref()),
        ("unit_kinds", |u| u.kind.as_deref()),
    ];
    for (name, column) in columns {
        if units.iter().any(|u| column(u).is_some()) {
            let texts = units.iter().map(|u| column(u).unwrap_or(""));
            put(name, npy::from_texts(texts));
        }
    }
    if units.iter().any(|u| u.position.is_some()) {
        let places = units
            .iter()
            .flat_map(|u| u.position.unwrap_or([f64::NAN; 3]));
        put("unit_positions", npy::from_f64(&[units.len(), 3], places));
    }
    let epochs = recording.epochs();
    if !epochs.is_empty() {
        put(
            "epoch_kind",
            npy::from_texts(epochs.iter().map(|e| e.kind.as_str())),
        );
        put(
            "epoch_label",
            npy::from_texts(epochs.iter().map(|e| e.label.as_str())),
        );
        put(
            "epoch_start_s",
            npy::from_f64(&[epochs.len()], epochs.iter().map(|e| e.start_s)),
        );
        put(
            "epoch_stop_s",
            npy::from_f64(&[epochs.len()], epochs.iter().map(|e| e.stop_s)),
        );
    }
    let channels = recording.covariates();
    if !channels.is_empty() {
        put(
            "covariate_names",
            npy::from_texts(channels.iter().map(|c| c.name.as_str())),
        );
        put(
            "covariate_units",
            npy::from_texts(channels.iter().map(|c| c.unit.as_str())),
        );
        for (i, channel) in channels.iter().enumerate() {
            put(&format!("covariate_{i}"), list(&channel.values));
            match &channel.time {
                time if Some(time) == clock => {}
                TimeAxis::Explicit(times) => put(&format!("covariate_{i}_time"), list(times)),
                TimeAxis::Regular {
                    start_s, rate_hz, ..
                } => put(
                    &format!("covariate_{i}_start_rate"),
                    list(&[*start_s, *rate_hz]),
                ),
            }
        }
    }
    let session = recording.session();
    put("session_id", text(&session.id));
    put("session_description", text(&session.description));
    put("session_subject", text(&session.subject));
    if let Some(start) = &session.start {
        put("session_start", text(start));
    }
    put("session_source", text(&session.source));
    out
}
