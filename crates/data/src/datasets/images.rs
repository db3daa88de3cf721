//! Labelled images of MNIST and its relatives, read in chunks.

use std::path::PathBuf;

use ndarray::Array3;

use super::idx::IdxReader;
use super::{DataSet, FetchError, Roots};
use crate::{DataError, Place};

/// Which part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The part to learn from.
    Train,
    /// The part kept for testing.
    Test,
}

impl Split {
    fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "t10k",
        }
    }
}

/// Images with one label each. The labels are in memory; the images stay in the file until asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    images: PathBuf,
    labels: Vec<u8>,
    shape: (usize, usize),
    classes: &'static [&'static str],
}

/// Some images in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChunk {
    /// Position of the first one in the data set.
    pub first: usize,
    /// `[item, row, column]`, 0 (background) to 255.
    pub images: Array3<u8>,
    /// For each item the index of its class.
    pub labels: Vec<u8>,
}

impl ImageChunk {
    /// The images as numbers from 0 to 1, `[item, row, column]`.
    #[must_use]
    pub fn to_unit_range(&self) -> Array3<f32> {
        self.images.mapv(|v| f32::from(v) / 255.0)
    }
}

impl LabelledImages {
    /// Opens one part of `mnist`, `fashion-mnist` or `kmnist`, where it lies on this machine.
    ///
    /// # Errors
    /// [`FetchError::Missing`] if its files are not here, [`FetchError::Data`] if they are not IDX files of images and
    /// labels that belong together.
    pub fn open(set: &DataSet, roots: &Roots, split: Split) -> Result<Self, FetchError> {
        let file = |kind| format!("{}-{kind}-ubyte.gz", split.prefix());
        let classes = classes(set.name).ok_or_else(|| {
            let place = Place::dataset(set.name);
            DataError::invalid(place, "a data set of labelled images", "another kind")
        })?;
        let images = roots.locate_file(set, &file("images-idx3"))?;
        let labels = roots.locate_file(set, &file("labels-idx1"))?;
        Ok(Self::from_files(images, &labels, classes)?)
    }

    /// Images and labels from two IDX files of one's own. `classes` names the labels.
    ///
    /// # Errors
    /// [`DataError`] if either is no IDX file of unsigned bytes with 3 axes (images) or 1 (labels), their numbers of
    /// items differ, or a label has no class.
    pub fn from_files(
        images: PathBuf,
        labels: &std::path::Path,
        classes: &'static [&'static str],
    ) -> Result<Self, DataError> {
        let reader = IdxReader::open(&images)?;
        let &[n_images, rows, columns] = reader.shape() else {
            let place = Place::dataset("images").in_file(&images);
            let found = format!("{:?}", reader.shape());
            return Err(DataError::invalid(
                place,
                "shape [item, row, column]",
                found,
            ));
        };
        let mut read_labels = IdxReader::open(labels)?;
        let place = || Place::dataset("labels").in_file(labels);
        if read_labels.shape().len() != 1 {
            let found = format!("{:?}", read_labels.shape());
            return Err(DataError::invalid(place(), "shape [item]", found));
        }
        if read_labels.shape()[0] != n_images {
            let expected = format!("{n_images} labels, one for each image");
            return Err(DataError::invalid(
                place(),
                expected,
                read_labels.shape()[0],
            ));
        }
        let labels = read_labels.read_u8(n_images)?;
        if let Some(i) = labels.iter().position(|&l| usize::from(l) >= classes.len()) {
            let expected = format!("a label below {}", classes.len());
            return Err(DataError::invalid(place().index(i), expected, labels[i]));
        }
        Ok(Self {
            images,
            labels,
            shape: (rows, columns),
            classes,
        })
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none (never so for files that opened).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Rows and columns of every image.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// For each image the index of its class.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Names of the classes.
    #[must_use]
    pub fn classes(&self) -> &'static [&'static str] {
        self.classes
    }

    /// The images in order, `n` at a time (the last chunk may hold fewer); `n` of 0 counts as 1. Memory: one chunk.
    ///
    /// # Errors
    /// [`DataError`] if the file can no longer be opened or has changed; later faults come as items, and after one the
    /// iteration ends.
    pub fn chunks(&self, n: usize) -> Result<Chunks<'_>, DataError> {
        let reader = IdxReader::open(&self.images)?;
        if reader.shape() != [self.len(), self.shape.0, self.shape.1] {
            let place = Place::dataset("images").in_file(&self.images);
            let expected = format!(
                "shape {:?} as before",
                [self.len(), self.shape.0, self.shape.1]
            );
            return Err(DataError::invalid(
                place,
                expected,
                format!("{:?}", reader.shape()),
            ));
        }
        Ok(Chunks {
            set: self,
            reader: Some(reader),
            n: n.max(1),
            first: 0,
        })
    }

    /// All images at once: `[item, row, column]`, 47 MB for the 60,000 of MNIST.
    ///
    /// # Errors
    /// [`DataError`] as [`Self::chunks`].
    pub fn load(&self) -> Result<ImageChunk, DataError> {
        match self.chunks(self.len())?.next() {
            Some(all) => all,
            None => Ok(ImageChunk {
                first: 0,
                images: Array3::zeros((0, self.shape.0, self.shape.1)),
                labels: Vec::new(),
            }),
        }
    }
}

