//! Neurodata Without Borders 2, read: units table, response series of regions of interest, behaviour, intervals.
//!
//! The activity is the one series below `DfOverF`, else below `Fluorescence`, else any other `RoiResponseSeries`, else
//! the spike times of the units table. Where several stand on a par the file is refused with their paths, to be chosen
//! from by a mapping.

use std::path::Path;

use chiasm_core::TimeAxis;
use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, Datatype};
use ndarray::Ix2;

use super::arrays::{Arrays, Values};
use super::hdf5::H5;
use super::mapped::rows_within;
use crate::recording::{Activity, Covariate, Draft, Epoch, Session, Spikes, Traces, Unit};
use crate::{DataError, Place};

const FORMAT: &str = "NWB";

/// The start that the writer states where none is known: NWB demands one.
pub(super) const NO_START: &str = "1970-01-01T00:00:00+00:00";
/// How the writer marks the source among the notes.
pub(super) const SOURCE: &str = "chiasm source: ";
/// A series with more columns than this is no behaviour channel.
const MAX_CHANNELS: usize = 16;

/// A group with its path and NWB type.
struct Typed {
    path: String,
    kind: String,
    group: Group,
}

/// Whether the file says that it is NWB.
pub(crate) fn is_nwb(file: &H5) -> bool {
    file.root()
        .and_then(|root| file.fence(|| root.attributes()))
        .is_ok_and(|attributes| attributes.iter().any(|a| a.name == "nwb_version"))
}

/// The recording in an NWB file; of traces, only the samples within `span_s`.
pub(crate) fn draft(file: &H5, span_s: Option<(f64, f64)>) -> Result<Draft, DataError> {
    let root = file.root()?;
    let facts = file.fence(|| root.attributes())?;
    match H5::text_attribute(&facts, "nwb_version") {
        Some(version) if version.trim_start_matches("NWB-").starts_with('2') => {}
        version => {
            return Err(DataError::Unsupported {
                path: file.path().to_path_buf(),
                format: FORMAT,
                what: format!("version {}", version.as_deref().unwrap_or("unknown")),
                help: Some("chiasm reads NWB 2".into()),
            });
        }
    }
    let mut groups = Vec::new();
    for part in [
        "acquisition",
        "processing",
        "intervals",
        "stimulus/presentation",
    ] {
        if let Some(group) = file.group(part) {
            collect(file, part, group, 0, &mut groups)?;
        }
    }
    groups.sort_by(|a, b| a.path.cmp(&b.path));
    let nwb = Nwb { file, groups };
    let mut draft = match nwb.series()? {
        Some(series) => nwb.traces(series, span_s)?,
        None if file.group("units").is_some() => nwb.spikes()?,
        None => {
            return Err(DataError::Unsupported {
                path: file.path().to_path_buf(),
                format: FORMAT,
                what: "a file with neither RoiResponseSeries nor a units table".into(),
                help: Some("name what to read, as in --map traces=acquisition/SERIES/data,time=acquisition/SERIES/timestamps".into()),
            });
        }
    };
    draft.covariates = nwb.covariates()?;
    draft.epochs = nwb.epochs()?;
    draft.session = nwb.session()?;
    Ok(draft)
}

fn collect(
    file: &H5,
    path: &str,
    group: Group,
    depth: usize,
    out: &mut Vec<Typed>,
) -> Result<(), DataError> {
    // Modules, containers, series: nothing of interest lies deeper.
    if depth > 6 || out.len() > 100_000 {
        return Ok(());
    }
    let (inner, _) = file.fence(|| group.member_names())?;
    for name in inner {
        let child = file.fence(|| group.group(&name))?;
        collect(file, &format!("{path}/{name}"), child, depth + 1, out)?;
    }
    let attributes = file.fence(|| group.attributes())?;
    let kind = H5::text_attribute(&attributes, "neurodata_type").unwrap_or_default();
    out.push(Typed {
        path: path.to_owned(),
        kind,
        group,
    });
    Ok(())
}

