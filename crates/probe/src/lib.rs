//! Microscopes on networks and on models of neurons.
//!
//! - [`stimuli`]: most discriminative stimuli, which drive one cluster of neurons and no other, and the clusters they give.

pub mod stimuli;