/// Iterates over [`LabelledImages`] in chunks.
#[derive(Debug)]
pub struct Chunks<'a> {
    set: &'a LabelledImages,
    reader: Option<IdxReader>,
    n: usize,
    first: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Result<ImageChunk, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut().filter(|r| r.n_left() > 0)?;
        let (rows, columns) = self.set.shape;
        let n = self.n.min(reader.n_left());
        let read = reader.read_u8(n).and_then(|values| {
            Array3::from_shape_vec((n, rows, columns), values).map_err(|e| DataError::Malformed {
                path: self.set.images.clone(),
                format: "IDX",
                reason: e.to_string(),
            })
        });
        match read {
            Ok(images) => {
                let first = self.first;
                self.first += n;
                Some(Ok(ImageChunk {
                    first,
                    images,
                    labels: self.set.labels[first..first + n].to_vec(),
                }))
            }
            Err(error) => {
                self.reader = None;
                Some(Err(error))
            }
        }
    }
}

fn classes(set: &str) -> Option<&'static [&'static str]> {
    Some(match set {
        "mnist" => &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        "fashion-mnist" => &[
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        "kmnist" => &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{find, test_data};

    fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|s| s.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    #[test]
    fn images_keep_their_labels_in_chunks_of_any_size() {
        let temp = tempfile::tempdir().unwrap();
        let (images, labels) = (temp.path().join("i"), temp.path().join("l"));
        let pixels: Vec<u8> = (0..7u8).flat_map(|i| [i; 6]).collect();
        std::fs::write(&images, idx(&[7, 2, 3], &pixels)).unwrap();
        std::fs::write(&labels, idx(&[7], &[0, 1, 2, 0, 1, 2, 0])).unwrap();
        let set = LabelledImages::from_files(images, &labels, &["a", "b", "c"]).unwrap();
        assert_eq!((set.len(), set.shape()), (7, (2, 3)));
        for n in 0..9 {
            let mut next = 0;
            for chunk in set.chunks(n).unwrap() {
                let chunk = chunk.unwrap();
                assert_eq!(chunk.first, next);
                for (image, label) in chunk.images.outer_iter().zip(&chunk.labels) {
                    assert!(image.iter().all(|&v| usize::from(v) == next));
                    assert_eq!(usize::from(*label), next % 3);
                    next += 1;
                }
            }
            assert_eq!(next, 7);
        }
        assert_eq!(set.load().unwrap().to_unit_range()[[6, 0, 0]], 6.0 / 255.0);
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: Vec<u8>| {
            let path = temp.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let images = put("i", idx(&[2, 1, 1], &[0, 0]));
        let refused = |images: &PathBuf, labels: &PathBuf| {
            let refused = LabelledImages::from_files(images.clone(), labels, &["a"]);
            refused.unwrap_err().to_string()
        };
        let three = put("3", idx(&[3], &[0, 0, 0]));
        assert!(
            refused(&images, &three).contains("expected 2 labels, one for each image, found 3")
        );
        let high = put("h", idx(&[2], &[0, 1]));
        assert!(refused(&images, &high).contains("index 1: expected a label below 1, found 1"));
        assert!(refused(&three, &images).contains("[item, row, column]"));
        assert!(refused(&images, &images).contains("shape [item]"));
    }

    #[test]
    fn mnist_is_as_published() {
        let Some(folder) = test_data("mnist") else {
            eprintln!("skipped: MNIST is not on this machine");
            return;
        };
        let set = find("mnist").unwrap();
        let roots = Roots {
            named: folder.parent().map(Into::into),
            ..Roots::default()
        };
        let test = LabelledImages::open(set, &roots, Split::Test).unwrap();
        assert_eq!((test.len(), test.shape()), (10_000, (28, 28)));
        // The number of each digit, as everyone who uses the set knows it.
        let mut n = [0; 10];
        for &label in test.labels() {
            n[usize::from(label)] += 1;
        }
        assert_eq!(n, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
        let train = LabelledImages::open(set, &roots, Split::Train).unwrap();
        assert_eq!(train.len(), 60_000);
        assert_eq!(train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
        let mut sum = 0u64;
        for chunk in train.chunks(5000).unwrap() {
            sum += chunk
                .unwrap()
                .images
                .iter()
                .map(|&v| u64::from(v))
                .sum::<u64>();
        }
        // The mean that everyone normalises by.
        let mean = sum as f64 / (60_000.0 * 784.0 * 255.0);
        assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
    }
}
