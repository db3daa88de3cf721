//! Convolutions and pools over images that lie row by row, `[channel, row, column]` in each: by products with the patches of
//! an image side by side.

use chiasm_core::SettingError;
use faer::Accum;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::product::{multiply, multiply_turned, turned_multiply};
use crate::Real;

/// A window that is moved over images; over signals, which are images of one row.
///
/// In files for people (JSON, TOML) `size`, `stride` and `padding` may each be one number, for rows and columns alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Channels, rows and columns of an image.
    pub image: [usize; 3],
    /// Rows and columns of the window.
    #[serde(with = "sides")]
    #[schemars(with = "sides::Sides")]
    pub size: [usize; 2],
    /// Pixels from one place of the window to the next, down and across.
    #[serde(with = "sides")]
    #[schemars(with = "sides::Sides")]
    pub stride: [usize; 2],
    /// Pixels of 0 above and below an image, and left and right of it.
    #[serde(with = "sides")]
    #[schemars(with = "sides::Sides")]
    pub padding: [usize; 2],
}

/// One number for rows and columns, or one for each.
mod sides {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub(super) enum Sides {
        /// Of both.
        Square(usize),
        /// Of rows and of columns.
        Each([usize; 2]),
    }

    pub(super) fn serialize<S: Serializer>(sides: &[usize; 2], to: S) -> Result<S::Ok, S::Error> {
        match *sides {
            // Formats of bytes do not say which of the two it is.
            [a, b] if a == b && to.is_human_readable() => Sides::Square(a).serialize(to),
            each => each.serialize(to),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<[usize; 2], D::Error> {
        if !from.is_human_readable() {
            return <[usize; 2]>::deserialize(from);
        }
        Ok(match Sides::deserialize(from)? {
            Sides::Square(n) => [n; 2],
            Sides::Each(each) => each,
        })
    }
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
    /// A square window, the same down and across.
    #[must_use]
    pub fn square(image: [usize; 3], size: usize, stride: usize, padding: usize) -> Self {
        Self {
            image,
            size: [size; 2],
            stride: [stride; 2],
            padding: [padding; 2],
        }
    }

    /// A window of 3 x 3 at every pixel, so that an image keeps its size.
    #[must_use]
    pub fn same(image: [usize; 3]) -> Self {
        Self::square(image, 3, 1, 1)
    }

    /// A window of `size` x `size` next to one another.
    #[must_use]
    pub fn tiles(image: [usize; 3], size: usize) -> Self {
        Self::square(image, size, size, 0)
    }

    /// A window of `size` samples that is moved along a signal of `[channels, samples]`.
    #[must_use]
    pub fn along(signal: [usize; 2], size: usize, stride: usize, padding: usize) -> Self {
        let [channels, samples] = signal;
        Self {
            image: [channels, 1, samples],
            size: [1, size],
            stride: [1, stride],
            padding: [0, padding],
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
        let places = |axis: usize| {
            let padded = self.image[axis + 1] + 2 * self.padding[axis];
            padded.saturating_sub(self.size[axis]) / self.stride[axis] + 1
        };
        [places(0), places(1)]
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
        for (axis, name) in ["rows", "columns"].into_iter().enumerate() {
            let (size, padding) = (self.size[axis], self.padding[axis]);
            let most = self.image[axis + 1] + 2 * padding.min(1 << 12);
            let expected = format!("{name}: 1 to {most} pixels, the image and its padding");
            SettingError::check((1..=most).contains(&size), "size", &expected, size)?;
            let expected = format!("{name}: at least 1");
            SettingError::check(
                self.stride[axis] > 0,
                "stride",
                &expected,
                self.stride[axis],
            )?;
            let expected = format!("{name}: less than the window's size");
            SettingError::check(padding < size, "padding", &expected, padding)?;
        }
        Ok(())
    }

    /// Numbers in a patch.
    pub(crate) fn patch(&self) -> usize {
        self.image[0] * self.area()
    }

    /// Pixels of the window.
    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Places of the window.
    pub(super) fn places(&self) -> usize {
        let [rows, columns] = self.outputs();
        rows * columns
    }

    /// For one place in a patch: for each row of places, where in the image it begins, and which columns lie within.
    fn each_run(&self, mut run: impl FnMut(usize, usize, usize, usize)) {
        let [channels, height, width] = self.image;
        let [rows, columns] = self.outputs();
        let ([size_y, size_x], [down, across]) = (self.size, self.stride);
        let [above, left] = self.padding;
        let mut line = 0;
        for channel in 0..channels {
            for y in 0..size_y {
                for x in 0..size_x {
                    // Columns whose pixel is in the image: left <= column * across + x < left + width.
                    let first = left.saturating_sub(x).div_ceil(across);
                    let end = (left + width).saturating_sub(x).div_ceil(across);
                    let end = end.min(columns);
                    for row in 0..rows {
                        let at = row * down + y;
                        let inside = (above..above + height).contains(&at);
                        if inside && first < end {
                            let begins = (channel * height + at - above) * width;
                            let from = begins + first * across + x - left;
                            run(line + row * columns + first, from, end - first, across);
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
        let ([down, across], [above, left]) = (self.stride, self.padding);
        let across_window = self.size[1];
        let (first_y, first_x) = (row * down, column * across);
        (0..self.area()).filter_map(move |i| {
            let (y, x) = (first_y + i / across_window, first_x + i % across_window);
            let here = (above..above + height).contains(&y) && (left..left + width).contains(&x);
            here.then(|| (channel * height + y - above) * width + x - left)
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
        let area = T::of(self.area() as f64);
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
        let area = T::of(self.area() as f64);
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
