//! Circuits in TOML.
//!
//! ```
//! let text = r#"
//!     name = "a hundred cells and their drive"
//!     duration_s = 0.5
//!
//!     [input.drive]
//!     n = 100
//!     rate_hz = 20.0
//!
//!     [population.cells]
//!     n = 50
//!     lif-current = { tau_m_ms = 10.0 }
//!
//!     [projection.drive-to-cells]
//!     from = "drive"
//!     to = "cells"
//!     connect = { probability = 0.5 }
//!     weight = 40.0
//!     delay_ms = 1.5
//! "#;
//! let file = chiasm_circuit::file::CircuitFile::parse(text).expect("as written");
//! let circuit = file.circuit().expect("names that exist");
//! assert!(circuit.validate().is_ok());
//! ```
//!
//! Groups and projections are taken in the order of their names.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use chiasm_core::{SettingError, names};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuit::{Circuit, Group};
use crate::input::Input;
use crate::modulator::ModulatorId;
use crate::neuron::{AdaptiveExponential, Izhikevich, LifConductance, LifCurrent, Neuron};
use crate::plasticity::PairStdp;
use crate::projection::{Connect, Draw, Projection};

mod modulator;
mod place;

pub use modulator::{ModulatedFile, ModulatorFile};
pub use place::span_of;

/// A whole circuit, as written in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CircuitFile {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it is, in a sentence.
    #[serde(default)]
    pub description: String,
    /// The step, ms.
    #[serde(default = "default_dt_ms")]
    pub dt_ms: f64,
    /// How long to simulate, s.
    #[serde(default = "default_duration_s")]
    pub duration_s: f64,
    /// Populations of neurons, by name.
    pub population: BTreeMap<String, PopulationFile>,
    /// Inputs, by name.
    #[serde(default)]
    pub input: BTreeMap<String, InputFile>,
    /// Projections, by name.
    #[serde(default)]
    pub projection: BTreeMap<String, ProjectionFile>,
    /// Modulators of plasticity, by name.
    #[serde(default)]
    pub modulator: BTreeMap<String, ModulatorFile>,
    /// What is recorded.
    #[serde(default)]
    pub record: RecordFile,
}

fn default_dt_ms() -> f64 {
    0.1
}

fn default_duration_s() -> f64 {
    1.0
}

/// A population: its size and one neuron model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopulationFile {
    /// Number of neurons.
    pub n: usize,
    /// Leaky integrate-and-fire with current-based synapses.
    #[serde(rename = "lif-current", skip_serializing_if = "Option::is_none")]
    pub lif_current: Option<LifCurrent>,
    /// Leaky integrate-and-fire with conductance-based synapses.
    #[serde(rename = "lif-conductance", skip_serializing_if = "Option::is_none")]
    pub lif_conductance: Option<LifConductance>,
    /// Izhikevich's neuron.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub izhikevich: Option<Izhikevich>,
    /// Adaptive exponential integrate-and-fire.
    #[serde(
        rename = "adaptive-exponential",
        skip_serializing_if = "Option::is_none"
    )]
    pub adaptive_exponential: Option<AdaptiveExponential>,
    /// State variables that do not start from rest.
    #[serde(default)]
    pub start: BTreeMap<String, Draw>,
    /// Constant current into each neuron on top of the model's, pA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_pa: Option<Draw>,
    /// Currents for some time.
    #[serde(default)]
    pub pulse: Vec<PulseFile>,
}

/// A current into some neurons for some time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PulseFile {
    /// From when on, s.
    pub start_s: f64,
    /// Until when, s.
    pub stop_s: f64,
    /// Current, pA.
    pub i_pa: f64,
    /// Into which neurons; all if left out.
    #[serde(default)]
    pub neurons: Vec<u32>,
}

/// An input: Poisson trains of `n` sources, or given spikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Number of sources; that of the trains if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Rate of independent Poisson trains, Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<f64>,
    /// For each source its spike times, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_s: Option<Vec<Vec<f64>>>,
}

/// A projection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectionFile {
    /// The population or input that it comes from.
    pub from: String,
    /// The population that it goes to.
    pub to: String,
    /// The receptor of the targets.
    #[serde(default = "default_receptor")]
    pub receptor: String,
    /// Who connects to whom.
    #[serde(default = "default_connect")]
    pub connect: Connect,
    /// Whether a neuron may connect to itself.
    #[serde(default)]
    pub self_connections: bool,
    /// Weights, in the receptor's unit.
    pub weight: Draw,
    /// Delays, ms; one step if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<Draw>,
    /// Weights that change by the timing of spikes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdp: Option<PairStdp>,
    /// What scales these changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modulated: Option<ModulatedFile>,
}

fn default_receptor() -> String {
    "excitatory".into()
}

fn default_connect() -> Connect {
    Connect::AllToAll
}

/// What is recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecordFile {
    /// Populations and inputs whose spikes are recorded; all populations if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spikes: Option<Vec<String>>,
    /// Samples of state variables.
    pub state: Vec<StateFile>,
}

/// Samples of a state variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateFile {
    /// The population.
    pub population: String,
    /// The variable, such as `v_m_mv`.
    pub variable: String,
    /// Time between samples, ms.
    pub every_ms: f64,
    /// Which neurons; all if left out.
    #[serde(default)]
    pub neurons: Vec<u32>,
}

/// A text that is no circuit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// Where in the text, in bytes, if known.
    pub span: Option<Range<usize>>,
}

