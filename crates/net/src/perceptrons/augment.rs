//! Images that are drawn anew for each epoch.

use chiasm_core::{Rng, SettingError, Streams};
use rand::RngExt;
use rand_distr::{Beta, Distribution};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Pixels;
use crate::Real;
use crate::network::{Mix, Supply, Targets};

/// How an image is changed each time that it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Which part of the image is seen.
    pub crop: Crop,
    /// Whether every other image, by chance, is turned left to right.
    pub flip: bool,
    /// MixUp: each batch is mixed with itself in another order, by one share drawn from Beta(alpha, alpha); 0 for none
    /// (paper 53, C: .8).
    pub mixup: f64,
}

/// Which part of an image is seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// All of it.
    Whole,
    /// As much of it, moved by up to so many pixels in each direction; what comes in is black.
    Padded {
        /// The farthest move, pixels.
        pixels: usize,
    },
    /// A part brought back to the image's size, between pixels linearly. Its share of the area is uniform, the logarithm of its
    /// width over its height too; where ten draws do not fit, the middle is taken. (As torchvision's `RandomResizedCrop`.)
    Resized {
        /// The least share of the area, above 0 (paper 53, C: .08).
        least: f64,
        /// The greatest width over height, and height over width, 1 or more (paper 53, C: 4/3).
        aspect: f64,
    },
}

impl Default for Augmentation {
    /// None.
    fn default() -> Self {
        Self {
            crop: Crop::Whole,
            flip: false,
            mixup: 0.0,
        }
    }
}

impl Augmentation {
    /// The paper's: resized crops of 8 % of the area on, flips, MixUp at .8 (paper 53, C).
    pub const PAPER: Self = Self {
        crop: Crop::Resized {
            least: 0.08,
            aspect: 4.0 / 3.0,
        },
        flip: true,
        mixup: 0.8,
    };
    /// Crops of images padded by 4 pixels, and flips (paper 53, works when).
    pub const LIGHT: Self = Self {
        crop: Crop::Padded { pixels: 4 },
        flip: true,
        mixup: 0.0,
    };

    /// Checks its numbers.
    ///
    /// # Errors
    /// [`SettingError`] for one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        match self.crop {
            Crop::Whole => {}
            Crop::Padded { pixels } => {
                let expected = "at most 1024 pixels";
                SettingError::check(pixels <= 1024, "crop.pixels", expected, pixels)?;
            }
            Crop::Resized { least, aspect } => {
                let fine = least > 0.0 && least <= 1.0;
                SettingError::check(fine, "crop.least", "above 0, at most 1", least)?;
                let fine = (1.0..=16.0).contains(&aspect);
                SettingError::check(fine, "crop.aspect", "1 to 16", aspect)?;
            }
        }
        let fine = (0.0..=100.0).contains(&self.mixup);
        SettingError::check(fine, "mixup", "0 to 100", self.mixup)
    }
}

/// A supply of images, augmented. What is drawn for an image depends on the streams, the epoch and the image alone: the same
/// seed gives the same bits on any number of threads and after training was stopped.
#[derive(Debug, Clone)]
pub struct Augmented<'a> {
    pixels: &'a Pixels,
    images: Vec<usize>,
    labels: Vec<usize>,
    augmentation: Augmentation,
    streams: Streams,
    whole_batches: bool,
}

impl<'a> Augmented<'a> {
    /// All images, with their classes.
    ///
    /// # Errors
    /// An augmentation out of its range.
    pub fn new(
        pixels: &'a Pixels,
        augmentation: Augmentation,
        streams: &Streams,
    ) -> Result<Self, SettingError> {
        augmentation.validate()?;
        Ok(Self {
            pixels,
            images: (0..pixels.len()).collect(),
            labels: pixels.images().labels().to_vec(),
            augmentation,
            streams: streams.child("augmentation"),
            whole_batches: false,
        })
    }

    /// The same with these images alone, of these classes.
    ///
    /// # Errors
    /// An image that is none, or not one class for each.
    pub fn only(self, images: Vec<usize>, labels: Vec<usize>) -> Result<Self, SettingError> {
        let n = self.pixels.len();
        if let Some(bad) = images.iter().find(|i| **i >= n) {
            return Err(SettingError::new(
                "images",
                format!("positions below {n}"),
                bad,
            ));
        }
        let fine = images.len() == labels.len();
        let expected = format!("{}, one for each image", images.len());
        SettingError::check(fine, "labels", &expected, labels.len())?;
        Ok(Self {
            images,
            labels,
            ..self
        })
    }

    /// The same; what is no whole batch is left out of each epoch (paper 53, C).
    #[must_use]
    pub fn whole_batches(self) -> Self {
        Self {
            whole_batches: true,
            ..self
        }
    }

    /// Writes what is seen of images in an epoch, without mixing.
    pub(super) fn see<T: Real>(&self, epoch: usize, samples: &[usize], rows: &mut [T]) {
        T::see(self, epoch, samples, rows);
    }

    pub(crate) fn see_inner<T: Real>(&self, epoch: usize, samples: &[usize], rows: &mut [T]) {
        let plain = self.augmentation.crop == Crop::Whole && !self.augmentation.flip;
        let streams = self.streams.child(&epoch.to_string());
        rows.par_chunks_exact_mut(self.pixels.inputs())
            .zip(samples)
            // An image takes microseconds.
            .with_min_len(32)
            .for_each(|(row, sample)| {
                let image = self.images[*sample];
                if plain {
                    return self.pixels.write(image, row);
                }
                let mut rng = streams.indexed("image", image);
                self.write(image, &mut rng, row);
            });
    }

