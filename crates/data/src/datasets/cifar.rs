//! CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 color images of 32 x 32 pixels in 10 classes.
//!
//! It is read in the form in which it lies on this machine: the published binary archive, its unpacked batches, or copies as
//! JPEG (`train/CLASS/NAME.jpg`, `test/CLASS/NAME.jpg`) in an archive or in folders. JPEG loses something: results on such
//! copies are not those on the originals.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use ndarray::{Array4, Axis};

use super::{FetchError, Roots, find};
use crate::color_images::{Channels, ColorImages, write};
use crate::error::{DataError, Place};
use crate::folder::{entries, reading};
use crate::photos::Levels;

/// Names of the classes, in the order of their numbers.
pub const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];
/// Rows and columns of an image.
const SIDE: usize = 32;
/// Red, green and blue, row by row, of one image.
const PIXELS: usize = 3 * SIDE * SIDE;

/// Both parts of the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cifar10 {
    /// The part to learn from.
    pub train: ColorImages,
    /// The part kept for testing.
    pub test: ColorImages,
    /// Whether these are copies as JPEG, which differ a little from the originals.
    pub is_jpeg: bool,
}

impl Cifar10 {
    /// The data set where it lies on this machine. In each root of [`Roots`]: `cifar10/cifar-10-binary.tar.gz`,
    /// `cifar10/cifar-10-batches-bin`, `cifar10/cifar10-jpeg.tar.gz`, `cifar10-jpeg.tar.gz`, or `cifar10` with the folders `train`
    /// and `test`, the first that is there.
    ///
    /// # Errors
    /// [`FetchError::Missing`] if it is nowhere; [`FetchError::Data`] if it is not what it should be.
    pub fn open(roots: &Roots) -> Result<Self, FetchError> {
        let set = find("cifar10")?;
        let own = roots.folders(set);
        let mut places = vec![];
        for folder in &own {
            places.push(folder.join(set.files[0].name));
            places.push(folder.join("cifar-10-batches-bin"));
            places.push(folder.join("cifar10-jpeg.tar.gz"));
            places.extend(folder.parent().map(|p| p.join("cifar10-jpeg.tar.gz")));
            if folder.join("train").is_dir() {
                places.push(folder.clone());
            }
        }
        let found = places.iter().find(|place| place.exists());
        let found = found.ok_or_else(|| FetchError::Missing {
            name: set.name.into(),
            file: set.files[0].name.into(),
            looked: own,
        })?;
        Ok(Self::read(found)?)
    }

    /// Reads an archive (`.tar` or `.tar.gz`) or a folder, of binary batches or of JPEG files.
    ///
    /// # Errors
    /// [`DataError`] naming the file: unreadable, a batch that is no whole number of images, a class above 9, an image of
    /// another size, a part without images.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        if path.join("train").is_dir() {
            let part = |name: &str| {
                let size = (SIDE, SIDE);
                ColorImages::folder(&path.join(name), size, Channels::Color)
            };
            return Ok(Self {
                train: part("train")?,
                test: part("test")?,
                is_jpeg: true,
            });
        }
        let mut parts = Parts::default();
        if path.is_dir() {
            // Batches 1 to 5 in their order.
            for file in &entries(path, Path::is_file)? {
                let mut opened = File::open(file).map_err(reading(file))?;
                parts.take(file, file, &mut opened)?;
            }
        } else {
            let file = File::open(path).map_err(reading(path))?;
            let packed = path.extension().is_some_and(|e| e == "gz" || e == "tgz");
            let bytes: Box<dyn Read> = match packed {
                true => Box::new(MultiGzDecoder::new(BufReader::new(file))),
                false => Box::new(BufReader::new(file)),
            };
            let mut archive = tar::Archive::new(bytes);
            for entry in archive.entries().map_err(reading(path))? {
                let mut entry = entry.map_err(reading(path))?;
                if entry.header().entry_type().is_file() {
                    let name = entry.path().map_err(reading(path))?.into_owned();
                    parts.take(&name, &path.join(&name), &mut entry)?;
                }
            }
        }
        parts.finish(path)
    }
}

/// What was read so far, of both parts. Files may come in any order: images are put in order of batch or name at the end.
#[derive(Default)]
struct Parts {
    train: Part,
    test: Part,
    is_jpeg: bool,
}

#[derive(Default)]
struct Part {
    pixels: Vec<u8>,
    labels: Vec<usize>,
    /// Where each image comes from, so that the order does not depend on the archive's.
    names: Vec<PathBuf>,
}

