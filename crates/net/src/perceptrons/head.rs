//! A new head on a trained body.

use chiasm_core::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::network::{Layer, Network, NetworkError, Training, TrainingConfig};
use crate::train::Share;

/// How far fine-tuning reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The head alone learns (a linear probe).
    Head,
    /// The body learns too, at this part of the head's rate (paper 53, D: .1).
    Body(f64),
}

/// Gives a network a new last layer, of `classes` outputs, and begins to train it. The rate, decay and clipping of the
/// configuration are the head's; the body's rate is that times [`Reach::Body`]'s part, and each of the two is clipped by itself.
///
/// # Errors
/// A network whose last layer is not dense; settings out of their range.
pub fn fine_tune<T: Real>(
    body: &Network<T>,
    classes: usize,
    reach: Reach,
    config: &TrainingConfig,
    rng: &mut Rng,
) -> Result<Training<T>, NetworkError> {
    let mut layers = body.layers().to_vec();
    let last = layers.pop();
    if !matches!(last, Some(Layer::Dense { .. })) {
        return Err(
            chiasm_core::SettingError::new("network", "a dense last layer", "another").into(),
        );
    }
    layers.push(Layer::dense(classes));
    let mut network = Network::new(body.n_inputs(), &layers, rng)?;
    let prefix = format!("{}.", layers.len() - 1);
    let (mut head, mut rest) = (vec![], vec![]);
    for (i, array) in network.parameters_mut().arrays.iter_mut().enumerate() {
        if array.name.starts_with(&prefix) {
            head.push(i);
            continue;
        }
        rest.push(i);
        array.values.clone_from(&body.parameters().arrays[i].values);
    }
    let share = |name: &str, arrays: Vec<usize>, part: f64| Share {
        decay: config.decay,
        clip: config.clip,
        ..Share::of(name, arrays, config.rate * part)
    };
    let mut shares = vec![share("head", head, 1.0)];
    if let Reach::Body(part) = reach {
        let fine = part > 0.0 && part.is_finite();
        chiasm_core::SettingError::check(fine, "reach.body", "a number above 0", part)?;
        shares.push(share("body", rest, part));
    }
    config.start_shares(network, shares)
}
