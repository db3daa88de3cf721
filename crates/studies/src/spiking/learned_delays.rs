//! Synaptic delays learned by back-propagation (paper 45): the study on a task of order and on spoken digits, and the method
//! on own spikes.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod checks;
mod claims;
mod config;
mod data;
mod figures;
mod fit;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};

/// The study.
pub struct LearnedDelaysStudy;

/// The method on own spikes.
pub struct LearnedDelaysFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(LearnedDelaysStudy, LearnedDelaysFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "learned-delays",
    area: Area::Spiking,
    title: "Spiking networks learn the delays of their synapses by back-propagation",
    summary: "Every synapse of a feed-forward spiking network has a weight and a delay, and both learn: in training a delay is \
              the center of a bump in a temporal kernel that narrows to a single tap. On spikes whose order alone tells the \
              class, and on spoken digits, the study asks what learned delays add to fixed random ones and to none, whether \
              narrowing the bump is needed to find a delay, and what rounding to whole steps costs.",
    home: "net::spiking::delays",
    inputs: "recordings of spikes, or of counts in bins, whose trials are epochs labeled with their class",
    paper: Paper {
        card: 45,
        title: "Learning Delays in Spiking Neural Networks using Dilated Convolutions with Learnable Spacings",
        authors: "Ilyass Hammouamri, Ismail Khalfaoui-Hassani, Timothée Masquelier",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2306.17670",
    },
};

impl Study for LearnedDelaysStudy {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        claims::all()
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        run::study(config, bench)
    }
}

impl Fit for LearnedDelaysFit {
    type Config = FitConfig;

    fn fit(
        &self,
        config: &FitConfig,
        input: &Input,
        bench: &mut Bench,
    ) -> Result<Findings, Failure> {
        fit::fit(config, input, bench)
    }
}
