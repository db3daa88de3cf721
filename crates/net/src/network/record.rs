//! The network's activity as a recording.

use chiasm_core::time::TimeAxis;
use chiasm_core::{Diagnose, Group, SettingError};
use chiasm_data::recording::{Activity, Draft, Epoch, Missing, Traces, Unit};
use chiasm_data::{DataError, Recording};
use ndarray::{Array2, ArrayView2, s};

use super::{Network, NetworkError};
use crate::Real;

/// Why a recording could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The network refused the inputs.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The recording is none.
    #[error(transparent)]
    Recording(#[from] DataError),
}

impl Diagnose for RecordError {
    fn group(&self) -> Group {
        Group::Input
    }
}

impl<T: Real> Network<T> {
    /// The activity of these layers (positions as in [`Network::layers`]) on each row of `x`, one sample a second. Units are
    /// called `LAYER/INDEX`, their region is `layer LAYER`; every row is an epoch of kind `stimulus` whose label is its name.
    ///
    /// # Errors
    /// As [`Network::outputs`]; a layer that is none; not one name for each row; no row.
    pub fn record(
        &self,
        x: ArrayView2<'_, T>,
        names: &[String],
        layers: &[usize],
    ) -> Result<Recording, RecordError> {
        if names.len() != x.nrows() {
            let (expected, found) = (x.nrows(), names.len());
            return Err(RecordError::Network(NetworkError::Shape {
                what: "names, one for each row",
                expected,
                found,
            }));
        }
        let n = self.layers().len();
        if let Some(bad) = layers.iter().find(|l| **l >= n) {
            let expected = format!("positions below {n}, that of a layer");
            let refused = SettingError::new("layers", expected, bad);
            return Err(NetworkError::from(refused).into());
        }
        let taps = self.taps(x)?;
        let widths: Vec<usize> = layers.iter().map(|l| taps[*l].ncols()).collect();
        let mut values = Array2::zeros((x.nrows(), widths.iter().sum()));
        let mut units = vec![];
        for (layer, width) in layers.iter().zip(&widths) {
            let first = units.len();
            let mut part = values.slice_mut(s![.., first..first + width]);
            part.zip_mut_with(&taps[*layer], |v, t| *v = t.wide() as f32);
            units.extend((0..*width).map(|i| Unit {
                region: Some(format!("layer {layer}")),
                ..Unit::new(format!("{layer}/{i}"))
            }));
        }
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Regular {
                start_s: 0.0,
                rate_hz: 1.0,
                len: x.nrows(),
            },
            values,
            quantity: "activation".into(),
        }));
        draft.units = units;
        let names = names.iter().enumerate();
        draft.epochs = names
            .map(|(i, name)| Epoch {
                kind: "stimulus".into(),
                label: name.clone(),
                start_s: i as f64,
                stop_s: (i + 1) as f64,
            })
            .collect();
        Ok(draft.validate(Missing::Refuse)?)
    }
}
