//! Recordings with planted truth: each generator returns a recording and what a method should find in it.
//!
//! - [`spike_assemblies`]: Poisson spike trains in which groups of units fire together at known times.

mod spike_assemblies;

pub use spike_assemblies::{AssemblyTruth, SpikeAssemblies, spike_assemblies};
