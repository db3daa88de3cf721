//! Hebbian learning based orthogonal projection (paper 19), on permuted digits.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod arms;
mod checks;
mod claims;
mod config;
mod figures;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Arm, Config};

/// The study.
pub struct HlopStudy;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        HlopStudy,
        "the method takes a sequence of labelled tasks, not a recording: call it from Rust, as \
         chiasm::net::continual::hlop::Learner",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "hlop",
    area: Area::Continual,
    title: "Lateral Hebbian circuits let a spiking network learn task after task without forgetting",
    summary: "Each layer of a spiking network has lateral neurons that learn, by a Hebbian and an anti-Hebbian rule, the subspace in \
              which the layer's inputs lie; the weights of later tasks change only by the part of the inputs orthogonal to it. On \
              digits whose pixels each task sees in another order the study measures what is learned and what is forgotten, \
              beside sequential training, replay and learning all tasks at once, with other training rules and other feedback, \
              and without each part of the method.",
    home: "net::continual::hlop",
    inputs: "MNIST or Fashion-MNIST (chiasm data get mnist); drawn digits stand in where they are not at hand",
    paper: Paper {
        card: 19,
        title: "Hebbian Learning based Orthogonal Projection for Continual Learning of Spiking Neural Networks",
        authors: "Mingqing Xiao, Qingyan Meng, Zongpeng Zhang, Di He, Zhouchen Lin",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2402.11984",
    },
};

impl Study for HlopStudy {
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
