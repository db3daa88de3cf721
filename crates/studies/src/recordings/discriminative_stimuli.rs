//! Most discriminative stimuli (paper 25): the study on neurons of known types, and the method on own models.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod figures;
mod fit;
mod gallery;
mod hard;
mod load;
mod planted;
mod run;
#[cfg(test)]
mod tests;
mod toy;
mod typing;

pub use config::{Config, FitConfig};

/// The study.
pub struct DiscriminativeStimuliStudy;

/// The method on own data.
pub struct DiscriminativeStimuliFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(DiscriminativeStimuliStudy, DiscriminativeStimuliFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "discriminative-stimuli",
    area: Area::Recordings,
    title: "Functional cell types by the stimuli that tell them apart",
    summary: "Through a differentiable model of neurons, a stimulus is sought for each cluster of neurons that drives this \
              cluster and no other; every neuron moves to the cluster whose stimulus drives it most, and so on. On neurons \
              of known types the study asks whether the clusters are the types, how that depends on the number of \
              clusters to begin with, what splitting and judging neurons by stimuli made without them add, whether a \
              handful of such stimuli types new neurons better than random or most exciting ones, and whether the stimuli \
              show what separates the types.",
    home: "probe::stimuli",
    inputs: "a model of neurons as NPZ: filters [neuron, line, column] (or with channel and frame), gains and offsets if \
             any, second filters of energy models, or space [neuron, line, column] and time [neuron, lag] of movie models; \
             or a recording with the frames that were shown (frames=FILE.npz, or covariates named pixel:LINE:COLUMN), to \
             which linear-nonlinear models are fitted; true types as labels=FILE.csv if known",
    paper: Paper {
        card: 25,
        title: "Most discriminative stimuli for functional cell type clustering",
        authors: "Max F. Burg, Thomas Zenkel, Michaela Vystr\u{10d}ilov\u{e1}, Jonathan Oesterle, Larissa H\u{f6}fling, \
                  Konstantin F. Willeke, Jan Lause, Sarah M\u{fc}ller, Paul G. Fahey, Zhiwei Ding, Kelli Restivo, Shashwat \
                  Sridhar, Tim Gollisch, Philipp Berens, Andreas S. Tolias, Thomas Euler, Matthias Bethge, Alexander S. \
                  Ecker",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2401.05342",
    },
};

impl Study for DiscriminativeStimuliStudy {
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

impl Fit for DiscriminativeStimuliFit {
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
