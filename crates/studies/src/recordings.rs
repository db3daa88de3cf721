//! Studies of recordings: structure found in the activity of animals and models.

pub mod dynamic_connectome;
pub mod timeseries_networks;
pub mod trsa;
