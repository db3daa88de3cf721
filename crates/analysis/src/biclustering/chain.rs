//! Chains: what is kept of them, and how they go on.

use chiasm_core::{Streams, Watch};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::negative_binomial::negative_binomials;
use super::state::{ChainState, negative_binomial, poisson};
use super::sweep::Sweeper;
use super::{Biclustering, BiclusteringError, Counts, Kernel, Observation};

/// Figures of one sweep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Clusters open.
    pub clusters: u32,
    /// States in use.
    pub states: u32,
    /// Share of the bins that the most frequent state holds.
    pub largest_state: f64,
    /// Norm of all mean paths.
    pub mean_norm: f64,
    /// Frobenius norm of all latents.
    pub latent_norm: f64,
    /// Mean over neurons of the logarithm of the dispersion.
    pub ln_dispersion: f64,
    /// Log likelihood of the observed counts.
    pub ln_likelihood: f64,
    /// Log rates clipped.
    pub clipped: u32,
    /// Clusters born.
    pub births: u32,
}

/// One kept sweep, in its identified form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// Name of each neuron's cluster.
    pub labels: Vec<u16>,
    /// State of each bin.
    pub states: Vec<u16>,
    /// Offset of each neuron's log rate.
    pub offsets: Vec<f32>,
    /// `[neuron, latent]`.
    pub loadings: Vec<f32>,
    /// Dispersion of each neuron.
    pub dispersions: Vec<f32>,
    /// Name and path, `[bin, row]`, of each cluster.
    pub paths: Vec<(u16, Vec<f32>)>,
}

/// A count kept from the sampler, to be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The neuron.
    pub neuron: usize,
    /// The bin.
    pub bin: usize,
    /// The count there.
    pub count: f64,
}

/// One chain: where it stands, and what was kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// Its position among the chains: its random streams bear that number.
    pub index: usize,
    /// Where it stands.
    pub state: ChainState,
    /// One entry for each sweep made.
    pub trace: Vec<Trace>,
    /// One entry for each sweep kept.
    pub draws: Vec<Draw>,
    /// Log of the sum over kept sweeps of the likelihood of each held-out count.
    pub(super) predicted: Vec<f64>,
}

impl Biclustering {
    /// Chains at their start.
    ///
    /// # Errors
    /// Settings out of range; silent neurons; no more neurons than latents; more states than steps between bins.
    pub fn start(
        &self,
        counts: &Counts,
        streams: &Streams,
    ) -> Result<Vec<Chain>, BiclusteringError> {
        self.check(counts)?;
        let chain = |index: usize| Chain {
            index,
            state: Sweeper::new(self, counts).start(&of_chain(streams, index)),
            trace: vec![],
            draws: vec![],
            predicted: vec![],
        };
        Ok((0..self.chains).map(chain).collect())
    }

    fn check(&self, counts: &Counts) -> Result<(), BiclusteringError> {
        self.validate()?;
        if let Some(&neuron) = counts.silent().first() {
            let bins = counts.of(neuron).iter().filter(|y| !y.is_nan()).count();
            return Err(BiclusteringError::Silent { neuron, bins });
        }
        let (latents, found) = (self.latents, counts.n_neurons());
        if latents >= found {
            return Err(BiclusteringError::FewNeurons { latents, found });
        }
        let transitions = counts.n_bins() - 1;
        if self.states > transitions {
            return Err(BiclusteringError::ManyStates {
                transitions,
                found: self.states,
            });
        }
        Ok(())
    }

