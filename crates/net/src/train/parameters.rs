//! Named arrays of numbers.

use burn_tensor::{Device, Gradients, Tensor, TensorData};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Real;

/// A matrix of parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Array<T> {
    /// What it is.
    pub name: String,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Row by row.
    pub values: Vec<T>,
}

/// All parameters of a model; each is known by its position.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameters<T> {
    /// The matrices.
    pub arrays: Vec<Array<T>>,
}

impl<T: Real> Parameters<T> {
    /// Adds a matrix and returns its position. Panics if the number of values does not fit the shape.
    pub fn push(&mut self, name: impl Into<String>, shape: [usize; 2], values: Vec<f64>) -> usize {
        assert_eq!(values.len(), shape[0] * shape[1], "values fit the shape");
        self.arrays.push(Array {
            name: name.into(),
            shape,
            values: values.into_iter().map(T::of).collect(),
        });
        self.arrays.len() - 1
    }

    /// Adds a matrix of uniform draws within plus or minus `1 / sqrt(fan_in)`, PyTorch's start of a linear layer.
    pub fn push_uniform(
        &mut self,
        name: impl Into<String>,
        shape: [usize; 2],
        fan_in: usize,
        rng: &mut chiasm_core::Rng,
    ) -> usize {
        let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
        let values = (0..shape[0] * shape[1])
            .map(|_| bound * (2.0 * rng.random::<f64>() - 1.0))
            .collect();
        self.push(name, shape, values)
    }

    /// Takes on the values of `other`, whose arrays have the same shapes, without memory of its own.
    pub(crate) fn copy(&mut self, other: &Self) {
        for (array, other) in self.arrays.iter_mut().zip(&other.arrays) {
            copy(&mut array.values, &other.values);
        }
    }

    /// Number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arrays.iter().map(|a| a.values.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The matrices as tensors on `device`, by position. On an autodiff device they are leaves that get gradients.
    #[must_use]
    pub fn leaves(&self, device: &Device) -> Vec<Tensor<2>> {
        self.arrays
            .iter()
            .map(|a| {
                let tensor = upload(a.values.clone(), a.shape, device);
                if device.is_autodiff() {
                    tensor.require_grad()
                } else {
                    tensor
                }
            })
            .collect()
    }

    /// The gradient of every matrix, by position; zeros where the loss does not depend on it.
    #[must_use]
    pub fn gradients(&self, leaves: &[Tensor<2>], grads: &Gradients) -> Vec<Vec<T>> {
        self.arrays
            .iter()
            .zip(leaves)
            .map(|(a, leaf)| {
                leaf.grad(grads)
                    .map_or_else(|| vec![T::of(0.0); a.values.len()], download)
            })
            .collect()
    }
}

/// Copies numbers: of large arrays on all threads, which bring more of them from memory than one does.
pub(super) fn copy<T: Real>(to: &mut [T], from: &[T]) {
    /// Numbers of a task.
    const CHUNK: usize = 1 << 16;
    if to.len() <= CHUNK {
        return to.copy_from_slice(from);
    }
    let parts = to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK));
    parts.for_each(|(to, from)| to.copy_from_slice(from));
}

/// Numbers on the host as a tensor of their own precision. Panics if their number does not fit the shape.
#[must_use]
pub fn upload<T: Real, const D: usize>(
    values: Vec<T>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, T::dtype()))
}

/// A tensor's numbers. Panics if it is of another precision.
#[must_use]
pub fn download<T: Real, const D: usize>(tensor: Tensor<D>) -> Vec<T> {
    let data = tensor.into_data();
    data.as_slice::<T>()
        .expect("a tensor of the parameters' precision")
        .to_vec()
}
