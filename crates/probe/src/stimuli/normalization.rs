//! Z-scores of each neuron over reference stimuli.

use chiasm_core::{Rng, stats};
use ndarray::{Array2, ArrayView2, Axis};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::model::finite;
use super::{ResponseModel, StimuliError};

/// Added to each divisor (released code).
const EPSILON: f64 = 1e-6;

/// What is subtracted from each neuron's score and what it is divided by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    subtract: Vec<f64>,
    divide: Vec<f64>,
    clipped: Vec<usize>,
}

impl Normalization {
    /// Least divisor (released code): a neuron that hardly responds must not be blown up.
    pub const LEAST: f64 = 0.1;

    /// Leaves scores as they are, up to a millionth.
    #[must_use]
    pub fn none(n_neurons: usize) -> Self {
        Self {
            subtract: vec![0.0; n_neurons],
            divide: vec![1.0; n_neurons],
            clipped: vec![],
        }
    }

    /// Mean and standard deviation over responses `[stimulus, neuron]` to reference stimuli, the latter at least
    /// [`Normalization::LEAST`].
    ///
    /// # Errors
    /// If there are fewer than two stimuli, or a response is not finite.
    pub fn from_responses(responses: ArrayView2<f64>) -> Result<Self, StimuliError> {
        if responses.nrows() < 2 || responses.ncols() == 0 {
            return Err(StimuliError::Shape {
                what: "reference responses",
                expected: "[stimulus, neuron], at least 2 stimuli and 1 neuron".into(),
                found: format!("{:?}", responses.shape()),
            });
        }
        finite("reference responses", responses)?;
        let mut own = Self::none(responses.ncols());
        for (i, column) in responses.axis_iter(Axis(1)).enumerate() {
            let column = column.to_vec();
            own.subtract[i] = stats::mean(&column);
            let sd = stats::sd(&column, 0);
            own.divide[i] = sd.max(Self::LEAST);
            if sd < Self::LEAST {
                own.clipped.push(i);
            }
        }
        Ok(own)
    }

    /// From the responses of a model to Gaussian stimuli of this norm.
    ///
    /// # Errors
    /// As [`Normalization::from_responses`]; if the model does not give a finite score for each neuron.
    pub fn from_model(
        model: &dyn ResponseModel,
        n_stimuli: usize,
        norm: f64,
        rng: &mut Rng,
    ) -> Result<Self, StimuliError> {
        let stimuli = gaussian(n_stimuli, model.shape().n_pixels(), norm, rng);
        let scores = model.scores(stimuli.view());
        check_scores(&scores, n_stimuli, model.n_neurons())?;
        Self::from_responses(scores.view())
    }

    /// Number of neurons.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        self.subtract.len()
    }

    /// Neurons whose standard deviation over the reference stimuli is below [`Normalization::LEAST`]: next to constant.
    #[must_use]
    pub fn clipped(&self) -> &[usize] {
        &self.clipped
    }

    /// The same for some of the neurons.
    #[must_use]
    pub fn select(&self, neurons: &[usize]) -> Self {
        let pick = |list: &[f64]| neurons.iter().map(|&i| list[i]).collect();
        Self {
            subtract: pick(&self.subtract),
            divide: pick(&self.divide),
            clipped: (0..neurons.len())
                .filter(|&k| self.clipped.contains(&neurons[k]))
                .collect(),
        }
    }

    /// Scores `[stimulus, neuron]` as z-scores.
    pub(super) fn apply(&self, scores: &mut Array2<f64>) {
        for mut row in scores.rows_mut() {
            for (i, v) in row.iter_mut().enumerate() {
                *v = (*v - self.subtract[i]) / (self.divide[i] + EPSILON);
            }
        }
    }

    /// Weights of z-scores as weights of scores.
    pub(super) fn pull_back(&self, weights: &mut Array2<f64>) {
        for mut row in weights.rows_mut() {
            for (w, d) in row.iter_mut().zip(&self.divide) {
                *w /= d + EPSILON;
            }
        }
    }

    /// Z-scores `[stimulus, neuron]` of a model.
    ///
    /// # Errors
    /// If the model does not give a finite score for each neuron, or the stimuli are not of its shape.
    pub fn responses(
        &self,
        model: &dyn ResponseModel,
        stimuli: ArrayView2<f64>,
    ) -> Result<Array2<f64>, StimuliError> {
        check_stimuli(model, stimuli)?;
        let mut scores = model.scores(stimuli);
        check_scores(&scores, stimuli.nrows(), self.n_neurons())?;
        self.apply(&mut scores);
        Ok(scores)
    }
}

pub(super) fn check_stimuli(
    model: &dyn ResponseModel,
    stimuli: ArrayView2<f64>,
) -> Result<(), StimuliError> {
    let n = model.shape().n_pixels();
    if stimuli.ncols() != n {
        return Err(StimuliError::Shape {
            what: "stimuli",
            expected: format!("[stimulus, {n}], the pixels of {:?}", model.shape()),
            found: format!("{:?}", stimuli.shape()),
        });
    }
    finite("stimuli", stimuli)
}

/// What a model gave must be a finite score for each stimulus and neuron.
pub(super) fn check_scores(
    scores: &Array2<f64>,
    n_stimuli: usize,
    n_neurons: usize,
) -> Result<(), StimuliError> {
    if scores.dim() != (n_stimuli, n_neurons) {
        return Err(StimuliError::Shape {
            what: "scores",
            expected: format!("[{n_stimuli}, {n_neurons}], one for each stimulus and neuron"),
            found: format!("{:?}", scores.shape()),
        });
    }
    finite("scores", scores.view())
}

/// Gaussian stimuli `[stimulus, pixel]`, scaled to this norm.
#[must_use]
pub fn gaussian(n_stimuli: usize, n_pixels: usize, norm: f64, rng: &mut Rng) -> Array2<f64> {
    let mut stimuli: Array2<f64> =
        Array2::from_shape_simple_fn((n_stimuli, n_pixels), || StandardNormal.sample(rng));
    for mut row in stimuli.rows_mut() {
        let length = row.dot(&row).sqrt();
        row.mapv_inplace(|v| v / length * norm);
    }
    stimuli
}
