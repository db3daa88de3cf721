//! Runs: a study or a fit on disk, over its seeds, resumable to the same bits.
//!
//! - [`record`]: [`RunRecord`], the content of `run.json`.

pub mod record;

pub use record::{FORMAT, RunRecord, Status, Task};
