//! From inputs to outputs.

use chiasm_core::vectorized;
use faer::Accum;
use rayon::prelude::*;

use super::{Network, Step, Window, batch_norm, quantized, sequences};
use crate::Real;
use crate::product::{Sparse, multiply_turned};

/// What every step left behind on its way, to be read off and to go back along. Its memory is used again from batch to batch.
#[derive(Debug, Clone, Default)]
pub struct Trace<T> {
    pub(super) rows: usize,
    /// Whether batch norms take the batch's statistics.
    pub(super) training: bool,
    pub(super) input: Vec<T>,
    /// The values after each step; empty where a branch opens.
    pub(super) values: Vec<Vec<T>>,
    /// What a step needs to go back: the two factors of a quadratic layer; the normed values and one over the deviation of
    /// each row, or channel; queries, keys and values, and the shares of attention.
    pub(super) kept: Vec<[Vec<T>; 2]>,
    /// The squares of a quadratic layer's inputs.
    pub(super) squares: Vec<T>,
    /// Memory for products.
    pub(super) sparse: Sparse<T>,
}

impl<T: Real> Trace<T> {
    /// One for training: batch norms take the statistics of the batch instead of the running ones, as they do with
    /// [`Trace::default`].
    #[must_use]
    pub fn training() -> Self {
        Self {
            training: true,
            ..Self::default()
        }
    }

    /// Rows of the batch.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The outputs, row by row.
    #[must_use]
    pub fn output(&self) -> &[T] {
        self.after(self.values.len().wrapping_sub(1))
    }

    /// The values after a step; where a branch opens, those that enter it.
    pub(super) fn after(&self, step: usize) -> &[T] {
        let mut values = self.values.get(..=step).unwrap_or(&[]).iter().rev();
        values.find(|v| !v.is_empty()).unwrap_or(&self.input)
    }

    /// The values that enter a step.
    pub(super) fn before(&self, step: usize) -> &[T] {
        match step {
            0 => &self.input,
            _ => self.after(step - 1),
        }
    }
}

/// Numbers of a task, of what depends on each alone and so not on the tasks. A thread that waits for much longer than one takes
/// falls asleep, and is slow to wake.
pub(super) const CHUNK: usize = 1 << 14;

/// Epsilon of the norm.
const EPSILON: f64 = 1e-5;

impl<T: Real> Network<T> {
    /// Runs `rows` rows of inputs, row by row, through the network. Panics if they do not fit.
    pub fn forward(&self, x: &[T], rows: usize, trace: &mut Trace<T>) {
        self.forward_upto(x, rows, self.steps.len(), trace);
    }

    /// The first so many steps alone.
    pub(super) fn forward_upto(&self, x: &[T], rows: usize, steps: usize, trace: &mut Trace<T>) {
        T::forward(self, x, rows, steps, trace);
    }

