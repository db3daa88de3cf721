//! The catalogue: one study for each paper, wiring only.
//!
//! - [`catalogue`]: the studies that are built;
//! - [`SYSTEMS`]: all 56 systems, built or planned.
//!
//! A study is added in two places: its module under its area, and one line in [`catalogue`].

use chiasm_lab::Entry;

pub mod continual;
pub mod images;
pub mod learning;
mod photographs;
pub mod recordings;
pub mod sounds;
pub mod spiking;
pub mod systems;

pub use systems::{SYSTEMS, System};

/// The studies that are built, in the order of their papers.
#[must_use]
pub fn catalogue() -> Vec<Entry> {
    vec![
        recordings::dynamic_connectome::entry(),
        recordings::biclustering::entry(),
        spiking::ca3_cam::entry(),
        spiking::nalsm::entry(),
        learning::rich_lazy::entry(),
        continual::hlop::entry(),
        learning::neural_collapse::entry(),
        learning::representational_geometry::entry(),
        learning::critical_periods::entry(),
        recordings::discriminative_stimuli::entry(),
        recordings::onehot_hmm_glm::entry(),
        recordings::mm_gpvae::entry(),
        spiking::resistive_lsm::entry(),
        learning::quadratic_networks::entry(),
        recordings::timeseries_networks::entry(),
        recordings::trsa::entry(),
        spiking::place_recognition::entry(),
        spiking::learned_delays::entry(),
        spiking::dynamic_confidence::entry(),
        learning::linguistic_collapse::entry(),
        learning::scaling_mlps::entry(),
        learning::benign_oscillation::entry(),
    ]
}
