//! Stopping a spiking classifier when it is sure (paper 48).

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod drift;
mod figures;
mod fit;
mod photos;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};
pub use photos::Photos;

/// The study.
pub struct DynamicConfidenceStudy;

/// The agent on one's own outputs.
pub struct DynamicConfidenceFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(DynamicConfidenceStudy, DynamicConfidenceFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "dynamic-confidence",
    area: Area::Spiking,
    title: "A spiking classifier that stops as soon as it is sure, at a threshold chosen on calibration data",
    summary: "Networks are trained with quantized activations and turned into integrate-and-fire neurons. After each step the \
              summed outputs are read as a confidence, and each image's run ends once that reaches one threshold, chosen on images \
              kept for calibration: dense networks on digits, a convolutional one on photographs. The study measures what this saves against as many steps for every image, against an oracle \
              that stops at the first right step, and against the same stop times dealt out at random.",
    home: "net::spiking::confidence",
    inputs: "outputs of any classifier that answers step by step: logits [sample, step, class] and labels, as NPZ, MAT or HDF5",
    paper: Paper {
        card: 48,
        title: "Unleashing the Potential of Spiking Neural Networks by Dynamic Confidence",
        authors: "Chen Li, Edward Jones, Steve Furber",
        venue: "ICCV",
        year: 2023,
        link: "https://arxiv.org/abs/2303.10276",
    },
};

impl Study for DynamicConfidenceStudy {
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

impl Fit for DynamicConfidenceFit {
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
