//! `Recording`: units x time activity, the one form that every analysis takes.
//!
//! A recording is built from a [`Draft`], whose fields are open, and [`Draft::validate`], which checks everything once:
//! finite, sorted, in range, of consistent length. From then on its fields are private and its invariants hold.

use chiasm_core::TimeAxis;
use ndarray::{Array2, ArrayView1};
use serde::{Deserialize, Serialize};

mod select;
mod validate;

pub use validate::{Missing, Repair};

/// One recorded or simulated unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Identity, unique in the recording.
    pub id: String,
    /// A name in the field's terms (such as `AVAL`), if known.
    pub label: Option<String>,
    /// Position in space, in the session's unit of length.
    pub position: Option<[f64; 3]>,
    /// Brain region, layer or population.
    pub region: Option<String>,
    /// Cell type or kind of unit.
    pub kind: Option<String>,
}

impl Unit {
    /// A unit known by its id alone.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }

    /// The label if there is one, else the id.
    #[must_use]
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.id)
    }
}

/// A span of time with a name: a trial, a stimulus, a bout of behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which kind of epoch (`trial`, `reversal`, `stimulus`).
    pub kind: String,
    /// Which one of its kind (a condition, a stimulus id); may be empty.
    pub label: String,
    /// Start, s.
    pub start_s: f64,
    /// End, s; not before the start.
    pub stop_s: f64,
}

/// A behaviour or stimulus channel, on its own time axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covariate {
    /// Its name (`velocity`).
    pub name: String,
    /// Its unit (`mm/s`), empty if it has none.
    pub unit: String,
    /// When it was sampled.
    pub time: TimeAxis,
    /// One value for each sample; NaN where missing.
    pub values: Vec<f64>,
}

/// Facts about the session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Identity of the session.
    pub id: String,
    /// What was done, in a sentence.
    pub description: String,
    /// The animal or model.
    pub subject: String,
    /// Start of the session, ISO 8601, if known.
    pub start: Option<String>,
    /// Where the data came from: a file name, a generator, a network's layer.
    pub source: String,
}

/// Sampled traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// When each row was sampled.
    pub time: TimeAxis,
    /// `[time, unit]`; NaN where missing (only under [`Missing::Keep`]).
    pub values: Array2<f32>,
    /// What the values are, such as `dF/F`; empty if unknown.
    pub quantity: String,
}

/// Spike trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Spikes {
    /// For each unit its spike times, s, ascending.
    pub times: Vec<Vec<f64>>,
    /// Start of the observation, s.
    pub start_s: f64,
    /// End of the observation, s.
    pub stop_s: f64,
}

/// What the units did.
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// Sampled traces.
    Traces(Traces),
    /// Spike times.
    Spikes(Spikes),
}

/// A recording whose fields have not been checked yet: what readers and generators fill in.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What the units did.
    pub activity: Activity,
    /// One entry for each unit, in the order of the activity.
    pub units: Vec<Unit>,
    /// Named spans of time.
    pub epochs: Vec<Epoch>,
    /// Behaviour and stimulus channels.
    pub covariates: Vec<Covariate>,
    /// Facts about the session.
    pub session: Session,
}

impl Draft {
    /// A draft with units named `0`, `1`, ... and nothing else known.
    #[must_use]
    pub fn new(activity: Activity) -> Self {
        let n_units = match &activity {
            // Without samples a file may claim any number of units at no cost; validation refuses it by its shape.
            Activity::Traces(t) if t.values.is_empty() => t.values.ncols().min(1 << 16),
            Activity::Traces(t) => t.values.ncols(),
            Activity::Spikes(s) => s.times.len(),
        };
        Self {
            activity,
            units: (0..n_units).map(|i| Unit::new(i.to_string())).collect(),
            epochs: Vec::new(),
            covariates: Vec::new(),
            session: Session::default(),
        }
    }
}

/// Units x time activity with its unit table, epochs, covariates and session facts, all checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    activity: Activity,
    units: Vec<Unit>,
    epochs: Vec<Epoch>,
    covariates: Vec<Covariate>,
    session: Session,
    repairs: Vec<Repair>,
}

impl Recording {
    /// What the units did.
    #[must_use]
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// The traces, if the activity is sampled.
    #[must_use]
    pub fn traces(&self) -> Option<&Traces> {
        match &self.activity {
            Activity::Traces(t) => Some(t),
            Activity::Spikes(_) => None,
        }
    }

    /// The spike trains, if the activity is spikes.
    #[must_use]
    pub fn spikes(&self) -> Option<&Spikes> {
        match &self.activity {
            Activity::Spikes(s) => Some(s),
            Activity::Traces(_) => None,
        }
    }

    /// The unit table, in the order of the activity.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Number of units.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.units.len()
    }

    /// All epochs, by start.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The epochs of one kind, by start.
    pub fn epochs_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Epoch> {
        self.epochs.iter().filter(move |e| e.kind == kind)
    }

    /// All behaviour and stimulus channels.
    #[must_use]
    pub fn covariates(&self) -> &[Covariate] {
        &self.covariates
    }

    /// The channel of this name.
    #[must_use]
    pub fn covariate(&self, name: &str) -> Option<&Covariate> {
        self.covariates.iter().find(|c| c.name == name)
    }

    /// Facts about the session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What [`Draft::validate`] had to mend, never silently: show these to the user.
    #[must_use]
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// Start and end of the observation, s.
    #[must_use]
    pub fn span_s(&self) -> (f64, f64) {
        match &self.activity {
            Activity::Traces(t) => (t.time.at(0), t.time.at(t.time.len() - 1)),
            Activity::Spikes(s) => (s.start_s, s.stop_s),
        }
    }

    /// The trace of unit `idx`; `None` for spikes or beyond the last unit.
    #[must_use]
    pub fn trace(&self, idx: usize) -> Option<ArrayView1<'_, f32>> {
        self.traces()
            .filter(|t| idx < t.values.ncols())
            .map(|t| t.values.column(idx))
    }

    /// Whether any sample is missing (only possible under [`Missing::Keep`]).
    #[must_use]
    pub fn has_missing(&self) -> bool {
        self.traces()
            .is_some_and(|t| t.values.iter().any(|v| v.is_nan()))
    }

    /// The recording taken apart again, to be changed and validated anew.
    #[must_use]
    pub fn into_draft(self) -> Draft {
        Draft {
            activity: self.activity,
            units: self.units,
            epochs: self.epochs,
            covariates: self.covariates,
            session: self.session,
        }
    }
}

#[cfg(test)]
mod tests;
