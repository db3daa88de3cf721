//! NPY, numpy's format for one array: any number type, either byte order, C or Fortran order, and strings.
//!
//! Written by hand because `ndarray-npy` reads neither strings (unit ids, labels) nor an array whose type is not known
//! beforehand.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::arrays::Values;
use super::h5value::half;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether bytes begin as an NPY file does.
pub(crate) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The values of an NPY file; on failure, what is wrong with it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Values, String> {
    let (header, data) = split(bytes)?;
    let descr = quoted(header, "descr")?;
    let fortran = field(header, "fortran_order")?.starts_with("True");
    let shape = shape(field(header, "shape")?)?;
    let count = shape
        .iter()
        .try_fold(1_usize, |n, &d| n.checked_mul(d))
        .ok_or("a shape beyond any memory")?;
    let big = descr.starts_with('>');
    let kind: String = descr.trim_start_matches(['<', '>', '|', '=']).to_owned();
    let (class, width) = kind.split_at(kind.chars().next().map_or(0, char::len_utf8));
    let width: usize = width
        .parse()
        .map_err(|_| format!("type `{descr}` is not read"))?;
    let unit = match class {
        "U" => width.checked_mul(4).ok_or("strings beyond any memory")?,
        _ => width,
    };
    let total = unit.checked_mul(count).ok_or("a shape beyond any memory")?;
    if total > data.len() {
        return Err(format!(
            "its header promises {total} bytes of data, but {} follow",
            data.len()
        ));
    }
    if matches!(class, "U" | "S") {
        // Of width 0 there may be any number in no bytes at all.
        if count > data.len().max(1 << 16) {
            return Err("empty strings beyond reason".into());
        }
        let texts = (0..count)
            .map(|i| text(&data[i * unit..(i + 1) * unit], class == "U", big))
            .collect::<Result<Vec<String>, _>>()?;
        return Ok(Values::Texts(texts));
    }
    let read = number(class, width).ok_or_else(|| format!("type `{descr}` is not read"))?;
    let list: Vec<f64> = data[..total]
        .chunks_exact(width)
        .map(|cell| {
            let mut word = [0_u8; 8];
            for (i, &b) in cell.iter().enumerate() {
                word[if big { width - 1 - i } else { i }] = b;
            }
            read(u64::from_le_bytes(word))
        })
        .collect();
    ArrayD::from_shape_vec(IxDyn(&shape).set_f(fortran), list)
        .map(|a| Values::Numbers(a.as_standard_layout().into_owned()))
        .map_err(|e| e.to_string())
}

/// How a number of this class and width is made of its bits.
fn number(class: &str, width: usize) -> Option<fn(u64) -> f64> {
    Some(match (class, width) {
        ("f", 8) => f64::from_bits,
        ("f", 4) => |b| f64::from(f32::from_bits(b as u32)),
        ("f", 2) => |b| half(b as u16),
        ("i", 8) => |b| b as i64 as f64,
        ("i", 4) => |b| f64::from(b as u32 as i32),
        ("i", 2) => |b| f64::from(b as u16 as i16),
        ("i", 1) => |b| f64::from(b as u8 as i8),
        ("u", 1 | 2 | 4 | 8) => |b| b as f64,
        ("b", 1) => |b| f64::from(u8::from(b != 0)),
        _ => return None,
    })
}

fn text(cell: &[u8], wide: bool, big: bool) -> Result<String, String> {
    if !wide {
        let end = cell.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
        return Ok(String::from_utf8_lossy(&cell[..end]).into_owned());
    }
    let codes: Vec<u32> = cell
        .chunks_exact(4)
        .map(|c| {
            let c = [c[0], c[1], c[2], c[3]];
            if big {
                u32::from_be_bytes(c)
            } else {
                u32::from_le_bytes(c)
            }
        })
        .collect();
    let end = codes.iter().rposition(|&c| c != 0).map_or(0, |i| i + 1);
    codes[..end]
        .iter()
        .map(|&c| char::from_u32(c).ok_or_else(|| format!("{c:#x} is no character")))
        .collect()
}

