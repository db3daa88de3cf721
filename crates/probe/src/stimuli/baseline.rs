//! What discriminative stimuli are compared with.

use chiasm_core::{Rng, Watch};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

use super::normalization::check_scores;
use super::{Normalization, Postprocess, ResponseModel, StimuliError};

pub use super::normalization::gaussian as random;

/// Steps of a search for most exciting stimuli, and the share of the norm that each goes.
const STEPS: usize = 100;
const SHARE: f64 = 0.2;

/// The most exciting stimulus of each of these neurons `[neuron, pixel]`: the one to which its score is largest, sought
/// from a random start under the same norm and clip.
///
/// # Errors
/// If a neuron does not exist, the model does not give a finite score for each neuron, or a setting is out of range.
pub fn most_exciting(
    model: &dyn ResponseModel,
    normalization: &Normalization,
    neurons: &[usize],
    postprocess: &Postprocess,
    rng: &mut Rng,
    watch: &dyn Watch,
) -> Result<Array2<f64>, StimuliError> {
    let (n, shape) = (model.n_neurons(), model.shape());
    postprocess.validate(Some(shape.channels))?;
    if let Some(&beyond) = neurons.iter().find(|&&i| i >= n) {
        return Err(StimuliError::Shape {
            what: "neurons",
            expected: format!("positions below {n}"),
            found: beyond.to_string(),
        });
    }
    let mut stimuli: Array2<f64> =
        Array2::from_shape_simple_fn((neurons.len(), shape.n_pixels()), || {
            StandardNormal.sample(rng)
        });
    for row in stimuli.rows_mut() {
        postprocess.apply(row, shape);
    }
    for step in 0..STEPS {
        watch.check()?;
        let mut fault = None;
        let gradient = model.pull_back(stimuli.view(), &mut |scores| {
            fault = check_scores(&scores, neurons.len(), n).err();
            let mut weights = Array2::zeros((neurons.len(), n));
            for (row, &i) in neurons.iter().enumerate() {
                weights[[row, i]] = 1.0;
            }
            normalization.pull_back(&mut weights);
            weights
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        let share = SHARE * (1.0 - step as f64 / STEPS as f64);
        for (mut stimulus, gradient) in stimuli.rows_mut().into_iter().zip(gradient.rows()) {
            let length = gradient.dot(&gradient).sqrt();
            if length > 0.0 {
                let rate = share * stimulus.dot(&stimulus).sqrt() / length;
                stimulus.scaled_add(rate, &gradient);
            }
            postprocess.apply(stimulus, shape);
        }
    }
    Ok(stimuli)
}
