//! The field's formats, one file each. [`crate::io`] is the way in.

pub(crate) mod arrays;
pub(crate) mod h5value;
pub(crate) mod hdf5;
mod lzf;
pub(crate) mod mapped;
pub mod mapping;
pub mod mat5;
mod npy;
pub(crate) mod npz;

pub use mapping::{Axes, CovariateAt, EpochsAt, Mapping, SessionFacts, TimeUnit};
