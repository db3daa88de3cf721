//! Studies of how networks learn, beside what theory predicts.

pub mod benign_oscillation;
pub mod critical_periods;
pub mod linguistic_collapse;
pub mod neural_collapse;
pub mod quadratic_networks;
pub mod representational_geometry;
pub mod rich_lazy;
pub(crate) mod samples;
pub mod scaling_mlps;
