//! The circuit: what there is.

use std::sync::Arc;

use chiasm_core::Streams;

use crate::CircuitError;
use crate::engine::Engine;
use crate::input::Input;
use crate::modulator::{Modulator, ModulatorId};
use crate::neuron::Neuron;
use crate::projection::{Draw, Projection};

mod check;

pub(crate) use check::{receptor_of, variable_of};

/// A population or an input of one circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(pub(crate) usize);

/// A projection of one circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkId(pub(crate) usize);

/// A current into some neurons for some time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pulse {
    pub(crate) start_s: f64,
    pub(crate) stop_s: f64,
    pub(crate) i_pa: f64,
    /// Empty for all.
    pub(crate) neurons: Vec<u32>,
}

/// Samples of a state variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateProbe {
    pub(crate) group: usize,
    pub(crate) variable: String,
    pub(crate) every_ms: f64,
    pub(crate) neurons: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Population {
        model: Arc<dyn Neuron>,
        start: Vec<(String, Draw)>,
        current: Option<Draw>,
        pulses: Vec<Pulse>,
    },
    Input(Input),
}

#[derive(Debug, Clone)]
pub(crate) struct GroupSpec {
    pub(crate) name: String,
    pub(crate) n: usize,
    pub(crate) kind: Kind,
    pub(crate) recorded: bool,
}

/// Populations, inputs and projections: described freely, checked by [`Circuit::build`].
///
/// Errors name a dotted path such as `population.NAME.tau_m_ms`.
#[derive(Debug, Clone)]
pub struct Circuit {
    pub(crate) dt_ms: f64,
    pub(crate) groups: Vec<GroupSpec>,
    pub(crate) projections: Vec<Projection>,
    pub(crate) modulators: Vec<(String, Modulator)>,
    pub(crate) states: Vec<StateProbe>,
}

impl Circuit {
    /// An empty circuit that advances in steps of `dt_ms`.
    #[must_use]
    pub fn new(dt_ms: f64) -> Self {
        Self {
            dt_ms,
            groups: vec![],
            projections: vec![],
            modulators: vec![],
            states: vec![],
        }
    }

    /// Adds `n` neurons of one model.
    pub fn population(&mut self, name: &str, n: usize, model: impl Neuron + 'static) -> Group {
        self.population_of(name, n, Arc::new(model))
    }

    pub(crate) fn population_of(&mut self, name: &str, n: usize, model: Arc<dyn Neuron>) -> Group {
        let kind = Kind::Population {
            model,
            start: vec![],
            current: None,
            pulses: vec![],
        };
        self.group(name, n, kind)
    }

    /// Adds an input of `n` sources.
    pub fn input(&mut self, name: &str, n: usize, input: Input) -> Group {
        self.group(name, n, Kind::Input(input))
    }

    fn group(&mut self, name: &str, n: usize, kind: Kind) -> Group {
        self.groups.push(GroupSpec {
            name: name.into(),
            n,
            kind,
            recorded: false,
        });
        Group(self.groups.len() - 1)
    }

    /// Lets a state variable start from these values instead of from rest. Nothing to an input.
    pub fn start(&mut self, group: Group, variable: &str, values: impl Into<Draw>) {
        if let Some(Kind::Population { start, .. }) = self.kind_mut(group) {
            start.push((variable.into(), values.into()));
        }
    }

    /// Sends a constant current into each neuron, pA, on top of the model's. Nothing to an input.
    pub fn current(&mut self, group: Group, i_pa: impl Into<Draw>) {
        if let Some(Kind::Population { current, .. }) = self.kind_mut(group) {
            *current = Some(i_pa.into());
        }
    }

    /// Sends a current into some neurons (all, if none is named) from `start_s` to before `stop_s`, pA.
    pub fn pulse(
        &mut self,
        group: Group,
        (start_s, stop_s): (f64, f64),
        i_pa: f64,
        neurons: &[u32],
    ) {
        if let Some(Kind::Population { pulses, .. }) = self.kind_mut(group) {
            pulses.push(Pulse {
                start_s,
                stop_s,
                i_pa,
                neurons: neurons.to_vec(),
            });
        }
    }

    fn kind_mut(&mut self, group: Group) -> Option<&mut Kind> {
        self.groups.get_mut(group.0).map(|g| &mut g.kind)
    }

    /// Adds a projection.
    pub fn project(&mut self, projection: Projection) -> LinkId {
        self.projections.push(projection);
        LinkId(self.projections.len() - 1)
    }

    /// Adds a modulator.
    pub fn modulator(&mut self, name: &str, modulator: Modulator) -> ModulatorId {
        self.modulators.push((name.into(), modulator));
        ModulatorId(self.modulators.len() - 1)
    }

    /// Records the spikes of a population or input.
    pub fn record_spikes(&mut self, group: Group) {
        if let Some(g) = self.groups.get_mut(group.0) {
            g.recorded = true;
        }
    }

    /// Records a state variable of some neurons (all, if none is named) every `every_ms`.
    pub fn record_state(&mut self, group: Group, variable: &str, every_ms: f64, neurons: &[u32]) {
        self.states.push(StateProbe {
            group: group.0,
            variable: variable.into(),
            every_ms,
            neurons: neurons.to_vec(),
        });
    }

    /// Checks everything, draws synapses and initial state, and is ready to run on the calling thread.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for the first fault.
    pub fn build(&self, streams: &Streams) -> Result<Engine, CircuitError> {
        Engine::new(self, streams, None)
    }

    /// As [`Circuit::build`], on a pool of threads that the engine has for itself: its threads wait for each other at
    /// every step, so work of others on the same pool would hold them up.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for the first fault.
    pub fn build_on(
        &self,
        streams: &Streams,
        pool: rayon::ThreadPool,
    ) -> Result<Engine, CircuitError> {
        Engine::new(self, streams, Some(pool))
    }
}
