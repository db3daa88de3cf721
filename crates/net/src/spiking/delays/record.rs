//! The network's activity as a recording.

use chiasm_data::recording::{Activity, Draft, Epoch, Missing, Spikes, Unit};
use chiasm_data::{DataError, Recording};

use super::{DelaysError, Frozen, Trains};
use crate::Real;

/// Why a recording could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The network refused the samples.
    #[error(transparent)]
    Network(#[from] DelaysError),
    /// The recording is none.
    #[error(transparent)]
    Recording(#[from] DataError),
}

impl chiasm_core::Diagnose for RecordError {
    fn group(&self) -> chiasm_core::Group {
        chiasm_core::Group::Input
    }
}

impl<T: Real> Frozen<T> {
    /// The spikes of all hidden neurons while the first `n` samples are shown one after the other, each from a fresh start.
    /// Units are called `LAYER/INDEX`, their region is `layer LAYER`; every sample is an epoch of kind `trial` whose label is
    /// its class.
    ///
    /// # Errors
    /// As [`Self::spikes`]; a step that is not positive.
    pub fn record(&self, trains: &Trains, n: usize, step_s: f64) -> Result<Recording, RecordError> {
        let fine = step_s.is_finite() && step_s > 0.0;
        chiasm_core::SettingError::check(fine, "step_s", "a time above 0", step_s)
            .map_err(DelaysError::from)?;
        let n = n.min(trains.n_samples());
        let steps = self.steps(trains.n_steps());
        let each = steps[steps.len() - 1];
        let sizes: Vec<usize> = self.hidden();
        let mut times = vec![vec![]; sizes.iter().sum()];
        let mut epochs = vec![];
        for sample in 0..n {
            let first = sample * each;
            let mut offset = 0;
            for (layer, size) in self.spikes(trains, sample)?.iter().zip(&sizes) {
                for event in layer {
                    let time = (first + event.step as usize) as f64 * step_s;
                    times[offset + event.channel as usize].push(time);
                }
                offset += size;
            }
            epochs.push(Epoch {
                kind: "trial".into(),
                label: trains.labels()[sample].to_string(),
                start_s: first as f64 * step_s,
                stop_s: (first + each) as f64 * step_s,
            });
        }
        let mut draft = Draft::new(Activity::Spikes(Spikes {
            times,
            start_s: 0.0,
            stop_s: (n * each) as f64 * step_s,
        }));
        let units = sizes.iter().enumerate().flat_map(|(layer, n)| {
            (0..*n).map(move |i| Unit {
                region: Some(format!("layer {layer}")),
                ..Unit::new(format!("{layer}/{i}"))
            })
        });
        draft.units = units.collect();
        draft.epochs = epochs;
        Ok(draft.validate(Missing::Refuse)?)
    }
}