impl Parts {
    /// Takes a file by its name within the archive; `path` is for errors. Files that are neither batches nor JPEG are passed by.
    fn take(&mut self, name: &Path, path: &Path, file: &mut dyn Read) -> Result<(), DataError> {
        let text =
            |p: Option<&std::ffi::OsStr>| p.unwrap_or_default().to_string_lossy().into_owned();
        let own = text(name.file_name());
        if own.ends_with(".bin") {
            let part = match own.as_str() {
                "test_batch.bin" => &mut self.test,
                _ if own.starts_with("data_batch_") => &mut self.train,
                _ => return Ok(()),
            };
            let mut bytes = vec![];
            file.read_to_end(&mut bytes).map_err(reading(path))?;
            return part.batch(&bytes, name, path);
        }
        if !crate::photos::is_photo(name) {
            return Ok(());
        }
        let class = name
            .parent()
            .map(|p| text(p.file_name()))
            .unwrap_or_default();
        let above = name.parent().and_then(Path::parent);
        let part = match text(above.and_then(Path::file_name)).as_str() {
            "train" => &mut self.train,
            "test" => &mut self.test,
            _ => return Ok(()),
        };
        let label = CLASSES.iter().position(|c| *c == class).ok_or_else(|| {
            let place = Place::dataset("class").in_file(path);
            DataError::invalid(place, "a folder named after one of the ten classes", class)
        })?;
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).map_err(reading(path))?;
        self.is_jpeg = true;
        part.image(&Levels::decode(&bytes, path)?, label, name, path)
    }

    fn finish(self, path: &Path) -> Result<Cifar10, DataError> {
        Ok(Cifar10 {
            train: self.train.finish("training", path)?,
            test: self.test.finish("testing", path)?,
            is_jpeg: self.is_jpeg,
        })
    }
}

