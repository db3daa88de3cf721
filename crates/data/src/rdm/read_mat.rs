//! RDMs from MAT 5 files: the structs in which the field passes them on, and plain matrices.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ndarray::{Array2, ArrayD, IxDyn, ShapeBuilder};

use super::read::{ReadRdms, from_array};
use super::{RdmLabel, Rdms};
use crate::error::{DataError, Place};
use crate::formats::mat5::{self, MatArray, MatStruct, MatValue, MatVariable};
use crate::io::Format;

/// Field names that hold the distances, the name, the subject and the region, in lower case, by preference.
pub(super) const RDM: &[&str] = &["rdm", "rdms", "dissimilarities", "rdv"];
pub(super) const NAME: &[&str] = &["name", "label"];
pub(super) const SUBJECT: &[&str] = &["subject", "subj", "seed", "measmodelname", "session"];
pub(super) const REGION: &[&str] = &["region", "roi", "layer", "reprname"];

/// Reads the RDMs of a file. A struct array holds an RDM (square or condensed) in each element; its label comes from the
/// fields for subject and region where there are any, else from the name: `hIT | BE | Session: 1` is region `hIT` of
/// subject `BE`, and a name without a bar is the region.
pub(super) fn read(path: &Path, how: &ReadRdms) -> Result<Rdms, DataError> {
    let mut head = Vec::new();
    let io = |source| DataError::Io {
        path: path.to_path_buf(),
        action: "read",
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    file.by_ref()
        .take(1024)
        .read_to_end(&mut head)
        .map_err(io)?;
    if Format::of_bytes(&head) == Some(Format::Hdf5) {
        return super::read_arrays::hdf5(path, how);
    }
    let variables = mat5::read(path)?;
    let variable = choose(&variables, how.variable.as_deref(), path)?;
    match &variable.value {
        MatValue::Struct(structs) => from_structs(structs, &variable.name, path, how),
        MatValue::Numeric(array) => from_array(to_ndarray(array, &variable.name)?, path, how),
        other => Err(DataError::invalid(
            Place::dataset(variable.name.clone()),
            "a numeric array, or a struct array with a field `RDM`",
            other.describe(),
        )),
    }
}

fn choose<'a>(
    variables: &'a [MatVariable],
    wanted: Option<&str>,
    path: &Path,
) -> Result<&'a MatVariable, DataError> {
    let can_be_rdms = |v: &&MatVariable| match &v.value {
        MatValue::Struct(s) => !s.is_empty() && field(s, RDM).is_some(),
        MatValue::Numeric(a) => a.values.len() > 1,
        _ => false,
    };
    let chosen = match wanted {
        Some(name) => variables.iter().find(|v| v.name == name),
        // Structs before matrices: a matrix beside them is something else.
        None => {
            let is_struct = |v: &&MatVariable| v.value.as_struct().is_some();
            let mut fit = variables.iter().filter(can_be_rdms);
            let first = fit.clone().find(is_struct);
            first.or_else(|| fit.next())
        }
    };
    chosen.ok_or_else(|| DataError::Absent {
        path: path.to_path_buf(),
        wanted: wanted.unwrap_or("RDM").into(),
        available: variables.iter().map(|v| v.name.clone()).collect(),
    })
}

/// The first field of the struct whose lower-case name is among `names`.
fn field<'a>(structs: &'a MatStruct, names: &[&str]) -> Option<&'a str> {
    let of_name = |name: &&str| {
        let same = |f: &&String| f.to_lowercase() == **name;
        structs.fields.iter().find(same)
    };
    names.iter().find_map(of_name).map(String::as_str)
}

