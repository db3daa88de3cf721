//! Values of HDF5 datasets: stored bytes of any numeric type to `f64`, strings of either kind to text.

use std::path::Path;

use hdf5_reader::error::Error;
use hdf5_reader::{
    ByteOrder, CompoundField, Dataset, Datatype, H5Type, SliceInfo, StringEncoding, StringPadding,
    StringSize, VarLenKind,
};
use ndarray::ArrayD;

use super::arrays::Values;
use super::hdf5::{is_big, shaped, translate, type_name};
use crate::DataError;

/// Why values could not be had.
pub(super) enum Fault {
    /// The engine refused.
    Engine(Error),
    /// Of a type that is not a number or a text.
    Type(String),
    /// The bytes contradict the header.
    Damaged(&'static str),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl Fault {
    /// The error about dataset `name` of this file.
    pub(super) fn at(self, path: &Path, name: &str) -> DataError {
        match self {
            Self::Engine(error) => match translate(path, error) {
                DataError::Malformed {
                    path,
                    format,
                    reason,
                } => DataError::Malformed {
                    path,
                    format,
                    reason: format!("`{name}`: {reason}"),
                },
                other => other,
            },
            Self::Type(what) => DataError::Unsupported {
                path: path.to_path_buf(),
                format: super::hdf5::FORMAT,
                what: format!("dataset `{name}` of {what}"),
                help: Some("numbers and strings are read; a field of a compound dataset is `dataset/field`".into()),
            },
            Self::Damaged(reason) => super::hdf5::malformed(path, &format!("`{name}`: {reason}")),
        }
    }
}

/// More elements than this cannot be meant, whatever their size.
const MAX_ELEMENTS: u64 = 1 << 40;

/// The most bytes that variable-length values of one dataset may add up to.
const MAX_HEAP_BYTES: usize = 1 << 30;

/// All values of a dataset.
pub(super) fn read(dataset: &Dataset) -> Result<Values, Fault> {
    let count = dataset.num_elements()?;
    if count == 0 {
        let shape = if dataset.shape().contains(&0) {
            dataset.shape().to_vec()
        } else {
            vec![0]
        };
        return match dataset.dtype() {
            Datatype::String { .. } => Ok(Values::Texts(Vec::new())),
            _ => shaped(&shape, Vec::new())
                .map(Values::Numbers)
                .ok_or(Fault::Damaged("an empty shape")),
        };
    }
    let width = dataset.raw_element_size()?;
    if width == 0 || count > MAX_ELEMENTS {
        return Err(Fault::Damaged("elements without size or beyond number"));
    }
    let raw = dataset.read_raw_bytes()?;
    if (raw.len() / width) as u64 != count {
        return Err(Fault::Damaged("fewer values than its header promises"));
    }
    decode(
        dataset,
        dataset.dtype(),
        raw.chunks_exact(width),
        dataset.shape(),
    )
}

/// A dataset of variable-length lists of numbers, in single precision: of tens of millions of numbers that is half the memory.
pub(super) fn lists(dataset: &Dataset) -> Result<Vec<Vec<f32>>, Fault> {
    let Datatype::VarLen { base, .. } = dataset.dtype() else {
        let kind = type_name(dataset.dtype());
        return Err(Fault::Type(format!("{kind}, where lists are expected")));
    };
    let width = number_width(base)
        .ok_or_else(|| Fault::Type(format!("variable-length {}", type_name(base))))?;
    if dataset.num_elements()? == 0 {
        return Ok(vec![]);
    }
    let cell = dataset.raw_element_size()?;
    let raw = dataset.read_raw_bytes()?;
    if cell == 0 || (raw.len() / cell) as u64 != dataset.num_elements()? {
        return Err(Fault::Damaged("fewer values than its header promises"));
    }
    heap(dataset, raw.chunks_exact(cell), width, |bytes| {
        let numbers = bytes.chunks_exact(width);
        numbers
            .map(|cell| number(base, cell).map(|v| v as f32))
            .collect::<Option<Vec<f32>>>()
            .ok_or(Fault::Damaged("a short value"))
    })
}

/// One field of a compound dataset; `None` if it has no such field or is not compound.
pub(super) fn read_field(dataset: &Dataset, field: &str) -> Result<Option<Values>, Fault> {
    let Datatype::Compound { size, fields } = dataset.dtype() else {
        return Ok(None);
    };
    let Some(CompoundField {
        byte_offset,
        datatype,
        ..
    }) = fields.iter().find(|f| f.name == field)
    else {
        return Ok(None);
    };
    let (width, at) = (*size as usize, *byte_offset as usize);
    if width == 0 || dataset.num_elements()? > MAX_ELEMENTS {
        return Err(Fault::Damaged("records without size or beyond number"));
    }
    let raw = dataset.read_raw_bytes()?;
    if at >= width {
        return Err(Fault::Damaged("a field beyond its record"));
    }
    let cells = raw.chunks_exact(width).map(|record| &record[at..]);
    decode(dataset, datatype, cells, dataset.shape()).map(Some)
}

fn decode<'a>(
    dataset: &Dataset,
    datatype: &Datatype,
    cells: impl Iterator<Item = &'a [u8]>,
    shape: &[u64],
) -> Result<Values, Fault> {
    match datatype {
        Datatype::String {
            size: StringSize::Fixed(len),
            encoding,
            padding,
        } => cells
            .map(|cell| {
                let cell = cell
                    .get(..*len as usize)
                    .ok_or(Fault::Damaged("a string beyond its record"))?;
                let text = text(cell, *encoding);
                Ok(match padding {
                    StringPadding::SpacePad => text.trim_end_matches(' ').to_owned(),
                    _ => text,
                })
            })
            .collect::<Result<_, _>>()
            .map(Values::Texts),
        Datatype::String { encoding, .. }
        | Datatype::VarLen {
            kind: VarLenKind::String,
            encoding,
            ..
        } => heap(dataset, cells, 1, |bytes| Ok(text(&bytes, *encoding))).map(Values::Texts),
        Datatype::VarLen { base, .. } => {
            let width = number_width(base)
                .ok_or_else(|| Fault::Type(format!("variable-length {}", type_name(base))))?;
            heap(dataset, cells, width, |bytes| {
                bytes
                    .chunks_exact(width)
                    .map(|cell| number(base, cell).ok_or(Fault::Damaged("a short value")))
                    .collect::<Result<Vec<f64>, _>>()
            })
            .map(Values::Ragged)
        }
        _ => {
            if number_width(datatype).is_none() {
                return Err(Fault::Type(type_name(datatype).to_owned()));
            }
            let list = cells
                .map(|cell| number(datatype, cell).ok_or(Fault::Damaged("a short value")))
                .collect::<Result<Vec<f64>, _>>()?;
            shaped(shape, list)
                .map(Values::Numbers)
                .ok_or(Fault::Damaged("fewer values than its header promises"))
        }
    }
}

