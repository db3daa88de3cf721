//! Studies of spiking circuits and networks.

pub mod ca3_cam;
pub mod nalsm;
pub mod dynamic_confidence;
