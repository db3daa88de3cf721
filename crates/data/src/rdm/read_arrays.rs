//! RDMs from files of named arrays: NPY, NPZ and HDF5, as rsatoolbox saves them or of one's own making.

use std::path::Path;

use ndarray::ArrayD;

use super::read::{ReadRdms, from_array};
use super::read_mat::{NAME, RDM, REGION, SUBJECT};
use super::{RdmLabel, Rdms, n_of_pairs};
use crate::DataError;
use crate::formats::arrays::{Arrays, Values};
use crate::formats::hdf5::H5;
use crate::formats::npz::Npz;

/// Reads an NPZ archive or a lone NPY array.
pub(super) fn npz(path: &Path, how: &ReadRdms) -> Result<Rdms, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io {
        path: path.to_path_buf(),
        action: "read",
        source,
    })?;
    from_arrays(&Npz::from_bytes(path, &bytes)?, how)
}

/// Reads an HDF5 file. MATLAB's 7.3 stores matrices with their axes in reverse.
pub(super) fn hdf5(path: &Path, how: &ReadRdms) -> Result<Rdms, DataError> {
    from_arrays(&H5::open(path)?, how)
}

/// The array to read is the one asked for, else one with a usual name (`rdms`, `dissimilarities`, ...), else the first
/// whose shape can be RDMs. Lists beside it named `subject`, `region`, `roi`, `layer`, `name`, ... with an entry for each
/// RDM label them.
fn from_arrays(file: &dyn Arrays, how: &ReadRdms) -> Result<Rdms, DataError> {
    let names = file.names()?;
    let leaf = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let usual = || {
        RDM.iter()
            .find_map(|u| names.iter().find(|n| leaf(n) == *u))
    };
    let name = match &how.variable {
        Some(name) => name.clone(),
        None => match usual() {
            Some(name) => name.clone(),
            None => first_that_fits(file, &names)?.ok_or_else(|| file.absent("rdms"))?,
        },
    };
    let array = upright(file.numbers(&name)?);
    let rdms = from_array(array, file.path(), how)?;
    let list = |known: &[&str]| -> Result<Option<Vec<String>>, DataError> {
        for name in names.iter().filter(|n| known.contains(&leaf(n).as_str())) {
            let texts = file.texts(name)?;
            if texts.len() == rdms.len() {
                return Ok(Some(texts));
            }
        }
        Ok(None)
    };
    let (subjects, regions, own) = (list(SUBJECT)?, list(REGION)?, list(NAME)?);
    if subjects.is_none() && regions.is_none() && own.is_none() {
        return Ok(rdms);
    }
    let at = |list: &Option<Vec<String>>, i: usize| list.as_ref().map(|l| l[i].clone());
    let label = |i: usize| {
        let label = RdmLabel::new(
            at(&subjects, i).unwrap_or_default(),
            at(&regions, i).unwrap_or_default(),
        );
        RdmLabel {
            name: at(&own, i).unwrap_or(label.name),
            ..label
        }
    };
    let labels = (0..rdms.len()).map(label).collect();
    rdms.with_labels(labels)
}

fn first_that_fits(file: &dyn Arrays, names: &[String]) -> Result<Option<String>, DataError> {
    for name in names {
        let fits = match file.shape(name)?.as_slice() {
            [m] => *m >= 3 && n_of_pairs(*m).is_some(),
            [r, c] => r == c || n_of_pairs(*c).is_some() || n_of_pairs(*r).is_some(),
            [_, r, c] => r == c,
            _ => false,
        };
        if fits && matches!(file.get(name)?, Values::Numbers(_)) {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

/// `[pair, rdm]` (MATLAB's order, seen from C) as `[rdm, pair]`, where only that can be meant.
fn upright(array: ArrayD<f64>) -> ArrayD<f64> {
    match array.shape() {
        [r, c] if r != c && n_of_pairs(*c).is_none() && n_of_pairs(*r).is_some() => {
            array.reversed_axes()
        }
        _ => array,
    }
}
