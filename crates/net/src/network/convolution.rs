//! Convolutions and pools over images that lie row by row, `[channel, row, column]` in each: by products with the patches of
//! an image side by side.

use chiasm_core::SettingError;
use faer::Accum;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::product::{multiply, multiply_turned, turned_multiply};
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
            let pixels = image[from..].iter_mut().step_by(stride);
            let all = pixels.zip(&patches[to..to + n]);
            all.for_each(|(o, v)| *o += *v);
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
        out.par_chunks_mut(each * channels * places)
            .zip(x.par_chunks(each * inputs))
            .for_each(|(out, x)| {
                let mut patches = vec![];
                let images = x.chunks_exact(inputs);
                for (out, image) in out.chunks_exact_mut(channels * places).zip(images) {
                    self.gather(image, &mut patches);
                    let w = (weight, patch, channels);
                    turned_multiply(out, w, (&patches[..], patch, places), Accum::Replace);
                    for (out, b) in out.chunks_exact_mut(places).zip(bias.unwrap_or(&[])) {
                        out.iter_mut().for_each(|o| *o += *b);
                    }
                }
            });
    }

    /// Adds to the gradient of the weights, and of the biases; returns that of the images, if it is asked for.
    pub(super) fn convolve_back<T: Real>(
        &self,
        x: &[T],
        (weight, channels): (&[T], usize),
        gradient: &[T],
        (into_weight, into_bias): (&mut [T], Option<&mut Vec<T>>),
        inputs_too: bool,
    ) -> Vec<T> {
        let (inputs, places, patch) = (self.inputs(), self.places(), self.patch());
        if let Some(into) = into_bias {
            for (k, g) in gradient.chunks_exact(places).enumerate() {
                into[k % channels] += g.iter().copied().sum::<T>();
            }
        }
        let each = (x.len() / inputs).div_ceil(TASKS).max(1);
        let mut back = vec![T::ZERO; if inputs_too { x.len() } else { 0 }];
        let part = |(x, g, mut back): (&[T], &[T], Option<&mut [T]>)| {
            let mut sum = vec![T::ZERO; patch * channels];
            let (mut patches, mut of_patches) = (vec![], vec![T::ZERO; patch * places]);
            let all = x
                .chunks_exact(inputs)
                .zip(g.chunks_exact(channels * places));
            for (i, (image, g)) in all.enumerate() {
                self.gather(image, &mut patches);
                let g = (g, channels, places);
                multiply_turned(&mut sum, (&patches[..], patch, places), g, Accum::Add);
                if let Some(back) = &mut back {
                    let w = (weight, patch, channels);
                    multiply(&mut of_patches, w, g, Accum::Replace);
                    self.scatter(&of_patches, &mut back[i * inputs..(i + 1) * inputs]);
                }
            }
            sum
        };
        let both = x.par_chunks(each * inputs);
        let both = both.zip(gradient.par_chunks(each * channels * places));
        let sums: Vec<Vec<T>> = if inputs_too {
            let backs = back.par_chunks_mut(each * inputs);
            both.zip(backs)
                .map(|((x, g), b)| part((x, g, Some(b))))
                .collect()
        } else {
            both.map(|(x, g)| part((x, g, None))).collect()
        };
        // In the order of the images, whichever was done first.
        for sum in sums {
            into_weight.iter_mut().zip(sum).for_each(|(o, v)| *o += v);
        }
        back
    }

    /// The pixels of each window: their places in the image.
    fn pixels(&self, channel: usize, row: usize, column: usize) -> impl Iterator<Item = usize> {
        let [_, height, width] = self.image;
        let (size, padding) = (self.size, self.padding);
        let (top, left) = (row * self.stride, column * self.stride);
        let inside = move |at: usize, n: usize| (padding..padding + n).contains(&at);
        (0..size * size).filter_map(move |i| {
            let (y, x) = (top + i / size, left + i % size);
            let here = inside(y, height) && inside(x, width);
            here.then(|| (channel * height + y - padding) * width + x - padding)
        })
    }

    /// Every place of every channel, in the order in which they come out.
    fn all_places(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let [rows, columns] = self.outputs();
        let n = self.image[0] * rows * columns;
        (0..n).map(move |i| (i / (rows * columns), i / columns % rows, i % columns))
    }

    pub(super) fn pool<T: Real>(&self, x: &[T], how: Pooling, out: &mut Vec<T>) {
        out.clear();
        let area = T::of((self.size * self.size) as f64);
        for image in x.chunks_exact(self.inputs()) {
            out.extend(self.all_places().map(|(channel, row, column)| {
                let pixels = self.pixels(channel, row, column);
                match how {
                    Pooling::Mean => pixels.map(|i| image[i]).sum::<T>() / area,
                    Pooling::Max => image[largest(image, pixels)],
                }
            }));
        }
    }

    /// The gradient of what entered a pool.
    pub(super) fn pool_back<T: Real>(&self, x: &[T], how: Pooling, gradient: &[T]) -> Vec<T> {
        let mut back = vec![T::ZERO; x.len()];
        let area = T::of((self.size * self.size) as f64);
        let outputs = self.image[0] * self.places();
        let images = x
            .chunks_exact(self.inputs())
            .zip(back.chunks_exact_mut(self.inputs()));
        for ((image, back), g) in images.zip(gradient.chunks_exact(outputs)) {
            for ((channel, row, column), g) in self.all_places().zip(g) {
                let mut pixels = self.pixels(channel, row, column);
                match how {
                    Pooling::Mean => pixels.for_each(|i| back[i] += *g / area),
                    Pooling::Max => back[largest(image, &mut pixels)] += *g,
                }
            }
        }
        back
    }
}

/// The first of the largest. A window holds at least one pixel, since the padding is smaller than it.
fn largest<T: Real>(image: &[T], mut pixels: impl Iterator<Item = usize>) -> usize {
    let first = pixels.next().unwrap_or(0);
    pixels.fold(
        first,
        |best, i| if image[i] > image[best] { i } else { best },
    )
}
