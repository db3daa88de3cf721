//! MAT 5 variables as named arrays; fields of a struct are `struct/field`. MATLAB's axes keep their order.

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::arrays::{Arrays, Values};
use super::mat5::{self, MatArray, MatValue};
use crate::{DataError, Place};

/// How deep structs are looked into.
const MAX_DEPTH: usize = 8;

/// The variables of a MAT 5 file.
pub(crate) struct Mat {
    path: PathBuf,
    entries: Vec<(String, MatValue)>,
}

impl Mat {
    /// A file in memory, called `path` in messages.
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        // Deflate packs at most 1032 to 1.
        let limit = mat5::MAX_BYTES.min(bytes.len().saturating_mul(1032));
        let mut entries = Vec::new();
        for variable in mat5::parse_within(bytes, path, limit)? {
            flatten(variable.name, variable.value, 0, &mut entries);
        }
        Ok(Self {
            path: path.to_path_buf(),
            entries,
        })
    }
}

fn flatten(name: String, value: MatValue, depth: usize, entries: &mut Vec<(String, MatValue)>) {
    if let MatValue::Struct(s) = &value
        && s.len() == 1
        && depth < MAX_DEPTH
    {
        for field in &s.fields {
            if let Some(inner) = s.get(0, field) {
                flatten(format!("{name}/{field}"), inner.clone(), depth + 1, entries);
            }
        }
        return;
    }
    entries.push((name, value));
}

fn array(a: &MatArray) -> Option<ArrayD<f64>> {
    let list = a.to_f64()?;
    let array = ArrayD::from_shape_vec(IxDyn(&a.dims).f(), list).ok()?;
    Some(array.as_standard_layout().into_owned())
}

impl Arrays for Mat {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.entries.iter().map(|(n, _)| n.clone()).collect())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        let (_, value) = self
            .entries
            .iter()
            .find(|(n, _)| n == name)
            .ok_or_else(|| self.absent(name))?;
        let refuse = || {
            DataError::invalid(
                Place::dataset(name),
                "real numbers, text, or a cell array of either",
                value.describe(),
            )
            .in_file(&self.path)
        };
        match value {
            MatValue::Numeric(a) => array(a).map(Values::Numbers).ok_or_else(refuse),
            // MATLAB pads the rows of a char array with blanks.
            MatValue::Char(rows) if rows.len() > 1 => Ok(Values::Texts(
                rows.iter().map(|r| r.trim_end().to_owned()).collect(),
            )),
            MatValue::Char(_) => Ok(Values::Texts(vec![
                value.as_text().unwrap_or_default().to_owned(),
            ])),
            MatValue::Cell { items, .. } => {
                if let Some(texts) = value.as_texts() {
                    return Ok(Values::Texts(texts));
                }
                items
                    .iter()
                    .map(|item| item.as_numeric().and_then(MatArray::to_f64))
                    .collect::<Option<Vec<_>>>()
                    .map(Values::Ragged)
                    .ok_or_else(refuse)
            }
            _ => Err(refuse()),
        }
    }
}
