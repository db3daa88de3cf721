//! NPZ, numpy's archive of arrays by name. Holds a whole recording.
//! The keys are those of [`super::layout`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use chiasm_core::TimeAxis;
use ndarray::{Array2, ArrayD};
use zip::ZipArchive;

use super::arrays::{Arrays, Values};
use super::npy::{self, Header};
use crate::DataError;
use crate::recording::{Activity, Recording, Unit};

const FORMAT: &str = "NPZ";

/// What an archive can stand in.
trait Source: Read + Seek {}
impl<S: Read + Seek> Source for S {}

/// An NPZ archive (or a lone NPY file, as the array `array`). Arrays are read when they are asked for.
pub(crate) struct Npz {
    path: PathBuf,
    holder: RefCell<Holder>,
    names: Vec<String>,
}

enum Holder {
    Array(Box<dyn Source>, u64),
    Archive(ZipArchive<Box<dyn Source>>),
}

impl Npz {
    /// An archive in memory, called `path` in messages.
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        Self::new(path, Box::new(Cursor::new(bytes.to_vec())))
    }

    /// The archive in a file.
    pub(crate) fn open(path: &Path, file: File) -> Result<Self, DataError> {
        Self::new(path, Box::new(BufReader::with_capacity(1 << 16, file)))
    }

    fn new(path: &Path, mut source: Box<dyn Source>) -> Result<Self, DataError> {
        let io = |source| DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        };
        let size = source.seek(SeekFrom::End(0)).map_err(io)?;
        let mut head = Vec::new();
        source.rewind().map_err(io)?;
        let read = source.by_ref().take(8).read_to_end(&mut head);
        read.and_then(|_| source.rewind()).map_err(io)?;
        let path = path.to_path_buf();
        if npy::is_npy(&head) {
            return Ok(Self {
                path,
                holder: RefCell::new(Holder::Array(source, size)),
                names: vec!["array".to_owned()],
            });
        }
        let archive = ZipArchive::new(source).map_err(|e| DataError::Malformed {
            path: path.clone(),
            format: FORMAT,
            reason: e.to_string(),
        })?;
        let arrays = archive.file_names().filter_map(|n| n.strip_suffix(".npy"));
        let mut names: Vec<String> = arrays.map(str::to_owned).collect();
        names.sort();
        Ok(Self {
            path,
            holder: RefCell::new(Holder::Archive(archive)),
            names,
        })
    }

    /// Hands the header of an array, what follows it, and how much that can be at most, to `read`.
    fn with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Header, &mut dyn Read, u64) -> Result<T, String>,
    ) -> Result<T, DataError> {
        if self
            .names
            .binary_search_by(|n| n.as_str().cmp(name))
            .is_err()
        {
            return Err(self.absent(name));
        }
        let within = |input: &mut dyn Read, most: u64| {
            let header = Header::read(input)?;
            read(&header, input, most)
        };
        let found = match &mut *self.holder.borrow_mut() {
            Holder::Array(source, size) => source
                .rewind()
                .map_err(|e| e.to_string())
                .and_then(|()| within(source, *size)),
            Holder::Archive(archive) => archive
                .by_name(&format!("{name}.npy"))
                .map_err(|e| e.to_string())
                .and_then(|mut entry| {
                    // Deflate packs at most 1032 to 1: what unpacks to more than that is not honest.
                    let most = entry.compressed_size().saturating_mul(1032);
                    within(&mut entry, most)
                }),
        };
        found.map_err(|reason| DataError::Malformed {
            path: self.path.clone(),
            format: FORMAT,
            reason: format!("`{name}`: {reason}"),
        })
    }
}

impl Arrays for Npz {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.names.clone())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        self.with(name, |header, input, most| {
            let values = header.values(input, most)?;
            whole(input)?;
            Ok(values)
        })
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, DataError> {
        self.with(name, |header, _, _| Ok(header.shape.clone()))
    }

    fn matrix(
        &self,
        name: &str,
        time_first: bool,
        rows: Range<usize>,
    ) -> Result<Array2<f32>, DataError> {
        self.with(name, |header, input, most| {
            let all = rows.end == usize::MAX;
            let values = header.rows(input, most, time_first, rows)?;
            if all {
                whole(input)?;
            }
            Ok(values)
        })
    }
}

/// Reads on to the end, where the archive compares its checksum.
fn whole(input: &mut dyn Read) -> Result<(), String> {
    io::copy(input, &mut io::sink())
        .map(drop)
        .map_err(|e| e.to_string())
}

/// The recording as the bytes of an NPZ archive; [`super::layout`] reads it back unchanged.
pub(crate) fn encode(recording: &Recording) -> Result<Vec<u8>, String> {
    archive(arrays(recording))
}

/// Arrays of numbers by name as the bytes of an NPZ archive.
pub(crate) fn encode_arrays(arrays: &BTreeMap<String, ArrayD<f64>>) -> Result<Vec<u8>, String> {
    let npy = |a: &ArrayD<f64>| npy::from_f64(a.shape(), a.iter().copied());
    archive(arrays.iter().map(|(n, a)| (n.clone(), npy(a))).collect())
}

/// NPY files by name as the bytes of an NPZ archive.
fn archive(arrays: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, String> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // The date is fixed, so that the same recording gives the same bytes.
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    for (name, bytes) in arrays {
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
