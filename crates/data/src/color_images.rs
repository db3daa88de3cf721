//! Images in color (or grey), all of one size, with the class of each.

use std::path::{Path, PathBuf};

use ndarray::{Array4, ArrayView2, ArrayViewMut3, Axis, s};

use crate::error::{DataError, Place};
use crate::folder::{entries, reading};
use crate::photos::{Levels, folder, resized};

/// Images of one size, each with its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColorImages {
    pixels: Array4<u8>,
    labels: Vec<usize>,
    classes: Vec<String>,
}

/// What of an image is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Channels {
    /// Red, green and blue; a grey image has its grey in all three.
    #[default]
    Color,
    /// Luma (ITU-R BT.601) alone.
    Grey,
}

impl Channels {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Color => 3,
            Self::Grey => 1,
        }
    }

    /// Never.
    #[must_use]
    pub fn is_empty(self) -> bool {
        false
    }
}

impl ColorImages {
    /// Images `[image, channel, row, column]`, 0 to 255, the index of the class of each, and the classes' names.
    ///
    /// # Errors
    /// [`DataError::Invalid`]: not one label for each image, a label without a class, images without pixels.
    pub fn new(
        pixels: Array4<u8>,
        labels: Vec<usize>,
        classes: Vec<String>,
    ) -> Result<Self, DataError> {
        let place = || Place::dataset("labels");
        let (n, channels, rows, columns) = pixels.dim();
        if channels * rows * columns == 0 {
            let found = format!("{channels} x {rows} x {columns}");
            return Err(DataError::invalid(
                Place::dataset("images"),
                "images of at least one pixel",
                found,
            ));
        }
        if labels.len() != n {
            let expected = format!("{n} labels, one for each image");
            return Err(DataError::invalid(place(), expected, labels.len()));
        }
        if let Some(i) = labels.iter().position(|&l| l >= classes.len()) {
            let expected = format!("a class below {}", classes.len());
            return Err(DataError::invalid(place().index(i), expected, labels[i]));
        }
        Ok(Self {
            pixels,
            labels,
            classes,
        })
    }

    /// Reads a folder with a folder for each class, `CLASS/NAME.jpg` (or `.jpeg`, `.png`), and brings the images to `rows` x
    /// `columns`: each new pixel is the mean of the area that it covers; the aspect is not kept. Classes are ordered by name,
    /// and so are the images within each; folders without images are no classes.
    ///
    /// # Errors
    /// [`DataError`] naming the file that is unreadable; fewer than two classes.
    pub fn folder(
        path: &Path,
        (rows, columns): (usize, usize),
        channels: Channels,
    ) -> Result<Self, DataError> {
        let size = (rows.max(1), columns.max(1));
        let mut classes = vec![];
        let mut files: Vec<(usize, PathBuf)> = vec![];
        for below in folders(path)? {
            let own = folder(&below)?;
            if own.is_empty() {
                continue;
            }
            files.extend(own.into_iter().map(|file| (classes.len(), file)));
            let name = below.file_name().unwrap_or_default();
            classes.push(name.to_string_lossy().into_owned());
        }
        if classes.len() < 2 {
            let expected = "a folder of PNG or JPEG files for each of at least two classes";
            let found = format!("{} such folders", classes.len());
            return Err(DataError::invalid(
                Place::default().in_file(path),
                expected,
                found,
            ));
        }
        let mut pixels = Array4::zeros((files.len(), channels.len(), size.0, size.1));
        for ((_, file), mut image) in files.iter().zip(pixels.axis_iter_mut(Axis(0))) {
            let bytes = std::fs::read(file).map_err(reading(file))?;
            write(&Levels::decode(&bytes, file)?, image.view_mut());
        }
        let labels = files.iter().map(|f| f.0).collect();
        Self::new(pixels, labels, classes)
    }

    /// The images, `[image, channel, row, column]`, 0 to 255.
    #[must_use]
    pub fn pixels(&self) -> &Array4<u8> {
        &self.pixels
    }

