//! One-hot hidden-Markov generalized linear models (paper 26): the study on networks with planted states, and the method
//! on own spike counts.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod figures;
mod fit;
mod fit_figures;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};

/// The study.
pub struct OnehotHmmGlmStudy;

/// The method on own data.
pub struct OnehotHmmGlmFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(OnehotHmmGlmStudy, OnehotHmmGlmFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "onehot-hmm-glm",
    area: Area::Recordings,
    title: "Brain states as switching couplings: GLMs of spike counts with a connectome-like prior",
    summary: "A hidden chain of states chooses which coupling matrix drives the units of a network from bin to bin. In the \
              one-hot model a coupling is a type (inhibitory, none, excitatory) times a strength, and the types of all states \
              come from one learned prior that stands for the wiring. On simulated networks with known states the study asks \
              whether that prior helps when data are scarce, beside free weights and weights tied by a Gaussian, and what \
              happens when the one-hot model starts cold.",
    home: "analysis::switching",
    inputs: "one recording of spike times, or of whole-number counts sampled in bins; trials are the epochs of a kind that \
             counting.trials names, and history does not pass from one to the next",
    paper: Paper {
        card: 26,
        title: "One-hot Generalized Linear Model for Switching Brain State Discovery",
        authors: "Chengrui Li, Soon Ho Kim, Chris Rodgers, Hannah Choi, Anqi Wu",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2310.15263",
    },
};

impl Study for OnehotHmmGlmStudy {
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

impl Fit for OnehotHmmGlmFit {
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