impl Part {
    /// Images of one label and 3072 pixels each.
    fn batch(&mut self, bytes: &[u8], name: &Path, path: &Path) -> Result<(), DataError> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(PIXELS + 1) {
            return Err(DataError::Malformed {
                path: path.into(),
                format: "CIFAR-10 batch",
                reason: format!(
                    "expected images of {} bytes, found {} bytes in all",
                    PIXELS + 1,
                    bytes.len()
                ),
            });
        }
        for (i, image) in bytes.chunks_exact(PIXELS + 1).enumerate() {
            let label = usize::from(image[0]);
            if label >= CLASSES.len() {
                let place = Place::dataset("labels").index(i).in_file(path);
                return Err(DataError::invalid(place, "a class below 10", label));
            }
            self.pixels.extend_from_slice(&image[1..]);
            self.labels.push(label);
            self.names.push(name.to_path_buf());
        }
        Ok(())
    }

    fn image(
        &mut self,
        levels: &Levels,
        label: usize,
        name: &Path,
        path: &Path,
    ) -> Result<(), DataError> {
        if (levels.rows, levels.columns) != (SIDE, SIDE) {
            let place = Place::default().in_file(path);
            let found = format!("{} x {}", levels.rows, levels.columns);
            return Err(DataError::invalid(place, "32 x 32 pixels", found));
        }
        let mut image = Array4::zeros((1, 3, SIDE, SIDE));
        write(levels, image.index_axis_mut(Axis(0), 0));
        self.pixels.extend(image);
        self.labels.push(label);
        self.names.push(name.to_path_buf());
        Ok(())
    }

    fn finish(self, what: &str, path: &Path) -> Result<ColorImages, DataError> {
        let n = self.labels.len();
        if n == 0 {
            let expected =
                format!("images for {what}: batches (.bin), or train/ and test/CLASS/NAME.jpg");
            let place = Place::default().in_file(path);
            return Err(DataError::invalid(place, expected, "none"));
        }
        // Stable, so that images of one batch stay in their order.
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| self.names[*a].cmp(&self.names[*b]));
        let pixels = Array4::from_shape_vec((n, 3, SIDE, SIDE), self.pixels);
        let pixels = pixels.expect("as many pixels as images need");
        let names = CLASSES.map(str::to_owned).to_vec();
        let all = ColorImages::new(pixels, self.labels, names)?;
        Ok(match order.is_sorted() {
            true => all,
            false => all.select(&order),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::test_data;

    /// An image whose pixels count up from `first`.
    fn record(label: u8, first: u8) -> Vec<u8> {
        let pixels = (0..PIXELS).map(|i| first.wrapping_add(i as u8));
        std::iter::once(label).chain(pixels).collect()
    }

    fn archive(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(vec![]);
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn batches_are_read_from_an_archive_or_a_folder_in_their_order() {
        let temp = tempfile::tempdir().unwrap();
        let entries = [
            ("cifar-10-batches-bin/data_batch_2.bin", record(7, 1)),
            ("cifar-10-batches-bin/readme.html", b"no batch".to_vec()),
            (
                "cifar-10-batches-bin/data_batch_1.bin",
                [record(3, 5), record(9, 6)].concat(),
            ),
            ("cifar-10-batches-bin/test_batch.bin", record(0, 2)),
        ];
        let tar = temp.path().join("cifar.tar");
        std::fs::write(&tar, archive(&entries)).unwrap();
        let read = Cifar10::read(&tar).unwrap();
        assert_eq!(read.train.labels(), [3, 9, 7]);
        assert_eq!((read.test.labels(), read.is_jpeg), (&[0][..], false));
        // Channel, row and column of the second pixel of the second row in green.
        assert_eq!(read.train.pixels()[[0, 1, 1, 1]], 5u8.wrapping_add(33));
        let folder = temp.path().join("cifar10").join("cifar-10-batches-bin");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &entries {
            let name = Path::new(name).file_name().unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        let roots = Roots {
            named: Some(temp.path().into()),
            ..Roots::default()
        };
        assert_eq!(Cifar10::open(&roots).unwrap(), read);
        let nowhere = Roots {
            named: Some(temp.path().join("nowhere")),
            ..Roots::default()
        };
        let error = Cifar10::open(&nowhere).unwrap_err().to_string();
        assert!(error.contains("cifar-10-binary.tar.gz"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let refused = |entries: &[(&str, Vec<u8>)]| {
            let tar = temp.path().join("c.tar");
            std::fs::write(&tar, archive(entries)).unwrap();
            Cifar10::read(&tar).unwrap_err().to_string()
        };
        let error = refused(&[("data_batch_1.bin", record(10, 0))]);
        assert!(
            error.contains("index 0: expected a class below 10, found 10"),
            "{error}"
        );
        let error = refused(&[("data_batch_1.bin", vec![0; 100])]);
        assert!(
            error.contains("data_batch_1.bin") && error.contains("100 bytes"),
            "{error}"
        );
        let error = refused(&[("data_batch_1.bin", record(1, 0))]);
        assert!(error.contains("images for testing"), "{error}");
        let error = refused(&[("train/cat/0001.jpg", b"\xff\xd8 cut".to_vec())]);
        assert!(
            error.contains("train/cat/0001.jpg") && error.contains("JPEG"),
            "{error}"
        );
        let error = refused(&[("train/lion/0001.jpg", vec![])]);
        assert!(
            error.contains("one of the ten classes, found lion"),
            "{error}"
        );
        let small = include_bytes!("../photos/halves.jpg").to_vec();
        let error = refused(&[("train/cat/0001.jpg", small)]);
        assert!(
            error.contains("expected 32 x 32 pixels, found 8 x 8"),
            "{error}"
        );
        assert!(Cifar10::read(&temp.path().join("nowhere.tar")).is_err());
    }

    #[test]
    fn the_jpeg_copies_are_whole() {
        let Some(path) = test_data("cifar10-jpeg.tar.gz") else {
            eprintln!("skipped: CIFAR-10 is not on this machine");
            return;
        };
        let read = Cifar10::read(&path).unwrap();
        assert!(read.is_jpeg);
        for (part, each) in [(&read.train, 5000), (&read.test, 1000)] {
            let mut n = [0; 10];
            for label in part.labels() {
                n[*label] += 1;
            }
            assert_eq!(n, [each; 10]);
            assert_eq!(part.shape(), (3, 32, 32));
        }
        // The means that everyone normalises by. The decoder's conversion of colors rounds: red, green and blue are .0009 high,
        // .0009 low and .0014 high, a third of a level at most (libjpeg's: .0002).
        for (channel, expected) in [0.4914, 0.4822, 0.4465].into_iter().enumerate() {
            let plane = read.train.pixels().index_axis(Axis(1), channel);
            let sum: u64 = plane.iter().map(|v| u64::from(*v)).sum();
            let mean = sum as f64 / (plane.len() as f64 * 255.0);
            assert!((mean - expected).abs() < 2e-3, "{channel}: {mean}");
        }
    }
}
