//! Representational similarity analysis: what a region or layer represents, as the dissimilarities between stimuli, and
//! its geo-topological variants (paper 43, Lin & Kriegeskorte 2023).
//!
//! From patterns to a figure, each step usable alone:
//!
//! - [`distance`]: an RDM from patterns, or from a recording ([`patterns()`]);
//! - [`transform`]: ranks, the geo-topological transform ([`Thresholds`]), the sigmoid;
//! - [`geodesic`]: distances along the graph of short edges ([`Geodesic`]);
//! - [`identify()`]: which region or layer an RDM came from, tested on subjects left out;
//! - [`map`]: accuracy over all thresholds, and by [`Family`] of thresholds;
//! - [`bootstrap()`]: its error, over stimuli and subjects drawn together, paired over families;
//! - [`compare()`]: correlations between RDMs; [`mds`]: a picture of them; [`noise`]: a simulation's noise.
//!
//! ```
//! use chiasm_analysis::rsa::{Thresholds, Transform, identify};
//! use chiasm_data::{RdmLabel, RdmRules, Rdms};
//! # fn main() -> Result<(), chiasm_core::Failure> {
//! // Two subjects' RDMs (3 stimuli) of two layers; the subjects differ in scale.
//! let values = ndarray::array![[1., 2., 3.], [3., 2., 1.], [10., 20., 30.], [30., 20., 10.]];
//! let labels = [("a", "in"), ("a", "out"), ("b", "in"), ("b", "out")].map(|(s, r)| RdmLabel::new(s, r));
//! let rdms = Rdms::from_condensed(values, labels.to_vec(), RdmRules::default())?;
//! let ranks = Transform::GeoTopological(Thresholds::new(0.0, 1.0)?).apply(&rdms)?;
//! assert_eq!(identify(ranks.view(), rdms.labels())?.accuracy(), 1.0);
//! # Ok(())
//! # }
//! ```

pub mod bootstrap;
pub mod compare;
pub mod distance;
mod error;
mod family;
pub mod geodesic;
pub mod identify;
pub mod map;
pub mod mds;
pub mod noise;
pub mod patterns;
pub mod transform;

#[cfg(test)]
mod tests;

pub use bootstrap::{Bootstrap, BootstrapResult, Duplicates, bootstrap};
pub use compare::{Similarity, compare};
pub use distance::{Distance, Precision, crossnobis, rdm};
pub use error::RsaError;
pub use family::Family;
pub use geodesic::{Geodesic, ZeroEdges};
pub use identify::{Identification, identify, worse_p};
pub use map::{AccuracyMap, accuracy_map};
pub use mds::{Mds, MdsResult, procrustes};
pub use noise::{NoiseScale, add_noise};
pub use patterns::{Conditions, Patterns, patterns};
pub use transform::{Thresholds, Transform};
