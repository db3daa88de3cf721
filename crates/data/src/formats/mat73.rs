//! MATLAB 7.3 files, which are HDF5 with conventions: axes in MATLAB's order are stored reversed, texts are lists of
//! character codes, cells are references into `#refs#`, structs are groups.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use hdf5_reader::Datatype;
use ndarray::Array2;

use super::arrays::{Arrays, Values};
use super::hdf5::{H5, malformed};
use crate::{DataError, Place};

/// Where MATLAB keeps what cells refer to.
const REFS: &str = "#refs#/";

/// Whether a file begins as MATLAB 7.3 files do.
pub(crate) fn is_mat73(head: &[u8]) -> bool {
    head.starts_with(b"MATLAB 7.3 MAT-file")
}

/// A MATLAB 7.3 file as named arrays with MATLAB's order of axes.
pub(crate) struct Mat73<'a> {
    file: &'a H5,
    /// The datasets that cells refer to, by address.
    refs: BTreeMap<u64, String>,
}

impl<'a> Mat73<'a> {
    /// The arrays of this file.
    pub(crate) fn over(file: &'a H5) -> Result<Self, DataError> {
        let mut refs = BTreeMap::new();
        for name in file.names()?.into_iter().filter(|n| n.starts_with(REFS)) {
            refs.insert(file.dataset(&name)?.address(), name);
        }
        Ok(Self { file, refs })
    }

    fn class(&self, name: &str) -> Result<String, DataError> {
        let dataset = self.file.dataset(name)?;
        let attributes = self.file.fence(|| Ok(dataset.attributes()))?;
        Ok(H5::text_attribute(&attributes, "MATLAB_class").unwrap_or_default())
    }

    /// A dataset that is no cell.
    fn plain(&self, name: &str) -> Result<Values, DataError> {
        let class = self.class(name)?;
        match self.file.get(name)? {
            Values::Numbers(codes) if class == "char" => {
                let units: Vec<u16> = codes.iter().map(|&c| c as u16).collect();
                Ok(Values::Texts(vec![String::from_utf16_lossy(&units)]))
            }
            Values::Numbers(a) => Ok(Values::Numbers(
                a.reversed_axes().as_standard_layout().into_owned(),
            )),
            other => Ok(other),
        }
    }

    fn cell(&self, name: &str) -> Result<Values, DataError> {
        let dataset = self.file.dataset(name)?;
        let raw = self.file.fence(|| dataset.read_raw_bytes())?;
        let mut texts = Vec::new();
        let mut lists = Vec::new();
        for (i, reference) in raw.chunks_exact(8).enumerate() {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(reference);
            let target = self.refs.get(&u64::from_le_bytes(bytes)).ok_or_else(|| {
                malformed(
                    self.path(),
                    &format!("`{name}`: cell {i} refers to nothing"),
                )
            })?;
            match self.plain(target)? {
                Values::Texts(t) => texts.extend(t),
                Values::Numbers(a) => lists.push(a.iter().copied().collect()),
                Values::Ragged(_) => {}
            }
        }
        let cells = raw.len() / 8;
        if texts.len() == cells {
            Ok(Values::Texts(texts))
        } else if lists.len() == cells {
            Ok(Values::Ragged(lists))
        } else {
            let expected = "cells that are all text or all numbers";
            Err(
                DataError::invalid(Place::dataset(name), expected, "a mixture")
                    .in_file(self.path()),
            )
        }
    }
}

impl Arrays for Mat73<'_> {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        let names = self.file.names()?;
        Ok(names.into_iter().filter(|n| !n.starts_with('#')).collect())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        let is_cell = match self.file.dataset(name) {
            Ok(dataset) => matches!(dataset.dtype(), Datatype::Reference { .. }),
            Err(absent @ DataError::Absent { .. }) => return Err(absent),
            Err(other) => return Err(other),
        };
        if is_cell {
            self.cell(name)
        } else {
            self.plain(name)
        }
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, DataError> {
        let mut shape = self.file.shape(name)?;
        shape.reverse();
        Ok(shape)
    }

    fn matrix(
        &self,
        name: &str,
        time_first: bool,
        rows: Range<usize>,
    ) -> Result<Array2<f32>, DataError> {
        self.file.matrix(name, !time_first, rows)
    }
}
