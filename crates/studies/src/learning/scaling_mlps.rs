//! Multi-layer perceptrons as compute grows (paper 53): the study, and the same on own images.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod checks;
mod claims;
mod config;
mod figures;
mod fit;
mod fit_config;
mod images;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod transfer;

pub use config::Config;
pub use fit_config::FitConfig;

/// The study.
pub struct ScalingMlpsStudy;

/// The same on own images.
pub struct ScalingMlpsFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(ScalingMlpsStudy, ScalingMlpsFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "scaling-mlps",
    area: Area::Learning,
    title: "Multi-layer perceptrons without any bias for images get better the more compute they are given",
    summary: "Perceptrons on flattened images know nothing of space: any fixed order of the pixels is as good as another. Made of \
              inverted bottlenecks and trained with augmentation they still learn images, and their error falls with compute as a \
              power law. On CIFAR-10 the study measures accuracy over width, over the number of images and over batch size, bottlenecks \
              beside plain layers, training without augmentation and without norm, three optimizers, a linear classifier of pixels, transfer \
              to new classes, many views of a test image; and checks sizes, gradients and the identity under permuted pixels exactly.",
    home: "net::perceptrons",
    inputs: "a folder of images, CLASS/NAME.jpg or .png, or one with such folders `train` and `test`; any sizes, color or grey",
    paper: Paper {
        card: 53,
        title: "Scaling MLPs: A Tale of Inductive Bias",
        authors: "Gregor Bachmann, Sotiris Anagnostidis, Thomas Hofmann",
        venue: "NeurIPS",
        year: 2023,
        link: "https://arxiv.org/abs/2306.13575",
    },
};

impl Study for ScalingMlpsStudy {
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

impl Fit for ScalingMlpsFit {
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
