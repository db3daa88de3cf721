//! chiasm's own layout of named arrays, read from whatever holds arrays by name: NPZ, MAT 5 and 7.3, HDF5.
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
//! | `session_id`, `_description`, `_subject`, `_start`, `_source` | session facts; without `_id` and `_source`, the file's name |

use chiasm_core::TimeAxis;

use super::arrays::Arrays;
use super::mapped::{part_of, rows_within};
use crate::recording::{Activity, Covariate, Draft, Epoch, Session, Spikes, Traces, Unit};
use crate::{DataError, Place};

/// A file of named arrays, seen as chiasm's layout.
pub(crate) struct Layout<'a> {
    file: &'a dyn Arrays,
    names: Vec<String>,
}

impl<'a> Layout<'a> {
    /// The layout over this file; `None` if the file is not laid out so.
    pub(crate) fn of(file: &'a dyn Arrays) -> Result<Option<Self>, DataError> {
        let mut names = file.names()?;
        names.sort();
        let layout = Self { file, names };
        let traces = layout.has("traces") && (layout.has("time") || layout.has("rate_hz"));
        let spikes = layout.has("spike_times") && layout.has("spike_units");
        Ok((traces || spikes).then_some(layout))
    }

    fn has(&self, name: &str) -> bool {
        self.names
            .binary_search_by(|n| n.as_str().cmp(name))
            .is_ok()
    }

    fn one(&self, name: &str) -> Result<f64, DataError> {
        let values = self.file.vector(name)?;
        match values[..] {
            [value] => Ok(value),
            _ => Err(self.wrong(name, "one number", values.len())),
        }
    }

    fn wrong(&self, name: &str, expected: impl Into<String>, found: impl ToString) -> DataError {
        DataError::invalid(Place::dataset(name), expected, found.to_string())
            .in_file(self.file.path())
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

    /// The recording that the archive holds; of traces, only the samples within `span_s`.
    pub(crate) fn draft(&self, span_s: Option<(f64, f64)>) -> Result<Draft, DataError> {
        if self.has("chiasm_recording") && self.one("chiasm_recording")? > 1.0 {
            return Err(DataError::Unsupported {
                path: self.file.path().to_path_buf(),
                format: "recordings",
                what: "a later version of chiasm's layout".into(),
                help: Some("update chiasm".into()),
            });
        }
        let (activity, clock) = if self.has("traces") {
            let (traces, clock) = self.traces(span_s)?;
            (Activity::Traces(traces), Some(clock))
        } else {
            (Activity::Spikes(self.spikes()?), None)
        };
        let mut draft = Draft::new(activity);
        self.units(&mut draft.units)?;
        draft.epochs = self.epochs()?;
        draft.covariates = self.covariates(clock.as_ref())?;
        let fact = |name: &str| -> Result<Option<String>, DataError> {
            let name = format!("session_{name}");
            Ok(match self.has(&name) {
                true => self.file.texts(&name)?.into_iter().next(),
                false => None,
            })
        };
        let of_path = |part: Option<&std::ffi::OsStr>| {
            part.map_or_else(String::new, |n| n.to_string_lossy().into_owned())
        };
        let path = self.file.path();
        draft.session = Session {
            id: fact("id")?.unwrap_or_else(|| of_path(path.file_stem())),
            description: fact("description")?.unwrap_or_default(),
            subject: fact("subject")?.unwrap_or_default(),
            start: fact("start")?,
            source: fact("source")?.unwrap_or_else(|| of_path(path.file_name())),
        };
        Ok(draft)
    }

    /// The traces within the span, and the clock of all their samples.
    fn traces(&self, span_s: Option<(f64, f64)>) -> Result<(Traces, TimeAxis), DataError> {
        let clock = if self.has("time") {
            TimeAxis::Explicit(self.file.vector("time")?)
        } else if self.has("rate_hz") {
            TimeAxis::Regular {
                start_s: match self.has("time_start_s") {
                    true => self.one("time_start_s")?,
                    false => 0.0,
                },
                rate_hz: self.one("rate_hz")?,
                len: self.file.shape("traces")?.first().copied().unwrap_or(0),
            }
        } else {
            return Err(self.file.absent("time"));
        };
        // A whole clock goes with whole traces, so that one too short or too long is found.
        let part = span_s.map(|span| rows_within(&clock, span));
        let rows = part.clone().unwrap_or(0..usize::MAX);
        let values = self.file.matrix("traces", true, rows)?;
        let time = part.map_or_else(|| clock.clone(), |rows| part_of(&clock, rows));
        let quantity = match self.has("quantity") {
            true => self
                .file
                .texts("quantity")?
                .into_iter()
                .next()
                .unwrap_or_default(),
            false => String::new(),
        };
        let traces = Traces {
            time,
            values,
            quantity,
        };
        Ok((traces, clock))
    }

    fn spikes(&self) -> Result<Spikes, DataError> {
        let flat = self.file.vector("spike_times")?;
        let owners = self
            .column("spike_units", flat.len(), |s, n| s.file.vector(n))?
            .unwrap_or_default();
        let n_units = match self.has("unit_ids") {
            true => self.file.texts("unit_ids")?.len(),
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
                return Err(DataError::invalid(place, expected, owner).in_file(self.file.path()));
            }
            times[owner as usize].push(t);
        }
        let (start_s, stop_s) = if self.has("span_s") {
            match self.file.vector("span_s")?[..] {
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
        let texts = |name: &str| self.column(name, n, |s, n| s.file.texts(n));
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
            let places = self.file.numbers("unit_positions")?;
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
        let starts = self.file.vector("epoch_start_s")?;
        let n = starts.len();
        let need = |name: &str| self.file.absent(name);
        let stops = self
            .column("epoch_stop_s", n, |s, n| s.file.vector(n))?
            .ok_or_else(|| need("epoch_stop_s"))?;
        let kinds = self.column("epoch_kind", n, |s, n| s.file.texts(n))?;
        let labels = self.column("epoch_label", n, |s, n| s.file.texts(n))?;
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

    fn covariates(&self, clock: Option<&TimeAxis>) -> Result<Vec<Covariate>, DataError> {
        if !self.has("covariate_names") {
            return Ok(Vec::new());
        }
        let names = self.file.texts("covariate_names")?;
        let units = self.column("covariate_units", names.len(), |s, n| s.file.texts(n))?;
        let one = |(i, name): (usize, String)| {
            let key = format!("covariate_{i}");
            let values = self.file.vector(&key)?;
            let (explicit, regular) = (format!("{key}_time"), format!("{key}_start_rate"));
            let time = if self.has(&explicit) {
                TimeAxis::Explicit(self.file.vector(&explicit)?)
            } else if self.has(&regular) {
                match self.file.vector(&regular)?[..] {
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
            } else if let Some(clock) = clock {
                clock.clone()
            } else {
                return Err(self.file.absent(&explicit));
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
