//! Whether a kernel's position finds a given delay: single synapses, each with a target of one tap (card 45).

use chiasm_core::{SettingError, Streams};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kernel::{self, Bump, Shape};
use super::optimizer::{Adam, Step};
use crate::train::cosine;

/// Settings of the task; the defaults are the card's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recovery {
    /// Synapses, each with a weight of 1 (chosen: 100).
    pub synapses: usize,
    /// Taps of a kernel, an odd number (code: 25).
    pub length: usize,
    /// Steps of Adam (chosen: 400).
    pub steps: usize,
    /// Rate at the beginning, on half a cosine down to 0 (chosen: 0.3).
    pub rate: f64,
    /// Width at the beginning, steps (code: 12).
    pub sigma_start: f64,
    /// Width at the end, steps (code: 0.23).
    pub sigma_end: f64,
    /// Share of the steps over which the width falls geometrically (chosen: 0.5).
    pub sigma_falls: f64,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            synapses: 100,
            length: 25,
            steps: 400,
            rate: 0.3,
            sigma_start: 12.0,
            sigma_end: 0.23,
            sigma_falls: 0.5,
        }
    }
}

/// What became of the synapses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// Fraction whose rounded delay is the target's.
    pub exact: f64,
    /// Targets, steps.
    pub targets: Vec<usize>,
    /// Delays at the beginning and at the end, steps.
    pub delays: Vec<(f64, f64)>,
    /// Sum of squared differences of taps, mean over synapses, after each step.
    pub loss: Vec<f64>,
}

impl Recovery {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.synapses;
        SettingError::check((1..=100_000).contains(&n), "synapses", "1 to 100,000", n)?;
        let n = self.length;
        let holds = (3..=1001).contains(&n) && !n.is_multiple_of(2);
        SettingError::check(holds, "length", "an odd number, 3 to 1001", n)?;
        let n = self.steps;
        SettingError::check((1..=1_000_000).contains(&n), "steps", "1 to 1,000,000", n)?;
        let x = self.rate;
        SettingError::check(x > 0.0 && x <= 100.0, "rate", "above 0 and at most 100", x)?;
        let (start, end) = (self.sigma_start, self.sigma_end);
        SettingError::check(end > 0.0 && end <= 1e3, "sigma_end", "above 0", end)?;
        let holds = start >= end && start <= 1e3;
        SettingError::check(holds, "sigma_start", "at least `sigma_end`", start)?;
        let x = self.sigma_falls;
        SettingError::check((0.0..=1.0).contains(&x), "sigma_falls", "0 to 1", x)
    }

    /// Trains the positions.
    ///
    /// # Errors
    /// [`SettingError`].
    pub fn run(&self, streams: &Streams) -> Result<Recovered, SettingError> {
        self.validate()?;
        let length = self.length;
        let half = kernel::half(length);
        let mut rng = streams.stream("targets");
        let targets = (0..self.synapses).map(|_| rng.random_range(0..length));
        let targets: Vec<usize> = targets.collect();
        let mut rng = streams.stream("positions");
        let positions = (0..self.synapses).map(|_| rng.random_range(-half..=half));
        let mut positions: Vec<f64> = positions.collect();
        let starts: Vec<f64> = positions
            .iter()
            .map(|p| kernel::delay(*p, length))
            .collect();
        let mut adam = Adam::new(self.synapses);
        let mut loss = vec![];
        for step in 0..self.steps {
            let sigma = self.sigma(step);
            let shape = Shape::<f64>::new(length, Bump::Gauss { sigma });
            let mut total = 0.0;
            let mut gradient = vec![0.0; self.synapses];
            for ((p, target), g) in positions.iter().zip(&targets).zip(&mut gradient) {
                // At a weight of 1 the taps are the kernel itself.
                let taps = kernel::taps(1.0, *p, length, Bump::Gauss { sigma });
                let wanted = |d: usize| f64::from(u8::from(d == *target));
                let error = taps.iter().enumerate().map(|(d, k)| k - wanted(d));
                let error: Vec<f64> = error.collect();
                total += error.iter().map(|e| e * e).sum::<f64>();
                let twice: Vec<f64> = error.iter().map(|e| 2.0 * e).collect();
                *g = shape.pull(&taps, 0, *p, &twice).1;
            }
            loss.push(total / self.synapses as f64);
            let rate = cosine(self.rate, step, self.steps);
            let step = Step {
                rate,
                beta: 0.9,
                decay: 0.0,
            };
            adam.update(&mut positions, &gradient, step);
            for p in &mut positions {
                *p = p.clamp(-half, half);
            }
        }
        let found = positions.iter().zip(&targets);
        let exact = found.filter(|(p, t)| kernel::rounded_delay(**p, length) == **t);
        Ok(Recovered {
            exact: exact.count() as f64 / self.synapses as f64,
            delays: starts
                .into_iter()
                .zip(positions.iter().map(|p| kernel::delay(*p, length)))
                .collect(),
            targets,
            loss,
        })
    }

    /// Width in a step, steps.
    #[must_use]
    pub fn sigma(&self, step: usize) -> f64 {
        let over = self.sigma_falls * self.steps as f64;
        if step as f64 >= over {
            return self.sigma_end;
        }
        self.sigma_start * (self.sigma_end / self.sigma_start).powf(step as f64 / over)
    }
}
