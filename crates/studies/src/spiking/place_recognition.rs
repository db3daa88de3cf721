//! Place recognition with ensembles of compact spiking modules (paper 44): the study on generated routes, and the method
//! on own images.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod answers;
mod claims;
mod config;
mod figures;
mod learn;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, FitConfig};

/// The study.
pub struct PlaceRecognitionStudy;

/// The method on own images.
pub struct PlaceRecognitionFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(PlaceRecognitionStudy, PlaceRecognitionFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "place-recognition",
    area: Area::Spiking,
    title: "Ensembles of compact spiking modules recognize places along a route",
    summary: "Small spiking networks, each of which learns 25 neighboring places of a route without a teacher, answer side \
              by side: the place whose neurons respond most wins. Neurons that respond to too many reference images are \
              silenced. On routes that are seen again in another light the study asks what the modules learn, how well \
              they recognize places alone and together, what silencing adds, and how they stand against comparing pixels \
              and against one network that is not split.",
    home: "circuit::place",
    inputs: "two or more traverses of the same places in the same order, references first and the query last: each a \
             folder of PNG or JPEG files, a CSV file with a column `path` of such files, or an NPY, NPZ, MAT or HDF5 file with an array [place, row, \
             column] of grey levels",
    paper: Paper {
        card: 44,
        title: "Ensembles of Compact, Region-specific & Regularized Spiking Neural Networks for Scalable Place Recognition",
        authors: "Somayeh Hussaini, Michael Milford, Tobias Fischer",
        venue: "ICRA",
        year: 2023,
        link: "https://arxiv.org/abs/2209.08723",
    },
};

impl Study for PlaceRecognitionStudy {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        claims::all()
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        run::study(config, bench)
    }
}

impl Fit for PlaceRecognitionFit {
    type Config = FitConfig;

    fn fit(
        &self,
        config: &FitConfig,
        input: &Input,
        bench: &mut Bench,
    ) -> Result<Findings, Failure> {
        run::fit(config, input, bench)
    }
}
