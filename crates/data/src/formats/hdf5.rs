//! HDF5 through a pure-Rust engine, `hdf5-reader`: no libhdf5, no cmake.
//!
//! It was chosen over `hdf5-pure` because it alone read every file we put before it: Julia's and h5py's (old and
//! newest layouts, chunked, gzip, shuffle, fletcher32, szip, scale-offset, big-endian, half precision, strings of
//! either kind, variable length, compound, enum, scalar, empty), pynwb's and MATLAB 7.3's; it reads by position from
//! the file, a slice at a time, and takes limits on what it may allocate. LZF is added here. Virtual datasets and
//! external files are refused.
//!
//! Every call into it is fenced by `catch_unwind`: the file may be hostile, the code is not ours, and a panic in it
//! must reach the caller as an error about the file.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::storage::{DynStorage, FileStorage};
use hdf5_reader::{
    ByteOrder, Dataset, Datatype, FilterRegistry, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem,
};
use ndarray::{Array2, ArrayD, IxDyn};

use super::arrays::{Arrays, Values};
use super::h5value;
use crate::{DataError, Place};

pub(crate) const FORMAT: &str = "HDF5";

/// The h5py filter that the engine lacks.
const LZF: u16 = 32_000;

/// Nesting and number of objects beyond which a file is not a recording but an attack.
const MAX_DEPTH: usize = 64;
const MAX_OBJECTS: usize = 200_000;

/// An open HDF5 file.
pub(crate) struct H5 {
    file: Hdf5File,
    path: PathBuf,
    names: OnceCell<Vec<String>>,
    /// The most bytes that an array in a file of this length can honestly have.
    limit: usize,
}

impl H5 {
    /// Opens a file; only what is asked for will be read.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        };
        let file = std::fs::File::open(path).map_err(io)?;
        let len = file.metadata().map_err(io)?.len();
        let storage = fence(path, || FileStorage::from_file(file))?;
        Self::over(path, Arc::new(storage), len)
    }

    /// A file in memory, called `path` in messages.
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        let storage = hdf5_reader::storage::BytesStorage::new(bytes.to_vec());
        Self::over(path, Arc::new(storage), bytes.len() as u64)
    }

    fn over(path: &Path, storage: DynStorage, len: u64) -> Result<Self, DataError> {
        // Deflate packs at most 1032 to 1, so an honest array is no larger than this; what a header merely claims
        // allocates nothing beyond it.
        let limit = usize::try_from(len.saturating_mul(1032).saturating_add(1 << 20))
            .unwrap_or(usize::MAX)
            .min(1 << 40);
        let mut filters = FilterRegistry::new();
        filters.register(
            LZF,
            Box::new(move |filter, data, _| {
                // h5py gives the chunk's size as the third of the filter's numbers.
                let size = filter.client_data.get(2).copied().unwrap_or(u32::MAX) as usize;
                super::lzf::decode(data, size.min(limit))
                    .ok_or_else(|| Error::DecompressionError("damaged LZF stream".into()))
            }),
        );
        let options = OpenOptions::default()
            .with_filter_registry(filters)
            .with_max_read_bytes(limit)
            .with_max_chunk_bytes(limit.min(1 << 30));
        let file = fence(path, || {
            Hdf5File::from_storage_with_options(storage, options)
        })?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
            names: OnceCell::new(),
            limit,
        })
    }

    /// Runs a piece of work on the engine, turning its errors and its panics into errors about this file.
    pub(crate) fn fence<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, DataError> {
        fence(&self.path, work)
    }

    /// The root group.
    pub(crate) fn root(&self) -> Result<Group, DataError> {
        self.fence(|| self.file.root_group())
    }

    /// The group at `path`, if there is one.
    pub(crate) fn group(&self, path: &str) -> Option<Group> {
        self.fence(|| self.file.group(path)).ok()
    }

    /// The dataset at `path`, if there is one that can be opened.
    pub(crate) fn dataset(&self, path: &str) -> Result<Dataset, DataError> {
        match self.fence(|| self.file.dataset(path)) {
            Ok(dataset) => Ok(dataset),
            Err(refused @ DataError::Unsupported { .. }) => Err(refused),
            Err(_) if !self.all_names()?.iter().any(|n| n == path) => Err(self.absent(path)),
            Err(other) => Err(other),
        }
    }

    fn all_names(&self) -> Result<&[String], DataError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let mut names = Vec::new();
        let mut seen = BTreeSet::new();
        self.walk(&self.root()?, "", 0, &mut seen, &mut names)?;
        names.sort();
        Ok(self.names.get_or_init(|| names))
    }

    fn walk(
        &self,
        group: &Group,
        prefix: &str,
        depth: usize,
        seen: &mut BTreeSet<u64>,
        names: &mut Vec<String>,
    ) -> Result<(), DataError> {
        // Groups may link back to one another; each is listed where it is met first.
        if !seen.insert(group.address()) {
            return Ok(());
        }
        if depth > MAX_DEPTH || names.len() + seen.len() > MAX_OBJECTS {
            return Err(malformed(
                &self.path,
                "groups nested or multiplied beyond reason",
            ));
        }
        let (groups, datasets) = self.fence(|| group.member_names())?;
        names.extend(datasets.iter().map(|n| format!("{prefix}{n}")));
        for name in groups {
            let inner = self.fence(|| group.group(&name))?;
            self.walk(&inner, &format!("{prefix}{name}/"), depth + 1, seen, names)?;
        }
        Ok(())
    }

    /// The values of a dataset that is open already.
    pub(crate) fn values(&self, dataset: &Dataset, name: &str) -> Result<Values, DataError> {
        self.fence(|| Ok(h5value::read(dataset)))?
            .map_err(|fault| fault.at(&self.path, name))
    }

    /// A dataset of variable-length lists of numbers, in single precision.
    pub(crate) fn lists(&self, name: &str) -> Result<Vec<Vec<f32>>, DataError> {
        let dataset = self.dataset(name)?;
        self.fence(|| Ok(h5value::lists(&dataset)))?
            .map_err(|fault| fault.at(&self.path, name))
    }

    /// One attribute of a dataset or group as text, if it is there and is text.
    pub(crate) fn text_attribute(
        attributes: &[hdf5_reader::Attribute],
        name: &str,
    ) -> Option<String> {
        let attribute = attributes.iter().find(|a| a.name == name)?;
        catch_unwind(AssertUnwindSafe(|| attribute.read_string().ok()))
            .ok()
            .flatten()
    }
}

