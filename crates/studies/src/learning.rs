//! Studies of how networks learn, beside what theory predicts.

pub mod linguistic_collapse;
pub mod neural_collapse;
pub mod quadratic_networks;
pub(crate) mod samples;
