//! Frozen random reservoirs, as resistive memory gives them, and contrastive projections across modalities (paper 32).

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod checks;
mod claims;
mod config;
mod cost;
mod cross;
mod data;
mod figures;
mod probe;
mod run;
mod tables;
#[cfg(test)]
mod tests;

pub use config::{Config, Sounds};

/// The study.
pub struct ResistiveLsmStudy;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        ResistiveLsmStudy,
        "it takes two folders of labeled event files, one for each modality, which `fit` has no way to name: call it from Rust, \
         as chiasm::data::Events::read, chiasm::circuit::frozen::Reservoir and chiasm::analysis::contrastive",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "resistive-lsm",
    area: Area::Spiking,
    title: "Frozen reservoirs of random resistive memory, read out linearly and matched across modalities by contrast",
    summary: "Events of digits seen and of digits heard each drive a random recurrent spiking network whose weights never \
              change, as pairs of memristors are formed once. Linear readouts of the spike counts are measured beside the \
              counts of the events themselves, without recurrence, with too much of it, and on chips with noise, few levels and \
              stuck cells. Small projections then learn to bring both modalities together; sounds are looked up among images, of \
              classes that were trained and of pairs of classes held out, against untrained projections, prototypes and chance.",
    home: "circuit::frozen, circuit::memristor, analysis::contrastive",
    inputs: "MNIST (chiasm data get mnist) and the Free Spoken Digit Dataset in fsdd/recordings; drawn digits and made-up voices \
             stand in where they are not at hand",
    paper: Paper {
        card: 32,
        title: "Resistive memory-based zero-shot liquid state machine for multimodal event data learning",
        authors: "Ning Lin, Shaocong Wang, Yi Li, and others",
        venue: "Nature Computational Science",
        year: 2025,
        link: "https://arxiv.org/abs/2307.00771",
    },
};

impl Study for ResistiveLsmStudy {
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