    fn write<T: Real>(&self, image: usize, rng: &mut Rng, row: &mut [T]) {
        let (_, height, width) = self.pixels.images().shape();
        let flipped = self.augmentation.flip && rng.random::<bool>();
        let levels = self.pixels.levels(image);
        let planes = levels.chunks_exact(height * width);
        let out = row.chunks_exact_mut(height * width);
        match self.augmentation.crop {
            Crop::Whole => {
                for (channel, (plane, out)) in planes.zip(out).enumerate() {
                    let lines = plane.chunks_exact(width).zip(out.chunks_exact_mut(width));
                    for (from, to) in lines {
                        for (x, to) in to.iter_mut().enumerate() {
                            let x = if flipped { width - 1 - x } else { x };
                            *to = T::of(self.pixels.value(channel, from[x]));
                        }
                    }
                }
            }
            Crop::Padded { pixels } => {
                let moved =
                    |rng: &mut Rng| rng.random_range(0..=2 * pixels) as isize - pixels as isize;
                let (down, right) = (moved(rng), moved(rng));
                for (channel, (plane, out)) in planes.zip(out).enumerate() {
                    let black = T::of(self.pixels.value(channel, 0));
                    for (y, to) in out.chunks_exact_mut(width).enumerate() {
                        let Some(y) = y.checked_add_signed(down).filter(|y| *y < height) else {
                            to.fill(black);
                            continue;
                        };
                        let from = &plane[y * width..(y + 1) * width];
                        for (x, to) in to.iter_mut().enumerate() {
                            let x = if flipped { width - 1 - x } else { x };
                            let x = x.checked_add_signed(right).filter(|x| *x < width);
                            *to = x.map_or(black, |x| T::of(self.pixels.value(channel, from[x])));
                        }
                    }
                }
            }
            Crop::Resized { least, aspect } => {
                let part = Part::draw((height, width), least, aspect, rng);
                let down = taps(height, part.top, part.height);
                let mut right = taps(width, part.left, part.width);
                if flipped {
                    right.reverse();
                }
                for (channel, (plane, out)) in planes.zip(out).enumerate() {
                    let value =
                        |y: usize, x: usize| self.pixels.value(channel, plane[y * width + x]);
                    for (to, (y0, y1, below)) in out.chunks_exact_mut(width).zip(&down) {
                        for (to, (x0, x1, beside)) in to.iter_mut().zip(&right) {
                            let line =
                                |y: usize| value(y, *x0) * (1.0 - beside) + value(y, *x1) * beside;
                            *to = T::of(line(*y0) * (1.0 - below) + line(*y1) * below);
                        }
                    }
                }
            }
        }
    }
}

/// A part of an image.
struct Part {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Part {
    fn draw((rows, columns): (usize, usize), least: f64, aspect: f64, rng: &mut Rng) -> Self {
        let area = (rows * columns) as f64;
        for _ in 0..10 {
            let share = least + (1.0 - least) * rng.random::<f64>();
            let ratio = (aspect.ln() * (2.0 * rng.random::<f64>() - 1.0)).exp();
            let width = (area * share * ratio).sqrt().round() as usize;
            let height = (area * share / ratio).sqrt().round() as usize;
            if (1..=columns).contains(&width) && (1..=rows).contains(&height) {
                return Self {
                    top: rng.random_range(0..=rows - height),
                    left: rng.random_range(0..=columns - width),
                    height,
                    width,
                };
            }
        }
        // As large as the aspect allows, in the middle.
        let (r, c) = (rows as f64, columns as f64);
        let (height, width) = if c / r > aspect {
            (rows, ((r * aspect).round() as usize).clamp(1, columns))
        } else if r / c > aspect {
            (((c * aspect).round() as usize).clamp(1, rows), columns)
        } else {
            (rows, columns)
        };
        Self {
            top: (rows - height) / 2,
            left: (columns - width) / 2,
            height,
            width,
        }
    }
}

/// For each of `n` new pixels the two old ones it lies between, of `part` from `first`, and the second one's share.
fn taps(n: usize, first: usize, part: usize) -> Vec<(usize, usize, f64)> {
    let scale = part as f64 / n as f64;
    let last = part - 1;
    let tap = |i: usize| {
        let at = ((i as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
        let low = at as usize;
        (first + low, first + (low + 1).min(last), at - low as f64)
    };
    (0..n).map(tap).collect()
}

impl<T: Real> Supply<T> for Augmented<'_> {
    fn inputs(&self) -> usize {
        self.pixels.inputs()
    }

    fn targets(&self) -> Targets<'_, T> {
        Targets::Classes(&self.labels)
    }

    fn fill(&self, epoch: usize, step: usize, samples: &[usize], rows: &mut [T]) -> Option<Mix> {
        self.see(epoch, samples, rows);
        let alpha = self.augmentation.mixup;
        if alpha == 0.0 {
            return None;
        }
        let mut rng = self
            .streams
            .child("mixup")
            .child(&epoch.to_string())
            .indexed("step", step);
        // Validated: above 0.
        let kept = Beta::new(alpha, alpha).map_or(1.0, |beta| beta.sample(&mut rng));
        let mut order: Vec<usize> = (0..samples.len()).collect();
        rand::seq::SliceRandom::shuffle(&mut order[..], &mut rng);
        let own = rows.to_vec();
        let width = self.pixels.inputs();
        let (share, rest) = (T::of(kept), T::of(1.0 - kept));
        rows.par_chunks_exact_mut(width)
            .zip(&order)
            .with_min_len(32)
            .for_each(|(row, partner)| {
                let partner = &own[partner * width..(partner + 1) * width];
                for (v, p) in row.iter_mut().zip(partner) {
                    *v = share * *v + rest * *p;
                }
            });
        let partners = order.iter().map(|i| samples[*i]).collect();
        Some(Mix { partners, kept })
    }

    fn whole_batches(&self) -> bool {
        self.whole_batches
    }
}
