//! Studies of how networks learn, beside what theory predicts.

pub mod benign_oscillation;
pub mod critical_periods;
