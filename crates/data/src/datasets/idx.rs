//! IDX files, the format of MNIST and its relatives: a header of sizes, then the values, big-endian.
//!
//! ```text
//! 0 0 TYPE N_AXES | size of each axis, u32 | values, the last axis fastest
//! ```
//!
//! Plain or gzip, told apart by their first bytes. Nothing is allocated on the header's word alone: values are read
//! item by item.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::DataError;

const FORMAT: &str = "IDX";
/// More axes than any data set has; the format allows 255.
const MAX_AXES: u8 = 8;
/// An item longer than this (4 GiB of bytes) is a damaged header.
const MAX_ITEM: u64 = 1 << 32;

/// The type of the values in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdxType {
    /// Unsigned bytes (0x08).
    U8,
    /// Signed bytes (0x09).
    I8,
    /// 16 bit integers (0x0B).
    I16,
    /// 32 bit integers (0x0C).
    I32,
    /// 32 bit floats (0x0D).
    F32,
    /// 64 bit floats (0x0E).
    F64,
}

impl IdxType {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::U8,
            0x09 => Self::I8,
            0x0B => Self::I16,
            0x0C => Self::I32,
            0x0D => Self::F32,
            0x0E => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of one value.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// An open IDX file, read item by item along its first axis.
pub struct IdxReader {
    path: PathBuf,
    value: IdxType,
    shape: Vec<usize>,
    bytes: Box<dyn Read + Send>,
    item_bytes: usize,
    next: usize,
}

impl std::fmt::Debug for IdxReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdxReader")
            .field("path", &self.path)
            .field("value", &self.value)
            .field("shape", &self.shape)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl IdxReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::Malformed`] if it is no IDX file, an axis is empty or its sizes are out of reason, or
    /// a plain file is not exactly as long as its header says.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        };
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut magic = [0; 2];
        let is_gzip = match file.read_exact(&mut magic) {
            Ok(()) => magic == [0x1f, 0x8b],
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => false,
            Err(e) => return Err(io(e)),
        };
        file.rewind().map_err(io)?;
        let file = BufReader::with_capacity(1 << 16, file);
        if is_gzip {
            Self::new(
                path,
                Box::new(BufReader::new(MultiGzDecoder::new(file))),
                None,
            )
        } else {
            Self::new(path, Box::new(file), Some(length))
        }
    }

    /// Reads the header from bytes that are not packed; `path` is for errors. `length` is their number, where known.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(
        path: &Path,
        mut bytes: Box<dyn Read + Send>,
        length: Option<u64>,
    ) -> Result<Self, DataError> {
        let bad = |reason: String| malformed(path, reason);
        let mut magic = [0; 4];
        read(path, &mut bytes, &mut magic, "its header")?;
        let [0, 0, code, n_axes] = magic else {
            let [a, b, ..] = magic;
            return Err(bad(format!(
                "expected it to begin with bytes 0 0, found {a} {b}"
            )));
        };
        let value = IdxType::of(code).ok_or_else(|| {
            bad(format!(
                "expected a type code of 0x08, 0x09 or 0x0B to 0x0E, found {code:#04x}"
            ))
        })?;
        if !(1..=MAX_AXES).contains(&n_axes) {
            return Err(bad(format!(
                "expected 1 to {MAX_AXES} axes, found {n_axes}"
            )));
        }
        let mut shape = Vec::new();
        for axis in 0..n_axes {
            let mut size = [0; 4];
            read(path, &mut bytes, &mut size, "its header")?;
            let size = u32::from_be_bytes(size);
            if size == 0 {
                return Err(bad(format!("axis {axis} is empty")));
            }
            shape.push(size as usize);
        }
        let item = shape[1..]
            .iter()
            .try_fold(value.size() as u64, |n, &size| n.checked_mul(size as u64))
            .filter(|&n| n <= MAX_ITEM)
            .and_then(|n| usize::try_from(n).ok());
        let item_bytes = item.ok_or_else(|| {
            bad(format!(
                "items of shape {:?} are longer than {MAX_ITEM} bytes",
                &shape[1..]
            ))
        })?;
        let header = 4 + 4 * u64::from(n_axes);
        let expected = header + shape[0] as u64 * item_bytes as u64;
        if let Some(found) = length
            && found != expected
        {
            return Err(bad(format!(
                "expected {expected} bytes for shape {shape:?}, found {found}"
            )));
        }
        Ok(Self {
            path: path.to_path_buf(),
            value,
            shape,
            bytes,
            item_bytes,
            next: 0,
        })
    }

    /// The type of the values in the file.
    #[must_use]
    pub fn value_type(&self) -> IdxType {
        self.value
    }

    /// Sizes of the axes as the header gives them; the first is the number of items.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Items that have not been read yet.
    #[must_use]
    pub fn n_left(&self) -> usize {
        self.shape[0] - self.next
    }

    /// The next `n` items, or all that are left if those are fewer, as bytes.
    ///
    /// # Errors
    /// [`DataError::Invalid`] if the values are not unsigned bytes; [`DataError::Malformed`] if the file ends early, its
    /// packing is damaged, or bytes follow the last item.
    pub fn read_u8(&mut self, n: usize) -> Result<Vec<u8>, DataError> {
        if self.value != IdxType::U8 {
            let place = crate::Place::dataset("values").in_file(&self.path);
            return Err(DataError::invalid(
                place,
                "unsigned bytes",
                format!("{:?}", self.value),
            ));
        }
        let mut values = Vec::new();
        self.read_items(n, |item| values.extend_from_slice(item))?;
        Ok(values)
    }

    /// The next `n` items, or all that are left if those are fewer, as numbers. Every type fits without loss.
    ///
    /// # Errors
    /// [`DataError::Malformed`] as [`Self::read_u8`].
    pub fn read_f64(&mut self, n: usize) -> Result<Vec<f64>, DataError> {
        let mut values = Vec::new();
        let value = self.value;
        self.read_items(n, |item| match value {
            IdxType::U8 => values.extend(item.iter().map(|&b| f64::from(b))),
            IdxType::I8 => values.extend(item.iter().map(|&b| f64::from(b as i8))),
            IdxType::I16 => values.extend(numbers(item).map(|b| f64::from(i16::from_be_bytes(b)))),
            IdxType::I32 => values.extend(numbers(item).map(|b| f64::from(i32::from_be_bytes(b)))),
            IdxType::F32 => values.extend(numbers(item).map(|b| f64::from(f32::from_be_bytes(b)))),
            IdxType::F64 => values.extend(numbers(item).map(f64::from_be_bytes)),
        })?;
        Ok(values)
    }

    fn read_items(&mut self, n: usize, mut take: impl FnMut(&[u8])) -> Result<(), DataError> {
        let n = n.min(self.n_left());
        // In pieces, so that a header that lies about the item's length costs no memory.
        let mut piece = vec![0; self.item_bytes.min(1 << 20)];
        // A piece must hold whole values; 2^20 is a multiple of every value's size.
        for _ in 0..n {
            let mut left = self.item_bytes;
            while left > 0 {
                let part = left.min(piece.len());
                let what = format!("item {} of {}", self.next, self.shape[0]);
                read(&self.path, &mut self.bytes, &mut piece[..part], &what)?;
                take(&piece[..part]);
                left -= part;
            }
            self.next += 1;
        }
        if n > 0 && self.n_left() == 0 {
            // Reading on also makes a gzip decoder check its sum.
            match self.bytes.read(&mut [0]) {
                Ok(0) => {}
                Ok(_) => {
                    return Err(malformed(
                        &self.path,
                        format!("bytes follow the last of {} items", self.shape[0]),
                    ));
                }
                Err(error) => return Err(broken(&self.path, error, "its end")),
            }
        }
        Ok(())
    }
}

fn numbers<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

fn malformed(path: &Path, reason: String) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        format: FORMAT,
        reason,
    }
}

/// A fault of the bytes is the file's; any other is the machine's.
fn broken(path: &Path, error: std::io::Error, what: &str) -> DataError {
    match error.kind() {
        ErrorKind::UnexpectedEof => malformed(path, format!("the file ends within {what}")),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            malformed(path, format!("damaged gzip at {what}: {error}"))
        }
        _ => DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source: error,
        },
    }
}

fn read(path: &Path, bytes: &mut dyn Read, into: &mut [u8], what: &str) -> Result<(), DataError> {
    bytes
        .read_exact(into)
        .map_err(|error| broken(path, error, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    fn file(code: u8, shape: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, code, shape.len() as u8];
        for size in shape {
            bytes.extend(size.to_be_bytes());
        }
        bytes.extend(values);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn open(bytes: &[u8]) -> Result<IdxReader, DataError> {
        let temp = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(temp.path(), bytes).unwrap();
        IdxReader::open(temp.path())
    }

    #[test]
    fn every_type_reads_to_its_values() {
        let check = |code, bytes: &[u8], expected: &[f64]| {
            let mut reader = open(&file(code, &[2], bytes)).unwrap();
            assert_eq!(reader.read_f64(9).unwrap(), expected);
            let mut reader = open(&gzip(&file(code, &[2], bytes))).unwrap();
            assert_eq!(reader.read_f64(1).unwrap(), expected[..1]);
            assert_eq!(reader.read_f64(1).unwrap(), expected[1..]);
            assert_eq!(reader.n_left(), 0);
            assert_eq!(reader.read_f64(1).unwrap(), [0.0; 0]);
        };
        check(0x08, &[1, 255], &[1.0, 255.0]);
        check(0x09, &[1, 255], &[1.0, -1.0]);
        check(0x0B, &[1, 0, 255, 254], &[256.0, -2.0]);
        check(0x0C, &[0, 1, 0, 0, 255, 255, 255, 253], &[65536.0, -3.0]);
        let f32s: Vec<u8> = [1.5f32, -2.25]
            .iter()
            .flat_map(|v| v.to_be_bytes())
            .collect();
        check(0x0D, &f32s, &[1.5, -2.25]);
        let f64s: Vec<u8> = [0.1f64, -1e300]
            .iter()
            .flat_map(|v| v.to_be_bytes())
            .collect();
        check(0x0E, &f64s, &[0.1, -1e300]);
    }

    #[test]
    fn items_come_in_order_and_chunks_of_any_size_are_the_same() {
        let values: Vec<u8> = (0..60).collect();
        let bytes = file(0x08, &[5, 3, 4], &values);
        for n in 1..7 {
            let mut reader = open(&bytes).unwrap();
            assert_eq!(reader.shape(), [5, 3, 4]);
            let mut all = Vec::new();
            while reader.n_left() > 0 {
                all.extend(reader.read_u8(n).unwrap());
            }
            assert_eq!(all, values);
        }
    }

    #[test]
    fn hostile_files_are_refused_with_what_is_wrong() {
        let refused = |bytes: &[u8]| match open(bytes) {
            Err(error) => error.to_string(),
            Ok(mut reader) => reader.read_f64(usize::MAX).unwrap_err().to_string(),
        };
        let good = file(0x08, &[2, 2], &[1, 2, 3, 4]);
        assert!(refused(b"").contains("ends within its header"));
        assert!(refused(&good[..3]).contains("ends within its header"));
        assert!(refused(&good[..9]).contains("ends within its header"));
        assert!(refused(&good[..15]).contains("expected 16 bytes for shape [2, 2], found 15"));
        assert!(refused(&[&good[..], &[5]].concat()).contains("found 17"));
        assert!(refused(b"P5 28 28").contains("found 80 53"));
        assert!(refused(&file(0x0A, &[1], &[0])).contains("0x0a"));
        assert!(refused(&file(0x08, &[], &[0])).contains("axes, found 0"));
        assert!(refused(&file(0x08, &[1; 9], &[0])).contains("axes, found 9"));
        assert!(refused(&file(0x08, &[3, 0], &[])).contains("axis 1 is empty"));
        assert!(refused(&file(0x0E, &[u32::MAX; 8], &[0])).contains("longer than"));
        // A gzip file's length is not known beforehand: 4 GiB are claimed, 4 bytes are there.
        let huge = file(0x08, &[u32::MAX, 1 << 31], &[0; 4]);
        assert!(refused(&gzip(&huge)).contains("ends within item 0 of 4294967295"));
        assert!(refused(&gzip(&[&good[..], &[5]].concat())).contains("follow the last of 2"));
        let packed = gzip(&good);
        assert!(refused(&packed[..packed.len() - 9]).contains("ends within"));
        let mut wrong_sum = packed.clone();
        let at = packed.len() - 6;
        wrong_sum[at] ^= 1;
        assert!(refused(&wrong_sum).contains("damaged gzip"));
    }

    #[test]
    fn bytes_are_asked_of_bytes_alone() {
        let error = open(&file(0x0B, &[1], &[0, 1]))
            .unwrap()
            .read_u8(1)
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expected unsigned bytes, found I16")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_values_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), code in 0u8..16, axes in 0u8..4) {
            let mut bytes = bytes;
            for with_magic in [false, true] {
                if with_magic {
                    bytes.splice(0..0, [0, 0, code, axes]);
                }
                let length = bytes.len() as u64;
                for length in [None, Some(length)] {
                    let reader = IdxReader::new(Path::new("x"), Box::new(Cursor::new(bytes.clone())), length);
                    if let Ok(mut reader) = reader {
                        let n: usize = reader.shape().iter().product();
                        if let Ok(values) = reader.read_f64(usize::MAX) {
                            prop_assert_eq!(values.len(), n);
                        }
                    }
                }
            }
        }
    }
}
