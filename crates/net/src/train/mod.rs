//! Parameters and their optimizers, on the host: plain numbers that can be kept, read back and gone on from to the same
//! bits.

mod optimizer;
mod parameters;
mod schedule;

pub use optimizer::{NotFinite, Optimizer, Rule, Share};
pub use parameters::{Array, Parameters, download, upload};
pub use schedule::{cosine, one_cycle};