struct Nwb<'a> {
    file: &'a H5,
    groups: Vec<Typed>,
}

impl Nwb<'_> {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn wrong(&self, name: &str, expected: impl Into<String>, found: impl ToString) -> DataError {
        DataError::invalid(Place::dataset(name), expected, found.to_string()).in_file(self.path())
    }

    fn exists(&self, name: &str) -> Result<bool, DataError> {
        Ok(match self.file.shape(name) {
            Ok(_) => true,
            Err(DataError::Absent { .. }) => false,
            Err(other) => return Err(other),
        })
    }

    fn text(&self, name: &str) -> Result<Option<String>, DataError> {
        Ok(match self.exists(name)? {
            true => self.file.texts(name)?.into_iter().next(),
            false => None,
        })
    }

    fn attributes(&self, dataset: &str) -> Result<Vec<Attribute>, DataError> {
        let dataset = self.file.dataset(dataset)?;
        self.file.fence(|| Ok(dataset.attributes()))
    }

    fn number(&self, attributes: &[Attribute], name: &str) -> Option<f64> {
        let attribute = attributes.iter().find(|a| a.name == name)?;
        self.file.fence(|| attribute.read_as_f64()).ok()
    }

    fn series(&self) -> Result<Option<&Typed>, DataError> {
        let below = |container: &str| -> Vec<&Typed> {
            let parents: Vec<&str> = self
                .groups
                .iter()
                .filter(|g| g.kind == container)
                .map(|g| g.path.as_str())
                .collect();
            let inside = |g: &Typed| {
                g.path
                    .rsplit_once('/')
                    .is_some_and(|(parent, _)| parents.contains(&parent))
            };
            self.groups
                .iter()
                .filter(|g| g.kind == "RoiResponseSeries" && inside(g))
                .collect()
        };
        let any = self.groups.iter().filter(|g| g.kind == "RoiResponseSeries");
        let found = [below("DfOverF"), below("Fluorescence"), any.collect()]
            .into_iter()
            .find(|list| !list.is_empty())
            .unwrap_or_default();
        match found[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => {
                let paths: Vec<&str> = found.iter().map(|g| g.path.as_str()).collect();
                let help = format!(
                    "choose one with --map traces={0}/data,axes=time.unit,time={0}/timestamps",
                    paths[0]
                );
                Err(DataError::Unsupported {
                    path: self.path().to_path_buf(),
                    format: FORMAT,
                    what: format!(
                        "a choice among {} series ({})",
                        found.len(),
                        paths.join(", ")
                    ),
                    help: Some(help),
                })
            }
        }
    }

    /// The clock of a series with `len` samples.
    fn clock(&self, series: &str, len: usize) -> Result<TimeAxis, DataError> {
        let (explicit, start) = (
            format!("{series}/timestamps"),
            format!("{series}/starting_time"),
        );
        if self.exists(&explicit)? {
            return Ok(TimeAxis::Explicit(self.file.vector(&explicit)?));
        }
        if !self.exists(&start)? {
            return Err(self.file.absent(&explicit));
        }
        let attributes = self.attributes(&start)?;
        let rate_hz = self
            .number(&attributes, "rate")
            .ok_or_else(|| self.wrong(&start, "an attribute `rate` in Hz", "none"))?;
        Ok(TimeAxis::Regular {
            start_s: self.file.vector(&start)?.first().copied().unwrap_or(0.0),
            rate_hz,
            len,
        })
    }

    /// What stored values are multiplied by and what is then added.
    fn scale(&self, data: &str) -> Result<(f64, f64), DataError> {
        let attributes = self.attributes(data)?;
        let number = |name, or| self.number(&attributes, name).unwrap_or(or);
        Ok((number("conversion", 1.0), number("offset", 0.0)))
    }

    fn traces(&self, series: &Typed, span_s: Option<(f64, f64)>) -> Result<Draft, DataError> {
        let data = format!("{}/data", series.path);
        let shape = self.file.shape(&data)?;
        if shape.len() > 2 || shape.is_empty() {
            return Err(self.wrong(&data, "[time, unit]", format!("shape {shape:?}")));
        }
        let clock = self.clock(&series.path, shape[0])?;
        if clock.len() != shape[0] {
            let expected = format!("{} times, one for each row of the data", shape[0]);
            return Err(self.wrong(
                &format!("{}/timestamps", series.path),
                expected,
                clock.len(),
            ));
        }
        let rows = span_s.map_or(0..shape[0], |span| rows_within(&clock, span));
        let mut values = self.file.matrix(&data, true, rows.clone())?;
        let (factor, offset) = self.scale(&data)?;
        if (factor, offset) != (1.0, 0.0) {
            values.mapv_inplace(|v| (f64::from(v) * factor + offset) as f32);
        }
        let attributes = self.file.fence(|| series.group.attributes())?;
        let described =
            H5::text_attribute(&attributes, "description").filter(|d| d != "no description");
        let name = series.path.rsplit('/').next().unwrap_or_default();
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: super::mapped::part_of(&clock, rows),
            values,
            quantity: described.unwrap_or_else(|| name.to_owned()),
        }));
        let rois = format!("{}/rois", series.path);
        if self.exists(&rois)? {
            let n = draft.units.len();
            let rows = self.file.vector(&rois)?;
            if rows.len() != n {
                return Err(self.wrong(
                    &rois,
                    format!("{n} rows, one for each column"),
                    rows.len(),
                ));
            }
            if let Some(table) = self.referenced(&rois, "table")? {
                let all = self.units_of(&table)?;
                for (i, (unit, &row)) in draft.units.iter_mut().zip(&rows).enumerate() {
                    let found = all.get(row as usize).filter(|_| row >= 0.0);
                    *unit = found.cloned().ok_or_else(|| {
                        let place = Place::dataset(&rois).index(i);
                        let expected = format!("a row of the table, below {}", all.len());
                        DataError::invalid(place, expected, row).in_file(self.path())
                    })?;
                }
            }
        }
        Ok(draft)
    }

    /// The path of the group that an attribute of a dataset refers to.
    fn referenced(&self, dataset: &str, attribute: &str) -> Result<Option<String>, DataError> {
        let attributes = self.attributes(dataset)?;
        let Some(reference) = attributes.iter().find(|a| a.name == attribute) else {
            return Ok(None);
        };
        let Some(bytes) = reference.raw_data.first_chunk::<8>() else {
            return Ok(None);
        };
        if !matches!(reference.datatype, Datatype::Reference { .. }) {
            return Ok(None);
        }
        let address = u64::from_le_bytes(*bytes);
        let target = self.groups.iter().find(|g| g.group.address() == address);
        Ok(target.map(|g| g.path.clone()))
    }

    /// The unit table in a dynamic table.
    fn units_of(&self, table: &str) -> Result<Vec<Unit>, DataError> {
        let ids = self.file.texts(&format!("{table}/id"))?;
        let n = ids.len();
        let column = |names: &[&str]| -> Result<Option<Vec<String>>, DataError> {
            for name in names {
                let path = format!("{table}/{name}");
                // A ragged column has an index beside it.
                if self.exists(&path)? && !self.exists(&format!("{path}_index"))? {
                    let texts = self.file.texts(&path)?;
                    if texts.len() == n {
                        return Ok(Some(texts));
                    }
                }
            }
            Ok(None)
        };
        let mut units: Vec<Unit> = ids.into_iter().map(Unit::new).collect();
        let some = |t: String| Some(t).filter(|t| !t.is_empty());
        for (unit, id) in units
            .iter_mut()
            .zip(column(&["unit_id"])?.into_iter().flatten())
        {
            unit.id = id;
        }
        let labels = column(&["label", "unit_name", "roi_name", "neuron_name"])?;
        for (unit, text) in units.iter_mut().zip(labels.into_iter().flatten()) {
            unit.label = some(text);
        }
        let regions = column(&["location", "region", "brain_area"])?;
        for (unit, text) in units.iter_mut().zip(regions.into_iter().flatten()) {
            unit.region = some(text);
        }
        let kinds = column(&["cell_type", "kind"])?;
        for (unit, text) in units.iter_mut().zip(kinds.into_iter().flatten()) {
            unit.kind = some(text);
        }
        let position = format!("{table}/position");
        if self.exists(&position)?
            && let Values::Numbers(places) = self.file.get(&position)?
            && places.shape() == [n, 3]
        {
            for (unit, p) in units.iter_mut().zip(places.outer_iter()) {
                let p = [p[0], p[1], p[2]];
                unit.position = Some(p).filter(|p| !p.iter().any(|v| v.is_nan()));
            }
        }
        Ok(units)
    }

    /// The ends of the rows of a ragged column, checked against its length.
    fn ends(&self, index: &str, n: usize, len: usize) -> Result<Vec<usize>, DataError> {
        let ends = self.file.vector(index)?;
        if ends.len() != n {
            return Err(self.wrong(index, format!("{n} entries, one for each unit"), ends.len()));
        }
        let mut last = 0.0;
        for (i, &end) in ends.iter().enumerate() {
            if end.fract() != 0.0 || end < last || end > len as f64 {
                let place = Place::dataset(index).index(i);
                let expected = format!("a whole number from {last} to {len}");
                return Err(DataError::invalid(place, expected, end).in_file(self.path()));
            }
            last = end;
        }
        Ok(ends.into_iter().map(|e| e as usize).collect())
    }

    fn spikes(&self) -> Result<Draft, DataError> {
        let units = self.units_of("units")?;
        let n = units.len();
        let flat = self.file.vector("units/spike_times")?;
        let ends = self.ends("units/spike_times_index", n, flat.len())?;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let times: Vec<Vec<f64>> = starts
            .zip(&ends)
            .map(|(a, &b)| flat[a..b].to_vec())
            .collect();
        let observed = "units/obs_intervals";
        let (start_s, stop_s) = if self.exists(observed)? {
            let spans = self.file.vector_of_pairs(observed)?;
            spans
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), s| {
                    (a.min(s.0), b.max(s.1))
                })
        } else {
            let fold = |f: fn(f64, f64) -> f64| flat.iter().copied().fold(0.0, f);
            (fold(f64::min), fold(f64::max))
        };
        let mut draft = Draft::new(Activity::Spikes(Spikes {
            times,
            start_s,
            stop_s,
        }));
        draft.units = units;
        Ok(draft)
    }

    fn covariates(&self) -> Result<Vec<Covariate>, DataError> {
        let mut out: Vec<Covariate> = Vec::new();
        let series = self
            .groups
            .iter()
            .filter(|g| matches!(g.kind.as_str(), "TimeSeries" | "SpatialSeries"));
        for series in series {
            let data = format!("{}/data", series.path);
            if !self.exists(&data)? {
                continue;
            }
            let shape = self.file.shape(&data)?;
            let wide = shape.get(1).copied().unwrap_or(1);
            if shape.is_empty() || shape.len() > 2 || wide > MAX_CHANNELS {
                continue;
            }
            // A series of text or records is no channel.
            let Ok(Values::Numbers(values)) = self.file.get(&data) else {
                continue;
            };
            let values =
                super::arrays::as_matrix(values, &data).map_err(|e| e.in_file(self.path()))?;
            let values = values
                .into_dimensionality::<Ix2>()
                .map_err(|e| self.wrong(&data, "a matrix", e))?;
            let time = self.clock(&series.path, values.nrows())?;
            let (factor, offset) = self.scale(&data)?;
            let unit = H5::text_attribute(&self.attributes(&data)?, "unit").unwrap_or_default();
            let name = series.path.rsplit('/').next().unwrap_or_default();
            for (i, column) in values.columns().into_iter().enumerate() {
                let axis = match (wide, series.kind.as_str()) {
                    (1, _) => String::new(),
                    (2 | 3, "SpatialSeries") => format!("_{}", ["x", "y", "z"][i]),
                    _ => format!("_{i}"),
                };
                let mut name = format!("{name}{axis}");
                if out.iter().any(|c| c.name == name) {
                    name = format!("{}{axis}", series.path);
                }
                let scaled = |v: &f64| {
                    if (factor, offset) == (1.0, 0.0) {
                        *v
                    } else {
                        v * factor + offset
                    }
                };
                out.push(Covariate {
                    name,
                    unit: Some(unit.clone())
                        .filter(|u| u != "n.a.")
                        .unwrap_or_default(),
                    time: time.clone(),
                    values: column.iter().map(scaled).collect(),
                });
            }
        }
        Ok(out)
    }

    fn epochs(&self) -> Result<Vec<Epoch>, DataError> {
        let mut out = Vec::new();
        for table in self.groups.iter().filter(|g| g.kind == "TimeIntervals") {
            let at = |column: &str| format!("{}/{column}", table.path);
            if !self.exists(&at("start_time"))? {
                continue;
            }
            let starts = self.file.vector(&at("start_time"))?;
            let stops = self.file.vector(&at("stop_time"))?;
            let n = starts.len();
            if stops.len() != n {
                return Err(self.wrong(&at("stop_time"), format!("{n} entries"), stops.len()));
            }
            let attributes = self.file.fence(|| table.group.attributes())?;
            let columns = attributes
                .iter()
                .find(|a| a.name == "colnames")
                .and_then(|a| self.file.fence(|| a.read_strings()).ok())
                .unwrap_or_default();
            let texts = |name: &str| -> Option<Vec<String>> {
                let ragged = self.exists(&at(&format!("{name}_index"))).unwrap_or(true);
                match self.file.get(&at(name)) {
                    Ok(Values::Texts(t)) if !ragged && t.len() == n => Some(t),
                    _ => None,
                }
            };
            let kinds = texts("kind");
            // The label is the column of that name, else the first one that is text.
            let labels = texts("label").or_else(|| {
                let other = columns.iter().filter(|c| c.as_str() != "kind");
                other.into_iter().find_map(|c| texts(c))
            });
            let name = table.path.rsplit('/').next().unwrap_or_default();
            let name = match name {
                "trials" => "trial",
                "epochs" => "epoch",
                other => other,
            };
            for i in 0..n {
                out.push(Epoch {
                    kind: kinds
                        .as_ref()
                        .map_or_else(|| name.to_owned(), |k| k[i].clone()),
                    label: labels.as_ref().map_or_else(String::new, |l| l[i].clone()),
                    start_s: starts[i],
                    stop_s: stops[i],
                });
            }
        }
        Ok(out)
    }

    fn session(&self) -> Result<Session, DataError> {
        let subject = match self.text("general/subject/subject_id")? {
            Some(subject) => Some(subject),
            None => self.text("general/subject/species")?,
        };
        let notes = self.text("general/notes")?;
        let source = notes
            .as_deref()
            .and_then(|n| n.strip_prefix(SOURCE))
            .map(str::to_owned);
        let name = self.path().file_name();
        Ok(Session {
            id: self.text("identifier")?.unwrap_or_default(),
            description: self.text("session_description")?.unwrap_or_default(),
            subject: subject.unwrap_or_default(),
            start: self.text("session_start_time")?.filter(|s| s != NO_START),
            source: source
                .or_else(|| name.map(|n| n.to_string_lossy().into_owned()))
                .unwrap_or_default(),
        })
    }
}

impl H5 {
    /// Rows of two numbers.
    fn vector_of_pairs(&self, name: &str) -> Result<Vec<(f64, f64)>, DataError> {
        let values = self.numbers(name)?;
        let found = format!("shape {:?}", values.shape());
        if values.ndim() != 2 || values.shape()[1] != 2 || values.is_empty() {
            let expected = "starts and ends, [n, 2]";
            return Err(
                DataError::invalid(Place::dataset(name), expected, found).in_file(self.path())
            );
        }
        Ok(values.outer_iter().map(|r| (r[0], r[1])).collect())
    }
}