    /// For each image the index of its class.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Names of the classes.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Channels, rows and columns of every image.
    #[must_use]
    pub fn shape(&self) -> (usize, usize, usize) {
        let (_, channels, rows, columns) = self.pixels.dim();
        (channels, rows, columns)
    }

    /// The images at these positions, in their order; panics if there is no such image.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            pixels: self.pixels.select(Axis(0), positions),
            labels: positions.iter().map(|i| self.labels[*i]).collect(),
            classes: self.classes.clone(),
        }
    }
}

/// The folders in a folder, by name.
pub(crate) fn folders(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    entries(path, Path::is_dir)
}

/// Writes an image into `[channel, row, column]`, brought to its size.
pub(crate) fn write(levels: &Levels, mut into: ArrayViewMut3<'_, u8>) {
    let (channels, rows, columns) = into.dim();
    for channel in 0..channels {
        let values = match channels {
            1 => levels.grey(),
            _ => levels.color(channel),
        };
        let shape = (levels.rows, levels.columns);
        let from = ArrayView2::from_shape(shape, &values);
        let from = from.expect("as many values as pixels");
        let mut plane = into.slice_mut(s![channel, .., ..]);
        if shape == (rows, columns) {
            plane.zip_mut_with(&from, |p, v| *p = v.round() as u8);
        } else {
            plane.assign(&resized(from, (rows, columns)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_png(path: &Path, (rows, columns): (u32, u32), color: png::ColorType, pixels: &[u8]) {
        let file = std::fs::File::create(path).unwrap();
        let mut encoder = png::Encoder::new(file, columns, rows);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
    }

    #[test]
    fn folders_are_classes_and_bad_files_are_named() {
        let temp = tempfile::tempdir().unwrap();
        for class in ["b", "a", "empty"] {
            std::fs::create_dir(temp.path().join(class)).unwrap();
        }
        let color = [[255, 0, 10], [0, 255, 20], [0, 0, 30], [255, 255, 40]].concat();
        let rgb = png::ColorType::Rgb;
        write_png(&temp.path().join("b/1.png"), (2, 2), rgb, &color);
        let grey = png::ColorType::Grayscale;
        write_png(&temp.path().join("a/1.png"), (1, 1), grey, &[77]);
        let all = ColorImages::folder(temp.path(), (2, 2), Channels::Color).unwrap();
        assert_eq!(all.classes(), ["a", "b"]);
        assert_eq!((all.labels(), all.shape()), (&[0, 1][..], (3, 2, 2)));
        assert!(
            all.pixels()
                .slice(s![0, .., .., ..])
                .iter()
                .all(|v| *v == 77)
        );
        let blue: Vec<u8> = all
            .pixels()
            .slice(s![1, 2, .., ..])
            .iter()
            .copied()
            .collect();
        assert_eq!(blue, [10, 20, 30, 40]);
        let one = ColorImages::folder(temp.path(), (1, 1), Channels::Grey).unwrap();
        // Luma of the mean color, up to rounding.
        assert!(one.pixels()[[1, 0, 0, 0]].abs_diff(116) <= 1);
        assert_eq!(all.select(&[1, 1]).labels(), [1, 1]);

        std::fs::write(temp.path().join("a/2.jpg"), b"\xff\xd8 no more").unwrap();
        let error = ColorImages::folder(temp.path(), (2, 2), Channels::Color).unwrap_err();
        assert!(error.to_string().contains("2.jpg"), "{error}");
        let error = ColorImages::folder(&temp.path().join("a"), (2, 2), Channels::Color);
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("at least two classes")
        );
    }

    #[test]
    fn labels_must_fit() {
        let images = |n| Array4::zeros((n, 3, 2, 2));
        let names = || vec!["a".to_owned()];
        let error = ColorImages::new(images(2), vec![0], names()).unwrap_err();
        assert!(error.to_string().contains("2 labels"), "{error}");
        let error = ColorImages::new(images(1), vec![1], names()).unwrap_err();
        assert!(
            error.to_string().contains("a class below 1, found 1"),
            "{error}"
        );
        assert!(ColorImages::new(Array4::zeros((1, 3, 0, 2)), vec![0], names()).is_err());
    }
}
