//! Time series as networks (paper 38): the study on simulated cerebral flow, and the method on own recordings.

use chiasm_core::Failure;
use chiasm_lab::{Area, Bench, ClaimSpec, Entry, Findings, Fit, Input, Paper, Study, StudyInfo};

mod arms;
mod claims;
mod config;
mod figures;
mod fit;
mod fit_config;
mod fit_figures;
mod noise;
mod run;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use fit_config::{Construction, FitConfig};

/// The study.
pub struct TimeseriesNetworksStudy;

/// The method on own data.
pub struct TimeseriesNetworksFit;

/// The catalogue's entry.
#[must_use]
pub fn entry() -> Entry {
    Entry::new(TimeseriesNetworksStudy, TimeseriesNetworksFit)
}

static INFO: StudyInfo = StudyInfo {
    name: "timeseries-networks",
    area: Area::Recordings,
    title: "Time series as networks: cycle, recurrence and visibility graphs",
    summary: "A time series becomes a graph (its beats, its states or its samples are nodes, joined where they look alike, come \
              back or see each other), and the graph's shape tells periodic, chain-like behavior from random-like behavior. \
              The study simulates pressure from the heart to the brain's capillaries in sinus rhythm and in atrial \
              fibrillation, and asks whether fibrillation changes the networks towards the capillaries and sinus rhythm \
              does not, with shuffled and narrowed rhythms as nulls, visibility graphs and classical statistics as controls.",
    home: "analysis::timeseries_graph",
    inputs: "Recordings: each unit is a series. Sampled traces on any clock, or spikes in bins (bin_s=SECONDS). Cycle networks \
             need the onsets of cycles: epochs (beat_epochs=KIND) or a file of event times (beats=FILE)",
    paper: Paper {
        card: 38,
        title: "From time-series to complex networks: Application to the cerebrovascular flow patterns in atrial fibrillation",
        authors: "Stefania Scarsoglio, Fabio Cazzato, Luca Ridolfi",
        venue: "Chaos",
        year: 2017,
        link: "https://doi.org/10.1063/1.5003791",
    },
};

impl Study for TimeseriesNetworksStudy {
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

impl Fit for TimeseriesNetworksFit {
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
