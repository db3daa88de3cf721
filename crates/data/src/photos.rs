//! Photographs as grey images of one size: from a folder, a list, or a stack of arrays.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, ArrayView2, Axis, Ix3};

use crate::arrays::{NamedArrays, csv_column};
use crate::error::{DataError, Place};
use crate::folder::{entries, extension, reading};

/// Grey images of one size, in the order of their names or of their list.
#[derive(Debug, Clone, PartialEq)]
pub struct Photos {
    /// `[image, row, column]`.
    pub images: Array3<u8>,
    /// File of each image, or its index in a stack.
    pub names: Vec<String>,
}

/// The extensions of files that are read as photographs.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

impl Photos {
    /// Reads images and brings them to `rows` x `columns` (each pixel the mean of the area that it covers; the aspect is
    /// not kept). `path` is
    ///
    /// - a folder: its PNG and JPEG files in the order of their names;
    /// - a CSV file with a column `path` (relative to the CSV's folder), in the order of its lines, or by a column `place`
    ///   of whole numbers if it has one;
    /// - an NPY, NPZ, MAT or HDF5 file: an array `images` (or the only one) of `[image, row, column]`, 0 to 255.
    ///
    /// # Errors
    /// [`DataError`] naming the file: not there, not an image, cut short, of another kind; an empty folder.
    pub fn read(path: &Path, rows: usize, columns: usize) -> Result<Self, DataError> {
        let size = (rows.max(1), columns.max(1));
        if path.is_dir() {
            return Self::of_files(path, &folder(path)?, size);
        }
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv") => Self::of_files(path, &listed(path)?, size),
            _ => Self::of_stack(path, size),
        }
    }

    /// A PNG or JPEG file's bytes in grey (luma of ITU-R BT.601), `[row, column]`, 0 to 255; `path` is for errors.
    ///
    /// # Errors
    /// [`DataError::Malformed`]: not an image, cut short, of more than 2^27 pixels.
    pub fn decode(bytes: &[u8], path: &Path) -> Result<Array2<f64>, DataError> {
        let levels = Levels::decode(bytes, path)?;
        let grey = levels.grey();
        Array2::from_shape_vec((levels.rows, levels.columns), grey).map_err(|e| {
            DataError::Malformed {
                path: path.into(),
                format: "image",
                reason: e.to_string(),
            }
        })
    }

    fn of_files(from: &Path, files: &[PathBuf], size: (usize, usize)) -> Result<Self, DataError> {
        if files.is_empty() {
            let expected = "PNG or JPEG files";
            return Err(DataError::invalid(
                Place::default().in_file(from),
                expected,
                "none",
            ));
        }
        let mut images = Array3::zeros((files.len(), size.0, size.1));
        for (file, mut image) in files.iter().zip(images.axis_iter_mut(Axis(0))) {
            let grey = decoded(file)?;
            image.assign(&resized(grey.view(), size));
        }
        let names = files.iter().map(|f| f.display().to_string()).collect();
        Ok(Self { images, names })
    }

    fn of_stack(path: &Path, size: (usize, usize)) -> Result<Self, DataError> {
        let file = NamedArrays::open(path)?;
        let only = file.names().first().filter(|_| file.names().len() == 1);
        let name = only.map_or("images", String::as_str).to_owned();
        let array = file.numbers(&name)?;
        let shape = format!("shape {:?}", array.shape());
        let stack = array.into_dimensionality::<Ix3>().map_err(|_| {
            file.fault(&name, None, "images of [image, row, column]", shape.clone())
        })?;
        if stack.is_empty() {
            return Err(file.fault(&name, None, "at least one image", shape));
        }
        if let Some(at) = stack.iter().position(|v| !(0.0..=255.0).contains(v)) {
            let found = stack.iter().nth(at).copied().unwrap_or(f64::NAN);
            return Err(file.fault(&name, Some(at), "grey levels from 0 to 255", found));
        }
        let mut images = Array3::zeros((stack.dim().0, size.0, size.1));
        for (from, mut image) in stack.axis_iter(Axis(0)).zip(images.axis_iter_mut(Axis(0))) {
            image.assign(&resized(from, size));
        }
        let names = (0..images.dim().0).map(|i| i.to_string()).collect();
        Ok(Self { images, names })
    }
}

pub(crate) fn is_photo(path: &Path) -> bool {
    EXTENSIONS.contains(&&*extension(path))
}

/// The photographs in a folder, by name.
pub(crate) fn folder(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    entries(path, is_photo)
}

/// The photographs of a list, by place if it names places.
fn listed(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let base = path.parent().unwrap_or(Path::new(""));
    let names = csv_column(path, &["path", "file", "image"])?;
    let files = names.iter().map(|file| base.join(file));
    // A list of one column answers to every name.
    let places = csv_column(path, &["place"]).ok().filter(|p| *p != names);
    let Some(places) = places else {
        return Ok(files.collect());
    };
    let mut by_place = vec![];
    for (i, (place, file)) in places.iter().zip(files).enumerate() {
        let number = place.parse::<u64>().map_err(|_| {
            let at = Place::dataset("place").index(i).in_file(path);
            DataError::invalid(at, "a whole number", place)
        })?;
        by_place.push((number, file));
    }
    by_place.sort_by_key(|p| p.0);
    if let Some(twice) = by_place.windows(2).find(|w| w[0].0 == w[1].0) {
        let at = Place::dataset("place").in_file(path);
        let found = format!("place {} twice", twice[0].0);
        return Err(DataError::invalid(at, "every place once", found));
    }
    Ok(by_place.into_iter().map(|p| p.1).collect())
}