/// The header's text and the data after it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let short = || "cut short within its header".to_owned();
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("it does not begin as NPY does")?;
    let (&[major, _minor], rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let (len, rest) = if major == 1 {
        let (len, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        (usize::from(u16::from_le_bytes(*len)), rest)
    } else if major <= 3 {
        let (len, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        (u32::from_le_bytes(*len) as usize, rest)
    } else {
        return Err(format!("version {major} is not known"));
    };
    let header = rest.get(..len).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    Ok((header, &rest[len..]))
}

/// The text after `'name':` in the header, a Python dictionary.
fn field<'a>(header: &'a str, name: &str) -> Result<&'a str, String> {
    let missing = || format!("its header lacks `{name}`");
    let at = header
        .find(&format!("'{name}'"))
        .or_else(|| header.find(&format!("\"{name}\"")))
        .ok_or_else(missing)?;
    let rest = &header[at + name.len() + 2..];
    let rest = rest.trim_start().strip_prefix(':').ok_or_else(missing)?;
    Ok(rest.trim_start())
}

fn quoted<'a>(header: &'a str, name: &str) -> Result<&'a str, String> {
    let rest = field(header, name)?;
    let record = || format!("`{name}` is not one plain type (record arrays are not read)");
    let mark = rest
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"'))
        .ok_or_else(record)?;
    rest[1..].split(mark).next().ok_or_else(record)
}

fn shape(text: &str) -> Result<Vec<usize>, String> {
    let wrong = || "its shape is not a tuple of whole numbers".to_owned();
    let inner = text
        .strip_prefix('(')
        .and_then(|t| t.split_once(')'))
        .ok_or_else(wrong)?
        .0;
    let shape: Vec<usize> = inner
        .split(',')
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .map(|p| p.trim_end_matches('L').parse().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    if shape.len() > 32 {
        return Err("more than 32 dimensions".into());
    }
    Ok(shape)
}

/// An NPY file of these bytes in C order.
fn encode(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let dims: String = shape.iter().map(|n| format!("{n},")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    // The data begin at a multiple of 64 bytes, after a newline.
    let filled = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
    let version_1 = filled - MAGIC.len() - 4 <= usize::from(u16::MAX);
    debug_assert!(version_1, "shapes of recordings fit a short header");
    header.extend(std::iter::repeat_n(
        ' ',
        filled - MAGIC.len() - 4 - header.len() - 1,
    ));
    header.push('\n');
    let mut out = Vec::with_capacity(filled + data.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[1, 0]);
    out.extend_from_slice(&(header.len() as u16).to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(data);
    out
}

/// `float64` of this shape.
pub(crate) fn from_f64(shape: &[usize], values: impl Iterator<Item = f64>) -> Vec<u8> {
    let data: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
    encode("<f8", shape, &data)
}

/// `float32` of this shape.
pub(crate) fn from_f32(shape: &[usize], values: impl Iterator<Item = f32>) -> Vec<u8> {
    let data: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    encode("<f4", shape, &data)
}

/// A list of `int64`.
pub(crate) fn from_i64(values: &[i64]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    encode("<i8", &[values.len()], &data)
}

/// A list of strings, as numpy's fixed-width Unicode.
pub(crate) fn from_texts<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Vec<u8> {
    let width = texts
        .clone()
        .map(|t| t.chars().count())
        .max()
        .unwrap_or(0)
        .max(1);
    let mut data = Vec::new();
    for text in texts.clone() {
        let codes = text.chars().map(u32::from).chain(std::iter::repeat(0));
        data.extend(codes.take(width).flat_map(u32::to_le_bytes));
    }
    encode(&format!("<U{width}"), &[texts.count()], &data)
}
