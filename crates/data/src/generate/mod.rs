//! Data with planted truth: each generator returns the data and what a method should find in them.
//!
//! - [`bearing_vibrations`](fn@bearing_vibrations): a bearing without a fault and with nine, where recorded ones are not at hand;
//! - [`cerebral_flow`](fn@cerebral_flow): pressure from the heart to the brain's capillaries, in sinus rhythm and in fibrillation;
//! - [`clustered_counts`]: spike counts of clusters of neurons whose shared latents switch between two dynamics;
//! - [`aligned_clusters`], [`four_clusters`]: clusters of inputs whose geometry and labels are set apart from each other;
//! - [`cognitive_trials`]: trials of short tasks that animals are trained on;
//! - [`markov_tokens`](fn@markov_tokens): tokens of a Markov chain, where no text is at hand;
//! - [`color_textures`](fn@color_textures): textures in color, where CIFAR-10 is not at hand;
//! - [`drawn_digits`](fn@drawn_digits): images of digits, where handwritten ones are not at hand;
//! - [`voiced_digits`](fn@voiced_digits): words of made-up voices, where spoken digits are not at hand;
//! - [`lfr`](fn@lfr): weighted graphs with planted communities;
//! - [`planted_calcium`]: calcium traces of several animals whose neurons form communities during stimulus epochs;
//! - [`spike_assemblies`]: Poisson spike trains in which groups of units fire together at known times;
//! - [`switching_network`]: counts of a network whose couplings switch between hidden states;
//! - [`cell_types`](fn@cell_types), [`movie_types`]: model neurons of known functional types;
//! - [`rotating_digits`]: spike counts and images of a digit, driven by shared and private smooth latents;
//! - [`network_rdms`]: dissimilarities of network layers, like between seeds only in their order;
//! - [`order_task`](fn@order_task): spikes whose order alone tells the class;
//! - [`Planar`]: two spirals or rings in the plane;
//! - [`route`](fn@route): a route seen several times in changing light;
//! - [`saccades`](fn@saccades): events of a camera whose gaze jumps over an image;
//! - [`shapes`]: curves, surfaces and clouds of known geometry and topology.

mod bearing_vibrations;
mod cell_types;
pub mod cerebral_flow;
mod cluster_tasks;
mod clustered_counts;
mod cognitive_trials;
mod color_textures;
mod drawn_digits;
mod lfr;
mod markov_tokens;
mod network_rdms;
mod order_task;
mod planar;
mod planted_calcium;
mod rotating_digits;
mod route;
mod saccades;
pub mod shapes;
mod spike_assemblies;
mod switching_network;
mod voiced_digits;

pub use bearing_vibrations::{BearingVibrations, bearing_vibrations};
pub use cell_types::{
    CellKind, CellTypes, CellTypesTruth, MovieTypes, MovieTypesTruth, cell_types, movie_types,
};
pub use cerebral_flow::{CerebralFlow, CerebralFlowTruth, Rhythm, cerebral_flow};
pub use cluster_tasks::{
    AlignedClusters, ClusterTask, FourClusters, FourKind, aligned_clusters, four_clusters,
};
pub use clustered_counts::{ClusteredCounts, ClusteredTruth, clustered_counts};
pub use cognitive_trials::{CognitiveTask, CognitiveTrials, cognitive_trials};
pub use color_textures::color_textures;
pub use drawn_digits::drawn_digits;
pub use lfr::{Lfr, LfrGraph, lfr};
pub use markov_tokens::{MarkovTokens, markov_tokens};
pub use network_rdms::{NetworkRdms, NetworkRdmsTruth, network_rdms};
pub use order_task::{OrderSample, OrderTask, OrderTruth, order_task};
pub use planar::Planar;
pub use planted_calcium::{CalciumTruth, PlantedCalcium, PlantedMotif, planted_calcium};
pub use rotating_digits::{DigitTrials, RotatingDigits, rotating_digits};
pub use route::{Route, RouteTruth, route};
pub use saccades::{Saccades, saccades};
pub use spike_assemblies::{AssemblyTruth, SpikeAssemblies, spike_assemblies};
pub use switching_network::{SwitchingNetwork, SwitchingTruth, switching_network};
pub use voiced_digits::voiced_digits;
