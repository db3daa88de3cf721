//! Runs: a study or a fit on disk, over its seeds, resumable to the same bits.
//!
//! - [`record`]: [`RunRecord`], the content of `run.json`;
//! - [`Plan`]: what is to be run; [`Run`]: its folder, held by this process alone; [`Run::execute`]: the work;
//! - [`read`], [`runs_of`]: runs of the past.
//!
//! ```text
//! runs/<study>/<time>-<hash of the plan>/
//!   run.json             the record: status, claims, metrics, provenance
//!   config.toml          the settings, resolved; good for --config
//!   claims.json          the claims alone
//!   metrics.parquet      scalar results and curves: seed, name, step, value, unit
//!   figures/*.svg|png|csv|json, tables/*.csv, recordings/*.npz
//!   report.html
//!   checkpoint/, lock    only while the run is not finished
//! ```
//!
//! Every file is written under another name, synced and renamed, and `run.json` says `finished` only after all others
//! stand: what a kill, a full disk or a lost power leaves behind is either absent or whole.

mod checkpoint;
mod error;
mod execute;
mod folder;
mod input;
mod metrics;
mod outputs;
mod past;
mod plan;
mod provenance;
pub mod record;

pub use error::RunError;
pub use folder::{Place, Run};
pub use input::{missing_from_text, missing_to_text, span_from_text, span_to_text};
pub use outputs::write_report;
pub use past::{newest, read, runs_of};
pub use plan::{NoFit, Plan, fit_of};
pub use provenance::{Build, peak_memory_bytes};
pub use record::{FORMAT, RunRecord, Status, Task};

#[cfg(test)]
mod tests;
