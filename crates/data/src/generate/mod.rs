//! Data with planted truth: each generator returns the data and what a method should find in them.
//!
//! - [`spike_assemblies`]: Poisson spike trains in which groups of units fire together at known times;
//! - [`shapes`]: curves, surfaces and clouds of known geometry and topology.

pub mod shapes;
mod spike_assemblies;

pub use spike_assemblies::{AssemblyTruth, SpikeAssemblies, spike_assemblies};
