//! What can be wrong with counts, settings or a chain.

use chiasm_core::{Diagnose, Group, SettingError};

/// A fault of the biclustering.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BiclusteringError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A count is negative, not whole or infinite.
    #[error(
        "neuron {neuron}, bin {bin}: expected a count (a whole number of 0 or more, or NaN if missing), found {found}"
    )]
    NotACount {
        /// The neuron, from 0.
        neuron: usize,
        /// The bin, from 0.
        bin: usize,
        /// The value.
        found: f64,
    },
    /// A neuron has no observed bin.
    #[error(
        "neuron {neuron}: expected at least one observed bin, found none (all {bins} are missing)"
    )]
    Unobserved {
        /// The neuron, from 0.
        neuron: usize,
        /// Bins in all.
        bins: usize,
    },
    /// A neuron never fires: its counts say nothing of any latent.
    #[error("neuron {neuron}: expected at least one spike, found none in {bins} observed bins")]
    Silent {
        /// The neuron, from 0.
        neuron: usize,
        /// Bins observed.
        bins: usize,
    },
    /// There are no more neurons than latent dimensions of one cluster.
    #[error(
        "counts: expected more than {latents} neurons, as many as latents of a cluster, found {found}"
    )]
    FewNeurons {
        /// Latent dimensions.
        latents: usize,
        /// Neurons.
        found: usize,
    },
    /// The recording is too short for dynamics.
    #[error("counts: expected at least 3 bins, found {found}")]
    FewBins {
        /// Bins.
        found: usize,
    },
    /// There can be no more states than transitions between bins.
    #[error(
        "setting `states`: expected at most the {transitions} transitions between bins, found {found}"
    )]
    ManyStates {
        /// Transitions.
        transitions: usize,
        /// States asked for.
        found: usize,
    },
    /// Counts or labels do not have the shape of the rest.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which.
        what: &'static str,
        /// What would fit.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// A matrix that must be positive definite is not, or a value is not finite: the chain has broken down.
    #[error("chain {chain}, sweep {sweep}: {quantity} is not finite or not positive definite")]
    BrokenDown {
        /// The chain, from 0.
        chain: usize,
        /// The sweep, from 0.
        sweep: usize,
        /// What was computed.
        quantity: &'static str,
    },
    /// A chain was advanced with other counts or settings than it was started with.
    #[error(
        "chain {chain}: expected the counts and settings it was started with, found others ({what})"
    )]
    OtherChain {
        /// The chain, from 0.
        chain: usize,
        /// What differs.
        what: &'static str,
    },
    /// Nothing was kept.
    #[error("chains: expected at least {expected} kept sweeps, found {found}")]
    FewDraws {
        /// Draws needed.
        expected: usize,
        /// Draws there are.
        found: usize,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] chiasm_core::Cancelled),
}

impl Diagnose for BiclusteringError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::BrokenDown { .. } | Self::FewDraws { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotACount { .. } => {
                "bin spike times into counts; traces of fluorescence are not counts"
            }
            Self::Unobserved { .. } | Self::Silent { .. } => "leave the neuron out",
            Self::FewNeurons { .. } => "ask for fewer latents",
            Self::FewBins { .. } => "take shorter bins or a longer recording",
            Self::ManyStates { .. } => "ask for fewer states or take shorter bins",
            Self::BrokenDown { .. } => "try another seed, or fewer clusters or states",
            _ => return None,
        };
        Some(help.into())
    }
}
