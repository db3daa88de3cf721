//! Task structure, nonlinearity and the geometry of representations (paper 23): the study, and the measures on own
//! recordings.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod claims;
mod config;
mod figures;
mod fit;
mod jobs;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod weights;

pub use config::{Cell, Config, FitConfig};

/// The study.
pub struct GeometryStudy;

/// The measures on own recordings.
pub struct GeometryFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(GeometryStudy, GeometryFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "representational-geometry",
    area: Area::Learning,
    title: "Whether a hidden layer looks like its inputs or like its labels depends on the nonlinearity: ReLU and Tanh",
    summary: "Clusters of inputs are drawn whose geometry agrees with that of their labels to a set degree. Networks of one \
              hidden layer learn them, with ReLU and with Tanh, beside linear and untrained ones. Measured of the hidden \
              code: its alignment with inputs and with labels, parallelism, generalization across conditions, what else \
              can be decoded, its dimension, and how selective single units are. Ceilings on ReLU and a Tanh without one \
              ask for the cause; the gradient at the start shows where it pushes each unit's weights.",
    home: "analysis::geometry",
    inputs: "Recordings whose epochs of one kind are labeled with their condition; the conditions of each dichotomy to be \
             measured (all balanced ones of up to 8 conditions, if none is given)",
    paper: Paper {
        card: 23,
        title: "Task structure and nonlinearity jointly determine learned representational geometry",
        authors: "Matteo Alleman, Jack W. Lindsey, Stefano Fusi",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2401.13558",
    },
};

impl Study for GeometryStudy {
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

impl Fit for GeometryFit {
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
