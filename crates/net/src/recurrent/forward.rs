//! From inputs to states and outputs, and the gradient back through all time.

use chiasm_core::vectorized;
use faer::Accum;
use ndarray::{Array3, ArrayView3};

use super::{Activation, INPUT, OUTPUT, RECURRENT, Recurrent, RecurrentError, Sequences};
use crate::Real;
use crate::product::{multiply, multiply_turned, turned_multiply};

/// What a network went through.
#[derive(Debug, Clone, Default)]
pub struct States<T> {
    pub(super) steps: usize,
    pub(super) trials: usize,
    /// Zeros, then the units' activity after each step, `[step, trial, unit]`.
    pub(super) hidden: Vec<T>,
    /// `[step, trial, output]`.
    pub(super) outputs: Vec<T>,
}

impl<T: Real> Recurrent<T> {
    /// Runs trials through the network.
    ///
    /// # Errors
    /// [`RecurrentError::Shape`] for other channels; [`RecurrentError::Label`]; [`RecurrentError::Diverged`] where activity
    /// is no longer finite.
    pub fn run(&self, trials: &Sequences<T>) -> Result<States<T>, RecurrentError> {
        trials.accept(self.config.inputs, self.config.outputs)?;
        let mut states = States::default();
        self.forward(trials, &mut states);
        if states.hidden.iter().any(|v| !v.is_finite()) {
            return Err(RecurrentError::Diverged {
                quantity: "activity",
                step: 0,
            });
        }
        Ok(states)
    }

    /// The same without checks, into memory that is used again.
    pub(super) fn forward(&self, trials: &Sequences<T>, states: &mut States<T>) {
        let (steps, rows) = (trials.n_steps(), trials.n_trials());
        let (i, n, m) = (self.config.inputs, self.config.hidden, self.config.outputs);
        let x = trials.inputs().as_slice().unwrap_or(&[]);
        states.steps = steps;
        states.trials = rows;
        let size = rows * n;
        states.hidden.resize((steps + 1) * size, T::ZERO);
        states.hidden[..size].fill(T::ZERO);
        // The inputs' part of all steps at once.
        let into = (x, steps * rows, i);
        multiply(
            &mut states.hidden[size..],
            into,
            (self.array(INPUT), i, n),
            Accum::Replace,
        );
        for t in 0..steps {
            let (before, now) = states.hidden.split_at_mut((t + 1) * size);
            let (before, now) = (&before[t * size..], &mut now[..size]);
            if t > 0 {
                let w = (self.array(RECURRENT), n, n);
                multiply(now, (before, rows, n), w, Accum::Add);
            }
            self.activate(before, now);
        }
        states.outputs.resize(steps * rows * m, T::ZERO);
        let hidden = (&states.hidden[size..], steps * rows, n);
        multiply(
            &mut states.outputs,
            hidden,
            (self.array(OUTPUT), n, m),
            Accum::Replace,
        );
    }

    /// `now`, the input of each unit, becomes its activity.
    fn activate(&self, before: &[T], now: &mut [T]) {
        let n = self.config.hidden;
        let relu = self.config.activation == Activation::Relu;
        vectorized(
            #[inline(always)]
            || {
                for (before, now) in before.chunks_exact(n).zip(now.chunks_exact_mut(n)) {
                    for ((h, v), a) in before.iter().zip(now.iter_mut()).zip(&self.leak) {
                        *v = (T::ONE - *a) * *h + *a * *v;
                    }
                }
                if relu {
                    for v in now.iter_mut() {
                        // Not `max`, so that NaN stays.
                        *v = if *v < T::ZERO { T::ZERO } else { *v };
                    }
                } else {
                    for v in now.iter_mut() {
                        *v = v.tanh();
                    }
                }
            },
        );
    }

