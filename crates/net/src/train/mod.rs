//! Parameters and their optimizers, on the host: plain numbers that can be kept, read back and gone on from to the same
//! bits.

mod adam;
mod parameters;
mod sgd;

pub use adam::{Adam, Group};
pub use parameters::{Array, Parameters, Scalar, download, upload};
pub use sgd::{Sgd, cosine};
