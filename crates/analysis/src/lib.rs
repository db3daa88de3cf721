//! Structure from neural activity.
//!
//! - [`connectome`]: communities among units, from their affinities over time;
//! - [`hmm`]: hidden Markov chains over given emissions: smoothing, the most probable path, draws of paths;
//! - [`partition`]: how much two partitions agree, and Louvain's method;
//! - [`permutation`]: tests against time shifts, which know that samples of a recording are not independent;
//! - [`rsa`]: what a region represents, as dissimilarities between stimuli, and which region or layer that gives away.

pub mod connectome;
pub mod hmm;
pub mod partition;
pub mod permutation;
pub mod rsa;
pub mod timeseries_graph;
