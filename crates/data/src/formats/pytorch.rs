//! PyTorch's files (`torch.save`, since 1.6): a ZIP archive of raw numbers, and a pickle that says what they are.
//!
//! The pickle is a program. Of its instructions those that build data are followed; nothing it names is ever run: a
//! function it calls is known as one that makes a tensor, or ignored.

mod pickle;
mod tensor;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};
use zip::ZipArchive;

use self::pickle::Unpickled;
use self::tensor::Tensor;
use super::arrays::{Arrays, Values};
use crate::DataError;

const FORMAT: &str = "PyTorch";
/// Bytes that one part of an archive may unpack to, at most.
const MOST: u64 = 1 << 36;

/// The tensors of a file. Those within dictionaries and lists are called by their keys, `model.0.weight`.
pub(crate) struct Saved {
    path: PathBuf,
    archive: RefCell<ZipArchive<Cursor<Vec<u8>>>>,
    /// The archive's own folder, with its slash.
    folder: String,
    tensors: BTreeMap<String, Tensor>,
}

impl Saved {
    /// The file in `bytes`, called `path` in messages.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        let malformed = |reason: String| DataError::Malformed {
            path: path.to_path_buf(),
            format: FORMAT,
            reason,
        };
        if !bytes.starts_with(b"PK") {
            return Err(DataError::Unsupported {
                path: path.to_path_buf(),
                format: FORMAT,
                what: "this file, which is no ZIP archive,".into(),
                help: Some("save it again with torch.save of PyTorch 1.6 or later".into()),
            });
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| malformed(e.to_string()))?;
        let is_pickle = |n: &&str| n.ends_with("/data.pkl") || *n == "data.pkl";
        let Some(pickle) = archive.file_names().find(is_pickle).map(str::to_owned) else {
            return Err(malformed("no data.pkl in the archive".into()));
        };
        let folder = pickle.trim_end_matches("data.pkl").to_owned();
        let archive = RefCell::new(archive);
        let program = part(&archive, &pickle).map_err(malformed)?;
        if part(&archive, &format!("{folder}byteorder")).is_ok_and(|b| b.starts_with(b"big")) {
            return Err(DataError::Unsupported {
                path: path.to_path_buf(),
                format: FORMAT,
                what: "numbers with the big end first".into(),
                help: None,
            });
        }
        let tensors = match pickle::read(&program).map_err(malformed)? {
            Unpickled::Tensors(tensors) => tensors,
            Unpickled::Class(name) => {
                return Err(DataError::Unsupported {
                    path: path.to_path_buf(),
                    format: FORMAT,
                    what: format!("an object of the class `{name}`"),
                    help: Some("save its weights: torch.save(model.state_dict(), …)".into()),
                });
            }
        };
        Ok(Self {
            path: path.to_path_buf(),
            archive,
            folder,
            tensors,
        })
    }
}

fn part(archive: &RefCell<ZipArchive<Cursor<Vec<u8>>>>, name: &str) -> Result<Vec<u8>, String> {
    let mut archive = archive.borrow_mut();
    let mut entry = archive
        .by_name(name)
        .map_err(|e| format!("`{name}`: {e}"))?;
    // Deflate packs at most 1032 to 1: what unpacks to more than that is not honest.
    let most = entry.compressed_size().saturating_mul(1032).min(MOST);
    let mut bytes = vec![];
    let read = entry.by_ref().take(most).read_to_end(&mut bytes);
    read.map_err(|e| format!("`{name}`: {e}"))?;
    Ok(bytes)
}

impl Arrays for Saved {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.tensors.keys().cloned().collect())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.absent(name))?;
        let malformed = |reason: String| DataError::Malformed {
            path: self.path.clone(),
            format: FORMAT,
            reason: format!("`{name}`: {reason}"),
        };
        let bytes = part(
            &self.archive,
            &format!("{}data/{}", self.folder, tensor.key),
        );
        let all = tensor.stored.read(&bytes.map_err(malformed)?);
        let values = strided(&all, tensor).ok_or_else(|| {
            let (shape, stride) = (&tensor.shape, &tensor.stride);
            let n = all.len();
            malformed(format!(
                "shape {shape:?} by strides {stride:?} within {n} numbers"
            ))
        })?;
        Ok(Values::Numbers(values))
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, DataError> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.absent(name))?;
        Ok(tensor.shape.clone())
    }
}

/// The numbers of a tensor within those of its storage; none if it reaches beyond them, or repeats any.
fn strided(all: &[f64], tensor: &Tensor) -> Option<ArrayD<f64>> {
    let n = tensor
        .shape
        .iter()
        .try_fold(1usize, |n, s| n.checked_mul(*s))?;
    if n == 0 {
        return ArrayD::from_shape_vec(tensor.shape.clone(), vec![]).ok();
    }
    let own = all.get(tensor.offset..)?;
    if n > own.len() || tensor.shape.len() != tensor.stride.len() {
        return None;
    }
    let shape = IxDyn(&tensor.shape).strides(IxDyn(&tensor.stride));
    // Refused where an element lies beyond the numbers, or two lie at one place.
    let view = ArrayViewD::from_shape(shape, own).ok()?;
    Some(view.as_standard_layout().into_owned())
}
