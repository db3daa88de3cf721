//! Multi-modal Gaussian-process variational autoencoder (paper 27): the study on a digit that turns while neurons fire, and
//! the method on own data.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod figures;
mod fit;
mod fit_figures;
mod own;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};

/// The study.
pub struct MmGpVaeStudy;

/// The method on own data.
pub struct MmGpVaeFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(MmGpVaeStudy, MmGpVaeFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "mm-gpvae",
    area: Area::Recordings,
    title: "Shared and private smooth latents of neurons and behavior, by a variational autoencoder",
    summary: "Spike counts and images of the same trials are explained by latents that change smoothly: some of the neurons \
              alone, some of the images alone, some of both. On a digit that turns and grows while neurons fire with its \
              angle, the study asks whether angle, private neural latent and zoom are found in their own places, what the \
              Fourier basis gains over time bins and over no prior in time, what sharing gains, and what is left when one \
              stream is missing.",
    home: "net::models::mm_gpvae",
    inputs: "a recording of spikes, counts or traces with behavior channels (covariates); trials from epochs of one kind, or \
             cut at equal lengths",
    paper: Paper {
        card: 27,
        title: "Multi-modal Gaussian Process Variational Autoencoders for Neural and Behavioral Data",
        authors: "Rabia Gondur, Usama Bin Sikandar, Evan Schaffer, Mikio Aoi, Stephen Keeley",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2310.03111",
    },
};

impl Study for MmGpVaeStudy {
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

impl Fit for MmGpVaeFit {
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
