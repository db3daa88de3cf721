//! Studies of spiking circuits and networks.

pub mod ca3_cam;
pub mod dynamic_confidence;
pub mod learned_delays;
pub mod nalsm;
pub mod place_recognition;
pub mod resistive_lsm;
