//! Quadratic layers (paper 34), dense and convolutional: forward and back.

use chiasm_core::vectorized;
use faer::Accum;
use serde::{Deserialize, Serialize};

use super::backward::{add_channel_sums, add_sums};
use super::forward::add_row;
use super::gradients::{Gradients, Spare};
use super::{Network, Trace, Window};
use crate::Real;
use crate::product::Sparse;

/// Where the parameters of a quadratic layer are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Quadratic {
    /// The window of a convolution; none of a dense layer.
    #[serde(default)]
    pub(super) window: Option<Window>,
    /// Weight and bias of the first factor.
    pub(super) first: [usize; 2],
    /// Of the second.
    pub(super) second: Option<[usize; 2]>,
    pub(super) squares: Option<usize>,
    pub(super) shift: Option<usize>,
}

impl Quadratic {
    /// The positions of its weights.
    pub(super) fn weights(&self) -> impl Iterator<Item = usize> {
        let second = self.second.map(|[weight, _]| weight);
        [Some(self.first[0]), second, self.squares]
            .into_iter()
            .flatten()
    }
}

impl<T: Real> Network<T> {
    /// Leaves the two factors in `factors`.
    pub(super) fn quadratic(
        &self,
        how: &Quadratic,
        (x, rows): (&[T], usize),
        [a, g]: &mut [Vec<T>; 2],
        squares: &mut Vec<T>,
        (out, sparse): (&mut Vec<T>, &mut Sparse<T>),
    ) {
        let window = how.window.as_ref();
        let [weight, bias] = how.first;
        self.weighted(window, (x, rows), weight, Some(bias), (a, sparse));
        if let Some([weight, bias]) = how.second {
            self.weighted(window, (x, rows), weight, Some(bias), (g, sparse));
        }
        if how.squares.is_some() {
            squares.clear();
            squares.extend(x.iter().map(|v| *v * *v));
        }
        if let (Some(window), Some(weight)) = (window, how.squares) {
            // The shift is the bias of the squares' convolution.
            let squares = (&squares[..], rows);
            self.weighted(Some(window), squares, weight, how.shift, (out, sparse));
            return add_factors(out, a, how.second.map(|_| &g[..]));
        }
        out.clear();
        out.resize(a.len(), T::ZERO);
        add_factors(out, a, how.second.map(|_| &g[..]));
        if let Some(square) = how.squares {
            let (w, shape) = self.array(square);
            let x = (&squares[..], rows, shape[0]);
            sparse.multiply(out, x, (w, shape[0], shape[1]), Accum::Add);
        }
        if let Some(shift) = how.shift {
            let shift = self.array(shift).0;
            match window {
                None => add_row(out, shift),
                Some(window) => {
                    let channels = out.chunks_exact_mut(window.places());
                    for (out, c) in channels.zip(shift.iter().cycle()) {
                        out.iter_mut().for_each(|o| *o += *c);
                    }
                }
            }
        }
    }

    /// The derivatives of paper 34: adds those of the parameters, and returns that of the inputs where `inputs` asks for it.
    pub(super) fn quadratic_back(
        &self,
        how: &Quadratic,
        (trace, i): (&Trace<T>, usize),
        gradient: &[T],
        (into, spare): (&mut Gradients<T>, &mut Spare<T>),
        inputs: bool,
    ) -> Vec<T> {
        let window = how.window.as_ref();
        let (x, rows) = (trace.before(i), trace.rows);
        let [a, g] = &trace.kept[i];
        let times =
            |other: &[T]| -> Vec<T> { gradient.iter().zip(other).map(|(d, v)| *d * *v).collect() };
        let of_first = match how.second {
            Some(_) => times(g),
            None => gradient.to_vec(),
        };
        let [weight, bias] = how.first;
        let first = (weight, Some(bias));
        let to = (&mut *into, &mut *spare);
        let mut back = self.weighted_back(window, (x, rows), first, &of_first, to, inputs);
        if let Some([weight, bias]) = how.second {
            let second = (weight, Some(bias));
            let to = (&mut *into, &mut *spare);
            let more = self.weighted_back(window, (x, rows), second, &times(a), to, inputs);
            for (b, m) in back.iter_mut().zip(&more) {
                *b += *m;
            }
            spare.keep(more);
        }
        if let Some(squares) = how.squares {
            let squared: Vec<T> = x.iter().map(|v| *v * *v).collect();
            let third = (squares, how.shift);
            let to = (&mut *into, &mut *spare);
            let more = self.weighted_back(window, (&squared, rows), third, gradient, to, inputs);
            let two = T::of(2.0);
            for ((b, m), x) in back.iter_mut().zip(&more).zip(x) {
                *b += two * *x * *m;
            }
            spare.keep(more);
        } else if let Some(shift) = how.shift {
            match window {
                None => add_sums(gradient, &mut into[shift]),
                Some(window) => add_channel_sums(gradient, window.places(), &mut into[shift]),
            }
        }
        back
    }
}

/// Adds the product of the factors, of which there may be one alone.
fn add_factors<T: Real>(out: &mut [T], a: &[T], g: Option<&[T]>) {
    vectorized(
        #[inline(always)]
        || match g {
            Some(g) => {
                for ((o, a), g) in out.iter_mut().zip(a).zip(g) {
                    *o += *a * *g;
                }
            }
            None => {
                for (o, a) in out.iter_mut().zip(a) {
                    *o += *a;
                }
            }
        },
    );
}
