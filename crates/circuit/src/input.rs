//! Inputs: groups that spike from outside.

use chiasm_core::rng::Rng;
use chiasm_core::{SettingError, Streams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::projection::gap;

/// A group of sources that spike from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Independent trains: in each step each source spikes with probability `rate dt`.
    Poisson {
        /// Spikes per second of each source, Hz.
        rate_hz: f64,
    },
    /// Given times of each source, s; rounded to the nearest step.
    Spikes {
        /// For each source its spike times, s, ascending.
        times_s: Vec<Vec<f64>>,
    },
}

impl Input {
    /// Checks the numbers; `name` is that of the group, of `n` sources.
    pub(crate) fn validate(&self, name: &str, n: usize, dt_ms: f64) -> Result<(), SettingError> {
        match self {
            Self::Poisson { rate_hz } => {
                let most = 1000.0 / dt_ms;
                let expected = format!("a rate from 0 to {most} Hz (one spike a step)");
                let holds = (0.0..=most).contains(rate_hz);
                SettingError::check(holds, &format!("input.{name}.rate_hz"), &expected, rate_hz)
            }
            Self::Spikes { times_s } => {
                let field = format!("input.{name}.times_s");
                let (expected, found) = (format!("{n} trains"), times_s.len());
                SettingError::check(found == n, &field, &expected, format!("{found} trains"))?;
                for (i, train) in times_s.iter().enumerate() {
                    for (j, t) in train.iter().enumerate() {
                        let found = format!("{t} (source {i}, spike {j})");
                        let holds = t.is_finite() && *t >= 0.0;
                        SettingError::check(holds, &field, "finite times from 0 s on", &found)?;
                        let steps = |t: f64| (t * 1000.0 / dt_ms).round();
                        let later = j == 0 || steps(train[j - 1]) < steps(*t);
                        let expected = "ascending times, at most one spike a step";
                        SettingError::check(later, &field, expected, &found)?;
                    }
                }
                Ok(())
            }
        }
    }

    pub(crate) fn generator(
        &self,
        name: &str,
        n: usize,
        dt_ms: f64,
        streams: &Streams,
    ) -> Generator {
        match self {
            Self::Poisson { rate_hz } => {
                let p = rate_hz * dt_ms / 1000.0;
                let mut rng = streams.child("input").stream(name);
                let scale = -1.0 / (-p).ln_1p();
                let next = if p > 0.0 {
                    gap(&mut rng, scale)
                } else {
                    f64::INFINITY
                };
                Generator::Poisson(Box::new(Poisson {
                    n,
                    rng,
                    scale,
                    next,
                }))
            }
            Self::Spikes { times_s } => {
                let mut events: Vec<(u64, u32)> = Vec::new();
                for (i, train) in times_s.iter().enumerate() {
                    let steps = train.iter().map(|t| (t * 1000.0 / dt_ms).round() as u64);
                    events.extend(steps.map(|k| (k, i as u32)));
                }
                events.sort_unstable();
                Generator::List { events, at: 0 }
            }
        }
    }
}

/// An input at work.
#[derive(Debug)]
pub(crate) enum Generator {
    Poisson(Box<Poisson>),
    List { events: Vec<(u64, u32)>, at: usize },
}

/// Bernoulli trials over steps and, within a step, sources, walked from success to success: the cost is that of the
/// spikes, and the bits do not depend on who asks.
#[derive(Debug)]
pub(crate) struct Poisson {
    n: usize,
    rng: Rng,
    scale: f64,
    /// Trials from source 0 of the current step to the next success.
    next: f64,
}

impl Generator {
    /// Adds spikes to come, as step and source; `false` where they cannot come.
    pub(crate) fn feed(&mut self, spikes: &[(u64, u32)]) -> bool {
        match self {
            Self::Poisson(_) => false,
            Self::List { events, at } => {
                // What is over is forgotten.
                events.drain(..*at);
                *at = 0;
                events.extend_from_slice(spikes);
                events.sort_unstable();
                events.dedup();
                true
            }
        }
    }

    /// Adds the spikes of step `k`; to be called for every step in turn.
    pub(crate) fn emit(&mut self, k: u64, fired: &mut Vec<u32>) {
        match self {
            Self::Poisson(p) => {
                let n = p.n as f64;
                while p.next < n {
                    fired.push(p.next as u32);
                    p.next += 1.0 + gap(&mut p.rng, p.scale);
                }
                p.next -= n;
            }
            Self::List { events, at } => {
                while let Some(&(step, source)) = events.get(*at).filter(|e| e.0 <= k) {
                    if step == k {
                        fired.push(source);
                    }
                    *at += 1;
                }
            }
        }
    }
}
