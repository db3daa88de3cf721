//! Studies of how networks learn, beside what theory predicts.

pub mod quadratic_networks;
pub mod representational_geometry;
pub mod rich_lazy;
