//! NPY, numpy's format for one array: any number type, either byte order, C or Fortran order, and strings.
//!
//! Written by hand because `ndarray-npy` reads neither strings (unit ids, labels) nor an array whose type is not known
//! beforehand.

use std::io::{self, Read};
use std::ops::Range;

use ndarray::{Array2, ArrayD, IxDyn, ShapeBuilder};

use super::arrays::Values;
use super::h5value::half;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether bytes begin as an NPY file does.
pub(crate) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// What the head of an NPY file says of the values after it.
pub(crate) struct Header {
    pub(crate) shape: Vec<usize>,
    descr: String,
    class: char,
    /// Bytes of a value.
    width: usize,
    big: bool,
    fortran: bool,
    count: usize,
    /// Bytes of all values.
    total: usize,
}

impl Header {
    pub(crate) fn read(input: &mut dyn Read) -> Result<Self, String> {
        let text = head(input)?;
        let descr = quoted(&text, "descr")?.to_owned();
        let shape = shape(field(&text, "shape")?)?;
        let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        let count = count.ok_or("a shape beyond any memory")?;
        let kind = descr.trim_start_matches(['<', '>', '|', '=']);
        let class = kind.chars().next().unwrap_or(' ');
        let width = kind.get(class.len_utf8()..).and_then(|w| w.parse().ok());
        let width: usize = width.ok_or_else(|| format!("type `{descr}` is not read"))?;
        let width = match class {
            'U' => width.checked_mul(4).ok_or("strings beyond any memory")?,
            _ => width,
        };
        let total = width
            .checked_mul(count)
            .ok_or("a shape beyond any memory")?;
        Ok(Self {
            shape,
            class,
            width,
            big: descr.starts_with('>'),
            fortran: field(&text, "fortran_order")?.starts_with("True"),
            descr,
            count,
            total,
        })
    }

    /// All values, which follow in `input`; `most` is the number of bytes that can follow.
    pub(crate) fn values(&self, input: &mut dyn Read, most: u64) -> Result<Values, String> {
        self.check(most)?;
        let mut data = Vec::new();
        let read = input.take(self.total as u64).read_to_end(&mut data);
        read.map_err(|e| e.to_string())?;
        if data.len() < self.total {
            return Err(self.cut_short(data.len() as u64));
        }
        if matches!(self.class, 'U' | 'S') {
            // Of width 0 there may be any number in no bytes at all.
            if self.count > data.len().max(1 << 16) {
                return Err("empty strings beyond reason".into());
            }
            let cell = |i: usize| &data[i * self.width..(i + 1) * self.width];
            let texts = (0..self.count)
                .map(|i| text(cell(i), self.class == 'U', self.big))
                .collect::<Result<Vec<String>, _>>()?;
            return Ok(Values::Texts(texts));
        }
        let list = self.numbers(&data)?.collect();
        ArrayD::from_shape_vec(IxDyn(&self.shape).set_f(self.fortran), list)
            .map(|a| Values::Numbers(a.as_standard_layout().into_owned()))
            .map_err(|e| e.to_string())
    }

