//! MATLAB 5 MAT files (`save` without options, `-v6` and `-v7`): numeric, logical, char, cell, struct and sparse arrays
//! of any class, compressed or not, of either byte order. Our own because the crates to be had (`matfile` 0.5, `mat5`
//! 0.1) read no struct or cell arrays, and recordings and RDMs come in those.
//!
//! A file is hostile until read: no length in it is believed before the bytes are there. What a file may unfold to is
//! bounded by [`MAX_BYTES`] (a MAT 5 variable cannot exceed 2 GiB anyway), nesting by 64 levels.
//!
//! Arrays stand as MATLAB keeps them, column-major: element `(r, c)` of a matrix is `values[r + c * dims[0]]`.
//!
//! Source: *MAT-File Format*, The MathWorks, chapter 1 (version 5).

use std::path::Path;

use crate::DataError;

mod decode;
mod elements;
#[cfg(test)]
mod tests;
mod value;

pub use value::{MatArray, MatClass, MatSparse, MatStruct, MatValue, Numbers};

/// The format's name in errors.
pub(crate) const FORMAT: &str = "MAT 5";

/// What a file may unfold to in memory, bytes.
pub const MAX_BYTES: usize = 1 << 31;

/// A variable of a MAT file.
#[derive(Debug, Clone, PartialEq)]
pub struct MatVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: MatValue,
}

/// Reads all variables of the file, in the order of the file.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be read; else those of [`parse`].
pub fn read(path: &Path) -> Result<Vec<MatVariable>, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io {
        path: path.to_path_buf(),
        action: "read",
        source,
    })?;
    parse(&bytes, path)
}

/// Reads all variables from the bytes of a file; `path` only names it in errors. Values of MATLAB's own object classes
/// come back as [`MatValue::Opaque`], so that one of them spoils no file.
///
/// # Errors
/// [`DataError::Malformed`] with the offset where the bytes stop making sense (cut short, damaged, a length that
/// does not fit); [`DataError::Unsupported`] for MAT 4 and MAT 7.3 (HDF5) files and beyond [`MAX_BYTES`].
pub fn parse(bytes: &[u8], path: &Path) -> Result<Vec<MatVariable>, DataError> {
    parse_within(bytes, path, MAX_BYTES)
}

/// [`parse`] with a bound of its own on what the file may unfold to, in bytes.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_within(
    bytes: &[u8],
    path: &Path,
    max_bytes: usize,
) -> Result<Vec<MatVariable>, DataError> {
    decode::file(bytes, max_bytes).map_err(|fault| fault.at(path))
}

/// Whether these first bytes of a file (at least 128) are those of a MAT 5 file.
#[must_use]
pub fn is_mat5(head: &[u8]) -> bool {
    decode::byte_order(head).is_ok()
}
