//! Modulators: slow variables that hear the spikes of whole groups and scale the changes of plastic synapses.

use chiasm_core::SettingError;

use crate::circuit::Group;

/// A global modulator, such as the calcium of an astrocyte or the level of dopamine: one number `m` for the circuit.
///
/// In every step `m` relaxes to its baseline, `m <- baseline + (m - baseline) exp(-dt / tau)`, and then each spike of a
/// group that it listens to adds that group's gain. It starts at its baseline and is not clipped.
///
/// A projection that it scales ([`crate::Projection::modulated`]) changes its weights by `m` times what its rule says, with
/// `m` as it stood before the step of the spike that causes the change: a source's for depression, a target's for
/// potentiation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Modulator {
    pub(crate) tau_ms: f64,
    pub(crate) baseline: f64,
    pub(crate) listens: Vec<(Group, f64)>,
    every_ms: Option<f64>,
}

/// A modulator of one circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModulatorId(pub(crate) usize);

/// Which changes of a weight a modulator scales.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scales {
    /// Those at a target's spike and those at a source's.
    #[default]
    Both,
    /// Those at a target's spike alone.
    Potentiation,
    /// Those at a source's spike alone.
    Depression,
}

impl Modulator {
    /// Returns to `baseline` with `tau_ms`, and listens to nothing yet.
    #[must_use]
    pub fn new(tau_ms: f64, baseline: f64) -> Self {
        Self {
            tau_ms,
            baseline,
            ..Self::default()
        }
    }

    /// Each spike of this group adds `gain`.
    #[must_use]
    pub fn listen(mut self, group: Group, gain: f64) -> Self {
        self.listens.push((group, gain));
        self
    }

    /// Its value goes into the recording as a covariate, sampled every `every_ms`.
    #[must_use]
    pub fn record(mut self, every_ms: f64) -> Self {
        self.every_ms = Some(every_ms);
        self
    }

    pub(crate) fn validate(
        &self,
        at: &str,
        n_groups: usize,
        dt_ms: f64,
    ) -> Result<(), SettingError> {
        let field = |what: &str| format!("{at}.{what}");
        let holds = self.tau_ms.is_finite() && self.tau_ms > 0.0;
        let expected = "a finite time above 0 ms";
        SettingError::check(holds, &field("tau_ms"), expected, self.tau_ms)?;
        let finite = "a finite number";
        SettingError::check(
            self.baseline.is_finite(),
            &field("baseline"),
            finite,
            self.baseline,
        )?;
        for (group, gain) in &self.listens {
            let expected = "groups of this circuit";
            SettingError::check(group.0 < n_groups, &field("listens"), expected, "another's")?;
            SettingError::check(gain.is_finite(), &field("listens"), finite, gain)?;
        }
        let every = self.every_ms.map_or(1.0, |t| (t / dt_ms).round());
        let expected = format!("at least one step of {dt_ms} ms");
        let holds = every.is_finite() && every >= 1.0;
        SettingError::check(
            holds,
            &field("record_every_ms"),
            &expected,
            self.every_ms.unwrap_or(0.0),
        )
    }

    pub(crate) fn level(&self, dt_ms: f64) -> Level {
        Level {
            value: self.baseline,
            baseline: self.baseline,
            left: (-dt_ms / self.tau_ms).exp(),
            listens: self.listens.iter().map(|(g, gain)| (g.0, *gain)).collect(),
            every: self.every_ms.map(|t| (t / dt_ms).round() as u64),
            samples: vec![],
        }
    }
}

/// A modulator at work. Every thread has one of its own, and all hear the same.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) value: f64,
    baseline: f64,
    left: f64,
    listens: Vec<(usize, f64)>,
    /// Steps between samples.
    pub(crate) every: Option<u64>,
    pub(crate) samples: Vec<f32>,
}

impl Level {
    /// Step `k`, in which each group had these spikes.
    pub(crate) fn step(&mut self, k: u64, heard: &[Vec<u32>]) {
        self.value = self.baseline + (self.value - self.baseline) * self.left;
        for (group, gain) in &self.listens {
            self.value += gain * heard[*group].len() as f64;
        }
        if self
            .every
            .is_some_and(|every| (k + 1).is_multiple_of(every))
        {
            self.samples.push(self.value as f32);
        }
    }
}

/// How a modulator acts on one projection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Modulated {
    pub(crate) by: usize,
    pub(crate) scales: Scales,
}

impl Modulated {
    /// Factors of potentiation and of depression at this level.
    pub(crate) fn factors(self, value: f64) -> (f64, f64) {
        match self.scales {
            Scales::Both => (value, value),
            Scales::Potentiation => (value, 1.0),
            Scales::Depression => (1.0, value),
        }
    }
}

/// `changed`, had the change from `w` been `factor` times as large; the same bits where the factor is 1.
pub(crate) fn scaled(w: f32, changed: f32, factor: f64) -> f32 {
    if factor == 1.0 {
        return changed;
    }
    let (w, changed) = (f64::from(w), f64::from(changed));
    (w + factor * (changed - w)) as f32
}
