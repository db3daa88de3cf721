//! Elements: a tag (type, length) and its bytes, read without believing any length before the bytes are there.

use std::path::Path;

use super::FORMAT;
use super::value::Numbers;
use crate::DataError;

/// What a value costs beside its numbers, bytes: charged so that a flood of empty cells is bounded, too.
pub(super) const NODE_BYTES: usize = 128;

/// What is wrong, before the file's name is known.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bytes make no sense at this offset of the file (or of the inflated element).
    Malformed(usize, String),
    /// Sound, but not read.
    Unsupported(String, Option<&'static str>),
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> DataError {
        let path = path.to_path_buf();
        match self {
            Self::Malformed(offset, reason) => DataError::Malformed {
                path,
                format: FORMAT,
                reason: format!("{reason} (at byte {offset})"),
            },
            Self::Unsupported(what, help) => DataError::Unsupported {
                path,
                format: FORMAT,
                what,
                help: help.map(Into::into),
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// What may still be allocated.
pub(super) struct Budget(pub(super) usize);

impl Budget {
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            Fault::Unsupported("data that unfold beyond the memory bound".into(), None)
        })?;
        Ok(())
    }
}

const MI_INT8: u32 = 1;
const MI_UINT8: u32 = 2;
const MI_INT16: u32 = 3;
const MI_UINT16: u32 = 4;
const MI_INT32: u32 = 5;
pub(super) const MI_UINT32: u32 = 6;
const MI_SINGLE: u32 = 7;
const MI_DOUBLE: u32 = 9;
const MI_INT64: u32 = 12;
const MI_UINT64: u32 = 13;
pub(super) const MI_MATRIX: u32 = 14;
pub(super) const MI_COMPRESSED: u32 = 15;
const MI_UTF8: u32 = 16;
const MI_UTF16: u32 = 17;
const MI_UTF32: u32 = 18;

pub(super) fn u16_at(bytes: &[u8], order: Order) -> u16 {
    let raw = [bytes[0], bytes[1]];
    match order {
        Order::Little => u16::from_le_bytes(raw),
        Order::Big => u16::from_be_bytes(raw),
    }
}

#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) kind: u32,
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Element<'a> {
    pub(super) fn inner(self, order: Order) -> Cursor<'a> {
        Cursor {
            bytes: self.bytes,
            at: 0,
            order,
        }
    }

    pub(super) fn not_a(&self, what: &str) -> Fault {
        Fault::Malformed(
            self.offset,
            format!("an element of type {} where a {what} is due", self.kind),
        )
    }
}

pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) order: Order,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], Fault> {
        let left = self.bytes.len() - self.at;
        if len > left {
            let reason = format!("{what} of {len} bytes where {left} are left");
            return Err(Fault::Malformed(self.at, reason));
        }
        let taken = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(taken)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Fault> {
        let order = self.order;
        let b = self.take(4, what)?;
        let raw = [b[0], b[1], b[2], b[3]];
        Ok(match order {
            Order::Little => u32::from_le_bytes(raw),
            Order::Big => u32::from_be_bytes(raw),
        })
    }

    /// The next element; steps over its padding to 8 bytes.
    pub(super) fn element(&mut self) -> Result<Element<'a>, Fault> {
        let offset = self.at;
        let first = self.u32("a tag")?;
        let (kind, len) = (first & 0xffff, first >> 16);
        if len != 0 {
            // The small form: type, length and up to 4 bytes of data in 8 bytes.
            let data = self.take(4, "a small element")?;
            let bytes = data.get(..len as usize).ok_or_else(|| {
                Fault::Malformed(offset, format!("a small element of {len} bytes"))
            })?;
            return Ok(Element {
                kind,
                bytes,
                offset,
            });
        }
        let len = self.u32("a tag")? as usize;
        let bytes = self.take(len, "an element")?;
        if kind != MI_COMPRESSED {
            // Some writers leave the last element unpadded.
            self.at = self.at.next_multiple_of(8).min(self.bytes.len());
        }
        Ok(Element {
            kind,
            bytes,
            offset,
        })
    }
}

/// The numbers of an element.
pub(super) fn numbers(
    element: Element<'_>,
    order: Order,
    budget: &mut Budget,
) -> Result<Numbers, Fault> {
    budget.spend(element.bytes.len())?;
    macro_rules! decode {
        ($variant:ident $type:ty) => {{
            const SIZE: usize = size_of::<$type>();
            if !element.bytes.len().is_multiple_of(SIZE) {
                let reason = format!("{} bytes of {SIZE}-byte numbers", element.bytes.len());
                return Err(Fault::Malformed(element.offset, reason));
            }
            let one = |b: &[u8]| {
                let mut raw = [0; SIZE];
                raw.copy_from_slice(b);
                match order {
                    Order::Little => <$type>::from_le_bytes(raw),
                    Order::Big => <$type>::from_be_bytes(raw),
                }
            };
            Numbers::$variant(element.bytes.chunks_exact(SIZE).map(one).collect())
        }};
    }
    Ok(match element.kind {
        MI_INT8 => decode!(I8 i8),
        MI_UINT8 => decode!(U8 u8),
        MI_INT16 => decode!(I16 i16),
        MI_UINT16 => decode!(U16 u16),
        MI_INT32 => decode!(I32 i32),
        MI_UINT32 => decode!(U32 u32),
        MI_INT64 => decode!(I64 i64),
        MI_UINT64 => decode!(U64 u64),
        MI_SINGLE => decode!(F32 f32),
        MI_DOUBLE => decode!(F64 f64),
        _ => return Err(element.not_a("row of numbers")),
    })
}

/// The characters of an element, in whatever encoding it is stored.
pub(super) fn characters(
    element: Element<'_>,
    order: Order,
    budget: &mut Budget,
) -> Result<Vec<char>, Fault> {
    budget.spend(element.bytes.len() * size_of::<char>())?;
    let units = |size: usize| {
        element.bytes.chunks_exact(size).map(move |b| match order {
            Order::Little => b.iter().rev().fold(0u32, |x, &b| x << 8 | u32::from(b)),
            Order::Big => b.iter().fold(0u32, |x, &b| x << 8 | u32::from(b)),
        })
    };
    Ok(match element.kind {
        MI_INT8 | MI_UINT8 => element.bytes.iter().map(|&b| char::from(b)).collect(),
        MI_UTF8 => String::from_utf8_lossy(element.bytes).chars().collect(),
        MI_UINT16 | MI_UTF16 => char::decode_utf16(units(2).map(|u| u as u16))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        MI_UTF32 => units(4)
            .map(|u| char::from_u32(u).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        _ => return Err(element.not_a("text")),
    })
}

pub(super) fn text(
    element: Element<'_>,
    order: Order,
    budget: &mut Budget,
) -> Result<String, Fault> {
    Ok(characters(element, order, budget)?.into_iter().collect())
}
