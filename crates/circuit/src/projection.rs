//! Projections: who connects to whom, with which weights and delays, stored by source.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuit::Group;
use crate::modulator::{Modulated, ModulatorId, Scales};
use crate::plasticity::Rule;

mod draw;
mod rows;
mod synapses;

pub use draw::{Distributed, Draw};
pub(crate) use rows::gap;
pub(crate) use synapses::PerSynapse;
pub use synapses::Synapses;

/// Who connects to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connect {
    /// Every source to every target.
    AllToAll,
    /// Every source to every target that does not have its index.
    AllToOthers,
    /// Source `i` to target `i`; both groups have the same size.
    OneToOne,
    /// Each pair independently with this probability.
    Probability(f64),
    /// This number of different sources for each target.
    InDegree(u32),
    /// This number of different targets for each source.
    OutDegree(u32),
    /// These pairs of source and target, each once.
    Pairs(Vec<(u32, u32)>),
}

/// Synapses from one group to a population.
#[derive(Debug, Clone)]
pub struct Projection {
    pub(crate) name: String,
    pub(crate) from: Group,
    pub(crate) to: Group,
    pub(crate) receptor: String,
    pub(crate) connect: Connect,
    pub(crate) self_connections: bool,
    pub(crate) weight: Draw,
    pub(crate) delay_ms: Draw,
    pub(crate) rule: Option<Arc<dyn Rule>>,
    pub(crate) modulated: Option<Modulated>,
}

impl Projection {
    /// Excitatory, all to all (without connections of a neuron to itself), of weight 0 and the least delay.
    ///
    /// The name is also that of its random streams: weights that are drawn anew shift no other projection.
    #[must_use]
    pub fn new(name: &str, from: Group, to: Group) -> Self {
        Self {
            name: name.into(),
            from,
            to,
            receptor: "excitatory".into(),
            connect: Connect::AllToAll,
            self_connections: false,
            weight: Draw::Same(0.0),
            delay_ms: Draw::Same(f64::NAN),
            rule: None,
            modulated: None,
        }
    }

    /// The receptor of the targets, by its name.
    #[must_use]
    pub fn receptor(mut self, name: &str) -> Self {
        self.receptor = name.into();
        self
    }

    /// Who connects to whom.
    #[must_use]
    pub fn connect(mut self, connect: Connect) -> Self {
        self.connect = connect;
        self
    }

    /// Whether a neuron may connect to itself (within one population).
    #[must_use]
    pub fn self_connections(mut self, may: bool) -> Self {
        self.self_connections = may;
        self
    }

    /// The weights, in the receptor's unit.
    #[must_use]
    pub fn weight(mut self, weight: impl Into<Draw>) -> Self {
        self.weight = weight.into();
        self
    }

    /// The delays, ms; rounded to whole steps, of which there must be at least one.
    #[must_use]
    pub fn delay_ms(mut self, delay: impl Into<Draw>) -> Self {
        self.delay_ms = delay.into();
        self
    }

    /// Weights that change by the timing of spikes.
    #[must_use]
    pub fn plastic(mut self, rule: impl Rule + 'static) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }

    /// A modulator that scales the changes of the weights.
    #[must_use]
    pub fn modulated(mut self, by: ModulatorId, scales: Scales) -> Self {
        self.modulated = Some(Modulated { by: by.0, scales });
        self
    }
}