fn from_structs(
    structs: &MatStruct,
    variable: &str,
    path: &Path,
    how: &ReadRdms,
) -> Result<Rdms, DataError> {
    let fields = || structs.fields.clone();
    let rdm_field = field(structs, RDM).ok_or_else(|| DataError::Absent {
        path: path.to_path_buf(),
        wanted: "RDM".into(),
        available: fields(),
    })?;
    let text_of = |i: usize, names: &[&str]| -> Option<String> {
        let value = structs.get(i, field(structs, names)?)?;
        match value {
            MatValue::Numeric(a) if a.values.len() == 1 => a.to_f64().map(|v| v[0].to_string()),
            other => other.as_text().map(str::to_owned),
        }
    };
    let mut labels = Vec::new();
    let mut squares = Vec::new();
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for i in 0..structs.len() {
        let name = text_of(i, NAME);
        let label = label(name, text_of(i, SUBJECT), text_of(i, REGION), variable, i);
        let place = || Place::dataset(format!("{variable}.{rdm_field}")).unit(label.name.clone());
        let expected = "a real square matrix or a vector of n(n-1)/2 distances";
        let value = structs.get(i, rdm_field);
        let refuse = |found: String| Err(DataError::invalid(place(), expected, found));
        let Some(array) = value.and_then(MatValue::as_numeric) else {
            return refuse(value.map_or("nothing".into(), MatValue::describe));
        };
        let (Some((r, c)), Some(values)) = (array.matrix_dims(), array.to_f64()) else {
            return refuse(MatValue::Numeric(array.clone()).describe());
        };
        if r == 1 || c == 1 {
            rows.push(values);
        } else if r == c {
            // Column-major and symmetric: the order does not matter, asymmetry is found either way.
            let square = Array2::from_shape_vec((r, c).f(), values);
            squares.push(square.map_err(|e| DataError::invalid(place(), expected, e))?);
        } else {
            return refuse(format!("{r}x{c}"));
        }
        labels.push(label);
    }
    if rows.is_empty() {
        return Rdms::from_squares(&squares, labels, how.rules);
    }
    let pairs = rows[0].len();
    let place = || Place::dataset(format!("{variable}.{rdm_field}"));
    if !squares.is_empty() || rows.iter().any(|r| r.len() != pairs) {
        let expected = "RDMs of one shape in all elements";
        return Err(DataError::invalid(place(), expected, "several shapes"));
    }
    let values = Array2::from_shape_vec((rows.len(), pairs), rows.concat())
        .map_err(|e| DataError::invalid(place(), "as many RDMs as elements", e))?;
    Rdms::from_condensed(values, labels, how.rules)
}

fn label(
    name: Option<String>,
    subject: Option<String>,
    region: Option<String>,
    variable: &str,
    idx: usize,
) -> RdmLabel {
    let name = name.unwrap_or_default();
    let mut parts = name.split('|').map(|p| p.trim().to_owned());
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let region = region.unwrap_or(first);
    let subject = subject.or(second).unwrap_or_default();
    let name = match name.as_str() {
        "" if region.is_empty() && subject.is_empty() => format!("{variable}({})", idx + 1),
        "" => format!("{region} | {subject}"),
        _ => name,
    };
    RdmLabel {
        name,
        subject,
        region,
    }
}

/// A MATLAB array in the order of its indices; `n x n x k` becomes `[k, n, n]`, as MATLAB stacks along the last axis.
fn to_ndarray(array: &MatArray, name: &str) -> Result<ArrayD<f64>, DataError> {
    let refuse =
        |found: String| DataError::invalid(Place::dataset(name), "a real array of RDMs", found);
    let values = array
        .to_f64()
        .ok_or_else(|| refuse("a complex array".into()))?;
    let mut dims = array.dims.clone();
    while dims.len() > 2 && dims.last() == Some(&1) {
        dims.pop();
    }
    let array =
        ArrayD::from_shape_vec(IxDyn(&dims).f(), values).map_err(|e| refuse(e.to_string()))?;
    Ok(match dims.as_slice() {
        [_, _, _] => array.permuted_axes(IxDyn(&[2, 0, 1])),
        // A column vector is a vector.
        [_, 1] => array.reversed_axes(),
        _ => array,
    })
}
