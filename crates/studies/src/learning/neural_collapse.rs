//! Perturbation analysis of neural collapse (paper 22): the study, and the measures on own features.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod claims;
mod config;
mod figures;
mod fit;
mod networks;
mod run;
#[cfg(test)]
mod tests;
mod theory;

pub use crate::learning::samples::PerEpoch;
pub use config::{Config, DecayStudy, FitConfig, Layerwise};

/// The study.
pub struct NeuralCollapseStudy;

/// The measures on own data.
pub struct NeuralCollapseFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(NeuralCollapseStudy, NeuralCollapseFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "neural-collapse",
    area: Area::Learning,
    title: "How features of one class draw together: the last layer as features on a spring",
    summary: "Late in training the last-layer features of one class draw together and the means of the classes spread into a \
              simplex. The paper ties free features by a spring to those of a shallower layer and says how the scatter within \
              classes shrinks along the way and how small deviations pass through. The study checks the minimum in closed form, \
              the spectrum of the perturbation operator, its derivative and the monotonies of the flow; then trains networks on \
              digits layer by layer, and networks whose weight decay is changed for the features or for the head alone.",
    home: "analysis::collapse",
    inputs: "features with labels, one file for each layer or epoch: NPZ, MAT or HDF5 with features and labels, NPY with \
             labels=FILE; or recordings whose epochs are labeled trials, where each region of the unit table is a layer",
    paper: Paper {
        card: 22,
        title: "Perturbation Analysis of Neural Collapse",
        authors: "Tom Tirer, Haoxiang Huang, Jonathan Niles-Weed",
        venue: "ICML",
        year: 2023,
        link: "https://arxiv.org/abs/2210.16658",
    },
};

impl Study for NeuralCollapseStudy {
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

impl Fit for NeuralCollapseFit {
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
