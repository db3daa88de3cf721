//! Numbers as files of weights store them, little end first.

use super::h5value::half;

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Stored {
    /// The numbers in `bytes`; what is left over at the end is dropped.
    pub(super) fn read(self, bytes: &[u8]) -> Vec<f64> {
        fn all<const N: usize>(bytes: &[u8], of: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            bytes.as_chunks::<N>().0.iter().map(|c| of(*c)).collect()
        }
        match self {
            Self::F64 => all(bytes, f64::from_le_bytes),
            Self::F32 => all(bytes, |b| f64::from(f32::from_le_bytes(b))),
            Self::F16 => all(bytes, |b| half(u16::from_le_bytes(b))),
            // The upper half of a single.
            Self::Bf16 => all(bytes, |b: [u8; 2]| {
                f64::from(f32::from_le_bytes([0, 0, b[0], b[1]]))
            }),
            Self::I64 => all(bytes, |b| i64::from_le_bytes(b) as f64),
            Self::I32 => all(bytes, |b| f64::from(i32::from_le_bytes(b))),
            Self::I16 => all(bytes, |b| f64::from(i16::from_le_bytes(b))),
            Self::I8 => all(bytes, |b| f64::from(i8::from_le_bytes(b))),
            Self::U64 => all(bytes, |b| u64::from_le_bytes(b) as f64),
            Self::U32 => all(bytes, |b| f64::from(u32::from_le_bytes(b))),
            Self::U16 => all(bytes, |b| f64::from(u16::from_le_bytes(b))),
            Self::U8 => all(bytes, |[b]| f64::from(b)),
            Self::Bool => all(bytes, |[b]| f64::from(u8::from(b != 0))),
        }
    }
}
