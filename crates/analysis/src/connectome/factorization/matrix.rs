//! How a factor matrix is kept: its shape and its values, row by row.

use ndarray::Array2;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(m: &Array2<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    let values: Vec<f64> = m.iter().copied().collect();
    (m.dim(), values).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Array2<f64>, D::Error> {
    let (shape, values): ((usize, usize), Vec<f64>) = Deserialize::deserialize(deserializer)?;
    Array2::from_shape_vec(shape, values).map_err(D::Error::custom)
}
