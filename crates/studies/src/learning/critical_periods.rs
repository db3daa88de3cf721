//! Critical learning periods in deep linear networks (paper 24).

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Paper, Study, StudyInfo};

mod claims;
mod config;
mod figures;
mod flows;
mod matrices;
mod paths;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FlowCheck, Matrices, Paths};

/// The study.
pub struct CriticalPeriods;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::without_data(
        CriticalPeriods,
        "the method takes a task or a matrix, not a recording: call it from Rust, as \
         chiasm::net::theory::critical_periods::{TwoPath, Completion}",
    )
}

static INFO: StudyInfo = StudyInfo {
    name: "critical-periods",
    area: Area::Learning,
    title: "An early deficit stays even in deep linear networks; a late one leaves no trace",
    summary: "Two pathways of a deep linear network learn a hierarchy while one of them is kept from learning for a while, early or \
              late: gradient descent beside its exact reduction to independent modes, with lesions, phase portraits, a map of what \
              every deficit leaves, and tanh and ReLU in place of linear units. A deep network that completes a matrix is trained \
              on another matrix first, for ever longer, at several depths, ranks, numbers of observations and scales of the start; \
              its singular values are compared with their flow.",
    home: "net::theory::critical_periods",
    inputs: "none: tasks and matrices are drawn from the seed",
    paper: Paper {
        card: 24,
        title: "Critical Learning Periods Emerge Even in Deep Linear Networks",
        authors: "Michael Kleinman, Alessandro Achille, Stefano Soatto",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2308.12221",
    },
};

impl Study for CriticalPeriods {
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
