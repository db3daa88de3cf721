//! The engine: steps a circuit through time, on one thread or several, to the same bits.

use std::sync::{Mutex, PoisonError, RwLock};

use chiasm_core::{SettingError, Watch};

use crate::circuit::{Group, LinkId};
use crate::error::CircuitError;
use crate::modulator::ModulatorId;

mod build;
mod gate;
mod output;
mod part;
mod plastic;

use gate::{Gate, Working};
use part::{Kind, Part};

/// A circuit at work.
#[derive(Debug)]
pub struct Engine {
    dt_ms: f64,
    groups: Vec<(String, usize)>,
    /// For each group the names of its variables; empty for inputs.
    variables: Vec<&'static [&'static str]>,
    links: Vec<LinkFacts>,
    states: Vec<StateFacts>,
    modulators: Vec<String>,
    recorded: Vec<bool>,
    parts: Vec<Mutex<Part>>,
    /// For each parity of the step and each part, the spikes of each group.
    boards: [Vec<RwLock<Vec<Vec<u32>>>>; 2],
    pool: Option<rayon::ThreadPool>,
    step: u64,
}

#[derive(Debug)]
struct LinkFacts {
    name: String,
    synapses: usize,
    bytes: usize,
}

#[derive(Debug)]
struct StateFacts {
    group: usize,
    variable: &'static str,
    every: u64,
    neurons: Vec<u32>,
}

impl Engine {
    /// Simulated time so far, s.
    #[must_use]
    pub fn time_s(&self) -> f64 {
        self.step as f64 * self.dt_ms / 1000.0
    }

