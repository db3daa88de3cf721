//! Whole spiking networks.
//!
//! - [`qcfs`]: a network trained with quantized activations, and the spiking network it turns into (paper 48);
//! - [`confidence`]: when a spiking classifier may stop (paper 48), for the outputs of any network.

pub mod confidence;
pub mod qcfs;
