//! Training on what is seen, and what is noted on the way.

use chiasm_core::Watch;
use serde::{Deserialize, Serialize};

use super::super::super::compare::Dynamics;
use super::super::super::error::TheoryError;
use super::super::super::matrix::singular_values;
use super::super::matrices::{Observed, Target};
use super::Completion;
use crate::Real;

/// How long, and what is noted on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Steps.
    pub steps: usize,
    /// Steps between notes; 0 notes the end alone.
    pub every: usize,
    /// Singular values in each note.
    pub values: usize,
    /// Training ends where the loss is no more than this; never if 0.
    pub enough: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            steps: 30_000,
            every: 0,
            values: 0,
            enough: 0.0,
        }
    }
}

/// What a training came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Course {
    /// Steps of the whole training at each note.
    pub steps: Vec<usize>,
    /// Half mean squared error over the entries seen, before the step.
    pub losses: Vec<f64>,
    /// Mean squared error over all entries.
    pub errors: Vec<f64>,
    /// The largest singular values of the product.
    pub values: Vec<Vec<f64>>,
    /// Mean squared error over all entries at the end.
    pub error: f64,
    /// Half mean squared error over the entries seen at the end.
    pub loss: f64,
}

impl<T: Real> Completion<T> {
    /// Trains on what is seen of a target.
    ///
    /// # Errors
    /// Those of [`Completion::descend`]; [`TheoryError::Decomposition`]; [`TheoryError::Cancelled`].
    pub fn train(
        &mut self,
        seen: &Observed,
        target: &Target,
        schedule: &Schedule,
        watch: &dyn Watch,
    ) -> Result<Course, TheoryError> {
        let values: Vec<T> = seen.of(target)?;
        self.check(seen, &values)?;
        let mut course = Course::default();
        for step in 0..schedule.steps {
            if schedule.every > 0 && step % schedule.every == 0 {
                self.note(&mut course, target, schedule.values)?;
            }
            if step % 64 == 0 {
                watch.check()?;
            }
            self.descend(seen, &values)?;
            if step % 64 == 63 {
                watch.tick(64);
            }
            if course.losses.len() < course.steps.len() {
                course.losses.push(self.loss);
            }
            if self.loss <= schedule.enough {
                break;
            }
        }
        if schedule.every > 0 {
            self.note(&mut course, target, schedule.values)?;
            course.losses.push(self.loss);
        }
        course.error = target.error(&self.matrix())?;
        course.loss = self.loss;
        if !course.error.is_finite() {
            let (quantity, step) = ("the error", self.step);
            return Err(TheoryError::Diverged { quantity, step });
        }
        Ok(course)
    }

    fn note(
        &self,
        course: &mut Course,
        target: &Target,
        n_values: usize,
    ) -> Result<(), TheoryError> {
        let matrix = self.matrix();
        course.steps.push(self.step);
        course.errors.push(target.error(&matrix)?);
        let mut values = Vec::new();
        if n_values > 0 {
            values = singular_values(&matrix, "the product", self.step)?;
            values.truncate(n_values);
        }
        course.values.push(values);
        Ok(())
    }
}

/// A network with what it is trained on: reads out the product's largest singular values.
pub(in super::super) struct Descent<'a> {
    pub(in super::super) network: &'a mut Completion<f64>,
    pub(in super::super) seen: &'a Observed,
    pub(in super::super) values: &'a [f64],
    pub(in super::super) n_values: usize,
}

impl Dynamics for Descent<'_> {
    fn step(&mut self) -> Result<(), TheoryError> {
        self.network.descend(self.seen, self.values)
    }

    fn readout(&self) -> Vec<f64> {
        let found = singular_values(&self.network.matrix(), "the product", self.network.step);
        let mut values = found.unwrap_or_else(|_| vec![f64::NAN; self.network.side()]);
        values.truncate(self.n_values);
        values
    }
}
