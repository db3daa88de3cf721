//! Structure from neural activity.
//!
//! - [`biclustering`]: neurons clustered by shared latent paths, bins by their dynamics, Bayesian;
//! - [`collapse`]: how features of one class draw together: measures over samples in batches, and features on a spring;
//! - [`connectome`]: communities among units, from their affinities over time;
//! - [`contrastive`]: two modalities in one space, by projections that learn from pairs; look-up of classes never seen;
//! - [`geometry`]: whether a code looks like its inputs or like the labels it serves: parallelism, generalization across
//!   conditions, decoding, selectivity, and what they come to by chance;
//! - [`hmm`]: hidden Markov chains over given emissions: smoothing, the most probable path, draws of paths;
//! - [`kernel`]: which items a code holds for alike: alignments of kernels, their dimension;
//! - [`kmeans`]: points into groups of least squared distance;
//! - [`mcmc`]: whether Markov chains have mixed, what their draws are worth, where the posterior lies;
//! - [`partition`]: how much two partitions agree, and Louvain's method;
//! - [`permutation`]: tests against time shifts, which know that samples of a recording are not independent;
//! - [`polya_gamma`]: draws of Pólya-Gamma variables, for Gibbs samplers of counts;
//! - [`readout`]: softmax regression on features, such as the spike counts of a reservoir;
//! - [`rsa`]: what a region represents, as dissimilarities between stimuli, and which region or layer that gives away;
//! - [`switching`]: hidden states of a network that switch its couplings, from spike counts;
//! - [`timeseries_graph`]: time series as networks: visibility, cycle and recurrence graphs, and their measures.

pub mod biclustering;
pub mod collapse;
pub mod connectome;
pub mod contrastive;
pub mod geometry;
pub mod hmm;
pub mod kernel;
pub mod kmeans;
pub mod mcmc;
mod number;
pub mod partition;
pub mod permutation;
pub mod polya_gamma;
pub mod readout;
pub mod rsa;
pub mod switching;
pub mod timeseries_graph;
