//! What was recorded, as recordings.

use std::sync::PoisonError;

use chiasm_core::{SettingError, TimeAxis};
use chiasm_data::recording::{Activity, Draft, Missing, Recording, Spikes, Traces, Unit};
use ndarray::Array2;

use super::Engine;
use crate::circuit::Group;
use crate::error::CircuitError;

impl Engine {
    /// The spikes of all recorded groups as one recording; units are called `GROUP/INDEX`, their region is the group.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] if nothing is recorded.
    pub fn recording(&mut self) -> Result<Recording, CircuitError> {
        let (mut times, mut units) = (vec![], vec![]);
        for g in 0..self.groups.len() {
            if !self.recorded[g] {
                continue;
            }
            let (name, n) = self.groups[g].clone();
            let mut trains = vec![vec![]; n];
            for (k, i) in self.spikes(Group(g)) {
                trains[i as usize].push(f64::from(k) * self.dt_ms / 1000.0);
            }
            times.extend(trains);
            units.extend((0..n).map(|i| unit(&name, i)));
        }
        SettingError::check(
            !units.is_empty(),
            "record.spikes",
            "at least one group",
            "none",
        )?;
        let mut draft = Draft::new(Activity::Spikes(Spikes {
            times,
            start_s: 0.0,
            stop_s: self.time_s(),
        }));
        draft.units = units;
        Ok(draft.validate(Missing::Refuse)?)
    }

    /// The samples of each state probe, in the order of their declaration.
    ///
    /// # Errors
    /// Where nothing has been sampled yet.
    pub fn states(&mut self) -> Result<Vec<Recording>, CircuitError> {
        let mut recordings = vec![];
        for (i, facts) in self.states.iter().enumerate() {
            let (n, every) = (facts.neurons.len(), facts.every);
            let samples = (self.step / every) as usize;
            let mut values = Array2::<f32>::zeros((samples, n));
            for part in &mut self.parts {
                let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
                let Some(member) = &part.members[facts.group] else {
                    continue;
                };
                let mine = facts.neurons.iter().enumerate();
                let columns: Vec<usize> = mine
                    .filter(|(_, n)| member.range.contains(&(**n as usize)))
                    .map(|(c, _)| c)
                    .collect();
                for (j, value) in part.samplers[i].values.iter().enumerate() {
                    values[[j / columns.len(), columns[j % columns.len()]]] = *value;
                }
            }
            let step_s = every as f64 * self.dt_ms / 1000.0;
            let mut draft = Draft::new(Activity::Traces(Traces {
                time: TimeAxis::Regular {
                    start_s: step_s,
                    rate_hz: 1.0 / step_s,
                    len: samples,
                },
                values,
                quantity: facts.variable.into(),
            }));
            let name = &self.groups[facts.group].0;
            draft.units = facts
                .neurons
                .iter()
                .map(|n| unit(name, *n as usize))
                .collect();
            recordings.push(draft.validate(Missing::Refuse)?);
        }
        Ok(recordings)
    }
}

fn unit(group: &str, i: usize) -> Unit {
    Unit {
        region: Some(group.into()),
        ..Unit::new(format!("{group}/{i}"))
    }
}
