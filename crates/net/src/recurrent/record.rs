//! The network's activity as a recording.

use chiasm_core::TimeAxis;
use chiasm_data::{Activity, DataError, Draft, Epoch, Missing, Recording, Traces};
use ndarray::Array2;

use super::{Recurrent, States};
use crate::Real;

impl<T: Real> Recurrent<T> {
    /// Activity as a recording: trials one after the other, `step_s` seconds a step, each an epoch of kind `trial` with its
    /// name as label; names beyond the last trial are ignored, trials without one have none.
    ///
    /// # Errors
    /// [`DataError`] for a step that is not above 0, or no step.
    pub fn record(
        &self,
        states: &States<T>,
        names: &[String],
        step_s: f64,
    ) -> Result<Recording, DataError> {
        let hidden = states.hidden();
        let (steps, trials, units) = hidden.dim();
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Regular {
                start_s: 0.0,
                rate_hz: 1.0 / step_s,
                len: steps * trials,
            },
            values: Array2::from_shape_fn((steps * trials, units), |(row, u)| {
                hidden[[row % steps, row / steps, u]] as f32
            }),
            quantity: "activation".into(),
        }));
        let length = steps as f64 * step_s;
        draft.epochs = (0..trials)
            .map(|b| Epoch {
                kind: "trial".into(),
                label: names.get(b).cloned().unwrap_or_default(),
                start_s: b as f64 * length,
                stop_s: (b + 1) as f64 * length,
            })
            .collect();
        draft.validate(Missing::Refuse)
    }
}
