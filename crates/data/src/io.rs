//! Recordings from files and into files.
//!
//! [`read`] finds the format by the file's first bytes, then by its extension, and the layout by [`Mapping`] or by
//! inspection. [`write()`] chooses by extension. Every error names the file.

use std::io::{BufReader, Read, Seek};
use std::path::Path;

use crate::files::write_atomic;
use crate::formats::arrays::Arrays;
use crate::formats::facts::Facts;
use crate::formats::hdf5::H5;
use crate::formats::layout::Layout;
use crate::formats::mapped::{part_of, rows_within};
use crate::formats::mat::Mat;
use crate::formats::mat73::{Mat73, is_mat73};
use crate::formats::npz::{self, Npz};
use crate::formats::table::Table;
use crate::formats::{csv, mat5, nwb, nwb_write, parquet};
use crate::recording::{Activity, Draft, Missing, Recording};
use crate::{DataError, Files};

pub use crate::formats::Mapping;

/// The formats that chiasm reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// HDF5 of any layout, MATLAB's 7.3 among them.
    Hdf5,
    /// Neurodata Without Borders 2, on HDF5.
    Nwb,
    /// numpy's archive, or a lone NPY array.
    Npz,
    /// Comma-separated values, wide or long.
    Csv,
    /// MATLAB 5 (`save -v6`, `-v7`).
    Mat,
    /// Apache Parquet, wide or long.
    Parquet,
}

impl Format {
    /// The format by a file's first bytes (at least 520, unless the file is shorter); `None` where they do not tell.
    #[must_use]
    pub fn of_bytes(head: &[u8]) -> Option<Self> {
        const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
        if head.starts_with(HDF5) || head.get(512..).is_some_and(|h| h.starts_with(HDF5)) {
            Some(Self::Hdf5)
        } else if head.starts_with(b"PK\x03\x04")
            || head.starts_with(b"PK\x05\x06")
            || head.starts_with(b"\x93NUMPY")
        {
            Some(Self::Npz)
        } else if head.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if mat5::is_mat5(head) {
            Some(Self::Mat)
        } else {
            None
        }
    }

    /// The format by a file's extension.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "h5" | "hdf5" | "hdf" => Self::Hdf5,
            "nwb" => Self::Nwb,
            "npz" | "npy" => Self::Npz,
            "csv" | "tsv" => Self::Csv,
            "mat" => Self::Mat,
            "parquet" | "pq" => Self::Parquet,
            _ => return None,
        })
    }

    /// The name of the format, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hdf5 => "HDF5",
            Self::Nwb => "NWB",
            Self::Npz => "NPZ",
            Self::Csv => "CSV",
            Self::Mat => "MAT",
            Self::Parquet => "Parquet",
        }
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// Where the parts of the recording stand; found by inspection if not given.
    pub map: Option<Mapping>,
    /// The format; found by content, then extension, if not given.
    pub format: Option<Format>,
    /// What to do with missing samples.
    pub missing: Missing,
    /// Keep only this span of time, s, ends included. Of traces (and of the rows of a table with a column of times) only
    /// this part is held in memory; MAT 5 alone is read whole.
    pub span_s: Option<(f64, f64)>,
}

/// Reads the recording in the file at `path`.
///
/// Files are read by position or row by row, and never held whole (MAT 5 is).
///
/// # Errors
/// [`DataError`], naming the file: not there, not of a known format, damaged, without what the mapping asks for, or with
/// values that [`Draft::validate`] refuses.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, DataError> {
    let path = path.as_ref();
    let io = |source| DataError::Io {
        path: path.to_path_buf(),
        action: "read",
        source,
    };
    let mut file = std::fs::File::open(path).map_err(io)?;
    let mut head = Vec::new();
    file.by_ref()
        .take(1024)
        .read_to_end(&mut head)
        .map_err(io)?;
    file.rewind().map_err(io)?;
    let map = options.map.as_ref();
    let draft = match format_of(path, &head, options)? {
        Format::Hdf5 | Format::Nwb => from_hdf5(&H5::open(path)?, &head, options)?,
        Format::Npz => from_arrays(&Npz::open(path, file)?, options)?,
        Format::Parquet => {
            let again = file.try_clone().map_err(io)?;
            from_table(
                &parquet::table(path, file, again, map, options.span_s)?,
                options,
            )?
        }
        Format::Csv => {
            let beside = std::fs::read(csv::sidecar(path)).ok();
            let rows = BufReader::with_capacity(1 << 20, file);
            from_table(
                &csv::table(path, rows, beside.as_deref(), map, options.span_s)?,
                options,
            )?
        }
        Format::Mat => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(io)?;
            from_arrays(&Mat::from_bytes(path, &bytes)?, options)?
        }
    };
    finish(draft, path, options)
}

/// Reads a recording from the bytes of a file, which is called `path` in messages (and by whose extension the format
/// is found where the bytes do not tell). Of a CSV, the facts beside it are not looked for.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(
    path: &Path,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Recording, DataError> {
    let (map, span) = (options.map.as_ref(), options.span_s);
    let draft = match format_of(path, bytes, options)? {
        Format::Hdf5 | Format::Nwb => from_hdf5(&H5::from_bytes(path, bytes)?, bytes, options)?,
        Format::Npz => from_arrays(&Npz::from_bytes(path, bytes)?, options)?,
        Format::Mat => from_arrays(&Mat::from_bytes(path, bytes)?, options)?,
        Format::Parquet => {
            let source = bytes::Bytes::copy_from_slice(bytes);
            let table = parquet::table(path, source.clone(), source, map, span)?;
            from_table(&table, options)?
        }
        Format::Csv => from_table(&csv::table(path, bytes, None, map, span)?, options)?,
    };
    finish(draft, path, options)
}

