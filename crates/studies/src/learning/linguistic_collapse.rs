//! Neural collapse over large vocabularies (paper 50): the study, and the measures on own features.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod claims;
mod config;
mod corpus;
mod exact;
mod figures;
mod figures_own;
mod fit;
mod models;
mod own;
mod planted;
mod published;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, Corpus, FitConfig, LanguageModels};

/// The study.
pub struct LinguisticCollapseStudy;

/// The measures on own data.
pub struct LinguisticCollapseFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(LinguisticCollapseStudy, LinguisticCollapseFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "linguistic-collapse",
    area: Area::Learning,
    title: "Neural collapse where classes are the tokens of a language: measured in passes, beside the loss",
    summary: "Next-token prediction is classification with a huge, unbalanced set of classes. Features of every token class are \
              taken in three passes, and measures of collapse that work with more classes than features are set beside the \
              loss. The study reproduces the associations in the published table of 230 language models, checks the measures \
              against exact geometry, follows planted collapse, and trains small language models of its own.",
    home: "analysis::collapse",
    inputs: "shards of features with token ids, NPZ, MAT or HDF5 with features and labels; the classifier's weights and a \
             validation shard as files of their own",
    paper: Paper {
        card: 50,
        title: "Linguistic Collapse: Neural Collapse in (Large) Language Models",
        authors: "Robert Wu, Vardan Papyan",
        venue: "NeurIPS",
        year: 2024,
        link: "https://arxiv.org/abs/2405.17767",
    },
};

impl Study for LinguisticCollapseStudy {
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

impl Fit for LinguisticCollapseFit {
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
