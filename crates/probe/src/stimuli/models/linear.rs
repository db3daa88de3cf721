//! Linear-nonlinear neurons.

use ndarray::{Array2, ArrayView2, Zip};

use super::super::{ResponseModel, StimuliError, StimulusShape};
use super::{Nonlinearity, Precision, Weights, per_neuron};

/// Neurons that filter a stimulus and pass the drive on: score = phi(gain * <filter, stimulus> + offset).
#[derive(Debug, Clone)]
pub struct LinearNonlinear {
    shape: StimulusShape,
    filters: Weights,
    gains: Vec<f64>,
    offsets: Vec<f64>,
    nonlinearity: Nonlinearity,
}

impl LinearNonlinear {
    /// Neurons with these filters `[neuron, pixel]`, of gain 1 and offset 0.
    ///
    /// # Errors
    /// If there is no neuron, or the filters are not finite or not of the stimulus' shape.
    pub fn new(
        shape: StimulusShape,
        filters: Array2<f64>,
        nonlinearity: Nonlinearity,
    ) -> Result<Self, StimuliError> {
        shape.check()?;
        let filters = Weights::new("filters", filters, shape.n_pixels())?;
        let n = filters.n_rows();
        Ok(Self {
            shape,
            filters,
            gains: vec![1.0; n],
            offsets: vec![0.0; n],
            nonlinearity,
        })
    }

    /// The same neurons with these gains.
    ///
    /// # Errors
    /// If there is not one finite gain for each neuron.
    pub fn with_gains(mut self, gains: Vec<f64>) -> Result<Self, StimuliError> {
        per_neuron("gains", &gains, self.n_neurons())?;
        self.gains = gains;
        Ok(self)
    }

    /// The same neurons with these offsets.
    ///
    /// # Errors
    /// If there is not one finite offset for each neuron.
    pub fn with_offsets(mut self, offsets: Vec<f64>) -> Result<Self, StimuliError> {
        per_neuron("offsets", &offsets, self.n_neurons())?;
        self.offsets = offsets;
        Ok(self)
    }

    /// The same neurons with matrix products in this precision.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.filters = self.filters.with(precision);
        self
    }

    /// gain * <filter, stimulus> + offset.
    fn drive(&self, stimuli: ArrayView2<f64>) -> Array2<f64> {
        let mut drive = self.filters.forth(stimuli);
        for mut row in drive.rows_mut() {
            for ((d, g), o) in row.iter_mut().zip(&self.gains).zip(&self.offsets) {
                *d = g * *d + o;
            }
        }
        drive
    }
}

impl ResponseModel for LinearNonlinear {
    fn n_neurons(&self) -> usize {
        self.gains.len()
    }

    fn shape(&self) -> StimulusShape {
        self.shape
    }

    fn scores(&self, stimuli: ArrayView2<f64>) -> Array2<f64> {
        self.drive(stimuli)
            .mapv_into(|d| self.nonlinearity.value(d))
    }

    fn pull_back(
        &self,
        stimuli: ArrayView2<f64>,
        weigh: &mut dyn FnMut(Array2<f64>) -> Array2<f64>,
    ) -> Array2<f64> {
        let drive = self.drive(stimuli);
        let mut weights = weigh(drive.mapv(|d| self.nonlinearity.value(d)));
        for (mut row, drive) in weights.rows_mut().into_iter().zip(drive.rows()) {
            Zip::from(&mut row)
                .and(drive)
                .and(&self.gains[..])
                .for_each(|w, d, g| *w *= self.nonlinearity.slope(*d) * g);
        }
        self.filters.back(weights.view())
    }
}
