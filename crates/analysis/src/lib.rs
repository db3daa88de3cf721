//! Structure from neural activity.

pub mod connectome;
