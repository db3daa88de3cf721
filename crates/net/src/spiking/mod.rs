//! Whole spiking networks.
//!
//! - [`qcfs`]: a network trained with quantized activations, and the spiking network it turns into (paper 48);
//! - [`confidence`]: when a spiking classifier may stop (paper 48), for the outputs of any network;
//! - [`delays`]: networks whose synapses have a weight and a delay that both learn (paper 45), in plain arrays.

pub mod confidence;
pub mod delays;
pub mod qcfs;
