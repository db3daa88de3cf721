//! Convolutions and pools over images that lie row by row, `[channel, row, column]` in each: by products with the patches of
//! an image side by side.

use chiasm_core::{SettingError, vectorized};
use faer::Accum;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::product::{alone, view};
use crate::Real;

/// A square window that is moved over images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Channels, rows and columns of an image.
    pub image: [usize; 3],
    /// Rows and columns of the window.
    pub size: usize,
    /// Pixels from one place of the window to the next.
    pub stride: usize,
    /// Pixels of 0 on every side of an image.
    pub padding: usize,
}

/// How a pool makes one pixel of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean; the padding counts as 0.
    Mean,
    /// The largest; the padding does not count.
    Max,
}

/// Tasks that share the images of a batch: a number of its own, so that the bits do not depend on the threads.
const TASKS: usize = 8;

impl Window {
    /// A window of 3 x 3 at every pixel, so that an image keeps its size.
    #[must_use]
    pub fn same(image: [usize; 3]) -> Self {
        Self {
            image,
            size: 3,
            stride: 1,
            padding: 1,
        }
    }

    /// A window of `size` x `size` next to one another.
    #[must_use]
    pub fn tiles(image: [usize; 3], size: usize) -> Self {
        Self {
            image,
            size,
            stride: size,
            padding: 0,
        }
    }

