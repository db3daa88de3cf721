//! The content-addressable memory of hippocampal area CA3 (paper 14).

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod arms;
mod ask;
mod claims;
mod config;
mod figures;
mod limits;
mod published;
mod run;
#[cfg(test)]
mod tests;

pub use config::Config;

/// The study.
pub struct Ca3CamStudy;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        Ca3CamStudy,
        "the memory takes operations (learn, recall), not a recording: call it from Rust, as chiasm::circuit::ca3::Cam",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "ca3-cam",
    area: Area::Spiking,
    title: "A spiking memory after hippocampal CA3 that learns in one presentation, forgets when rewritten, and is asked from both sides",
    summary: "Pairs of a cue and a content are stored in the plastic synapses of a small spiking circuit in one presentation of \
              3 ms. A cue recalls its content; a content line recalls all cues that hold it; writing a cue again erases what it \
              had. The study repeats the authors' three runs spike count by spike count, then asks what they did not: how many \
              random contents are recalled, what happens when operations follow each other too fast, which part of the \
              plasticity rule each ability rests on, and what a Willshaw memory of the same size does.",
    home: "circuit::ca3",
    inputs: "none: operations are made up by the study",
    paper: Paper {
        card: 14,
        title: "Bio-inspired computational memory model of the Hippocampus: an approach to a neuromorphic spike-based Content-Addressable Memory",
        authors: "Daniel Casanueva-Morato, Alvaro Ayuso-Martinez, Juan P. Dominguez-Morales, Angel Jimenez-Fernandez, Gabriel Jimenez-Moreno",
        venue: "Neural Networks",
        year: 2024,
        link: "https://doi.org/10.1016/j.neunet.2024.106474",
    },
};

impl Study for Ca3CamStudy {
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