    /// Chains as they are after `until` sweeps (at most [`Biclustering::sweeps`]), from where they stand. All that a chain
    /// does is determined by settings, counts, streams and its state, so that it can be written and read in between.
    ///
    /// # Errors
    /// As [`Biclustering::start`]; chains of other counts; a matrix that is not positive definite any more; cancellation,
    /// after which the chains are lost: keep those of the stage before.
    pub fn advance(
        &self,
        counts: &Counts,
        held_out: &[HeldOut],
        chains: Vec<Chain>,
        until: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Vec<Chain>, BiclusteringError> {
        self.check(counts)?;
        let until = until.min(self.sweeps);
        let left: usize = chains
            .iter()
            .map(|c| until.saturating_sub(c.state.sweep))
            .sum();
        watch.stage("sweeps", left as u64);
        chains
            .into_par_iter()
            .map(|mut chain| {
                chain.fits(self, counts)?;
                let own = of_chain(streams, chain.index);
                if chain.state.sweep == 0
                    && until > 0
                    && self.starts > 1
                    && self.n_settling() > 0
                    && !self.one_cluster()
                {
                    chain = self.best_start(counts, chain.index, &own, watch)?;
                }
                let mut sweeper = Sweeper::new(self, counts);
                while chain.state.sweep < until {
                    watch.check()?;
                    let sweep = chain.state.sweep;
                    chain.step(&mut sweeper, &own)?;
                    if self.keeps(sweep) {
                        chain.keep(self, held_out);
                    }
                    watch.tick(1);
                }
                Ok(chain)
            })
            .collect()
    }

    /// Chains from start to end.
    ///
    /// # Errors
    /// As [`Biclustering::start`] and [`Biclustering::advance`].
    pub fn run(
        &self,
        counts: &Counts,
        held_out: &[HeldOut],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Vec<Chain>, BiclusteringError> {
        let chains = self.start(counts, streams)?;
        self.advance(counts, held_out, chains, self.sweeps, streams, watch)
    }
}

fn of_chain(streams: &Streams, index: usize) -> Streams {
    streams.child(&format!("biclustering chain {index}"))
}

impl Chain {
    /// Refuses counts or settings of another shape than the chain's.
    fn fits(&self, config: &Biclustering, counts: &Counts) -> Result<(), BiclusteringError> {
        let s = &self.state;
        let checks = [
            (
                s.clusters.len() == counts.n_neurons(),
                "the number of neurons",
            ),
            (s.n_bins() == counts.n_bins(), "the number of bins"),
            (s.rows == config.latents + 1, "the number of latents"),
            (s.dynamics.len() == config.states, "the number of states"),
            (
                s.paths.len() == s.n_bins() * s.k(),
                "the length of the paths",
            ),
        ];
        match checks.into_iter().find(|c| !c.0) {
            Some((_, what)) => Err(BiclusteringError::OtherChain {
                chain: self.index,
                what,
            }),
            None => Ok(()),
        }
    }

    pub(super) fn broken(&self, quantity: &'static str) -> BiclusteringError {
        BiclusteringError::BrokenDown {
            chain: self.index,
            sweep: self.state.sweep,
            quantity,
        }
    }

    /// One sweep and its figures.
    pub(super) fn step(
        &mut self,
        sweeper: &mut Sweeper<'_>,
        streams: &Streams,
    ) -> Result<(), BiclusteringError> {
        let swept = sweeper.sweep(&mut self.state, streams);
        swept.map_err(|quantity| self.broken(quantity))?;
        let row = trace(sweeper.config, sweeper.counts, &self.state);
        if !row.ln_likelihood.is_finite() {
            return Err(self.broken("the likelihood"));
        }
        self.trace.push(row);
        Ok(())
    }

    fn keep(&mut self, config: &Biclustering, held_out: &[HeldOut]) {
        self.predicted.resize(held_out.len(), f64::NEG_INFINITY);
        let (columns, mut eta) = (self.state.columns(), vec![0.0; self.state.n_bins()]);
        let mut of = usize::MAX;
        for (h, sum) in held_out.iter().zip(&mut self.predicted) {
            if h.neuron != of {
                self.state.log_rates(&columns, h.neuron, &mut eta);
                of = h.neuron;
            }
            let new = ln_probability(
                config,
                h.count,
                self.state.dispersions[h.neuron],
                eta[h.bin],
            );
            let (high, low) = if new > *sum { (new, *sum) } else { (*sum, new) };
            *sum = high + (low - high).exp().ln_1p();
        }
        let identified;
        let state = if config.kernel == Kernel::Exact {
            let mut projected = self.state.clone();
            super::project::project(&mut projected);
            identified = projected;
            &identified
        } else {
            &self.state
        };
        let narrow = |x: &[f64]| x.iter().map(|v| *v as f32).collect::<Vec<f32>>();
        let (rows, k) = (state.rows, state.k());
        self.draws.push(Draw {
            labels: state.labels().into_iter().map(|l| l as u16).collect(),
            states: state.states.iter().map(|s| *s as u16).collect(),
            offsets: narrow(&state.offsets),
            loadings: narrow(&state.loadings),
            dispersions: narrow(&state.dispersions),
            paths: (0..state.n_clusters())
                .map(|c| {
                    let path = super::project::of_cluster(&state.paths, k, c * rows, rows);
                    (state.names[c] as u16, narrow(&path))
                })
                .collect(),
        });
    }
}

/// log p(count | dispersion, log rate), whole.
pub(super) fn ln_probability(config: &Biclustering, y: f64, r: f64, eta: f64) -> f64 {
    match config.observation {
        Observation::Poisson => poisson(y, eta) - ln_gamma(y + 1.0),
        Observation::NegativeBinomial => {
            negative_binomial(y, r, eta) + r * r.ln() + ln_gamma(y + r)
                - ln_gamma(r)
                - ln_gamma(y + 1.0)
        }
    }
}

/// Figures of the state.
pub(super) fn trace(config: &Biclustering, counts: &Counts, state: &ChainState) -> Trace {
    let (used, largest) = state.occupancy();
    let (mut mean, mut latent) = (0.0, 0.0);
    for x in state.paths.chunks_exact(state.rows) {
        mean += x[0] * x[0];
        latent += x[1..].iter().map(|v| v * v).sum::<f64>();
    }
    let columns = state.columns();
    let per_neuron: Vec<f64> = (0..state.clusters.len())
        .into_par_iter()
        .map_init(
            || vec![0.0; state.n_bins()],
            |eta, i| {
                state.log_rates(&columns, i, eta);
                ln_likelihood(config, counts.of(i), state.dispersions[i], eta)
            },
        )
        .collect();
    let n = state.clusters.len() as f64;
    Trace {
        clusters: state.n_clusters() as u32,
        states: used as u32,
        largest_state: largest,
        mean_norm: mean.sqrt(),
        latent_norm: latent.sqrt(),
        ln_dispersion: state.dispersions.iter().map(|r| r.ln()).sum::<f64>() / n,
        // In the order of the neurons, on any number of threads.
        ln_likelihood: per_neuron.iter().sum(),
        clipped: state.clipped as u32,
        births: state.births as u32,
    }
}

/// Log likelihood of a neuron's observed counts. Of terms that depend on a whole count alone there is one for each
/// value: log Gamma(y + r) - log Gamma(r) - log y! is the sum over j < y of log((r + j) / (j + 1)).
fn ln_likelihood(config: &Biclustering, y: &[f64], r: f64, eta: &[f64]) -> f64 {
    const TABLE: usize = 64;
    let negative = config.observation == Observation::NegativeBinomial;
    let mut table = [0.0; TABLE];
    for j in 1..TABLE {
        let m = j as f64;
        let factor = if negative { (r + m - 1.0) / m } else { 1.0 / m };
        table[j] = table[j - 1] + factor.ln();
    }
    let r_ln_r = r * r.ln();
    // What depends on the count alone, then the rest of all bins together.
    let of_count = |y: f64| match table.get(y as usize) {
        Some(own) if negative => own + r_ln_r,
        Some(own) => *own,
        None if negative => ln_probability(config, y, r, 0.0) - negative_binomial(y, r, 0.0),
        None => ln_probability(config, y, r, 0.0) - poisson(y, 0.0),
    };
    let seen = || y.iter().zip(eta).filter(|(y, _)| !y.is_nan());
    let constant: f64 = seen().map(|(&y, _)| of_count(y)).sum();
    constant
        + if negative {
            negative_binomials(y, r, eta)
        } else {
            seen().map(|(&y, &eta)| poisson(y, eta)).sum::<f64>()
        }
}
