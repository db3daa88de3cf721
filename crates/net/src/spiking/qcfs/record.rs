//! The network's activity as a recording.

use chiasm_data::recording::{Activity, Draft, Epoch, Missing, Spikes, Unit};
use chiasm_data::{DataError, Recording};
use ndarray::ArrayView2;

use super::{QcfsError, SpikingNetwork, spiking::fire_all};

/// Why a recording could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The network refused the inputs.
    #[error(transparent)]
    Network(#[from] QcfsError),
    /// The recording is none.
    #[error(transparent)]
    Recording(#[from] DataError),
}

impl chiasm_core::Diagnose for RecordError {
    fn group(&self) -> chiasm_core::Group {
        chiasm_core::Group::Input
    }
}

impl SpikingNetwork {
    /// The spikes of all neurons while the samples are shown one after the other, each for `steps` steps of `step_s` from a
    /// fresh start. Units are called `LAYER/INDEX`, their region is `layer LAYER`; every sample is an epoch of kind `stimulus`
    /// whose label is its name.
    ///
    /// # Errors
    /// As [`Self::run`]; a step that is not positive; not one name for each sample.
    pub fn record(
        &self,
        inputs: ArrayView2<'_, f32>,
        names: &[String],
        steps: usize,
        step_s: f64,
    ) -> Result<Recording, RecordError> {
        self.accept(inputs, steps)?;
        let fine = step_s.is_finite() && step_s > 0.0;
        chiasm_core::SettingError::check(fine, "step_s", "a time above 0", step_s)
            .map_err(QcfsError::from)?;
        if names.len() != inputs.nrows() {
            let (expected, found) = (inputs.nrows(), names.len());
            return Err(QcfsError::Shape {
                what: "names, one for each sample",
                expected,
                found,
            }
            .into());
        }
        let mut times = vec![vec![]; self.n_neurons()];
        let mut epochs = vec![];
        for (i, (row, name)) in inputs.rows().into_iter().zip(names).enumerate() {
            let first = i * steps;
            fire_all(self, row.iter().copied(), steps, |neuron, t| {
                times[neuron].push((first + t) as f64 * step_s);
            });
            epochs.push(Epoch {
                kind: "stimulus".into(),
                label: name.clone(),
                start_s: first as f64 * step_s,
                stop_s: (first + steps) as f64 * step_s,
            });
        }
        let mut draft = Draft::new(Activity::Spikes(Spikes {
            times,
            start_s: 0.0,
            stop_s: (inputs.nrows() * steps) as f64 * step_s,
        }));
        let sizes = self.sizes().into_iter().enumerate();
        let units = sizes.flat_map(|(layer, n)| {
            (0..n).map(move |i| Unit {
                region: Some(format!("layer {layer}")),
                ..Unit::new(format!("{layer}/{i}"))
            })
        });
        draft.units = units.collect();
        draft.epochs = epochs;
        Ok(draft.validate(Missing::Refuse)?)
    }
}
