//! How the weights of a readout follow their gradient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the weights follow their gradient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam (Kingma and Ba 2015) with decays 0.9 and 0.999.
    Adam {
        /// Step size.
        rate: f64,
    },
    /// Adadelta (Zeiler 2012) with decay 0.95 and 1e-8 under its roots.
    Adadelta {
        /// Factor of its steps (paper 16, authors' code: 0.1).
        rate: f64,
    },
}

/// Running means of an optimizer, for each parameter.
pub(crate) struct Stepper {
    optimizer: Optimizer,
    /// Of the gradient (Adam) or of the squared step (Adadelta), and of the squared gradient.
    means: Vec<(f32, f32)>,
    n_steps: i32,
}

impl Stepper {
    pub(crate) fn new(optimizer: Optimizer, n: usize) -> Self {
        Self {
            optimizer,
            means: vec![(0.0, 0.0); n],
            n_steps: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn step<'a>(
        &mut self,
        parameters: impl Iterator<Item = &'a mut f32>,
        gradient: impl Iterator<Item = &'a f32>,
    ) {
        const EPSILON: f32 = 1e-8;
        self.n_steps = self.n_steps.saturating_add(1);
        let of = parameters.zip(gradient).zip(&mut self.means);
        match self.optimizer {
            Optimizer::Adam { rate } => {
                // Both means begin at 0 and are too small at first, by factors that are known.
                let (first, second) = (
                    1.0 - 0.9f64.powi(self.n_steps),
                    1.0 - 0.999f64.powi(self.n_steps),
                );
                let (rate, second) = ((rate / first) as f32, second as f32);
                for ((p, g), (m, v)) in of {
                    *m += 0.1 * (g - *m);
                    *v += 0.001 * (g * g - *v);
                    *p -= rate * *m / ((*v / second).sqrt() + EPSILON);
                }
            }
            Optimizer::Adadelta { rate } => {
                for ((p, g), (steps, v)) in of {
                    *v += 0.05 * (g * g - *v);
                    let step = ((*steps + EPSILON) / (*v + EPSILON)).sqrt() * g;
                    *steps += 0.05 * (step * step - *steps);
                    *p -= rate as f32 * step;
                }
            }
        }
    }
}
