//! Files of named arrays that are no recording: filters of a model, stimulus frames, lists of labels.
//!
//! A [`Recording`](crate::Recording) has its own readers in [`io`](crate::io).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;

use crate::error::{DataError, Place};
use crate::files::{Files, write_atomic};
use crate::formats::arrays::Arrays;
use crate::formats::csv;
use crate::formats::hdf5::H5;
use crate::formats::mat::Mat;
use crate::formats::npz::{self, Npz};
use crate::formats::pytorch::Saved;
use crate::formats::safetensors::{self, Tensors};

/// The arrays of a file, by name.
pub struct NamedArrays {
    file: Box<dyn Arrays>,
    names: Vec<String>,
}

impl NamedArrays {
    /// Opens an NPZ archive, a lone NPY array (called `array`), a MAT 5 or an HDF5 file, a file of safetensors, or one of
    /// PyTorch's (`torch.save` of tensors in dictionaries and lists, called by their keys: `model.0.weight`).
    ///
    /// # Errors
    /// [`DataError`] naming the file: not there, of another format, damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let io = |source| DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        };
        // These two read what is asked for alone.
        let file: Box<dyn Arrays> = match extension(path).as_str() {
            "npz" | "npy" => Box::new(Npz::open(path, std::fs::File::open(path).map_err(io)?)?),
            "h5" | "hdf5" => Box::new(H5::open(path)?),
            // Before the file is read: it may be large, and no array in it.
            other if !KNOWN.contains(&other) => return Err(unknown(path, other)),
            _ => return Self::from_bytes(path, std::fs::read(path).map_err(io)?),
        };
        Self::of(file)
    }

    /// The arrays in the bytes of a file that is called `path`, whose extension says what it is.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        Self::of(match extension(path).as_str() {
            "npz" | "npy" => Box::new(Npz::from_bytes(path, &bytes)?),
            "h5" | "hdf5" => Box::new(H5::from_bytes(path, &bytes)?),
            "mat" => Box::new(Mat::from_bytes(path, &bytes)?),
            "safetensors" => Box::new(Tensors::from_bytes(path, bytes)?),
            "pt" | "pth" => Box::new(Saved::from_bytes(path, bytes)?),
            other => return Err(unknown(path, other)),
        })
    }

    fn of(file: Box<dyn Arrays>) -> Result<Self, DataError> {
        let names = file.names()?;
        Ok(Self { file, names })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The names of the arrays, in a fixed order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there is an array of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }

    /// An array of numbers, of any stored type.
    ///
    /// # Errors
    /// [`DataError::Absent`] if there is none of that name; [`DataError::Invalid`] if it holds something else.
    pub fn numbers(&self, name: &str) -> Result<ArrayD<f64>, DataError> {
        self.file.numbers(name)
    }

    /// A list of numbers; axes of length 1 are dropped.
    ///
    /// # Errors
    /// As [`NamedArrays::numbers`]; more than one dimension.
    pub fn vector(&self, name: &str) -> Result<Vec<f64>, DataError> {
        self.file.vector(name)
    }

    /// A list of strings; numbers are written out.
    ///
    /// # Errors
    /// As [`NamedArrays::numbers`].
    pub fn texts(&self, name: &str) -> Result<Vec<String>, DataError> {
        self.file.texts(name)
    }

    /// A fault of one of these arrays, at this position where one is known.
    #[must_use]
    pub fn fault(
        &self,
        name: &str,
        index: Option<usize>,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> DataError {
        let place = Place::dataset(name);
        let place = match index {
            Some(index) => place.index(index),
            None => place,
        };
        DataError::invalid(place, expected, found).in_file(self.path())
    }
}

/// Extensions of files of named arrays.
const KNOWN: [&str; 8] = [
    "npz",
    "npy",
    "mat",
    "h5",
    "hdf5",
    "safetensors",
    "pt",
    "pth",
];

fn extension(path: &Path) -> String {
    let extension = path.extension();
    extension.map_or_else(String::new, |e| e.to_string_lossy().to_lowercase())
}

