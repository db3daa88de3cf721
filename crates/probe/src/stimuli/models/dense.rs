//! A network with a shared core and a readout for each neuron.

use ndarray::{Array2, ArrayView2};

use super::super::{ResponseModel, StimuliError, StimulusShape};
use super::{Nonlinearity, Precision, Weights, per_neuron};

/// A core of features shared by all neurons, and a readout for each of them:
/// feature = phi(<core, stimulus> + core offset), score = psi(<readout, features> + offset).
#[derive(Debug, Clone)]
pub struct Dense {
    shape: StimulusShape,
    core: Weights,
    core_offsets: Vec<f64>,
    core_nonlinearity: Nonlinearity,
    readout: Weights,
    offsets: Vec<f64>,
    nonlinearity: Nonlinearity,
}

impl Dense {
    /// A network of these weights: core `[feature, pixel]`, readout `[neuron, feature]`.
    ///
    /// # Errors
    /// If an array is not finite or does not fit the others.
    pub fn new(
        shape: StimulusShape,
        core: Array2<f64>,
        core_offsets: Vec<f64>,
        core_nonlinearity: Nonlinearity,
        readout: Array2<f64>,
        offsets: Vec<f64>,
        nonlinearity: Nonlinearity,
    ) -> Result<Self, StimuliError> {
        shape.check()?;
        let core = Weights::new("core", core, shape.n_pixels())?;
        per_neuron("core offsets", &core_offsets, core.n_rows())?;
        let readout = Weights::new("readout", readout, core.n_rows())?;
        per_neuron("offsets", &offsets, readout.n_rows())?;
        Ok(Self {
            shape,
            core,
            core_offsets,
            core_nonlinearity,
            readout,
            offsets,
            nonlinearity,
        })
    }

    /// The same network with matrix products in this precision.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.core = self.core.with(precision);
        self.readout = self.readout.with(precision);
        self
    }

    /// Drives of the features and of the neurons.
    fn drives(&self, stimuli: ArrayView2<f64>) -> (Array2<f64>, Array2<f64>) {
        let add = |drive: &mut Array2<f64>, offsets: &[f64]| {
            for mut row in drive.rows_mut() {
                row.iter_mut().zip(offsets).for_each(|(d, o)| *d += o);
            }
        };
        let mut core = self.core.forth(stimuli);
        add(&mut core, &self.core_offsets);
        let features = core.mapv(|d| self.core_nonlinearity.value(d));
        let mut out = self.readout.forth(features.view());
        add(&mut out, &self.offsets);
        (core, out)
    }
}

impl ResponseModel for Dense {
    fn n_neurons(&self) -> usize {
        self.offsets.len()
    }

    fn shape(&self) -> StimulusShape {
        self.shape
    }

    fn scores(&self, stimuli: ArrayView2<f64>) -> Array2<f64> {
        let (_, out) = self.drives(stimuli);
        out.mapv_into(|d| self.nonlinearity.value(d))
    }

    fn pull_back(
        &self,
        stimuli: ArrayView2<f64>,
        weigh: &mut dyn FnMut(Array2<f64>) -> Array2<f64>,
    ) -> Array2<f64> {
        let (core, out) = self.drives(stimuli);
        let mut weights = weigh(out.mapv(|d| self.nonlinearity.value(d)));
        weights.zip_mut_with(&out, |w, d| *w *= self.nonlinearity.slope(*d));
        let mut features = self.readout.back(weights.view());
        features.zip_mut_with(&core, |f, d| *f *= self.core_nonlinearity.slope(*d));
        self.core.back(features.view())
    }
}
