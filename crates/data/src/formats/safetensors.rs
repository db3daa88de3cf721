//! Safetensors: named arrays behind a header of JSON, as trained networks are passed on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::arrays::{Arrays, Values};
use super::number::Stored;
use crate::DataError;

const FORMAT: &str = "safetensors";

/// A file of safetensors, in memory.
pub(crate) struct Tensors {
    path: PathBuf,
    bytes: Vec<u8>,
    names: Vec<String>,
}

impl Tensors {
    /// The tensors in `bytes`, called `path` in messages.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        let mut names: Vec<String> = {
            let tensors = SafeTensors::deserialize(&bytes).map_err(|e| malformed(path, &e))?;
            tensors.names().into_iter().map(str::to_owned).collect()
        };
        names.sort();
        Ok(Self {
            path: path.to_path_buf(),
            bytes,
            names,
        })
    }

    fn with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&TensorView<'_>) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let tensors =
            SafeTensors::deserialize(&self.bytes).map_err(|e| malformed(&self.path, &e))?;
        let tensor = tensors.tensor(name).map_err(|_| self.absent(name))?;
        read(&tensor)
    }
}

fn malformed(path: &Path, reason: &dyn std::fmt::Display) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        format: FORMAT,
        reason: reason.to_string(),
    }
}

impl Arrays for Tensors {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> Result<Vec<String>, DataError> {
        Ok(self.names.clone())
    }

    fn get(&self, name: &str) -> Result<Values, DataError> {
        self.with(name, |tensor| {
            let stored = stored(tensor.dtype()).ok_or_else(|| DataError::Unsupported {
                path: self.path.clone(),
                format: FORMAT,
                what: format!("`{name}`, of type {:?},", tensor.dtype()),
                help: Some("save it as F32".into()),
            })?;
            let values = stored.read(tensor.data());
            let array = ArrayD::from_shape_vec(tensor.shape(), values);
            array
                .map(Values::Numbers)
                .map_err(|e| malformed(&self.path, &format!("`{name}`: {e}")))
        })
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, DataError> {
        self.with(name, |tensor| Ok(tensor.shape().to_vec()))
    }
}

fn stored(dtype: Dtype) -> Option<Stored> {
    Some(match dtype {
        Dtype::F64 => Stored::F64,
        Dtype::F32 => Stored::F32,
        Dtype::F16 => Stored::F16,
        Dtype::BF16 => Stored::Bf16,
        Dtype::I64 => Stored::I64,
        Dtype::I32 => Stored::I32,
        Dtype::I16 => Stored::I16,
        Dtype::I8 => Stored::I8,
        Dtype::U64 => Stored::U64,
        Dtype::U32 => Stored::U32,
        Dtype::U16 => Stored::U16,
        Dtype::U8 => Stored::U8,
        Dtype::BOOL => Stored::Bool,
        _ => return None,
    })
}

/// Arrays as the bytes of a file of safetensors: as single precision where every number is one, else as double.
pub(crate) fn encode(arrays: &BTreeMap<String, ArrayD<f64>>) -> Result<Vec<u8>, String> {
    let fits = |v: &f64| v.is_nan() || f64::from(*v as f32) == *v;
    let stored = arrays.iter().map(|(name, array)| {
        let (dtype, bytes): (_, Vec<u8>) = if array.iter().all(fits) {
            let bytes = array.iter().flat_map(|v| (*v as f32).to_le_bytes());
            (Dtype::F32, bytes.collect())
        } else {
            (
                Dtype::F64,
                array.iter().flat_map(|v| v.to_le_bytes()).collect(),
            )
        };
        (name, array.shape().to_vec(), dtype, bytes)
    });
    let stored: Vec<_> = stored.collect();
    let views = stored.iter().map(|(name, shape, dtype, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| e.to_string())?;
        Ok((name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, String>>()?;
    serialize(views, None).map_err(|e| e.to_string())
}