    /// `adjoint`, that of the activity `h`, becomes that of what entered the activation function.
    pub(super) fn through(&self, h: &[T], adjoint: &mut [T]) {
        let relu = self.config.activation == Activation::Relu;
        vectorized(
            #[inline(always)]
            || {
                for (g, h) in adjoint.iter_mut().zip(h) {
                    let slope = if relu {
                        if *h > T::ZERO { T::ONE } else { T::ZERO }
                    } else {
                        T::ONE - *h * *h
                    };
                    *g *= slope;
                }
            },
        );
    }

    /// Adds the gradients of a loss whose gradient with respect to the outputs is `errors`, `[step, trial, output]`.
    pub(super) fn back(
        &self,
        trials: &Sequences<T>,
        states: &States<T>,
        errors: &[T],
        gradients: &mut [Vec<T>],
    ) {
        let (steps, rows) = (states.steps, states.trials);
        let (i, n, m) = (self.config.inputs, self.config.hidden, self.config.outputs);
        let size = rows * n;
        let all = steps * rows;
        let hidden = (&states.hidden[size..], all, n);
        turned_multiply(&mut gradients[OUTPUT], hidden, (errors, all, m), Accum::Add);
        // Of the activities, then step by step of what entered them.
        let mut adjoints = vec![T::ZERO; all * n];
        multiply_turned(
            &mut adjoints,
            (errors, all, m),
            (self.array(OUTPUT), n, m),
            Accum::Replace,
        );
        // Times the leak: what passes through the weights.
        let mut leaked = vec![T::ZERO; size];
        for t in (0..steps).rev() {
            let (now, later) = adjoints.split_at_mut((t + 1) * size);
            let now = &mut now[t * size..];
            if t + 1 < steps {
                let later = &later[..size];
                self.leak(later, &mut leaked);
                let w = (self.array(RECURRENT), n, n);
                multiply_turned(now, (&leaked, rows, n), w, Accum::Add);
                for (now, later) in now.chunks_exact_mut(n).zip(later.chunks_exact(n)) {
                    for ((g, l), a) in now.iter_mut().zip(later).zip(&self.leak) {
                        *g += (T::ONE - *a) * *l;
                    }
                }
            }
            let h = &states.hidden[(t + 1) * size..(t + 2) * size];
            self.through(h, now);
        }
        for row in adjoints.chunks_exact_mut(n) {
            for (g, a) in row.iter_mut().zip(&self.leak) {
                *g *= *a;
            }
        }
        let x = trials.inputs().as_slice().unwrap_or(&[]);
        turned_multiply(
            &mut gradients[INPUT],
            (x, all, i),
            (&adjoints, all, n),
            Accum::Add,
        );
        // The first step has nothing before it.
        let later = (&adjoints[size..], all - rows, n);
        let before = (&states.hidden[size..all * n], all - rows, n);
        turned_multiply(&mut gradients[RECURRENT], before, later, Accum::Add);
    }

    pub(super) fn leak(&self, adjoint: &[T], leaked: &mut [T]) {
        let n = self.config.hidden;
        for (row, out) in adjoint.chunks_exact(n).zip(leaked.chunks_exact_mut(n)) {
            for ((o, g), a) in out.iter_mut().zip(row).zip(&self.leak) {
                *o = *g * *a;
            }
        }
    }
}

impl<T: Real> States<T> {
    /// The units' activity, `[step, trial, unit]`.
    #[must_use]
    pub fn hidden(&self) -> Array3<f64> {
        let n = self.hidden.len() / ((self.steps + 1) * self.trials).max(1);
        wide(
            (self.steps, self.trials, n),
            &self.hidden[self.trials * n..],
        )
    }

    /// The outputs, `[step, trial, output]`.
    #[must_use]
    pub fn outputs(&self) -> Array3<f64> {
        let m = self.outputs.len() / (self.steps * self.trials).max(1);
        wide((self.steps, self.trials, m), &self.outputs)
    }
}

fn wide<T: Real>(shape: (usize, usize, usize), values: &[T]) -> Array3<f64> {
    let view = ArrayView3::from_shape(shape, values);
    view.map_or_else(|_| Array3::zeros((0, 0, 0)), |v| v.mapv(Real::wide))
}