    /// Numbers of an image.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.image.iter().product()
    }

    /// Rows and columns of what comes out.
    #[must_use]
    pub fn outputs(&self) -> [usize; 2] {
        let [_, rows, columns] = self.image;
        let places = |n: usize| (n + 2 * self.padding).saturating_sub(self.size) / self.stride + 1;
        [places(rows), places(columns)]
    }

    pub(super) fn validate(&self, inputs: usize) -> Result<(), SettingError> {
        let sides = self.image.iter().all(|n| (1..=1 << 12).contains(n));
        let found = format!("{:?}", self.image);
        SettingError::check(
            sides,
            "image",
            "1 to 4096 channels, rows and columns",
            found,
        )?;
        let expected = format!("an image of the {inputs} units that enter it");
        let found = format!("{:?}", self.image);
        SettingError::check(self.inputs() == inputs, "image", &expected, found)?;
        let least = self.image[1].min(self.image[2]) + 2 * self.padding.min(1 << 12);
        let expected = format!("1 to {least} pixels, the image and its padding");
        SettingError::check(
            (1..=least).contains(&self.size),
            "size",
            &expected,
            self.size,
        )?;
        SettingError::check(self.stride > 0, "stride", "at least 1", self.stride)?;
        let fine = self.padding < self.size;
        let expected = "less than the window's size";
        SettingError::check(fine, "padding", expected, self.padding)
    }

    /// Numbers in a patch.
    pub(crate) fn patch(&self) -> usize {
        self.image[0] * self.size * self.size
    }

    fn places(&self) -> usize {
        let [rows, columns] = self.outputs();
        rows * columns
    }

    /// For one place in a patch: for each row of places, where in the image it begins, and which columns lie within.
    fn each_run(&self, mut run: impl FnMut(usize, usize, usize, usize)) {
        let [channels, height, width] = self.image;
        let [rows, columns] = self.outputs();
        let mut line = 0;
        for channel in 0..channels {
            for y in 0..self.size {
                for x in 0..self.size {
                    // Columns whose pixel is in the image: padding <= column * stride + x < padding + width.
                    let first = self.padding.saturating_sub(x).div_ceil(self.stride);
                    let end = (self.padding + width)
                        .saturating_sub(x)
                        .div_ceil(self.stride);
                    let end = end.min(columns);
                    for row in 0..rows {
                        let at = row * self.stride + y;
                        let inside = (self.padding..self.padding + height).contains(&at);
                        if inside && first < end {
                            let above = (channel * height + at - self.padding) * width;
                            let from = above + first * self.stride + x - self.padding;
                            run(line + row * columns + first, from, end - first, self.stride);
                        }
                    }
                    line += rows * columns;
                }
            }
        }
    }

    /// The patches of an image side by side, `[patch, place]`.
    fn gather<T: Real>(&self, image: &[T], patches: &mut Vec<T>) {
        patches.clear();
        patches.resize(self.patch() * self.places(), T::ZERO);
        self.each_run(|to, from, n, stride| {
            let out = &mut patches[to..to + n];
            if stride == 1 {
                out.copy_from_slice(&image[from..from + n]);
            } else {
                let pixels = image[from..].iter().step_by(stride);
                out.iter_mut().zip(pixels).for_each(|(o, v)| *o = *v);
            }
        });
    }

    /// Adds the gradient of the patches to that of the image.
    fn scatter<T: Real>(&self, patches: &[T], image: &mut [T]) {
        self.each_run(|to, from, n, stride| {
            let patch = &patches[to..to + n];
            if stride == 1 {
                let pixels = image[from..from + n].iter_mut();
                pixels.zip(patch).for_each(|(o, v)| *o += *v);
            } else {
                let pixels = image[from..].iter_mut().step_by(stride);
                pixels.zip(patch).for_each(|(o, v)| *o += *v);
            }
        });
    }

    /// `weight` is `[patch, channel]`.
    pub(super) fn convolve<T: Real>(
        &self,
        x: &[T],
        (weight, channels): (&[T], usize),
        bias: Option<&[T]>,
        out: &mut Vec<T>,
    ) {
        let (inputs, places, patch) = (self.inputs(), self.places(), self.patch());
        let rows = x.len() / inputs;
        out.resize(rows * channels * places, T::ZERO);
        let each = rows.div_ceil(TASKS).max(1);
        let weight = view((weight, patch, channels)).transpose();
        out.par_chunks_mut(each * channels * places)
            .zip(x.par_chunks(each * inputs))
            .for_each(|(out, x)| {
                let mut patches = vec![];
                let images = x.chunks_exact(inputs);
                for (out, image) in out.chunks_exact_mut(channels * places).zip(images) {
                    self.gather(image, &mut patches);
                    for (out, b) in out.chunks_exact_mut(places).zip(bias.unwrap_or(&[])) {
                        out.fill(*b);
                    }
                    let accum = bias.map_or(Accum::Replace, |_| Accum::Add);
                    alone(out, weight, view((&patches[..], patch, places)), accum);
                }
            });
    }

    /// Adds to the gradient of the weights, and of the biases; that of the images goes to `back`, if it is asked for.
    pub(super) fn convolve_back<T: Real>(
        &self,
        x: &[T],
        (weight, channels): (&[T], usize),
        gradient: &[T],
        (into_weight, into_bias): (&mut [T], Option<&mut Vec<T>>),
        back: Option<&mut [T]>,
    ) {
        let (inputs, places, patch) = (self.inputs(), self.places(), self.patch());
        let each = (x.len() / inputs).div_ceil(TASKS).max(1);
        let biased = into_bias.is_some();
        let weight = view((weight, patch, channels));
        let part = |((x, g), mut back): ((&[T], &[T]), Option<&mut [T]>)| {
            let mut of_weight = vec![T::ZERO; patch * channels];
            let mut of_bias = vec![T::ZERO; if biased { channels } else { 0 }];
            let (mut patches, mut of_patches) = (vec![], vec![]);
            let all = x
                .chunks_exact(inputs)
                .zip(g.chunks_exact(channels * places));
            for (i, (image, g)) in all.enumerate() {
                for (sum, g) in of_bias.iter_mut().zip(g.chunks_exact(places)) {
                    *sum += total(g);
                }
                self.gather(image, &mut patches);
                let g = view((g, channels, places));
                let of_image = view((&patches[..], patch, places));
                alone(&mut of_weight, of_image, g.transpose(), Accum::Add);
                if let Some(back) = &mut back {
                    of_patches.resize(patch * places, T::ZERO);
                    alone(&mut of_patches, weight, g, Accum::Replace);
                    let back = &mut back[i * inputs..(i + 1) * inputs];
                    back.fill(T::ZERO);
                    self.scatter(&of_patches, back);
                }
            }
            (of_weight, of_bias)
        };
        let both = x.par_chunks(each * inputs);
        let both = both.zip(gradient.par_chunks(each * channels * places));
        let sums: Vec<_> = if let Some(back) = back {
            let backs = back.par_chunks_mut(each * inputs).map(Some);
            both.zip(backs).map(part).collect()
        } else {
            both.map(|both| part((both, None))).collect()
        };
        // In the order of the images, whichever was done first.
        let add = |into: &mut [T], sum: &[T]| into.iter_mut().zip(sum).for_each(|(o, v)| *o += *v);
        for (of_weight, _) in &sums {
            add(into_weight, of_weight);
        }
        if let Some(into) = into_bias {
            sums.iter().for_each(|(_, of_bias)| add(into, of_bias));
        }
    }

    /// For each place in a window and each row that comes out: its numbers, and the pixels there, which lie `stride` apart.
    fn each_pixel(&self, mut run: impl FnMut(std::ops::Range<usize>, usize)) {
        let (places, area) = (self.places(), self.size * self.size);
        self.each_run(|to, from, n, _| {
            let out = to / (places * area) * places + to % places;
            run(out..out + n, from);
        });
    }

    pub(super) fn pool<T: Real>(&self, x: &[T], how: Pooling, out: &mut Vec<T>) {
        let (inputs, outputs) = (self.inputs(), self.image[0] * self.places());
        out.resize(x.len() / inputs * outputs, T::ZERO);
        out.par_chunks_mut(outputs)
            .zip(x.par_chunks(inputs))
            .for_each(|(out, image)| match how {
                Pooling::Mean => {
                    let share = T::ONE / T::of((self.size * self.size) as f64);
                    out.fill(T::ZERO);
                    self.each_pixel(|to, from| {
                        let pixels = image[from..].iter().step_by(self.stride);
                        let all = out[to].iter_mut().zip(pixels);
                        all.for_each(|(o, v)| *o += share * *v);
                    });
                }
                Pooling::Max => {
                    out.fill(T::neg_infinity());
                    self.each_pixel(|to, from| {
                        let pixels = image[from..].iter().step_by(self.stride);
                        for (o, v) in out[to].iter_mut().zip(pixels) {
                            // NaN is the largest, so that it is not lost.
                            let larger = *v > *o || v.is_nan();
                            *o = if larger { *v } else { *o };
                        }
                    });
                }
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
        let share = T::ONE / T::of((self.size * self.size) as f64);
        let back = back.par_chunks_mut(inputs);
        let of_outputs = gradient.par_chunks(outputs).zip(out.par_chunks(outputs));
        back.zip(x.par_chunks(inputs))
            .zip(of_outputs)
            .for_each(|((back, image), (g, out))| {
                back.fill(T::ZERO);
                match how {
                    Pooling::Mean => self.each_pixel(|to, from| {
                        let pixels = back[from..].iter_mut().step_by(self.stride);
                        pixels.zip(&g[to]).for_each(|(b, g)| *b += share * *g);
                    }),
                    // To the first of those that are the largest.
                    Pooling::Max => {
                        let mut left = g.to_vec();
                        self.each_pixel(|to, from| {
                            let pixels = image[from..].iter().step_by(self.stride);
                            let back = back[from..].iter_mut().step_by(self.stride);
                            let all = out[to.clone()].iter().zip(&mut left[to]);
                            for ((b, v), (o, left)) in back.zip(pixels).zip(all) {
                                let taken = if *v == *o { *left } else { T::ZERO };
                                *b += taken;
                                *left -= taken;
                            }
                        });
                    }
                }
            });
    }
}

/// In sums side by side, which fit vector registers.
fn total<T: Real>(x: &[T]) -> T {
    vectorized(
        #[inline(always)]
        || {
            let mut sums = [T::ZERO; 16];
            let whole = x.chunks_exact(sums.len());
            let rest: T = whole.remainder().iter().copied().sum();
            for x in whole {
                sums.iter_mut().zip(x).for_each(|(sum, v)| *sum += *v);
            }
            sums.into_iter().sum::<T>() + rest
        },
    )
}