    pub(crate) fn forward_inner(&self, x: &[T], rows: usize, steps: usize, trace: &mut Trace<T>) {
        assert_eq!(x.len(), rows * self.inputs, "inputs, values");
        assert_eq!(rows % self.span(), 0, "rows of whole sequences");
        trace.rows = rows;
        trace.input.clear();
        trace.input.extend_from_slice(x);
        trace.values.resize_with(steps, Vec::new);
        trace.kept.resize_with(steps, Default::default);
        let mut open = vec![];
        for i in 0..steps {
            let mut out = std::mem::take(&mut trace.values[i]);
            let mut kept = std::mem::take(&mut trace.kept[i]);
            let mut squares = std::mem::take(&mut trace.squares);
            let mut sparse = std::mem::take(&mut trace.sparse);
            let x = trace.before(i);
            match &self.steps[i] {
                Step::Dense { weight, bias } => {
                    self.weighted(None, (x, rows), *weight, *bias, (&mut out, &mut sparse));
                }
                Step::Quadratic(how) => {
                    let to = (&mut out, &mut sparse);
                    self.quadratic(how, (x, rows), &mut kept, &mut squares, to);
                }
                Step::Convolution {
                    window,
                    weight,
                    bias,
                } => {
                    let to = (&mut out, &mut sparse);
                    self.weighted(Some(window), (x, rows), *weight, *bias, to);
                }
                Step::Pool { window, pooling } => window.pool(x, *pooling, &mut out),
                Step::Each(nonlinearity) => {
                    out.resize(x.len(), T::ZERO);
                    nonlinearity.apply(x, &mut out);
                }
                Step::Quantized { levels, scale } => {
                    quantized::apply(x, *levels, self.array(*scale).0[0], &mut out);
                }
                Step::Norm { gain, shift } => {
                    let parts = (self.array(*gain).0, self.array(*shift).0);
                    norm(x, parts, &mut out, &mut kept);
                }
                Step::BatchNorm {
                    gain,
                    shift,
                    running: [mean, variance],
                    places,
                } => {
                    let parts = (self.array(*gain).0, self.array(*shift).0);
                    let of = |i: usize| &self.statistics.arrays[i].values[..];
                    let running = (!trace.training).then(|| (of(*mean), of(*variance)));
                    batch_norm::forward(x, parts, running, *places, (&mut out, &mut kept));
                }
                Step::Open => open.push(i),
                Step::Close { alpha } => {
                    let opened = open.pop().expect("a branch that closes was opened");
                    let alpha = alpha.map_or(T::ONE, |a| self.array(a).0[0]);
                    out.clear();
                    let both = trace.after(opened).iter().zip(x);
                    out.extend(both.map(|(enters, branch)| *enters + alpha * *branch));
                }
                Step::Embedding { table } => sequences::look_up(x, self.array(*table), &mut out),
                Step::Positions { table } => {
                    let table = self.array(*table).0;
                    out.clear();
                    out.extend_from_slice(x);
                    for out in out.chunks_exact_mut(table.len()) {
                        add_row(out, table);
                    }
                }
                Step::Attention { weight, how } => {
                    let [projected, shares] = &mut kept;
                    self.weighted(None, (x, rows), *weight, None, (projected, &mut sparse));
                    how.forward(projected, self.array(*weight).1[0], shares, &mut out);
                }
                Step::Tied { table } => {
                    let (table, [vocabulary, width]) = self.array(*table);
                    out.resize(rows * vocabulary, T::ZERO);
                    let table = (table, vocabulary, width);
                    multiply_turned(&mut out, (x, rows, width), table, Accum::Replace);
                }
            }
            trace.values[i] = out;
            trace.kept[i] = kept;
            trace.squares = squares;
            trace.sparse = sparse;
        }
    }

    pub(super) fn array(&self, position: usize) -> (&[T], [usize; 2]) {
        let array = &self.parameters.arrays[position];
        (&array.values, array.shape)
    }

    /// `x W + b`, at every place of a window where there is one.
    pub(super) fn weighted(
        &self,
        window: Option<&Window>,
        (x, rows): (&[T], usize),
        weight: usize,
        bias: Option<usize>,
        (out, sparse): (&mut Vec<T>, &mut Sparse<T>),
    ) {
        let (w, [inputs, outputs]) = self.array(weight);
        let bias = bias.map(|b| self.array(b).0);
        if let Some(window) = window {
            return window.convolve(x, (w, outputs), bias, out);
        }
        out.resize(rows * outputs, T::ZERO);
        let w = (w, inputs, outputs);
        sparse.multiply(out, (x, rows, inputs), w, Accum::Replace);
        if let Some(bias) = bias {
            add_row(out, bias);
        }
    }
}

pub(super) fn add_row<T: Real>(out: &mut [T], row: &[T]) {
    let part = |out: &mut [T]| {
        vectorized(
            #[inline(always)]
            || {
                for out in out.chunks_exact_mut(row.len()) {
                    for (o, b) in out.iter_mut().zip(row) {
                        *o += *b;
                    }
                }
            },
        );
    };
    if out.len() <= CHUNK {
        return part(out);
    }
    let rows = (CHUNK / row.len()).max(1);
    out.par_chunks_mut(rows * row.len()).for_each(part);
}

fn norm<T: Real>(x: &[T], (gain, shift): (&[T], &[T]), out: &mut Vec<T>, kept: &mut [Vec<T>; 2]) {
    let width = gain.len();
    out.resize(x.len(), T::ZERO);
    let [normed, scales] = kept;
    normed.resize(x.len(), T::ZERO);
    scales.clear();
    let n = T::of(width as f64);
    let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for ((x, out), normed) in rows.zip(normed.chunks_exact_mut(width)) {
        let scale = vectorized(
            #[inline(always)]
            || {
                let mean = x.iter().copied().sum::<T>() / n;
                let variance = x.iter().map(|v| (*v - mean) * (*v - mean)).sum::<T>() / n;
                let scale = T::ONE / (variance + T::of(EPSILON)).sqrt();
                for (v, x) in normed.iter_mut().zip(x) {
                    *v = (*x - mean) * scale;
                }
                let all = out.iter_mut().zip(normed.iter()).zip(gain).zip(shift);
                for (((o, v), g), s) in all {
                    *o = *v * *g + *s;
                }
                scale
            },
        );
        scales.push(scale);
    }
}
