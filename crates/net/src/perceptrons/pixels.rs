//! Images as standardized rows of pixels.

use chiasm_core::SettingError;
use chiasm_data::ColorImages;
use ndarray::{Array2, Axis};

use crate::Real;

/// CIFAR's mean of red, green and blue, 0 to 1 (paper 53, C).
pub const CIFAR_MEAN: [f64; 3] = [0.4914, 0.4822, 0.4465];
/// CIFAR's standard deviation of red, green and blue (paper 53, C).
pub const CIFAR_SD: [f64; 3] = [0.2470, 0.2435, 0.2616];

/// Images whose channels are standardized as they are read: a row has channel after channel, each row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    images: ColorImages,
    /// For each channel the standardized value of each level.
    tables: Vec<[f64; 256]>,
}

impl Pixels {
    /// By means and standard deviations of the channels that are known, levels taken from 0 to 1.
    ///
    /// # Errors
    /// [`SettingError`]: not one of each for every channel, a deviation that is not above 0.
    pub fn new(images: ColorImages, mean: &[f64], sd: &[f64]) -> Result<Self, SettingError> {
        let channels = images.shape().0;
        let fine = mean.len() == channels && sd.len() == channels;
        let expected = format!("{channels}, one for each channel");
        let found = format!("{} and {}", mean.len(), sd.len());
        SettingError::check(fine, "mean, sd", &expected, found)?;
        let fine = mean.iter().all(|m| m.is_finite()) && sd.iter().all(|s| *s > 0.0);
        let found = format!("{mean:?}, {sd:?}");
        SettingError::check(fine, "mean, sd", "finite means, deviations above 0", found)?;
        let table =
            |c: usize| std::array::from_fn(|level| (level as f64 / 255.0 - mean[c]) / sd[c]);
        Ok(Self {
            tables: (0..channels).map(table).collect(),
            images,
        })
    }

    /// By the channels' own means and standard deviations over all images; a channel that never changes has deviation 1.
    #[must_use]
    pub fn standardized(images: ColorImages) -> Self {
        let (mean, sd) = Self::moments(&images);
        let tables = mean
            .iter()
            .zip(&sd)
            .map(|(mean, sd)| std::array::from_fn(|level| (level as f64 / 255.0 - mean) / sd));
        Self {
            tables: tables.collect(),
            images,
        }
    }

    /// Mean and standard deviation of each channel, levels taken from 0 to 1.
    #[must_use]
    pub fn moments(images: &ColorImages) -> (Vec<f64>, Vec<f64>) {
        let each = images.pixels().axis_iter(Axis(1)).map(|plane| {
            // Whole numbers, so that no order of summing matters.
            let (mut sum, mut squares) = (0u64, 0u64);
            for level in plane {
                let level = u64::from(*level);
                sum += level;
                squares += level * level;
            }
            let n = plane.len().max(1) as f64;
            let mean = sum as f64 / n;
            let sd = (squares as f64 / n - mean * mean).max(0.0).sqrt();
            (mean / 255.0, if sd > 0.0 { sd / 255.0 } else { 1.0 })
        });
        each.unzip()
    }

    /// The images.
    #[must_use]
    pub fn images(&self) -> &ColorImages {
        &self.images
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Numbers in a row: channels times rows times columns.
    #[must_use]
    pub fn inputs(&self) -> usize {
        let (channels, rows, columns) = self.images.shape();
        channels * rows * columns
    }

    /// The standardized value of a level of a channel.
    pub(super) fn value(&self, channel: usize, level: u8) -> f64 {
        self.tables[channel][usize::from(level)]
    }

    /// Levels of one image, channel after channel.
    pub(super) fn levels(&self, image: usize) -> &[u8] {
        let n = self.inputs();
        let all = self.images.pixels().as_slice();
        &all.expect("images lie in memory image by image")[image * n..(image + 1) * n]
    }

    /// Writes one image as it is.
    pub(super) fn write<T: Real>(&self, image: usize, row: &mut [T]) {
        let (_, rows, columns) = self.images.shape();
        let planes = self.levels(image).chunks_exact(rows * columns);
        for (channel, (plane, out)) in planes.zip(row.chunks_exact_mut(rows * columns)).enumerate()
        {
            for (out, level) in out.iter_mut().zip(plane) {
                *out = T::of(self.value(channel, *level));
            }
        }
    }

    /// These images as rows, `[image, input]`; panics if there is no such image.
    #[must_use]
    pub fn rows<T: Real>(&self, images: &[usize]) -> Array2<T> {
        let mut all = Array2::zeros((images.len(), self.inputs()));
        for (image, mut row) in images.iter().zip(all.rows_mut()) {
            self.write(*image, row.as_slice_mut().expect("a row is contiguous"));
        }
        all
    }
}