impl Arrays for H5 {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.all_names()?.to_vec())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        let name = name.trim_matches('/');
        match self.dataset(name) {
            Ok(dataset) => self.values(&dataset, name),
            Err(absent @ DataError::Absent { .. }) => {
                // `table/column` is a field of a compound dataset.
                let Some((table, field)) = name.rsplit_once('/') else {
                    return Err(absent);
                };
                let Ok(dataset) = self.dataset(table) else {
                    return Err(absent);
                };
                let column = self.fence(|| Ok(h5value::read_field(&dataset, field)))?;
                column
                    .map_err(|fault| fault.at(&self.path, name))?
                    .ok_or(absent)
            }
            Err(other) => Err(other),
        }
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, DataError> {
        let dataset = self.dataset(name.trim_matches('/'))?;
        Ok(dataset.shape().iter().map(|&n| n as usize).collect())
    }

    /// Reads blocks of time points, so that only the selected part is ever in memory, and as `f32`.
    fn matrix(
        &self,
        name: &str,
        time_first: bool,
        rows: Range<usize>,
    ) -> Result<Array2<f32>, DataError> {
        /// Numbers decoded at a time.
        const BLOCK: usize = 1 << 22;
        let dataset = self.dataset(name.trim_matches('/'))?;
        let shape: Vec<usize> = dataset.shape().iter().map(|&n| n as usize).collect();
        let plain = h5value::is_plain(dataset.dtype());
        if shape.len() != 2 || !plain || shape.contains(&0) {
            // Vectors, half precision and enumerations take the general way.
            let values = self.numbers(name)?;
            let values =
                super::arrays::as_matrix(values, name).map_err(|e| e.in_file(&self.path))?;
            let values = if time_first || shape.len() == 1 {
                values
            } else {
                values.reversed_axes()
            };
            let rows = rows.start.min(values.nrows())..rows.end.min(values.nrows());
            let part = values.slice_move(ndarray::s![rows, ..]);
            return Ok(part.mapv(|v| v as f32).as_standard_layout().into_owned());
        }
        let (n_times, n_units) = if time_first {
            (shape[0], shape[1])
        } else {
            (shape[1], shape[0])
        };
        let rows = rows.start.min(n_times)..rows.end.min(n_times);
        // Chunks that were never written cost the file nothing and read as fill values: block by block, each within the
        // engine's limit, they would go on without end.
        let claimed = rows.len().saturating_mul(n_units).saturating_mul(4);
        if claimed > self.limit {
            let reason = format!(
                "`{name}`: {} x {n_units} values are more than a file of this size can hold",
                rows.len()
            );
            return Err(malformed(&self.path, &reason));
        }
        // Claimed sizes are checked by reading the first block before the whole is allocated.
        let step = (BLOCK / n_units).max(1);
        let mut out: Vec<f32> = Vec::new();
        let mut start = rows.start;
        while start < rows.end {
            let end = (start + step).min(rows.end);
            let times = SliceInfoElem::Slice {
                start: start as u64,
                end: end as u64,
                step: 1,
            };
            let units = SliceInfoElem::Slice {
                start: 0,
                end: n_units as u64,
                step: 1,
            };
            let selections = if time_first {
                vec![times, units]
            } else {
                vec![units, times]
            };
            let block = self
                .fence(|| Ok(h5value::read_slice(&dataset, &SliceInfo { selections })))?
                .map_err(|fault| fault.at(&self.path, name))?;
            let block = block
                .into_dimensionality::<ndarray::Ix2>()
                .map_err(|_| malformed(&self.path, "a block of another shape than asked for"))?;
            let block = if time_first {
                block
            } else {
                block.reversed_axes()
            };
            out.try_reserve((rows.end - start).min(1 << 32) * n_units)
                .map_err(|_| {
                    let found = format!("{} x {n_units}", rows.len());
                    DataError::invalid(Place::dataset(name), "a matrix that fits in memory", found)
                        .with_help("read a span of time only")
                        .in_file(&self.path)
                })?;
            out.extend(block.iter());
            start = end;
        }
        Array2::from_shape_vec((rows.len(), n_units), out)
            .map_err(|_| malformed(&self.path, "fewer values than its header promises"))
    }
}

