//! Named arrays: what HDF5, NPZ and MAT files have in common, and all that a [`Mapping`](super::Mapping) needs of them.

use std::ops::Range;
use std::path::Path;

use ndarray::{Array2, ArrayD, Ix2};

use crate::{DataError, Place};

/// The values of one named array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    /// Numbers of any stored type, in C order.
    Numbers(ArrayD<f64>),
    /// Strings, flattened in C order.
    Texts(Vec<String>),
    /// One list of numbers for each row (variable-length rows, cells of vectors).
    Ragged(Vec<Vec<f64>>),
}

impl Values {
    /// What the values are, for messages.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Numbers(a) => format!("numbers of shape {:?}", a.shape()),
            Self::Texts(t) => format!("{} strings", t.len()),
            Self::Ragged(r) => format!("{} lists of numbers", r.len()),
        }
    }
}

/// A file that holds arrays by name.
pub(crate) trait Arrays {
    /// The file.
    fn path(&self) -> &Path;

    /// The names of all arrays, in a fixed order.
    fn names(&self) -> Result<Vec<String>, DataError>;

    /// The values of one array; [`DataError::Absent`] if there is none of that name.
    fn get(&self, name: &str) -> Result<Values, DataError>;

    /// The shape of one array, without reading its values where the format allows that.
    fn shape(&self, name: &str) -> Result<Vec<usize>, DataError> {
        Ok(match self.get(name)? {
            Values::Numbers(a) => a.shape().to_vec(),
            Values::Texts(t) => vec![t.len()],
            Values::Ragged(r) => vec![r.len()],
        })
    }

    /// A matrix as `[time, unit]`, of the time points in `rows` only. `time_first` says how the file stores it. A
    /// vector is one unit.
    fn matrix(
        &self,
        name: &str,
        time_first: bool,
        rows: Range<usize>,
    ) -> Result<Array2<f32>, DataError> {
        let values = self.numbers(name)?;
        let values = as_matrix(values, name).map_err(|e| e.in_file(self.path()))?;
        let values = if time_first {
            values
        } else {
            values.reversed_axes()
        };
        let rows = rows.start.min(values.nrows())..rows.end.min(values.nrows());
        let part = values.slice_move(ndarray::s![rows, ..]);
        Ok(part.mapv(|v| v as f32).as_standard_layout().into_owned())
    }

    /// An array that must hold numbers.
    fn numbers(&self, name: &str) -> Result<ArrayD<f64>, DataError> {
        match self.get(name)? {
            Values::Numbers(a) => Ok(a),
            other => Err(
                DataError::invalid(Place::dataset(name), "numbers", other.kind())
                    .in_file(self.path()),
            ),
        }
    }

    /// An array that must be a list of numbers; axes of length 1 are dropped.
    fn vector(&self, name: &str) -> Result<Vec<f64>, DataError> {
        let values = self.numbers(name)?;
        if values.shape().iter().filter(|&&n| n != 1).count() > 1 {
            let found = format!("shape {:?}", values.shape());
            return Err(
                DataError::invalid(Place::dataset(name), "one dimension", found)
                    .in_file(self.path()),
            );
        }
        Ok(values.iter().copied().collect())
    }

    /// An array as text, one string for each element: numbers are written out.
    fn texts(&self, name: &str) -> Result<Vec<String>, DataError> {
        match self.get(name)? {
            Values::Texts(t) => Ok(t),
            Values::Numbers(a) => Ok(a.iter().map(ToString::to_string).collect()),
            other @ Values::Ragged(_) => {
                Err(
                    DataError::invalid(Place::dataset(name), "strings or numbers", other.kind())
                        .in_file(self.path()),
                )
            }
        }
    }

    /// The error for a name that is not there.
    fn absent(&self, name: &str) -> DataError {
        DataError::Absent {
            path: self.path().to_path_buf(),
            wanted: name.to_owned(),
            available: self.names().unwrap_or_default(),
        }
    }
}

/// A matrix from an array of one or two dimensions; a vector becomes one column.
pub(crate) fn as_matrix(values: ArrayD<f64>, name: &str) -> Result<Array2<f64>, DataError> {
    let shape = values.shape().to_vec();
    let wrong = || {
        DataError::invalid(
            Place::dataset(name),
            "one or two dimensions",
            format!("shape {shape:?}"),
        )
    };
    match shape.len() {
        1 => {
            let n = shape[0];
            let (list, _) = values.into_raw_vec_and_offset();
            Array2::from_shape_vec((n, 1), list).map_err(|_| wrong())
        }
        2 => values.into_dimensionality::<Ix2>().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}
