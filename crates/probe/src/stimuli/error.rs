//! What can be wrong with a model of responses or with what is asked of it.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// A fault of the search for discriminative stimuli.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StimuliError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// An array has another shape than the rest of the input asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that would fit.
        expected: String,
        /// The shape that came.
        found: String,
    },
    /// A score, filter, gain, stimulus or gradient is NaN or infinite.
    #[error("{what}, row {row}, column {column} (from 0): expected a finite value, found {value}")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// Its row: a stimulus of scores, a neuron of filters.
        row: usize,
        /// Its column: a neuron of scores, a pixel of filters and stimuli.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A cluster without a neuron: its mean score does not exist.
    #[error(
        "cluster {cluster} of {n_clusters} (from 0) has no neuron: its mean score does not exist"
    )]
    EmptyCluster {
        /// The cluster.
        cluster: usize,
        /// How many there are.
        n_clusters: usize,
    },
    /// A cluster that is not among those compared.
    #[error("cluster {cluster} is not one of the {n_clusters} compared (from 0)")]
    NoSuchCluster {
        /// The cluster asked for.
        cluster: usize,
        /// How many there are.
        n_clusters: usize,
    },
    /// Fewer neurons than clusters can be made of.
    #[error("expected at least 2 neurons to tell apart, found {found}")]
    TooFewNeurons {
        /// How many.
        found: usize,
    },
    /// The number of clusters to begin with does not fit the number of neurons.
    #[error("clusters: expected 2 to {n_neurons}, the number of neurons, found {found}")]
    Clusters {
        /// Clusters asked for.
        found: usize,
        /// Neurons of the model.
        n_neurons: usize,
    },
    /// A list that must have one entry for each neuron has another length.
    #[error("{what}: expected one for each of {expected} neurons, found {found}")]
    PerNeuron {
        /// Which list.
        what: &'static str,
        /// Number of neurons.
        expected: usize,
        /// Length of the list.
        found: usize,
    },
    /// A recording and its stimulus frames from which no receptive field can be had.
    #[error("{what}: expected {expected}, found {found}")]
    Frames {
        /// Which of the two, and where.
        what: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
        /// What would put it right.
        help: &'static str,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for StimuliError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::NotFinite { what, .. } if *what == "scores" || *what == "gradient" => {
                Group::Numerical
            }
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotFinite { what: "scores", .. } => Some(
                "bound the stimuli with norm or clip, or take a nonlinearity that does not overflow"
                    .into(),
            ),
            Self::Clusters { .. } => {
                Some("begin with more clusters than there are types: those in excess empty".into())
            }
            Self::Frames { help, .. } => Some((*help).into()),
            _ => None,
        }
    }
}
