//! Published data sets: a register with source, licence, citation and checksums; finding, fetching and loading them.
//!
//! - [`find`] and [`all`]: the register;
//! - [`Roots`]: where a data set lies on this machine;
//! - [`get`]: fetches one, resuming where it stopped, and never leaves half a file under its final name;
//! - [`verify`]: whether the files on this machine are those of the register;
//! - [`recording`], [`rdms`]: a recording or RDMs by name, such as `worms/2022-07-26-31`;
//! - [`cifar`]: CIFAR-10, as published or as JPEG; [`idx`], [`images`]: MNIST and its relatives; [`wiring`]: who synapses on whom.
//!
//! ```no_run
//! use chiasm_core::Quiet;
//! use chiasm_data::datasets::{self, Get, Roots, images::{LabelledImages, Split}};
//!
//! let set = datasets::find("fashion-mnist")?;
//! let roots = Roots::from_env();
//! if roots.locate(set).is_err() {
//!     Get::default().run(set, &roots.home(set)?, &Quiet)?;
//! }
//! let test = LabelledImages::open(set, &roots, Split::Test)?;
//! for chunk in test.chunks(1000)? {
//!     let chunk = chunk?;
//!     println!("{:?} {:?}", chunk.images.dim(), chunk.labels);
//! }
//! # Ok::<(), chiasm_core::Failure>(())
//! ```

pub mod cifar;
mod error;
mod fetch;
mod get;
pub mod idx;
pub mod images;
mod locate;
mod recordings;
mod registry;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
pub mod wiring;

pub use error::FetchError;
pub use fetch::Patience;
pub use get::{Get, Got, Verdict, get, verify};
pub use locate::{Located, Roots, test_data};
pub use recordings::{file_named, rdms, recording};
pub use registry::{DataSet, Known, RemoteFile, all, find};
