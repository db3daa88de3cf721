//! The field's formats, one file each. [`crate::io`] is the way in.

pub(crate) mod arrays;
pub(crate) mod csv;
pub(crate) mod facts;
pub(crate) mod h5value;
pub(crate) mod hdf5;
pub(crate) mod layout;
mod lzf;
pub(crate) mod mapped;
pub mod mapping;
pub(crate) mod mat;
pub mod mat5;
pub(crate) mod mat73;
mod npy;
pub(crate) mod npz;
mod number;
pub(crate) mod nwb;
pub(crate) mod nwb_write;
pub(crate) mod parquet;
pub(crate) mod pytorch;
pub(crate) mod safetensors;
pub(crate) mod table;
mod thrift;

pub use mapping::{Axes, CovariateAt, EpochsAt, Mapping, SessionFacts, TimeUnit};