/// Follows references into the global heap. Many may name one object, so what they add up to is bounded.
fn heap<'a, T>(
    dataset: &Dataset,
    cells: impl Iterator<Item = &'a [u8]>,
    width: usize,
    convert: impl Fn(Vec<u8>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let reference = dataset.vlen_reference_size();
    let mut total = 0_usize;
    cells
        .map(|cell| {
            let cell = cell
                .get(..reference)
                .ok_or(Fault::Damaged("a reference beyond its record"))?;
            let bytes = dataset.resolve_vlen_reference_bytes(cell, width)?;
            total += bytes.len();
            if total > MAX_HEAP_BYTES {
                return Err(Fault::Damaged("variable-length values beyond reason"));
            }
            convert(bytes)
        })
        .collect()
}

fn text(bytes: &[u8], encoding: StringEncoding) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    match encoding {
        // ASCII by declaration, but Latin 1 in practice where a byte is beyond it.
        StringEncoding::Ascii => match std::str::from_utf8(&bytes[..end]) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes[..end].iter().map(|&b| char::from(b)).collect(),
        },
        _ => String::from_utf8_lossy(&bytes[..end]).into_owned(),
    }
}

/// Whether the engine can hand out slices of this type as numbers.
pub(super) fn is_plain(datatype: &Datatype) -> bool {
    matches!(
        datatype,
        Datatype::FixedPoint {
            size: 1 | 2 | 4 | 8,
            ..
        } | Datatype::FloatingPoint { size: 4 | 8, .. }
    )
}

