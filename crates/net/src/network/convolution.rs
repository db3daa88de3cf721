//! Convolutions and pools over images that lie row by row, `[channel, row, column]` in each: by products with the patches of
//! an image side by side.

use chiasm_core::SettingError;
use faer::Accum;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backward::add_channel_sums;
use crate::Real;
use crate::product::{alone, view};

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

/// Tasks that share the images of a batch: a number of its own, so that the bits do not depend on the threads.
const TASKS: usize = 8;

/// Images of a task, and the gradients of what came of them.
type Share<'a, T> = (&'a [T], &'a [T]);

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
    pub(super) fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Places that the window is moved to: numbers of each channel that come out.
    pub(super) fn places(&self) -> usize {
        let [rows, columns] = self.outputs();
        rows * columns
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
        let part = |((x, g), mut back): (Share<'_, T>, Option<&mut [T]>)| {
            let mut of_weight = vec![T::ZERO; patch * channels];
            let mut of_bias = vec![T::ZERO; if biased { channels } else { 0 }];
            let (mut patches, mut of_patches) = (vec![], vec![]);
            let all = x
                .chunks_exact(inputs)
                .zip(g.chunks_exact(channels * places));
            for (i, (image, g)) in all.enumerate() {
                if biased {
                    add_channel_sums(g, places, &mut of_bias);
                }
                self.gather(image, &mut patches);
                let g = view((g, channels, places));
                let of_image = view((&patches[..], patch, places));
                alone(&mut of_weight, of_image, g.transpose(), Accum::Add);
                if let Some(back) = &mut back {
                    of_patches.resize(patch * places, T::ZERO);
                    alone(&mut of_patches, weight, g, Accum::Replace);
                    self.scatter(&mut of_patches, &mut back[i * inputs..(i + 1) * inputs]);
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
}