impl CircuitFile {
    /// Reads a circuit. Names and ranges are checked by [`CircuitFile::circuit`] and [`Circuit::validate`].
    ///
    /// # Errors
    /// What is no TOML, an unknown key, a value of another type, with its place.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        toml::from_str(text).map_err(|e| ParseError {
            message: e.message().trim().to_owned(),
            span: e.span(),
        })
    }

    /// The circuit, not yet checked beyond the names it uses.
    ///
    /// # Errors
    /// A name that does not exist; none or several models in one population.
    pub fn circuit(&self) -> Result<Circuit, SettingError> {
        let mut circuit = Circuit::new(self.dt_ms);
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        for (name, population) in &self.population {
            let model = population.model(&format!("population.{name}"))?;
            let group = circuit.population_of(name, population.n, model);
            for (variable, values) in &population.start {
                circuit.start(group, variable, values.clone());
            }
            if let Some(current) = &population.current_pa {
                circuit.current(group, current.clone());
            }
            for pulse in &population.pulse {
                let span = (pulse.start_s, pulse.stop_s);
                circuit.pulse(group, span, pulse.i_pa, &pulse.neurons);
            }
            groups.insert(name, group);
        }
        for (name, input) in &self.input {
            let (n, input) = input.input(&format!("input.{name}"))?;
            let group = circuit.input(name, n, input);
            if groups.insert(name, group).is_some() {
                let found = format!("`{name}`, which a population has");
                return Err(SettingError::new(
                    &format!("input.{name}"),
                    "a name of its own",
                    found,
                ));
            }
        }
        let group = |name: &str, field: String| {
            groups.get(name).copied().ok_or_else(|| {
                let known: Vec<&str> = groups.keys().copied().collect();
                let expected = match names::nearest(name, known.iter().copied()) {
                    Some(near) => format!("a population or input (did you mean `{near}`?)"),
                    None => format!("one of {}", known.join(", ")),
                };
                SettingError::new(&field, expected, format!("`{name}`"))
            })
        };
        let mut modulators: BTreeMap<&str, ModulatorId> = BTreeMap::new();
        for (name, m) in &self.modulator {
            let modulator =
                m.modulator(&|heard| group(heard, format!("modulator.{name}.listens.{heard}")))?;
            modulators.insert(name, circuit.modulator(name, modulator));
        }
        for (name, p) in &self.projection {
            let from = group(&p.from, format!("projection.{name}.from"))?;
            let to = group(&p.to, format!("projection.{name}.to"))?;
            let mut projection = Projection::new(name, from, to)
                .receptor(&p.receptor)
                .connect(p.connect.clone())
                .self_connections(p.self_connections)
                .weight(p.weight.clone());
            if let Some(delay) = &p.delay_ms {
                projection = projection.delay_ms(delay.clone());
            }
            if let Some(rule) = p.stdp {
                projection = projection.plastic(rule);
            }
            if let Some(modulated) = &p.modulated {
                let by = modulators.get(modulated.by.as_str()).ok_or_else(|| {
                    let known: Vec<&str> = modulators.keys().copied().collect();
                    let expected =
                        format!("a modulator ({})", names::suggest(&modulated.by, &known));
                    let field = format!("projection.{name}.modulated.by");
                    SettingError::new(&field, expected, format!("`{}`", modulated.by))
                })?;
                projection = projection.modulated(*by, modulated.scales);
            }
            circuit.project(projection);
        }
        match &self.record.spikes {
            None => self.population.keys().for_each(|name| {
                if let Some(g) = groups.get(name.as_str()) {
                    circuit.record_spikes(*g);
                }
            }),
            Some(some) => {
                for (i, name) in some.iter().enumerate() {
                    let g = group(name, format!("record.spikes.{i}"))?;
                    circuit.record_spikes(g);
                }
            }
        }
        for (i, state) in self.record.state.iter().enumerate() {
            let g = group(&state.population, format!("record.state.{i}.population"))?;
            circuit.record_state(g, &state.variable, state.every_ms, &state.neurons);
        }
        Ok(circuit)
    }
}

impl PopulationFile {
    fn model(&self, field: &str) -> Result<Arc<dyn Neuron>, SettingError> {
        let mut models: Vec<Arc<dyn Neuron>> = vec![];
        if let Some(model) = self.lif_current {
            models.push(Arc::new(model));
        }
        if let Some(model) = self.lif_conductance {
            models.push(Arc::new(model));
        }
        if let Some(model) = self.izhikevich {
            models.push(Arc::new(model));
        }
        if let Some(model) = self.adaptive_exponential {
            models.push(Arc::new(model));
        }
        match (models.pop(), models.is_empty()) {
            (Some(model), true) => Ok(model),
            (first, _) => {
                let expected = "one neuron model: `lif-current`, `lif-conductance`, `izhikevich` or \
                                `adaptive-exponential`";
                let found = if first.is_some() { "several" } else { "none" };
                Err(SettingError::new(field, expected, found))
            }
        }
    }
}

impl InputFile {
    fn input(&self, field: &str) -> Result<(usize, Input), SettingError> {
        match (self.n, self.rate_hz, &self.times_s) {
            (Some(n), Some(rate_hz), None) => Ok((n, Input::Poisson { rate_hz })),
            (None, Some(_), None) => Err(SettingError::new(
                field,
                "the number of sources `n`",
                "none",
            )),
            (n, None, Some(times_s)) => {
                let times_s = times_s.clone();
                Ok((n.unwrap_or(times_s.len()), Input::Spikes { times_s }))
            }
            (_, rate, _) => {
                let found = if rate.is_some() { "both" } else { "neither" };
                Err(SettingError::new(
                    field,
                    "either `rate_hz` or `times_s`",
                    found,
                ))
            }
        }
    }
}
