//! RDMs from files: MAT, NPY, NPZ, HDF5, square CSV, and a CSV of labels.

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayD, Axis, Ix2, Ix3};
use serde::{Deserialize, Serialize};

use super::{RdmLabel, RdmRules, Rdms, n_of_pairs, read_arrays, read_mat};
use crate::error::{DataError, Place};
use crate::formats::csv;

/// How the numbers of a file stand for RDMs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// By shape: `[n, n]` is a square RDM and `[rdm, n, n]` are several; anything else is `[rdm, pair]`.
    #[default]
    Auto,
    /// Square matrices.
    Square,
    /// `[rdm, pair]`, even where that happens to be square.
    Condensed,
}

/// How files of RDMs are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRdms {
    /// What is refused and what is mended.
    pub rules: RdmRules,
    /// How the numbers stand for RDMs.
    pub layout: Layout,
    /// The variable or array to read; by default the first that can be RDMs.
    pub variable: Option<String>,
    /// A CSV file with a header and the columns `subject` and `region` (and, optionally, `name`): a row for each RDM.
    pub labels: Option<PathBuf>,
}

/// Reads RDMs over the same stimuli from one or more files, one after another: `.mat` (MAT 5; matrices, or the usual
/// structs with a field `RDM`) and 7.3 (matrices), `.npy`, `.npz`, `.h5` and `.hdf5`
/// (as rsatoolbox saves them), `.csv` (one square RDM, with or without names of stimuli in a first row
/// and column). Without a labels file an RDM's label comes from the file: struct fields, names such as
/// `hIT | BE | Session: 1` (region, subject), else the file's name.
///
/// # Errors
/// [`DataError`] naming the file and what is wrong in it; those of [`Rdms::from_squares`].
pub fn read(paths: &[PathBuf], how: &ReadRdms) -> Result<Rdms, DataError> {
    let mut all: Option<Rdms> = None;
    for path in paths {
        let rdms = read_one(path, how).map_err(|e| e.in_file(path))?;
        all = Some(match all {
            None => rdms,
            Some(before) => before.concat(&rdms).map_err(|e| e.in_file(path))?,
        });
    }
    let rdms = all.ok_or_else(|| {
        DataError::invalid(Place::dataset("files"), "at least one file of RDMs", "none")
    })?;
    match &how.labels {
        None => Ok(rdms),
        Some(path) => {
            let labels = read_labels(path)?;
            rdms.with_labels(labels).map_err(|e| e.in_file(path))
        }
    }
}

fn read_one(path: &Path, how: &ReadRdms) -> Result<Rdms, DataError> {
    if std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == 0) {
        return Err(DataError::Malformed {
            path: path.to_path_buf(),
            format: "RDMs",
            reason: "the file is empty".into(),
        });
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("mat") => read_mat::read(path, how),
        Some("npy" | "npz") => read_arrays::npz(path, how),
        Some("h5" | "hdf5") => read_arrays::hdf5(path, how),
        Some("csv") => csv_square(path, how),
        other => Err(DataError::Unsupported {
            path: path.to_path_buf(),
            format: "RDMs",
            what: format!("the extension `{}`", other.unwrap_or_default()),
            help: Some("RDMs are read from .mat, .npy, .npz, .h5, .hdf5 and .csv".into()),
        }),
    }
}

