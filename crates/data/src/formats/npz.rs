//! NPZ, numpy's archive of arrays by name. Holds a whole recording.
//! The keys are those of [`super::layout`].

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use chiasm_core::TimeAxis;

use super::arrays::{Arrays, Values};
use super::npy;
use crate::DataError;
use crate::recording::{Activity, Recording, Unit};

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

/// The recording as the bytes of an NPZ archive; [`super::layout`] reads it back unchanged.
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

/// The arrays of [`super::layout`].
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