/// A photograph in grey, `[row, column]`.
fn decoded(path: &Path) -> Result<Array2<f64>, DataError> {
    let bytes = std::fs::read(path).map_err(reading(path))?;
    Photos::decode(&bytes, path)
}

/// An image of more pixels is a damaged header.
const MOST_PIXELS: u64 = 1 << 27;

/// Refuses a size before memory is taken on the header's word.
fn sized(rows: u64, columns: u64) -> Result<(), String> {
    if rows * columns <= MOST_PIXELS {
        return Ok(());
    }
    Err(format!(
        "expected at most {MOST_PIXELS} pixels, found {rows} x {columns}"
    ))
}

/// An image as it was stored: rows of pixels of one channel (grey) or more (red, green, blue, transparency).
pub(crate) struct Levels {
    pub(crate) pixels: Vec<u8>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Levels {
    /// A PNG or JPEG file's bytes; `path` is for errors.
    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let is_jpeg = bytes.starts_with(&[0xff, 0xd8]);
        let format = if is_jpeg { "JPEG" } else { "PNG" };
        // The decoders are not ours and the file may be hostile.
        let decoded = catch_unwind(AssertUnwindSafe(|| match is_jpeg {
            true => of_jpeg(bytes),
            false => of_png(bytes),
        }));
        let decoded = decoded.unwrap_or_else(|_| Err("damaged".into()));
        decoded.map_err(|reason| DataError::Malformed {
            path: path.into(),
            format,
            reason,
        })
    }

    fn checked(pixels: Vec<u8>, rows: usize, columns: usize) -> Result<Self, String> {
        let n = rows * columns;
        if n == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(n) {
            return Err("an image without pixels".into());
        }
        Ok(Self {
            pixels,
            rows,
            columns,
        })
    }

    fn channels(&self) -> usize {
        self.pixels.len() / (self.rows * self.columns)
    }

    /// Luma, pixel by pixel.
    pub(crate) fn grey(&self) -> Vec<f64> {
        let level = |pixel: &[u8]| match *pixel {
            [r, g, b, ..] => 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b),
            // Grey, with or without transparency.
            _ => f64::from(pixel[0]),
        };
        let pixels = self.pixels.chunks_exact(self.channels());
        pixels.map(level).collect()
    }

    /// One of red, green and blue, pixel by pixel; of a grey image all three are its grey.
    pub(crate) fn color(&self, channel: usize) -> Vec<f64> {
        let n = self.channels();
        let at = if n >= 3 { channel } else { 0 };
        let pixels = self.pixels.chunks_exact(n);
        pixels.map(|p| f64::from(p[at])).collect()
    }
}

fn of_png(bytes: &[u8]) -> Result<Levels, String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(|e| e.to_string())?;
    sized(header.height.into(), header.width.into())?;
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let size = reader.output_buffer_size().ok_or("an image too large")?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(|e| e.to_string())?;
    pixels.truncate(info.buffer_size());
    Levels::checked(pixels, info.height as usize, info.width as usize)
}

fn of_jpeg(bytes: &[u8]) -> Result<Levels, String> {
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
    decoder.decode_headers().map_err(|e| e.to_string())?;
    let header = decoder.info().ok_or("no size")?;
    sized(header.height.into(), header.width.into())?;
    let pixels = decoder.decode().map_err(|e| e.to_string())?;
    let info = decoder.info().ok_or("no size")?;
    Levels::checked(pixels, usize::from(info.height), usize::from(info.width))
}

/// The mean over the area that each new pixel covers.
pub(crate) fn resized(from: ArrayView2<'_, f64>, (rows, columns): (usize, usize)) -> Array2<u8> {
    let down = shares(from.dim().0, rows);
    let right = shares(from.dim().1, columns);
    Array2::from_shape_fn((rows, columns), |(y, x)| {
        let mut sum = 0.0;
        for &(row, share) in &down[y] {
            let line = right[x].iter().map(|&(column, s)| s * from[[row, column]]);
            sum += share * line.sum::<f64>();
        }
        sum.round().clamp(0.0, 255.0) as u8
    })
}

/// For each of `to` new pixels, the old ones of `from` that it covers and their shares in it.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    let pixel = |i: usize| {
        let (start, end) = (i as f64 * scale, (i + 1) as f64 * scale);
        let covered = start as usize..(end.ceil() as usize).clamp(start as usize + 1, from.max(1));
        covered
            .map(|old| {
                let overlap = end.min(old as f64 + 1.0) - start.max(old as f64);
                (old, overlap / scale)
            })
            .collect()
    };
    (0..to).map(pixel).collect()
}

#[cfg(test)]
mod tests;
