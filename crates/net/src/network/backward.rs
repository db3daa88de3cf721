//! From the gradient of the outputs to those of parameters and inputs.

use chiasm_core::{summed, vectorized};
use faer::Accum;
use rayon::prelude::*;

use super::forward::CHUNK;
use super::gradients::{Gradients, Sink, Spare};
use super::{Network, Step, Trace, Window, batch_norm, quantized, sequences};
use crate::Real;
use crate::product::{multiply, multiply_turned, turned_multiply};

/// Columns of a task that adds up rows.
const COLUMNS: usize = 256;

impl<T: Real> Network<T> {
    /// Adds the gradient of every parameter to `into`, given that of the outputs,
    /// `outputs` row by row, and what [`Network::forward`] left behind. Returns the gradient of the inputs, row by row.
    pub fn backward(&self, trace: &Trace<T>, outputs: Vec<T>, into: &mut Gradients<T>) -> Vec<T> {
        self.back(trace, outputs, into, true, &mut Spare::default())
    }

    /// The same; without the gradient of the inputs (and nothing returned of worth) where it is not asked for.
    pub(super) fn back(
        &self,
        trace: &Trace<T>,
        outputs: Vec<T>,
        into: &mut Gradients<T>,
        inputs: bool,
        spare: &mut Spare<T>,
    ) -> Vec<T> {
        T::back(self, trace, outputs, into, inputs, spare)
    }

    pub(crate) fn back_inner(
        &self,
        trace: &Trace<T>,
        outputs: Vec<T>,
        into: &mut Gradients<T>,
        inputs: bool,
        spare: &mut Spare<T>,
    ) -> Vec<T> {
        let rows = trace.rows;
        let mut gradient = outputs;
        // What goes around the branches that were not opened yet, going backwards.
        let mut around: Vec<Vec<T>> = vec![];
        for (i, step) in self.steps.iter().enumerate().rev() {
            let x = trace.before(i);
            match step {
                Step::Dense { weight, bias } => {
                    let (parts, asked) = ((*weight, *bias), i > 0 || inputs);
                    let to = (&mut *into, &mut *spare);
                    let back = self.weighted_back(None, (x, rows), parts, &gradient, to, asked);
                    spare.keep(std::mem::replace(&mut gradient, back));
                }
                Step::Quadratic(how) => {
                    let (asked, to) = (i > 0 || inputs, (&mut *into, &mut *spare));
                    let back = self.quadratic_back(how, (trace, i), &gradient, to, asked);
                    spare.keep(std::mem::replace(&mut gradient, back));
                }
                Step::Convolution {
                    window,
                    weight,
                    bias,
                } => {
                    let (parts, asked) = ((*weight, *bias), i > 0 || inputs);
                    let (window, to) = (Some(window), (&mut *into, &mut *spare));
                    let back = self.weighted_back(window, (x, rows), parts, &gradient, to, asked);
                    spare.keep(std::mem::replace(&mut gradient, back));
                }
                Step::Pool { window, pooling } => {
                    let mut back = spare.of(x.len());
                    window.pool_back((x, &trace.values[i]), *pooling, &gradient, &mut back);
                    spare.keep(std::mem::replace(&mut gradient, back));
                }
                Step::Each(nonlinearity) => nonlinearity.back(x, &trace.values[i], &mut gradient),
                Step::Quantized { scale, .. } => {
                    let (of, y) = (self.array(*scale).0[0], &trace.values[i]);
                    into[*scale][0] += quantized::back(x, y, of, &mut gradient);
                }
                Step::Norm { gain, shift } => {
                    add_sums(&gradient, &mut into[*shift]);
                    let (normed, scales) = (&trace.kept[i][0], &trace.kept[i][1]);
                    let gains = self.array(*gain).0;
                    norm_back(normed, scales, gains, &mut gradient, &mut into[*gain]);
                }
                Step::BatchNorm {
                    gain,
                    shift,
                    places,
                    ..
                } => {
                    let [normed, kept] = &trace.kept[i];
                    let mut into_gain = std::mem::take(&mut into[*gain]);
                    let both = (&mut into_gain[..], &mut into[*shift][..]);
                    let how = (trace.training, *places);
                    let gains = self.array(*gain).0;
                    batch_norm::backward((normed, kept), gains, how, &mut gradient, both);
                    into[*gain] = into_gain;
                }
                Step::Embedding { table } => {
                    sequences::look_up_back(x, &gradient, self.array(*table).1, &mut into[*table]);
                    // Numbers of tokens have no gradient.
                    gradient = vec![T::ZERO; x.len()];
                }
                Step::Positions { table } => {
                    let into = &mut into[*table];
                    for gradient in gradient.chunks_exact(into.len()) {
                        add_sums(gradient, into);
                    }
                }
                Step::Attention { weight, how } => {
                    let [projected, shares] = &trace.kept[i];
                    let width = self.array(*weight).1[0];
                    let of_projected = how.backward(projected, width, shares, &gradient);
                    let into = into.product(*weight);
                    let back = self.affine_back(x, rows, *weight, &of_projected, into, spare);
                    spare.keep(of_projected);
                    spare.keep(std::mem::replace(&mut gradient, back));
                }
                Step::Tied { table } => {
                    let ((into, accum), array) = (into.product(*table), self.array(*table));
                    let (table, [vocabulary, width]) = array;
                    let g = (&gradient[..], rows, vocabulary);
                    turned_multiply(into, g, (x, rows, width), accum);
                    let mut back = spare.of(rows * width);
                    multiply(&mut back, g, (table, vocabulary, width), Accum::Replace);
                    spare.keep(std::mem::replace(&mut gradient, back));
                }
                Step::Open => {
                    let passed = around.pop().expect("a branch that was closed");
                    for (g, p) in gradient.iter_mut().zip(passed) {
                        *g += p;
                    }
                }
                Step::Close { alpha } => {
                    around.push(gradient.clone());
                    if let Some(alpha) = alpha {
                        // What the branch gave, before alpha.
                        let sum: T = gradient.iter().zip(x).map(|(g, b)| *g * *b).sum();
                        into[*alpha][0] += sum;
                        let alpha = self.array(*alpha).0[0];
                        for g in &mut gradient {
                            *g *= alpha;
                        }
                    }
                }
            }
        }
        into.settle();
        gradient
    }