/// Square or condensed RDMs from an array, labelled by the file's name.
pub(super) fn from_array(
    array: ArrayD<f64>,
    path: &Path,
    how: &ReadRdms,
) -> Result<Rdms, DataError> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_default();
    let labels = |k: usize| -> Vec<RdmLabel> {
        let name = |i| {
            if k == 1 {
                stem.clone()
            } else {
                format!("{stem} {i}")
            }
        };
        (0..k)
            .map(|i| RdmLabel {
                name: name(i),
                ..RdmLabel::default()
            })
            .collect()
    };
    let shape = array.shape().to_vec();
    let refuse = || {
        let expected = "[n, n], [rdm, n, n], [pair] or [rdm, pair] distances";
        DataError::invalid(Place::dataset("rdms"), expected, format!("shape {shape:?}"))
    };
    let is_square = match how.layout {
        Layout::Square => true,
        Layout::Condensed => false,
        Layout::Auto => match shape.as_slice() {
            [r, c] => r == c || n_of_pairs(*c).is_none(),
            [_, _, _] => true,
            _ => false,
        },
    };
    match (shape.as_slice(), is_square) {
        ([_, _], true) => {
            let square = array.into_dimensionality::<Ix2>().map_err(|_| refuse())?;
            Rdms::from_squares(&[square], labels(1), how.rules)
        }
        ([k, _, _], true) => {
            let k = *k;
            let cube = array.into_dimensionality::<Ix3>().map_err(|_| refuse())?;
            let squares: Vec<Array2<f64>> = cube.outer_iter().map(|s| s.to_owned()).collect();
            Rdms::from_squares(&squares, labels(k), how.rules)
        }
        ([_], false) => {
            let row = array.insert_axis(Axis(0));
            let rows = row.into_dimensionality::<Ix2>().map_err(|_| refuse())?;
            Rdms::from_condensed(rows, labels(1), how.rules)
        }
        ([k, _], false) => {
            let k = *k;
            let rows = array.into_dimensionality::<Ix2>().map_err(|_| refuse())?;
            Rdms::from_condensed(rows, labels(k), how.rules)
        }
        _ => Err(refuse()),
    }
}

/// One square RDM: numbers alone, or with the stimuli's names in a first row and, perhaps, a first column.
fn csv_square(path: &Path, how: &ReadRdms) -> Result<Rdms, DataError> {
    let rows = csv::rows(path)?;
    let number = |cell: &str| match cell.to_lowercase().as_str() {
        "" | "na" | "nan" => Some(f64::NAN),
        _ => cell.parse::<f64>().ok(),
    };
    let text = |row: &[String]| row.iter().any(|c| number(c).is_none());
    let has_header = rows.first().is_some_and(|row| text(row));
    let body = &rows[usize::from(has_header)..];
    let has_names = body.first().is_some_and(|row| number(&row[0]).is_none())
        || (has_header && rows[0][0].is_empty());
    let skip = usize::from(has_names);
    let mut values = Vec::new();
    for (r, row) in body.iter().enumerate() {
        for (c, cell) in row.iter().enumerate().skip(skip) {
            values.push(number(cell).ok_or_else(|| {
                let place = Place::dataset(format!("row {}, column {}", r + 1, c + 1));
                DataError::invalid(place, "a number", format!("`{cell}`"))
            })?);
        }
    }
    let columns = body.first().map_or(0, |row| row.len() - skip);
    let array = ArrayD::from_shape_vec(vec![body.len(), columns], values)
        .map_err(|_| DataError::invalid(Place::dataset("rdm"), "rows of one length", "others"))?;
    let how = ReadRdms {
        layout: match how.layout {
            Layout::Auto => Layout::Square,
            other => other,
        },
        ..how.clone()
    };
    let rdms = from_array(array, path, &how)?;
    let names = match (has_header, has_names) {
        (true, _) => rows[0][skip..].to_vec(),
        (false, true) => body.iter().map(|row| row[0].clone()).collect(),
        (false, false) => return Ok(rdms),
    };
    // Stimuli that were dropped for missing pairs take their names along.
    if names.len() == rdms.n_stimuli() {
        rdms.with_stimuli(names)
    } else {
        Ok(rdms)
    }
}

/// Labels from a CSV file with the columns `subject` and `region` and, perhaps, `name`.
fn read_labels(path: &Path) -> Result<Vec<RdmLabel>, DataError> {
    let rows = csv::rows(path)?;
    let Some((header, body)) = rows.split_first() else {
        return Err(
            DataError::invalid(Place::dataset("labels"), "a header", "an empty file").in_file(path),
        );
    };
    let column = |name: &str| header.iter().position(|h| h.to_lowercase() == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| DataError::Absent {
            path: path.to_path_buf(),
            wanted: name.into(),
            available: header.clone(),
        })
    };
    let (subject, region, name) = (needed("subject")?, needed("region")?, column("name"));
    let label = |row: &Vec<String>| {
        let label = RdmLabel::new(row[subject].clone(), row[region].clone());
        match name {
            Some(name) => RdmLabel {
                name: row[name].clone(),
                ..label
            },
            None => label,
        }
    };
    Ok(body.iter().map(label).collect())
}