fn fence<T>(path: &Path, work: impl FnOnce() -> Result<T, Error>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(translate(path, error)),
        Err(_) => Err(malformed(path, "its structure is damaged")),
    }
}

pub(crate) fn translate(path: &Path, error: Error) -> DataError {
    let unsupported = |what: String| DataError::Unsupported {
        path: path.to_path_buf(),
        format: FORMAT,
        what,
        help: Some("rewrite the file with h5repack, or copy the dataset with h5py".into()),
    };
    match error {
        Error::Io(source) => DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        },
        Error::Context { source, .. } => translate(path, *source),
        Error::UnsupportedLayoutClass(3) => unsupported("a virtual dataset".into()),
        Error::UnsupportedFilter(what) => unsupported(format!("the {what}")),
        Error::UnsupportedEncoding(what) => unsupported(what),
        Error::UnsupportedDatatypeClass(class) => unsupported(format!("datatype class {class}")),
        Error::UnsupportedSuperblockVersion(v) => unsupported(format!("superblock version {v}")),
        other => malformed(path, &other.to_string()),
    }
}

pub(crate) fn malformed(path: &Path, reason: &str) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        format: FORMAT,
        reason: reason.to_owned(),
    }
}

/// The stored byte order, for the decoder.
pub(crate) fn is_big(order: ByteOrder) -> bool {
    matches!(order, ByteOrder::BigEndian)
}

/// An array from its shape and values, both as the file gives them.
pub(crate) fn shaped(shape: &[u64], values: Vec<f64>) -> Option<ArrayD<f64>> {
    let shape: Vec<usize> = shape
        .iter()
        .map(|&n| usize::try_from(n).ok())
        .collect::<Option<_>>()?;
    ArrayD::from_shape_vec(IxDyn(&shape), values).ok()
}

/// The name of a datatype, for messages.
pub(crate) fn type_name(datatype: &Datatype) -> &'static str {
    match datatype {
        Datatype::FixedPoint { .. } => "integers",
        Datatype::FloatingPoint { .. } => "floating-point numbers",
        Datatype::String { .. } => "strings",
        Datatype::Compound { .. } => "compound records",
        Datatype::Array { .. } => "fixed arrays",
        Datatype::Enum { .. } => "enumerations",
        Datatype::VarLen { .. } => "variable-length values",
        Datatype::Opaque { .. } => "opaque bytes",
        Datatype::Reference { .. } => "references",
        Datatype::Bitfield { .. } => "bit fields",
    }
}