/// A slice of a dataset of plain numbers, as `f32`.
pub(super) fn read_slice(dataset: &Dataset, slice: &SliceInfo) -> Result<ArrayD<f32>, Fault> {
    fn typed<T: H5Type + Copy>(
        dataset: &Dataset,
        slice: &SliceInfo,
        cast: impl Fn(T) -> f32,
    ) -> Result<ArrayD<f32>, Fault> {
        Ok(dataset.read_slice::<T>(slice)?.mapv(cast))
    }
    match dataset.dtype() {
        Datatype::FloatingPoint { size: 4, .. } => typed(dataset, slice, |v: f32| v),
        Datatype::FloatingPoint { size: 8, .. } => typed(dataset, slice, |v: f64| v as f32),
        Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
            (1, true) => typed(dataset, slice, |v: i8| f32::from(v)),
            (1, false) => typed(dataset, slice, |v: u8| f32::from(v)),
            (2, true) => typed(dataset, slice, |v: i16| f32::from(v)),
            (2, false) => typed(dataset, slice, |v: u16| f32::from(v)),
            (4, true) => typed(dataset, slice, |v: i32| v as f32),
            (4, false) => typed(dataset, slice, |v: u32| v as f32),
            (8, true) => typed(dataset, slice, |v: i64| v as f32),
            _ => typed(dataset, slice, |v: u64| v as f32),
        },
        other => Err(Fault::Type(type_name(other).to_owned())),
    }
}

/// Bytes of one number of this type; `None` if it is not one.
fn number_width(datatype: &Datatype) -> Option<usize> {
    match datatype {
        Datatype::FixedPoint { size, .. } if matches!(size, 1 | 2 | 4 | 8) => {
            Some(usize::from(*size))
        }
        Datatype::Bitfield { size, .. } if matches!(size, 1 | 2 | 4 | 8) => {
            Some(usize::from(*size))
        }
        Datatype::FloatingPoint { size, .. } if matches!(size, 2 | 4 | 8) => {
            Some(usize::from(*size))
        }
        Datatype::Enum { base, .. } => number_width(base),
        _ => None,
    }
}

/// One number from the front of `cell`; `None` if the cell is too short or the type is no number.
fn number(datatype: &Datatype, cell: &[u8]) -> Option<f64> {
    let width = number_width(datatype)?;
    let cell = cell.get(..width)?;
    let bits = |order: ByteOrder| {
        let mut bytes = [0_u8; 8];
        for (i, &b) in cell.iter().enumerate() {
            bytes[if is_big(order) { width - 1 - i } else { i }] = b;
        }
        u64::from_le_bytes(bytes)
    };
    Some(match datatype {
        Datatype::Enum { base, .. } => return number(base, cell),
        Datatype::FixedPoint {
            signed: true,
            byte_order,
            ..
        } => {
            let unused = 64 - 8 * width as u32;
            ((bits(*byte_order) << unused) as i64 >> unused) as f64
        }
        Datatype::FixedPoint { byte_order, .. } | Datatype::Bitfield { byte_order, .. } => {
            bits(*byte_order) as f64
        }
        Datatype::FloatingPoint { byte_order, .. } => match width {
            8 => f64::from_bits(bits(*byte_order)),
            4 => f64::from(f32::from_bits(bits(*byte_order) as u32)),
            _ => half(bits(*byte_order) as u16),
        },
        _ => return None,
    })
}

/// An IEEE half-precision number.
pub(super) fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_reference_values() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2_f64.powi(-24)),
            (0x3555, 0.333_251_953_125),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
    }
}
