//! What can be wrong with a graph, a partition or the settings.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};

/// Why a graph was refused or a fit did not end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockModelError {
    /// The graph has no edge, so it says nothing about communities.
    #[error("graph of {n_nodes} nodes: expected at least one edge, found none")]
    NoEdges {
        /// Number of nodes.
        n_nodes: usize,
    },
    /// A weight is NaN or infinite.
    #[error("edge ({a}, {b}): expected a finite weight, found {found}")]
    NotFinite {
        /// One end.
        a: usize,
        /// The other end.
        b: usize,
        /// The weight.
        found: f64,
    },
    /// A weight is outside the domain of the weight model.
    #[error("edge ({a}, {b}): expected {expected}, found {found}")]
    Weight {
        /// One end.
        a: usize,
        /// The other end.
        b: usize,
        /// What the weight model takes.
        expected: &'static str,
        /// The weight.
        found: f64,
    },
    /// An edge names a node that does not exist.
    #[error("edge {edge}: expected nodes below {n_nodes}, found ({a}, {b})")]
    NodeOutOfRange {
        /// Position of the edge in the list.
        edge: usize,
        /// One end.
        a: usize,
        /// The other end.
        b: usize,
        /// Number of nodes.
        n_nodes: usize,
    },
    /// An edge joins a node to itself.
    #[error("edge ({node}, {node}): expected two different nodes")]
    SelfLoop {
        /// The node.
        node: usize,
    },
    /// A pair of nodes is listed twice.
    #[error("edge ({a}, {b}): expected each pair once, found it again")]
    Duplicate {
        /// The smaller end.
        a: usize,
        /// The larger end.
        b: usize,
    },
    /// The matrix is not square, or the mask has another shape.
    #[error("{what}: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Which matrix.
        what: &'static str,
        /// Rows and columns expected.
        expected: (usize, usize),
        /// Rows and columns found.
        found: (usize, usize),
    },
    /// The two halves of the matrix differ.
    #[error("weights[{a}, {b}]: expected {lower} as in weights[{b}, {a}], found {upper}")]
    Asymmetric {
        /// Row.
        a: usize,
        /// Column.
        b: usize,
        /// The entry above the diagonal.
        upper: f64,
        /// The entry below it.
        lower: f64,
    },
    /// A list of labels does not fit the level below it.
    #[error("partition at level {level}: expected {expected} labels, found {found}")]
    Partition {
        /// The level, from 0.
        level: usize,
        /// Number of things to be labelled.
        expected: usize,
        /// Number of labels.
        found: usize,
    },
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for BlockModelError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoEdges { .. } => {
                Some("lower the threshold below which weights are dropped".into())
            }
            Self::NotFinite { .. } => {
                Some("mark unobserved pairs in the mask instead of writing NaN".into())
            }
            Self::Weight { .. } => Some(
                "drop the edge, or choose another weight model (`normal` takes any real number)"
                    .into(),
            ),
            Self::Asymmetric { .. } => {
                Some("the model is undirected: average the two halves first".into())
            }
            Self::SelfLoop { .. } | Self::Duplicate { .. } => {
                Some("the graph is simple: remove self-loops and merge repeated edges".into())
            }
            _ => None,
        }
    }
}
