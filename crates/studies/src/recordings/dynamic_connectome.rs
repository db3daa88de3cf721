//! Dynamic functional connectome (paper 01): the study on recordings with planted communities, and the method on own
//! data.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod benchmark;
mod claims;
mod config;
mod figures;
mod fit;
mod fit_figures;
mod run;
mod score;
mod static_graph;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};

/// The study.
pub struct DynamicConnectomeStudy;

/// The method on own data.
pub struct DynamicConnectomeFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(DynamicConnectomeStudy, DynamicConnectomeFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "dynamic-connectome",
    area: Area::Recordings,
    title: "Communities of neurons that form and dissolve: affinities, tensor factorization, block model",
    summary: "Pairwise affinities of calcium traces of several animals form a tensor of time, pairs and animals. A masked \
              non-negative factorization splits it into components, and a nested stochastic block model finds the \
              communities of each. On recordings with planted communities the study asks whether time courses, pairs, \
              animals, communities and their number are found, and what ablations and static baselines find instead.",
    home: "analysis::connectome",
    inputs: "one or more recordings of traces or spikes; several are matched by unit names; epochs or a 0/1 channel named \
             `reversal`, and channels such as velocity, are compared with the components",
    paper: Paper {
        card: 1,
        title: "Learning dynamic representations of the functional connectome in neurobiological networks",
        authors: "Luciano Dyballa, Samuel Lang, Alexandra Haslund-Gourley, Eviatar Yemini, Steven W. Zucker",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2402.14102",
    },
};

impl Study for DynamicConnectomeStudy {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        claims::claims()
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        run::run(config, bench)
    }
}

impl Fit for DynamicConnectomeFit {
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
