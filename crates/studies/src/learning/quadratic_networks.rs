//! Quadratic networks and their stable training (paper 34), in the plane and on vibrations of bearings.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod arms;
mod bearing_networks;
mod bearings;
mod checks;
mod claims;
mod config;
mod figures;
mod run;
#[cfg(test)]
mod tests;

pub use config::Config;

/// The study.
pub struct QuadraticNetworksStudy;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        QuadraticNetworksStudy,
        "the method is a layer for any network, not an analysis of a recording: call it from Rust, as \
         chiasm::net::network::Layer::quadratic and chiasm::net::quadratic::ReLinear",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "quadratic-networks",
    area: Area::Learning,
    title: "Quadratic neurons train stably when they grow slowly out of ordinary ones",
    summary: "A quadratic neuron multiplies two weighted sums of its inputs and adds a weighted sum of their squares. Trained like \
              ordinary networks, networks of such neurons blow up; begun as ordinary ones, with small rates for their quadratic \
              parts (ReLinear), they do not. On rings and spirals in the plane the study measures accuracy and divergence beside \
              ordinary networks, also of as many parameters, and beside each part of the method left out; what functions such \
              networks can be, exactly; and whether convolutional ones tell faults of bearings better in noise.",
    home: "net::quadratic",
    inputs: "optional: a folder of vibrations, one file for each condition (`bearings.folder`); points in the plane are generated",
    paper: Paper {
        card: 34,
        title: "On Expressivity and Trainability of Quadratic Networks",
        authors: "Fenglei Fan, Mengzhou Li, Fei Wang, Rongjie Lai, Ge Wang",
        venue: "IEEE Transactions on Neural Networks and Learning Systems",
        year: 2023,
        link: "https://arxiv.org/abs/2110.06081",
    },
};

impl Study for QuadraticNetworksStudy {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        claims::all()
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        run::run(config, bench)
    }
}
