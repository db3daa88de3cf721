//! The dynamic functional connectome (paper 01): which units form which communities, and when.
//!
//! Three stages, each usable alone:
//! - [`affinity`]: a recording becomes a non-linear affinity of every pair of units at every moment;
//! - [`factorization`]: the affinities of one or more animals become a few components of time, pairs and animals;
//! - [`block_model`]: the pairs of a component become communities of units, at every level of a hierarchy.
//!
//! [`communities`] runs all three, [`behavior`] asks what the components follow, and [`states`] is the field's plain
//! baseline.

pub mod affinity;
pub mod behavior;
pub mod block_model;
pub mod communities;
pub mod error;
pub mod factorization;
pub mod states;

pub use error::{AffinityError, FactorizationError};
