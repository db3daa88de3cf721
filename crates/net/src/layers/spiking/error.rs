//! What can go wrong.

use chiasm_core::{Diagnose, Group, SettingError};

/// Refusals of spiking layers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpikingError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A tensor of another shape than the others need.
    #[error("{what}: expected shape {expected}, found {found:?}")]
    Shape {
        /// Which tensor.
        what: &'static str,
        /// The expected shape.
        expected: String,
        /// The shape found.
        found: Vec<usize>,
    },
    /// Tensors of different precisions in one layer.
    #[error("{what}: expected the precision of the input, {expected}, found {found}")]
    Precision {
        /// Which tensor.
        what: &'static str,
        /// The input's precision.
        expected: String,
        /// The precision found.
        found: String,
    },
    /// A leak that is none.
    #[error("leak of neuron {neuron}: expected {expected}, found {found}")]
    Leak {
        /// Neuron, from 0.
        neuron: usize,
        /// What would be accepted.
        expected: &'static str,
        /// The value.
        found: f64,
    },
    /// A value that is no spike.
    #[error("time {time}, batch {batch}, neuron {neuron}: expected 0 or 1, found {found}")]
    NotASpike {
        /// Step, from 0.
        time: usize,
        /// Member of the batch, from 0.
        batch: usize,
        /// Neuron, from 0.
        neuron: usize,
        /// The value.
        found: f32,
    },
    /// An active neuron that cannot be.
    #[error(
        "sample {sample}: expected neurons below {n_neurons}, each once and ascending, found {neuron}"
    )]
    Neuron {
        /// Sample, from 0.
        sample: usize,
        /// The neuron's number.
        neuron: u32,
        /// How many there are.
        n_neurons: usize,
    },
}

impl Diagnose for SpikingError {
    fn group(&self) -> Group {
        Group::Input
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Setting(error) => error.help(),
            Self::Shape { .. } => Some("activity is [time, batch, neuron]".into()),
            Self::Precision { .. } => Some("give all tensors of a layer one precision".into()),
            Self::Leak { .. } => Some(
                "let the parameter be unbounded and the leak its sigmoid, if it is to be learned"
                    .into(),
            ),
            Self::NotASpike { .. } => {
                Some("apply a dense layer and then `lif` to inputs that are no spikes".into())
            }
            Self::Neuron { .. } => None,
        }
    }
}