    /// Of a matrix (or a list, as one unit) the values `[time, unit]` of the time points in `rows` alone, read line by
    /// line. `time_first` says which axis of the file is time.
    pub(crate) fn rows(
        &self,
        input: &mut dyn Read,
        most: u64,
        time_first: bool,
        rows: Range<usize>,
    ) -> Result<Array2<f32>, String> {
        self.check(most)?;
        let (first, second) = match self.shape[..] {
            [n] => (n, 1),
            [first, second] => (first, second),
            _ => return Err(format!("its shape {:?} is no matrix", self.shape)),
        };
        // A line is what lies side by side in the file.
        let (n_lines, length) = if self.fortran {
            (second, first)
        } else {
            (first, second)
        };
        let line_is_frame = time_first != self.fortran || self.shape.len() == 1 && !self.fortran;
        let n_frames = if line_is_frame { n_lines } else { length };
        let rows = rows.start.min(n_frames)..rows.end.min(n_frames);
        let n_units = if line_is_frame { length } else { n_lines };
        if self.count == 0 {
            // One of the two lengths may be anything.
            self.numbers(&[]).map(drop)?;
            return Ok(Array2::zeros((rows.len(), n_units)));
        }
        let mut line = vec![0; length * self.width];
        let mut values = Vec::new();
        let room = values.try_reserve_exact(rows.len() * n_units);
        room.map_err(|_| "a shape beyond the memory at hand".to_owned())?;
        let lines = if line_is_frame {
            rows.clone()
        } else {
            0..n_lines
        };
        let skipped = (lines.start * line.len()) as u64;
        let passed = io::copy(&mut input.take(skipped), &mut io::sink());
        if passed.map_err(|e| e.to_string())? < skipped {
            return Err(self.cut_short(skipped));
        }
        for _ in lines.clone() {
            input.read_exact(&mut line).map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => self.cut_short(0),
                _ => e.to_string(),
            })?;
            let numbers = self.numbers(&line)?.map(|v| v as f32);
            if line_is_frame {
                values.extend(numbers);
            } else {
                values.extend(numbers.skip(rows.start).take(rows.len()));
            }
        }
        let matrix = if line_is_frame {
            Array2::from_shape_vec((rows.len(), n_units), values)
        } else {
            let by_unit = Array2::from_shape_vec((n_units, rows.len()), values);
            by_unit.map(|m| m.t().as_standard_layout().into_owned())
        };
        matrix.map_err(|e| e.to_string())
    }

    fn check(&self, most: u64) -> Result<(), String> {
        if self.total as u64 > most {
            return Err(self.cut_short(most));
        }
        Ok(())
    }

    fn cut_short(&self, found: u64) -> String {
        let total = self.total;
        match found {
            0 => format!("its header promises {total} bytes of data, but fewer follow"),
            _ => format!("its header promises {total} bytes of data, but at most {found} follow"),
        }
    }

    fn numbers<'a>(&self, data: &'a [u8]) -> Result<impl Iterator<Item = f64> + use<'a>, String> {
        let read = number(self.class, self.width)
            .ok_or_else(|| format!("type `{}` is not read", self.descr))?;
        let (width, big) = (self.width, self.big);
        Ok(data.chunks_exact(width).map(move |cell| {
            let mut word = [0_u8; 8];
            for (i, &b) in cell.iter().enumerate() {
                word[if big { width - 1 - i } else { i }] = b;
            }
            read(u64::from_le_bytes(word))
        }))
    }
}

/// How a number of this class and width is made of its bits.
fn number(class: char, width: usize) -> Option<fn(u64) -> f64> {
    Some(match (class, width) {
        ('f', 8) => f64::from_bits,
        ('f', 4) => |b| f64::from(f32::from_bits(b as u32)),
        ('f', 2) => |b| half(b as u16),
        ('i', 8) => |b| b as i64 as f64,
        ('i', 4) => |b| f64::from(b as u32 as i32),
        ('i', 2) => |b| f64::from(b as u16 as i16),
        ('i', 1) => |b| f64::from(b as u8 as i8),
        ('u', 1 | 2 | 4 | 8) => |b| b as f64,
        ('b', 1) => |b| f64::from(u8::from(b != 0)),
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

/// The header's text; what follows are the data.
fn head(input: &mut dyn Read) -> Result<String, String> {
    let short = |e: io::Error| match e.kind() {
        io::ErrorKind::UnexpectedEof => "cut short within its header".to_owned(),
        _ => e.to_string(),
    };
    let mut start = [0; 8];
    input.read_exact(&mut start).map_err(short)?;
    let major = match start.strip_prefix(MAGIC) {
        Some(&[major, _minor]) => major,
        _ => return Err("it does not begin as NPY does".into()),
    };
    let mut length = [0; 4];
    match major {
        0 | 1 => input.read_exact(&mut length[..2]).map_err(short)?,
        2 | 3 => input.read_exact(&mut length).map_err(short)?,
        _ => return Err(format!("version {major} is not known")),
    }
    let length = u64::from(u32::from_le_bytes(length));
    let mut header = Vec::new();
    let read = input.take(length).read_to_end(&mut header).map_err(short)?;
    if (read as u64) < length {
        return Err("cut short within its header".into());
    }
    String::from_utf8(header).map_err(|_| "its header is not text".into())
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
