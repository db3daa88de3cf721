//! Bayesian biclustering of spike counts (paper 06): the study on counts with planted clusters and states, and the method
//! on own data.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod baselines;
mod claims;
mod config;
mod figures;
mod fit;
mod held_out;
mod run;
mod score;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};

/// The study.
pub struct BiclusteringStudy;

/// The method on own data.
pub struct BiclusteringFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(BiclusteringStudy, BiclusteringFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "biclustering",
    area: Area::Recordings,
    title: "Neurons clustered by shared latent paths and time bins by shared dynamics, both at once, Bayesian",
    summary: "Spike counts of each cluster of neurons follow a low-dimensional path of its own, and the paths of all clusters \
              switch together between linear dynamics. A Gibbs sampler finds the clusters, the states and the number of \
              both. On simulated counts of three clusters and two states the study asks whether both are found, what \
              k-means finds instead, and what is lost with one cluster or one state alone.",
    home: "analysis::biclustering",
    inputs: "one recording of spike times (binned) or of sampled counts, missing bins allowed; regions of the unit table and \
             epochs are compared with clusters and states",
    paper: Paper {
        card: 6,
        title: "Bayesian Bi-clustering of Neural Spiking Activity with Latent Structures",
        authors: "Ganchao Wei",
        venue: "arXiv",
        year: 2023,
        link: "https://arxiv.org/abs/2309.02213",
    },
};

impl Study for BiclusteringStudy {
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

impl Fit for BiclusteringFit {
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
