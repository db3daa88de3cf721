//! Parameters and their optimizer, on the host: plain numbers that can be kept, read back and gone on from to the same
//! bits.

mod adam;
mod parameters;

pub use adam::{Adam, Group};
pub use parameters::{Array, Parameters, Scalar, download, upload};
