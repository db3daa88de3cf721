//! How a pickle describes the numbers of a tensor.

use super::pickle::Value;
use crate::formats::number::Stored;

/// A tensor as the pickle describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    /// Which part of the archive holds its numbers.
    pub(super) key: String,
    pub(super) stored: Stored,
    /// In numbers, as the strides are.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) stride: Vec<usize>,
}

/// `('storage', type, key, device, numbers)`.
pub(super) fn storage(id: Value) -> Result<Value, String> {
    let Value::Tuple(parts) = id else {
        return Err("a storage that is none".into());
    };
    match &*parts {
        [Value::Text(_), Value::Global(class), Value::Text(key), ..] => {
            let class = class.rsplit('.').next().unwrap_or_default();
            let stored = match class {
                "DoubleStorage" => Stored::F64,
                "FloatStorage" => Stored::F32,
                "HalfStorage" => Stored::F16,
                "BFloat16Storage" => Stored::Bf16,
                "LongStorage" => Stored::I64,
                "IntStorage" => Stored::I32,
                "ShortStorage" => Stored::I16,
                "CharStorage" => Stored::I8,
                "ByteStorage" => Stored::U8,
                "BoolStorage" => Stored::Bool,
                other => return Err(format!("numbers of the type {other}")),
            };
            Ok(Value::Storage(key.clone(), stored))
        }
        _ => Err("a storage that is none".into()),
    }
}

/// `(storage, offset, shape, strides, …)`.
pub(super) fn tensor(given: &[Value]) -> Result<Tensor, String> {
    let [
        Value::Storage(key, stored),
        Value::Int(offset),
        Value::Tuple(shape),
        Value::Tuple(stride),
        ..,
    ] = given
    else {
        return Err("a tensor that is none".into());
    };
    let size = |v: &Value| match v {
        Value::Int(n) => usize::try_from(*n).map_err(|e| e.to_string()),
        _ => Err("a size that is no number".to_owned()),
    };
    Ok(Tensor {
        key: key.to_string(),
        stored: *stored,
        offset: usize::try_from(*offset).map_err(|e| e.to_string())?,
        shape: shape.iter().map(size).collect::<Result<_, _>>()?,
        stride: stride.iter().map(size).collect::<Result<_, _>>()?,
    })
}