    /// Number of neurons, inputs not counted.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        let populations = self.groups.iter().zip(&self.variables);
        populations
            .filter(|(_, v)| !v.is_empty())
            .map(|(g, _)| g.1)
            .sum()
    }

    /// Number of synapses.
    #[must_use]
    pub fn n_synapses(&self) -> usize {
        self.links.iter().map(|l| l.synapses).sum()
    }

    /// Memory of all synapses, bytes; targets, weights, delays and the rows' offsets, not what plastic ones remember.
    #[must_use]
    pub fn synapse_bytes(&self) -> usize {
        self.links.iter().map(|l| l.bytes).sum()
    }

    /// Name and number of synapses of each projection.
    pub fn projections(&self) -> impl Iterator<Item = (&str, usize)> {
        self.links.iter().map(|l| (l.name.as_str(), l.synapses))
    }

    /// Simulates `duration_s` more, rounded to whole steps.
    ///
    /// The watch is told milliseconds of simulated time.
    ///
    /// # Errors
    /// [`CircuitError::Cancelled`] between two steps, what is done is kept; [`CircuitError::NotFinite`];
    /// [`CircuitError::Setting`] for a duration that is negative, not finite, or beyond 2^32 steps in all.
    pub fn run(&mut self, duration_s: f64, watch: &dyn Watch) -> Result<(), CircuitError> {
        let steps = (duration_s * 1000.0 / self.dt_ms).round();
        let most = u32::MAX as f64 - self.step as f64;
        let holds = (0.0..=most).contains(&steps);
        let expected = format!("from 0 to {} s", most * self.dt_ms / 1000.0);
        SettingError::check(holds, "duration_s", &expected, duration_s)?;
        let end = self.step + steps as u64;
        let dt_ms = self.dt_ms;
        let ms = |step: u64| (step as f64 * dt_ms).round() as u64;
        watch.stage("simulated ms", ms(end) - ms(self.step));
        // Long enough to cost nothing, short enough to be stopped at once.
        let work = self.n_neurons() + self.n_synapses() / 100 + 1;
        let slice = (4_000_000 / work as u64).clamp(1, 2000);
        while self.step < end {
            watch.check()?;
            let n = slice.min(end - self.step);
            self.advance(n)?;
            self.check_finite()?;
            watch.tick(ms(self.step) - ms(self.step - n));
        }
        Ok(())
    }

    fn advance(&mut self, n: u64) -> Result<(), CircuitError> {
        let (from, to) = (self.step, self.step + n);
        match &self.pool {
            None => {
                for part in &mut self.parts {
                    let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
                    for k in from..to {
                        part.advance(k);
                        std::mem::swap(&mut part.heard, &mut part.fired);
                        part.deliver(k);
                    }
                }
            }
            Some(pool) => {
                let gate = Gate::new(self.parts.len());
                let (parts, boards) = (&self.parts, &self.boards);
                let went = pool
                    .broadcast(|context| together(context.index(), parts, boards, &gate, from..to));
                if !went.into_iter().all(|ok| ok) {
                    return Err(CircuitError::Broken {
                        time_s: self.time_s(),
                    });
                }
            }
        }
        self.step = to;
        Ok(())
    }

    /// Membrane potentials, synaptic variables and modulators must stay finite.
    fn check_finite(&mut self) -> Result<(), CircuitError> {
        let time_s = self.time_s();
        for part in &mut self.parts {
            let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
            let levels = part
                .modulators
                .iter()
                .map(|m| m.value)
                .zip(&self.modulators);
            if let Some((value, name)) = levels.into_iter().find(|l| !l.0.is_finite()) {
                let modulator = name.clone();
                return Err(CircuitError::LevelNotFinite {
                    modulator,
                    value,
                    time_s,
                });
            }
            for (g, member) in part.members.iter().enumerate() {
                let Some(member) = member else { continue };
                for (v, variable) in self.variables[g].iter().copied().enumerate() {
                    let values = member.cells.variable(v);
                    if let Some(i) = values.iter().position(|x| !x.is_finite()) {
                        return Err(CircuitError::NotFinite {
                            population: self.groups[g].0.clone(),
                            variable,
                            neuron: member.range.start + i,
                            value: values[i],
                            time_s,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds spikes to come to an input of given spikes, as step and source.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for another group, a step that is over, a source that does not exist.
    pub fn feed(&mut self, group: Group, spikes: &[(u64, u32)]) -> Result<(), CircuitError> {
        let refuse = |expected: String, found: String| -> Result<(), CircuitError> {
            Err(SettingError::new("feed", expected, found).into())
        };
        let Some((name, n)) = self.groups.get(group.0) else {
            return refuse("a group of this circuit".into(), "another circuit's".into());
        };
        for (step, source) in spikes {
            if *step < self.step {
                return refuse(format!("steps from {} on", self.step), step.to_string());
            }
            if *source as usize >= *n {
                return refuse(format!("sources below {n}"), source.to_string());
            }
        }
        for part in &mut self.parts {
            let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Some(input) = &mut part.inputs[group.0]
                && input.feed(spikes)
            {
                return Ok(());
            }
        }
        refuse("an input of given spikes".into(), format!("`{name}`"))
    }

    /// A state variable of all neurons of a population, now; empty for an input or a name it does not have.
    pub fn state(&mut self, group: Group, variable: &str) -> Vec<f64> {
        let known = self.variables.get(group.0).copied().unwrap_or_default();
        let Some(v) = known.iter().position(|name| *name == variable) else {
            return vec![];
        };
        let mut all = vec![];
        for part in &mut self.parts {
            let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Some(member) = &part.members[group.0] {
                all.extend_from_slice(member.cells.variable(v));
            }
        }
        all
    }

    /// The level of a modulator, now; `None` for another circuit's.
    pub fn modulator(&mut self, id: ModulatorId) -> Option<f64> {
        let part = self.parts.first_mut()?;
        let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
        part.modulators.get(id.0).map(|m| m.value)
    }

    /// Source, target and weight of every synapse of a projection, by source, then target; plastic weights as they are
    /// once all that has happened is counted.
    pub fn weights(&mut self, link: LinkId) -> Vec<(u32, u32, f32)> {
        let step = self.step;
        let mut all = vec![];
        for part in &mut self.parts {
            let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
            let Some(link) = part.links.get_mut(link.0) else {
                continue;
            };
            let low = part.members[link.to]
                .as_ref()
                .map_or(0, |m| m.range.start as u32);
            match &mut link.synapses {
                Kind::Uniform { synapses, .. } | Kind::Mixed(synapses) => {
                    all.extend(synapses.iter().map(|(s, t, w, _)| (s, t + low, w)));
                }
                Kind::Plastic(plastic) => {
                    if step > 0 {
                        plastic.settle(step - 1);
                    }
                    let weights = plastic.weights().iter();
                    let synapses = plastic.synapses.iter().zip(weights);
                    all.extend(synapses.map(|((s, t, ..), w)| (s, t + low, *w)));
                }
            }
        }
        all.sort_by_key(|s| (s.0, s.1));
        all
    }

    /// Spikes of a recorded group as step and neuron, by step, then neuron; empty if it is not recorded.
    pub fn spikes(&mut self, group: Group) -> Vec<(u32, u32)> {
        self.spikes_since(group, 0)
    }

    /// As [`Engine::spikes`], from a step on.
    pub fn spikes_since(&mut self, group: Group, step: u64) -> Vec<(u32, u32)> {
        let mut all = vec![];
        for part in &mut self.parts {
            let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
            let spikes = part.spikes.get(group.0).map_or(&[][..], Vec::as_slice);
            let first = spikes.partition_point(|s| u64::from(s.0) < step);
            all.extend_from_slice(&spikes[first..]);
        }
        all.sort_unstable();
        all
    }

    #[cfg(test)]
    pub(crate) fn remember_at_most(&mut self, spikes: usize) {
        for part in &mut self.parts {
            let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
            for link in &mut part.links {
                if let Kind::Plastic(plastic) = &mut link.synapses {
                    plastic.remember_at_most(spikes);
                }
            }
        }
    }
}

/// The work of one of several threads: its part, and a board on which each step's spikes are shown to the others.
fn together(
    index: usize,
    parts: &[Mutex<Part>],
    boards: &[Vec<RwLock<Vec<Vec<u32>>>>; 2],
    gate: &Gate,
    steps: std::ops::Range<u64>,
) -> bool {
    let mut working = Working {
        gate,
        finished: false,
    };
    let mut part = parts[index].lock().unwrap_or_else(PoisonError::into_inner);
    for k in steps {
        part.advance(k);
        // Two boards in turn: who is still reading this step's cannot be overtaken by the next but one.
        let board = &boards[(k & 1) as usize];
        {
            let mut mine = board[index].write().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *mine, &mut part.fired);
        }
        if !gate.pass() {
            return false;
        }
        for heard in &mut part.heard {
            heard.clear();
        }
        for one in board {
            let shown = one.read().unwrap_or_else(PoisonError::into_inner);
            for (heard, shown) in part.heard.iter_mut().zip(shown.iter()) {
                heard.extend_from_slice(shown);
            }
        }
        part.deliver(k);
    }
    working.finished = true;
    true
}