/// Writes the recording to `path` in the format of its extension: `.npz`, `.nwb`, `.parquet`, or `.csv` and `.tsv`
/// (with the facts that a table cannot hold in a `.json` of the same name).
///
/// Traces keep their single and times their double precision: what is read back is the same.
///
/// # Errors
/// [`DataError::Unsupported`] for another extension or what the format cannot hold; [`DataError::Io`] if the machine
/// refuses. What stood at `path` before is then untouched.
pub fn write(
    files: &dyn Files,
    path: impl AsRef<Path>,
    recording: &Recording,
) -> Result<(), DataError> {
    let path = path.as_ref();
    let failed = |format: Format| {
        move |reason: String| DataError::Unsupported {
            path: path.to_path_buf(),
            format: format.name(),
            what: reason,
            help: None,
        }
    };
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    let bytes = match extension.as_deref() {
        Some("npz") => npz::encode(recording).map_err(failed(Format::Npz))?,
        Some("nwb") => nwb_write::encode(recording).map_err(failed(Format::Nwb))?,
        Some("parquet" | "pq") => parquet::encode(recording).map_err(failed(Format::Parquet))?,
        Some(table @ ("csv" | "tsv")) => {
            let (bytes, facts) =
                csv::encode(recording, table == "tsv").map_err(failed(Format::Csv))?;
            let beside = csv::sidecar(path);
            // Another program's file of that name is not ours to replace.
            if let Ok(old) = std::fs::read(&beside)
                && !matches!(Facts::parse(&old), Ok(Some(_)))
            {
                let what = format!("replacing {}, which is not chiasm's,", beside.display());
                return Err(failed(Format::Csv)(what));
            }
            write_atomic(files, &beside, &facts)?;
            bytes
        }
        _ => {
            return Err(DataError::Unsupported {
                path: path.to_path_buf(),
                format: "writing recordings",
                what: "this extension".into(),
                help: Some("use .npz, .nwb, .csv, .tsv or .parquet".into()),
            });
        }
    };
    write_atomic(files, path, &bytes)
}

fn format_of(path: &Path, head: &[u8], options: &ReadOptions) -> Result<Format, DataError> {
    if let Some(format) = options.format {
        return Ok(format);
    }
    if head.is_empty() {
        return Err(DataError::Malformed {
            path: path.to_path_buf(),
            format: Format::of_path(path).map_or("a recording", Format::name),
            reason: "the file is empty".into(),
        });
    }
    Format::of_bytes(head)
        .or_else(|| Format::of_path(path))
        .ok_or_else(|| DataError::Unsupported {
            path: path.to_path_buf(),
            format: "recordings",
            what: "a file of unknown format".into(),
            help: Some("chiasm reads HDF5, NWB, NPZ, NPY, CSV, MAT and Parquet".into()),
        })
}

fn from_hdf5(file: &H5, head: &[u8], options: &ReadOptions) -> Result<Draft, DataError> {
    if is_mat73(head) {
        return from_arrays(&Mat73::over(file)?, options);
    }
    if options.map.is_none() && nwb::is_nwb(file) {
        return nwb::draft(file, options.span_s);
    }
    from_arrays(file, options)
}

/// A recording from named arrays: by the mapping given, else by chiasm's own layout, else by a shipped mapping.
fn from_arrays(file: &dyn Arrays, options: &ReadOptions) -> Result<Draft, DataError> {
    if let Some(map) = &options.map {
        return map.apply(file, options.span_s);
    }
    if let Some(layout) = Layout::of(file)? {
        return layout.draft(options.span_s);
    }
    let names = file.names()?;
    for map in Mapping::shipped()? {
        if map.detect.iter().all(|n| names.contains(n)) {
            return map.apply(file, options.span_s);
        }
    }
    Err(unmapped(file, names))
}

fn from_table(table: &Table, options: &ReadOptions) -> Result<Draft, DataError> {
    match &options.map {
        Some(map) => map.apply(table, options.span_s),
        None => table.draft(),
    }
}

/// The error for a file whose layout is neither known nor given.
fn unmapped(file: &dyn Arrays, names: Vec<String>) -> DataError {
    let mut shown: Vec<String> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
    if names.len() > shown.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    DataError::Unsupported {
        path: file.path().to_path_buf(),
        format: "recordings",
        what: "an unknown layout".into(),
        help: Some(format!(
            "say what stands where, as in --map traces=DATASET,time=DATASET,axes=time.unit; the file holds {}",
            shown.join(", ")
        )),
    }
}

fn finish(draft: Draft, path: &Path, options: &ReadOptions) -> Result<Recording, DataError> {
    let draft = match options.span_s {
        Some(span) => crop(draft, span),
        None => draft,
    };
    draft.validate(options.missing).map_err(|e| e.in_file(path))
}

/// The part of a draft within a span of time; epochs that touch it stay whole, and so do the channels.
fn crop(mut draft: Draft, (start, stop): (f64, f64)) -> Draft {
    match &mut draft.activity {
        Activity::Traces(t) => {
            let rows = rows_within(&t.time, (start, stop));
            if rows.end <= t.values.nrows() && rows.len() < t.values.nrows() {
                t.time = part_of(&t.time, rows.clone());
                t.values = t.values.slice(ndarray::s![rows, ..]).to_owned();
            }
        }
        Activity::Spikes(s) => {
            for train in &mut s.times {
                train.retain(|t| (start..=stop).contains(t));
            }
            s.start_s = s.start_s.max(start);
            s.stop_s = s.stop_s.min(stop);
        }
    }
    draft
        .epochs
        .retain(|e| e.stop_s >= start && e.start_s <= stop);
    draft
}
