//! Studies of recordings: structure found in the activity of animals and models.

pub mod biclustering;
pub mod discriminative_stimuli;
pub mod dynamic_connectome;
pub mod mm_gpvae;
pub mod onehot_hmm_glm;
pub mod timeseries_networks;
pub mod trsa;