fn unknown(path: &Path, extension: &str) -> DataError {
    DataError::Unsupported {
        path: path.to_path_buf(),
        format: "named arrays",
        what: format!("the extension `{extension}`"),
        help: Some(format!("arrays are read from .{}", KNOWN.join(", ."))),
    }
}

/// Writes arrays of numbers to an NPZ archive, whole or not at all; the same arrays give the same bytes.
///
/// # Errors
/// [`DataError::Io`] if the machine refuses.
pub fn write_npz(
    files: &dyn Files,
    path: &Path,
    arrays: &BTreeMap<String, ArrayD<f64>>,
) -> Result<(), DataError> {
    let bytes = npz::encode_arrays(arrays).map_err(|what| DataError::Unsupported {
        path: path.to_path_buf(),
        format: "NPZ",
        what,
        help: None,
    })?;
    write_atomic(files, path, &bytes)
}

/// Writes arrays of numbers as safetensors, whole or not at all: in single precision where that holds every number of an
/// array, else in double. The same arrays give the same bytes.
///
/// # Errors
/// [`DataError::Io`] if the machine refuses.
pub fn write_safetensors(
    files: &dyn Files,
    path: &Path,
    arrays: &BTreeMap<String, ArrayD<f64>>,
) -> Result<(), DataError> {
    let bytes = safetensors::encode(arrays).map_err(|what| DataError::Unsupported {
        path: path.to_path_buf(),
        format: "safetensors",
        what,
        help: None,
    })?;
    write_atomic(files, path, &bytes)
}

/// One column of a CSV file with a header: the first that has one of these names, whatever their case; or the only
/// column there is. Cells are trimmed.
///
/// # Errors
/// [`DataError`] naming the file: not there, not CSV, without such a column.
pub fn csv_column(path: &Path, names: &[&str]) -> Result<Vec<String>, DataError> {
    let rows = csv::rows(path)?;
    let Some((header, body)) = rows.split_first() else {
        let place = Place::dataset(names.first().copied().unwrap_or("column"));
        return Err(DataError::invalid(place, "a header", "an empty file").in_file(path));
    };
    let named = |name: &&str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let column = match names.iter().find_map(named) {
        Some(column) => column,
        None if header.len() == 1 => 0,
        None => {
            return Err(DataError::Absent {
                path: PathBuf::from(path),
                wanted: names.join("` or `"),
                available: header.clone(),
            });
        }
    };
    Ok(body.iter().map(|row| row[column].clone()).collect())
}

#[cfg(test)]
mod weights;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DiskFiles;

    #[test]
    fn arrays_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.npz");
        let filters =
            ArrayD::from_shape_fn(vec![2, 3, 4], |i| (i[0] * 12 + i[1] * 4 + i[2]) as f64);
        let gains = ArrayD::from_elem(vec![2], 0.5);
        let arrays = BTreeMap::from([("filters".into(), filters.clone()), ("gains".into(), gains)]);
        write_npz(&DiskFiles, &path, &arrays).unwrap();
        let back = NamedArrays::open(&path).unwrap();
        assert_eq!(back.names(), ["filters", "gains"]);
        assert_eq!(back.numbers("filters").unwrap(), filters);
        assert_eq!(back.vector("gains").unwrap(), [0.5, 0.5]);
        assert!(matches!(
            back.numbers("offsets"),
            Err(DataError::Absent { .. })
        ));
        assert!(matches!(
            NamedArrays::open(folder.path().join("model.txt")),
            Err(DataError::Unsupported { .. })
        ));
    }

    #[test]
    fn a_column_is_found_by_name_or_because_it_is_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        std::fs::write(&path, "neuron,Type\n0,ON\n1, OFF\n").unwrap();
        assert_eq!(
            csv_column(&path, &["label", "type"]).unwrap(),
            ["ON", "OFF"]
        );
        assert!(csv_column(&path, &["kind"]).is_err());
        std::fs::write(&path, "whatever\na\nb\n").unwrap();
        assert_eq!(csv_column(&path, &["label"]).unwrap(), ["a", "b"]);
        std::fs::write(&path, "").unwrap();
        assert!(csv_column(&path, &["label"]).is_err());
    }
}
