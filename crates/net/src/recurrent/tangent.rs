//! The tangent kernel: how alike outputs respond to a change of the recurrent weights.

use faer::Accum;
use ndarray::Array2;
use rayon::prelude::*;

use super::{OUTPUT, RECURRENT, Read, Recurrent, RecurrentError, Sequences, States};
use crate::Real;
use crate::product::multiply_turned;

/// Adjoints of one trial: for every output at every step that counts, one for each step up to it.
struct Adjoints<T> {
    /// Times the leak, `[adjoint, unit]`.
    values: Vec<T>,
    /// The output that an adjoint belongs to, counted within the trial, and its step.
    of: Vec<(usize, usize)>,
}

impl<T: Real> Recurrent<T> {
    /// `J J'`, `[output, output]`, over trial, step and class of each output in this order, `J` the gradients of the outputs
    /// with respect to the recurrent weights (paper 17, D).
    ///
    /// `J` is never stored: with `d_as` the adjoint of output `a` at step `s`, of what passes through the weights, the entry
    /// is `sum_ss' (d_as d_bs') (h_a,s-1 h_b,s'-1)`, taken block by block for pairs of trials. Memory: the adjoints,
    /// trials x classes x steps x steps / 2 x units; time: the products between them.
    ///
    /// # Errors
    /// As [`Recurrent::run`].
    pub fn tangent_kernel(
        &self,
        trials: &Sequences<T>,
        read: Read,
    ) -> Result<Array2<f64>, RecurrentError> {
        let states = self.run(trials)?;
        let first = match read {
            Read::All => 0,
            Read::Last => states.steps - 1,
        };
        let per = (states.steps - first) * self.config.outputs;
        let adjoints = self.adjoints(&states, first);
        let histories: Vec<Vec<T>> = (0..states.trials)
            .map(|b| self.history(&states, b))
            .collect();
        let pairs: Vec<(usize, usize)> = (0..states.trials)
            .flat_map(|a| (0..=a).map(move |b| (a, b)))
            .collect();
        let blocks: Vec<Vec<f64>> = pairs
            .par_iter()
            .map(|&(a, b)| {
                let both = [(&adjoints[a], &histories[a]), (&adjoints[b], &histories[b])];
                self.block(both, states.steps, per)
            })
            .collect();
        let n = per * states.trials;
        let mut kernel = Array2::zeros((n, n));
        for ((a, b), block) in pairs.into_iter().zip(blocks) {
            for (i, row) in block.chunks_exact(per).enumerate() {
                for (j, v) in row.iter().enumerate() {
                    kernel[[a * per + i, b * per + j]] = *v;
                    kernel[[b * per + j, a * per + i]] = *v;
                }
            }
        }
        Ok(kernel)
    }

    /// The activity before each step of one trial, `[step, unit]`.
    fn history(&self, states: &States<T>, trial: usize) -> Vec<T> {
        let (n, rows) = (self.config.hidden, states.trials);
        let step = |s: usize| &states.hidden[(s * rows + trial) * n..(s * rows + trial + 1) * n];
        (0..states.steps)
            .flat_map(|s| step(s).iter().copied())
            .collect()
    }

    /// The adjoints of every trial.
    fn adjoints(&self, states: &States<T>, first: usize) -> Vec<Adjoints<T>> {
        let (n, m, rows) = (self.config.hidden, self.config.outputs, states.trials);
        let mut all: Vec<Adjoints<T>> = (0..rows)
            .map(|_| Adjoints {
                values: vec![],
                of: vec![],
            })
            .collect();
        let w_out = self.array(OUTPUT);
        let mut leaked = vec![T::ZERO; rows * m * n];
        for last in first..states.steps {
            // Of what enters the units, for all outputs of step `last`, `[trial, class, unit]`; then back in time.
            let mut now = vec![T::ZERO; rows * m * n];
            for (row, now) in now.chunks_exact_mut(n).enumerate() {
                for (u, g) in now.iter_mut().enumerate() {
                    *g = w_out[u * m + row % m];
                }
            }
            // The first step has nothing before it, so no weight acts there.
            for step in (1..=last).rev() {
                for (row, now) in now.chunks_exact_mut(n).enumerate() {
                    let at = ((step + 1) * rows + row / m) * n;
                    self.through(&states.hidden[at..at + n], now);
                }
                self.leak(&now, &mut leaked);
                for (row, leaked) in leaked.chunks_exact(n).enumerate() {
                    let one = &mut all[row / m];
                    one.values.extend_from_slice(leaked);
                    one.of.push(((last - first) * m + row % m, step));
                }
                if step > 1 {
                    for (now, a) in now
                        .chunks_exact_mut(n)
                        .flat_map(|r| r.iter_mut().zip(&self.leak))
                    {
                        *now *= T::ONE - *a;
                    }
                    let w = (self.array(RECURRENT), n, n);
                    multiply_turned(&mut now, (&leaked, rows * m, n), w, Accum::Add);
                }
            }
        }
        all
    }

    /// The block of two trials.
    fn block(
        &self,
        [(a, ha), (b, hb)]: [(&Adjoints<T>, &Vec<T>); 2],
        steps: usize,
        per: usize,
    ) -> Vec<f64> {
        let n = self.config.hidden;
        let mut alike = vec![T::ZERO; a.of.len() * b.of.len()];
        let (left, right) = (
            (&a.values[..], a.of.len(), n),
            (&b.values[..], b.of.len(), n),
        );
        multiply_turned(&mut alike, left, right, Accum::Replace);
        let mut before = vec![T::ZERO; steps * steps];
        multiply_turned(&mut before, (ha, steps, n), (hb, steps, n), Accum::Replace);
        let mut block = vec![0.0; per * per];
        if b.of.is_empty() {
            return block;
        }
        for ((i, s), row) in a.of.iter().zip(alike.chunks_exact(b.of.len())) {
            let out = &mut block[i * per..(i + 1) * per];
            let before = &before[s * steps..(s + 1) * steps];
            for ((j, r), v) in b.of.iter().zip(row) {
                out[*j] += v.wide() * before[*r].wide();
            }
        }
        block
    }
}
