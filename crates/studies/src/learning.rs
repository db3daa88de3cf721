//! Studies of how networks learn, beside what theory predicts.

pub mod quadratic_networks;
