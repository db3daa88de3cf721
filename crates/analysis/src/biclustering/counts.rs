//! Spike counts, checked.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::BiclusteringError;

/// Spike counts `[neuron, bin]`, some of which may be missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    n_neurons: usize,
    n_bins: usize,
    /// Row by row; NaN where missing.
    values: Vec<f64>,
}

impl Counts {
    /// Counts from `[neuron, bin]`, NaN where missing.
    ///
    /// # Errors
    /// A value that is no count; fewer than three bins; no neuron; a neuron without an observed bin.
    pub fn new(values: ArrayView2<f64>) -> Result<Self, BiclusteringError> {
        let (n_neurons, n_bins) = values.dim();
        if n_bins < 3 {
            return Err(BiclusteringError::FewBins { found: n_bins });
        }
        if n_neurons == 0 {
            return Err(BiclusteringError::FewNeurons {
                latents: 0,
                found: 0,
            });
        }
        for ((neuron, bin), &found) in values.indexed_iter() {
            let count =
                found.is_nan() || (found >= 0.0 && found.is_finite() && found.fract() == 0.0);
            if !count {
                return Err(BiclusteringError::NotACount { neuron, bin, found });
            }
        }
        if let Some(neuron) = (0..n_neurons).find(|&i| values.row(i).iter().all(|v| v.is_nan())) {
            return Err(BiclusteringError::Unobserved {
                neuron,
                bins: n_bins,
            });
        }
        Ok(Self {
            n_neurons,
            n_bins,
            values: values.iter().copied().collect(),
        })
    }

    /// How many neurons.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        self.n_neurons
    }

    /// How many bins.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// The counts of a neuron, NaN where missing.
    #[must_use]
    pub fn of(&self, neuron: usize) -> &[f64] {
        &self.values[neuron * self.n_bins..(neuron + 1) * self.n_bins]
    }

    /// Neurons that never fire in the bins observed.
    #[must_use]
    pub fn silent(&self) -> Vec<usize> {
        (0..self.n_neurons)
            .filter(|&i| self.of(i).iter().all(|v| v.is_nan() || *v == 0.0))
            .collect()
    }

    /// The same counts with these `(neuron, bin)` missing.
    ///
    /// # Errors
    /// A place that is not there, or a neuron that would be left without an observed bin.
    pub fn without(&self, places: &[(usize, usize)]) -> Result<Self, BiclusteringError> {
        let mut values =
            Array2::from_shape_fn((self.n_neurons, self.n_bins), |(i, t)| self.of(i)[t]);
        for &(neuron, bin) in places {
            let cell = values
                .get_mut([neuron, bin])
                .ok_or(BiclusteringError::Shape {
                    what: "a bin to leave out",
                    expected: self.n_neurons * self.n_bins,
                    found: neuron * self.n_bins + bin,
                })?;
            *cell = f64::NAN;
        }
        Self::new(values.view())
    }

    /// The counts of these neurons alone.
    pub(super) fn select(&self, neurons: &[usize]) -> Self {
        Self {
            n_neurons: neurons.len(),
            n_bins: self.n_bins,
            values: neurons.iter().flat_map(|&i| self.of(i).to_vec()).collect(),
        }
    }

    /// Another count at the same place.
    #[cfg(test)]
    pub(super) fn replace(&mut self, neuron: usize, bin: usize, count: f64) {
        self.values[neuron * self.n_bins + bin] = count;
    }
}
