//! What was recorded, as recordings.

use std::sync::PoisonError;

use chiasm_core::{SettingError, TimeAxis};
use chiasm_data::recording::{
    Activity, Covariate, Draft, Missing, Recording, Spikes, Traces, Unit,
};
use ndarray::Array2;

use super::Engine;
use crate::circuit::Group;
use crate::error::CircuitError;
use crate::modulator::Level;

impl Engine {
    /// The spikes of all recorded groups as one recording; units are called `GROUP/INDEX`, their region is the group.
    /// Modulators that are recorded are its covariates.
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
        draft.covariates = self.levels();
        Ok(draft.validate(Missing::Refuse)?)
    }

    /// The modulators that are recorded and have been sampled.
    fn levels(&mut self) -> Vec<Covariate> {
        let Some(part) = self.parts.first_mut() else {
            return vec![];
        };
        let part = part.get_mut().unwrap_or_else(PoisonError::into_inner);
        let covariate = |(level, name): (&Level, &String)| {
            let every = level.every.filter(|_| !level.samples.is_empty())?;
            Some(Covariate {
                name: name.clone(),
                unit: "1".into(),
                time: sampled(every, self.dt_ms, level.samples.len()),
                values: level.samples.iter().map(|v| f64::from(*v)).collect(),
            })
        };
        let levels = part.modulators.iter().zip(&self.modulators);
        levels.filter_map(covariate).collect()
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
            let mut draft = Draft::new(Activity::Traces(Traces {
                time: sampled(every, self.dt_ms, samples),
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

/// The times of samples at the end of every so manieth step.
fn sampled(every: u64, dt_ms: f64, len: usize) -> TimeAxis {
    let step_s = every as f64 * dt_ms / 1000.0;
    TimeAxis::Regular {
        start_s: step_s,
        rate_hz: 1.0 / step_s,
        len,
    }
}

fn unit(group: &str, i: usize) -> Unit {
    Unit {
        region: Some(group.into()),
        ..Unit::new(format!("{group}/{i}"))
    }
}
