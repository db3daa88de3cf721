//! Benign oscillation of SGD with large steps (paper 55).

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod exact;
mod figures;
mod photos;
mod run;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use photos::Photos;

/// The study.
pub struct BenignOscillation;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        BenignOscillation,
        "the method takes labelled patches and two features, not a recording: call it from Rust, as \
         chiasm::net::theory::oscillation::{Patches, Descent}",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "benign-oscillation",
    area: Area::Learning,
    title: "Steps so large that predictions oscillate learn a weak feature that small steps leave",
    summary: "A network of squared, rectified filters sees a strong feature in most samples and a weak one in all. Where the step is \
              beyond a threshold that one sample's exact dynamics give, predictions oscillate and fall short of the label in the \
              mean, so that the weak feature goes on growing until it tells samples on its own; small steps fit the strong one and \
              stop. The study checks the exact dynamics and the threshold, follows projections and predictions, takes each part away, \
              and trains networks on photographs at either step.",
    home: "net::theory::oscillation",
    inputs: "photographs of CIFAR-10 where they are on this machine, else drawn textures; patches are drawn from the seed",
    paper: Paper {
        card: 55,
        title: "Benign Oscillation of Stochastic Gradient Descent with Large Learning Rates",
        authors: "Miao Lu, Beining Wu, Xiaodong Yang, Difan Zou",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2310.17074",
    },
};

impl Study for BenignOscillation {
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
