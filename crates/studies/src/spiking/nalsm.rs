//! A liquid state machine that an astrocyte holds near the edge of chaos (paper 16).

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod arms;
mod checks;
mod claims;
mod config;
mod data;
mod figures;
mod read;
mod run;
#[cfg(test)]
mod tests;

pub use config::Config;

pub use crate::images::Images;

/// The study.
pub struct NalsmStudy;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        NalsmStudy,
        "the reservoir takes images or events, not a recording: call it from Rust, as chiasm::circuit::reservoir::Reservoir",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "nalsm",
    area: Area::Spiking,
    title: "A liquid state machine whose plasticity an astrocyte modulates: branching near 1 and features for a linear readout",
    summary: "A random reservoir of spiking neurons on a three-dimensional grid is driven by images; its spike counts feed a \
              linear classifier. Spike-timing-dependent plasticity changes the weights while one slow variable, an astrocyte \
              that integrates the reservoir's spikes less those of the inputs, sets the strength of depression and with it how \
              activity branches. The study measures branching factors against the authors' own table, accuracy beside a \
              reservoir without plasticity, plasticity without the astrocyte, gated plasticity and the pixels themselves, what \
              an astrocyte that sees a tenth of the neurons still does, and how many different patterns the counts hold.",
    home: "circuit::reservoir",
    inputs: "MNIST or Fashion-MNIST (chiasm data get mnist); drawn digits stand in where they are not at hand",
    paper: Paper {
        card: 16,
        title: "Increasing Liquid State Machine Performance with Edge-of-Chaos Dynamics Organized by Astrocyte-modulated Plasticity",
        authors: "Vladimir A. Ivanov, Konstantinos P. Michmizos",
        venue: "NeurIPS",
        year: 2021,
        link: "https://proceedings.neurips.cc/paper/2021/hash/d79c8788088c2193f0244d8f1f36d2db-Abstract.html",
    },
};

impl Study for NalsmStudy {
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
