//! The rank of initial connectivity and the regime of learning (paper 17): the study, and the regime that an own weight
//! matrix learns in.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod claims;
mod config;
mod figures;
mod fit;
mod nets;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod theory;
mod worm;

pub use config::{Config, FitConfig};

/// The study.
pub struct RichLazyStudy;

/// The regime of an own weight matrix.
pub struct RichLazyFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(RichLazyStudy, RichLazyFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "rich-lazy",
    area: Area::Learning,
    title: "Recurrent networks that start with weights of low rank learn by changing more: rich, not lazy",
    summary: "Recurrent networks begin with weights of one norm and different rank, or with structure: cell types, heavy tails, \
              Dale's law, chains, the worm's connectome. They learn decisions, delayed matching, decisions by context and \
              digits read row by row. Measured: how far weights, hidden activity and the tangent kernel move. For two-layer \
              linear networks the kernel's turn is known in closed form, for starts aligned with their task too, and is \
              compared with descent.",
    home: "net::recurrent, analysis::kernel",
    inputs: "Square weight matrices, [from, to], in NPY, NPZ, MAT or HDF5 (the first or a named array of each file)",
    paper: Paper {
        card: 17,
        title: "How connectivity structure shapes rich and lazy learning in neural circuits",
        authors: "Yuhan Helena Liu, Aristide Baratin, Jonathan Cornford, Stefan Mihalas, Eric Shea-Brown, Guillaume Lajoie",
        venue: "ICLR",
        year: 2024,
        link: "https://arxiv.org/abs/2310.08513",
    },
};

impl Study for RichLazyStudy {
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

impl Fit for RichLazyFit {
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
