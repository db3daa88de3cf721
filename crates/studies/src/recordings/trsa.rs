//! Topological representational similarity analysis (paper 43): the study, and the method on own RDMs or recordings.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod figures;
mod fit;
mod noise;
mod real;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig, Task};

/// The study.
pub struct TrsaStudy;

/// The method on own data.
pub struct TrsaFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(TrsaStudy, TrsaFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "trsa",
    area: Area::Recordings,
    title: "What a region represents, by geometry and by topology: geo-topological dissimilarities",
    summary: "A representational dissimilarity matrix (RDM) says how differently a region or layer responds to each pair \
              of stimuli. Clipping its smallest and largest distances, and following the graph of its short ones, turns \
              it from geometry towards topology. The study asks which of these variants best tells which layer an RDM \
              came from, across networks or subjects, and whether shapes are grouped by topology. It runs on four \
              figure-eights and on generated RDMs of networks; where the published RDMs of AlexNet and of human IT are \
              found (chiasm data get rdms) it is measured on those, too.",
    home: "analysis::rsa",
    inputs: "RDMs over the same stimuli: MAT, NPY, NPZ, CSV (square), HDF5 as rsatoolbox saves it; subject and region of \
             each from the file or labels=FILE.csv. Or recordings: conditions are labels of epochs or time bins, and \
             each region of the unit table gives an RDM",
    paper: Paper {
        card: 43,
        title: "The Topology and Geometry of Neural Representations",
        authors: "Baihan Lin, Nikolaus Kriegeskorte",
        venue: "PNAS",
        year: 2024,
        link: "https://arxiv.org/abs/2309.11028",
    },
};

impl Study for TrsaStudy {
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

impl Fit for TrsaFit {
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