    /// The way back through [`Self::weighted`]: adds the gradients of weight and bias, and returns that of the inputs where
    /// `inputs` asks for it.
    pub(super) fn weighted_back(
        &self,
        window: Option<&Window>,
        (x, rows): (&[T], usize),
        (weight, bias): (usize, Option<usize>),
        gradient: &[T],
        (into, spare): (&mut Gradients<T>, &mut Spare<T>),
        inputs: bool,
    ) -> Vec<T> {
        if let Some(window) = window {
            let (w, shape) = self.array(weight);
            let mut of_weight = std::mem::take(&mut into[weight]);
            let parts = (&mut of_weight[..], bias.map(|b| &mut into[b]));
            let mut back = if inputs { spare.of(x.len()) } else { vec![] };
            let asked = inputs.then_some(&mut back[..]);
            window.convolve_back(x, (w, shape[1]), gradient, parts, asked);
            into[weight] = of_weight;
            return back;
        }
        if let Some(bias) = bias {
            add_sums(gradient, &mut into[bias]);
        }
        let of_weight = into.product(weight);
        if inputs {
            return self.affine_back(x, rows, weight, gradient, of_weight, spare);
        }
        self.weights_back(x, rows, weight, gradient, of_weight, spare);
        vec![]
    }

    fn affine_back(
        &self,
        x: &[T],
        rows: usize,
        weight: usize,
        gradient: &[T],
        into: Sink<'_, T>,
        spare: &mut Spare<T>,
    ) -> Vec<T> {
        self.weights_back(x, rows, weight, gradient, into, spare);
        let (w, [inputs, outputs]) = self.array(weight);
        let g = (gradient, rows, outputs);
        let mut back = spare.of(rows * inputs);
        multiply_turned(&mut back, g, (w, inputs, outputs), Accum::Replace);
        back
    }

    fn weights_back(
        &self,
        x: &[T],
        rows: usize,
        weight: usize,
        gradient: &[T],
        (into, accum): Sink<'_, T>,
        spare: &mut Spare<T>,
    ) {
        let [inputs, outputs] = self.array(weight).1;
        let g = (gradient, rows, outputs);
        spare
            .sparse
            .turned_multiply(into, (x, rows, inputs), g, accum);
    }
}

/// Adds the sum of each channel over rows and places.
pub(super) fn add_channel_sums<T: Real>(gradient: &[T], places: usize, into: &mut [T]) {
    let channels = into.len();
    vectorized(
        #[inline(always)]
        || {
            for (k, g) in gradient.chunks_exact(places).enumerate() {
                into[k % channels] += summed(g, |v| v);
            }
        },
    );
}

/// Adds the sum over rows.
pub(super) fn add_sums<T: Real>(gradient: &[T], into: &mut [T]) {
    let width = into.len();
    let part = |first: usize, into: &mut [T]| {
        vectorized(
            #[inline(always)]
            || {
                for row in gradient.chunks_exact(width) {
                    for (sum, g) in into.iter_mut().zip(&row[first..]) {
                        *sum += *g;
                    }
                }
            },
        );
    };
    if gradient.len() <= CHUNK || width <= COLUMNS {
        return part(0, into);
    }
    let parts = into.par_chunks_mut(COLUMNS).enumerate();
    parts.for_each(|(i, into)| part(i * COLUMNS, into));
}

fn norm_back<T: Real>(normed: &[T], scales: &[T], gains: &[T], gradient: &mut [T], into: &mut [T]) {
    let width = gains.len();
    let n = T::of(width as f64);
    let rows = gradient
        .chunks_exact_mut(width)
        .zip(normed.chunks_exact(width));
    for ((g, v), scale) in rows.zip(scales) {
        vectorized(
            #[inline(always)]
            || {
                let (mut sum, mut along) = (T::ZERO, T::ZERO);
                for (((g, v), gain), into) in g.iter_mut().zip(v).zip(gains).zip(into.iter_mut()) {
                    *into += *g * *v;
                    *g *= *gain;
                    sum += *g;
                    along += *g * *v;
                }
                let (mean, along) = (sum / n, along / n);
                for (g, v) in g.iter_mut().zip(v) {
                    *g = *scale * (*g - mean - *v * along);
                }
            },
        );
    }
}
