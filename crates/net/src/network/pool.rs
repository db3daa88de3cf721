//! Pools over images that lie row by row, `[channel, row, column]` in each.

use std::ops::Range;

use chiasm_core::vectorized;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::Real;

/// How a pool makes one pixel of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean; the padding counts as 0.
    Mean,
    /// The largest; the padding does not count.
    Max,
}

impl Window {
    /// For every place of the window, one after the other, runs `task` with what the outputs see there, as one long row of
    /// numbers, and which of the image's outputs they are.
    fn each_plane<T: Real>(
        &self,
        image: &[T],
        outside: T,
        mut task: impl FnMut((usize, usize, usize), Range<usize>, &mut [T]),
    ) {
        let places = self.places();
        let mut plane = vec![outside; places];
        for at in self.each_place() {
            self.read(at, image, outside, &mut plane);
            let first = at.0 * places;
            vectorized(
                #[inline(always)]
                || task(at, first..first + places, &mut plane),
            );
        }
    }

    pub(super) fn pool<T: Real>(&self, x: &[T], how: Pooling, out: &mut Vec<T>) {
        let (inputs, outputs) = (self.inputs(), self.image[0] * self.places());
        let share = T::ONE / T::of(self.area() as f64);
        let (start, outside) = match how {
            Pooling::Mean => (T::ZERO, T::ZERO),
            Pooling::Max => (T::neg_infinity(), T::neg_infinity()),
        };
        out.clear();
        out.resize(x.len() / inputs * outputs, start);
        out.par_chunks_mut(outputs)
            .zip(x.par_chunks(inputs))
            .for_each(|(out, image)| {
                self.each_plane(
                    image,
                    outside,
                    #[inline(always)]
                    |_, to, plane| {
                        let all = out[to].iter_mut().zip(plane);
                        match how {
                            Pooling::Mean => all.for_each(|(o, v)| *o += share * *v),
                            // NaN is the largest, so that it is not lost.
                            Pooling::Max => all.for_each(|(o, v)| {
                                *o = if *v > *o || v.is_nan() { *v } else { *o };
                            }),
                        }
                    },
                );
            });
    }

    /// The gradient of what entered a pool, to `back`; `out` is what came out.
    pub(super) fn pool_back<T: Real>(
        &self,
        (x, out): (&[T], &[T]),
        how: Pooling,
        gradient: &[T],
        back: &mut [T],
    ) {
        let (inputs, outputs) = (self.inputs(), self.image[0] * self.places());
        let share = T::ONE / T::of(self.area() as f64);
        let back = back.par_chunks_mut(inputs);
        let of_outputs = gradient.par_chunks(outputs).zip(out.par_chunks(outputs));
        back.zip(x.par_chunks(inputs))
            .zip(of_outputs)
            .for_each(|((back, image), (g, out))| {
                back.fill(T::ZERO);
                // What was not handed on yet: it goes to the first of those that are the largest.
                let mut left = g.to_vec();
                self.each_plane(
                    image,
                    T::neg_infinity(),
                    #[inline(always)]
                    |at, to, plane| {
                        let left = &mut left[to.clone()];
                        match how {
                            Pooling::Mean => {
                                plane
                                    .iter_mut()
                                    .zip(left)
                                    .for_each(|(v, g)| *v = share * *g);
                            }
                            Pooling::Max => {
                                for ((v, o), left) in plane.iter_mut().zip(&out[to]).zip(left) {
                                    let largest = *v == *o;
                                    *v = if largest { *left } else { T::ZERO };
                                    *left = if largest { T::ZERO } else { *left };
                                }
                            }
                        }
                        self.add(at, plane, back);
                    },
                );
            });
    }
}
