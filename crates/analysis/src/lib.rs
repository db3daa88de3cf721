//! Structure from neural activity.
//!
//! - [`connectome`]: communities among units, from their affinities over time;
//! - [`rsa`]: what a region represents, as dissimilarities between stimuli, and which region or layer that gives away.

pub mod connectome;
pub mod rsa;
