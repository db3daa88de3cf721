//! Phase-invariant neurons.

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};

use super::super::{ResponseModel, StimuliError, StimulusShape};
use super::{Nonlinearity, Precision, Weights, per_neuron};

/// Neurons that add the energy of two filters (a pair in quadrature sees a pattern at any phase):
/// score = phi(gain * (<filter, stimulus>^2 + <second filter, stimulus>^2) + offset).
#[derive(Debug, Clone)]
pub struct Energy {
    shape: StimulusShape,
    /// The first filters of all neurons, then their second ones.
    filters: Weights,
    gains: Vec<f64>,
    offsets: Vec<f64>,
    nonlinearity: Nonlinearity,
}

impl Energy {
    /// Neurons with these pairs of filters, each `[neuron, pixel]`, with these gains and offsets.
    ///
    /// # Errors
    /// If there is no neuron, an array is not finite or not of the stimulus' shape, or a list does not have an entry for
    /// each neuron.
    pub fn new(
        shape: StimulusShape,
        filters: &Array2<f64>,
        second: &Array2<f64>,
        gains: Vec<f64>,
        offsets: Vec<f64>,
        nonlinearity: Nonlinearity,
    ) -> Result<Self, StimuliError> {
        shape.check()?;
        let both = concatenate(Axis(0), &[filters.view(), second.view()]);
        let unlike = || StimuliError::Shape {
            what: "second filters",
            expected: format!("{:?}, as the first", filters.shape()),
            found: format!("{:?}", second.shape()),
        };
        let both = both.map_err(|_| unlike())?;
        if filters.nrows() != second.nrows() {
            return Err(unlike());
        }
        let filters = Weights::new("filters", both, shape.n_pixels())?;
        per_neuron("gains", &gains, second.nrows())?;
        per_neuron("offsets", &offsets, second.nrows())?;
        Ok(Self {
            shape,
            filters,
            gains,
            offsets,
            nonlinearity,
        })
    }

    /// The same neurons with matrix products in this precision.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.filters = self.filters.with(precision);
        self
    }

    fn drive(&self, i: usize, a: f64, b: f64) -> f64 {
        self.gains[i] * (a * a + b * b) + self.offsets[i]
    }

    fn scores_of(&self, projected: &Array2<f64>) -> Array2<f64> {
        let n = self.n_neurons();
        Array2::from_shape_fn((projected.nrows(), n), |(k, i)| {
            let drive = self.drive(i, projected[[k, i]], projected[[k, n + i]]);
            self.nonlinearity.value(drive)
        })
    }
}

impl ResponseModel for Energy {
    fn n_neurons(&self) -> usize {
        self.gains.len()
    }

    fn shape(&self) -> StimulusShape {
        self.shape
    }

    fn scores(&self, stimuli: ArrayView2<f64>) -> Array2<f64> {
        self.scores_of(&self.filters.forth(stimuli))
    }

    fn pull_back(
        &self,
        stimuli: ArrayView2<f64>,
        weigh: &mut dyn FnMut(Array2<f64>) -> Array2<f64>,
    ) -> Array2<f64> {
        let n = self.n_neurons();
        let mut projected = self.filters.forth(stimuli);
        let weights = weigh(self.scores_of(&projected));
        for (k, mut row) in projected.rows_mut().into_iter().enumerate() {
            let (mut first, mut second) = row.view_mut().split_at(Axis(0), n);
            for i in 0..n {
                let (a, b) = (first[i], second[i]);
                let slope = self.nonlinearity.slope(self.drive(i, a, b));
                let weight = 2.0 * weights[[k, i]] * slope * self.gains[i];
                first[i] = weight * a;
                second[i] = weight * b;
            }
        }
        self.filters.back(projected.slice(s![.., ..]))
    }
}
