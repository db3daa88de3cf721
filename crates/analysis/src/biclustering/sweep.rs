//! One sweep of the sampler, step by step.

use chiasm_core::Streams;
use rand::RngExt;
use rayon::prelude::*;

use super::assign::foretold;
use super::dynamics::{Steps, draw_dynamics};
use super::exact::assign_exactly;
use super::latents::{Conditional, Information, Space, draw_paths};
use super::left_out::LeftOut;
use super::loadings::{draw_neuron, poisson_correction};
use super::partition_prior::PartitionPrior;
use super::project::project;
use super::pseudo_data::{Augmented, Evidence, augment_all};
use super::released::{name_clusters, walk_alone};
use super::search::search_states;
use super::state::{ChainState, Dynamics, Reference};
use super::states::{draw_states, draw_transitions, prior_transitions};
use super::{Biclustering, Counts, Observation};

/// What a sweep needs beside the state.
pub(super) struct Sweeper<'a> {
    pub config: &'a Biclustering,
    pub counts: &'a Counts,
    pub prior: PartitionPrior,
    pub data: Augmented,
    /// Logarithms of the dispersions that the pseudo-data of the loadings were drawn with.
    pub ln_r: Vec<f64>,
    space: Space,
    /// Paths beyond this are not possible: none by default; checks against the prior cut its heavy tails here.
    pub limit: f64,
}

/// Where dispersions start: at the mean of their prior.
const FIRST_DISPERSION: f64 = 1.0;

/// The quantity that broke down.
pub(super) type Broken = &'static str;

impl<'a> Sweeper<'a> {
    pub(super) fn new(config: &'a Biclustering, counts: &'a Counts) -> Self {
        Self {
            config,
            counts,
            prior: config.partition_prior(counts.n_neurons()),
            data: Augmented::new(counts.n_neurons(), counts.n_bins()),
            ln_r: vec![],
            space: Space::default(),
            limit: f64::INFINITY,
        }
    }

    /// Where a chain starts: clusters as the settings say, each with a spline-shaped path, loadings from the prior, one state.
    pub(super) fn start(&self, streams: &Streams) -> ChainState {
        let (n, n_bins) = (self.counts.n_neurons(), self.counts.n_bins());
        let (rows, p) = (self.config.latents + 1, self.config.latents);
        let mut rng = streams.stream("start");
        let mut normal = |n: usize| -> Vec<f64> {
            let draw = |_| rand_distr::Distribution::sample(&rand_distr::StandardNormal, &mut rng);
            (0..n).map(draw).collect()
        };
        let (offsets, loadings) = (normal(n), normal(n * p));
        let mut rng = streams.stream("start states");
        let (weights, transitions) = prior_transitions(self.config, &mut rng);
        let clusters = super::start::clusters(self.config, self.counts, streams);
        let n_clusters = clusters.iter().max().map_or(1, |c| c + 1);
        let k = n_clusters * rows;
        let path = super::births::new_path(n_bins, k, true, &mut streams.stream("start path"));
        let mut state = ChainState {
            sweep: 0,
            rows,
            clusters,
            names: (0..n_clusters).collect(),
            paths: path,
            offsets,
            loadings,
            dispersions: vec![self.config.dispersion.unwrap_or(FIRST_DISPERSION); n],
            states: vec![0; n_bins],
            weights,
            transitions,
            dynamics: vec![Dynamics::random_walk(k); self.config.states],
            reference: Reference::default(),
            clipped: 0,
            restarts: 0,
            births: 0,
            accepted: super::state::Acceptance::default(),
        };
        project(&mut state);
        state.reference.labels = state.labels();
        let (names, paths) = (state.names.clone(), state.paths.clone());
        state.reference.update(&names, &paths, rows, true);
        state
    }

    /// One sweep. `streams` is the chain's family: each sweep, step and neuron has a stream of its own in it, so that the
    /// bits do not depend on the number of threads, nor on where a chain was interrupted.
    pub(super) fn sweep(
        &mut self,
        state: &mut ChainState,
        streams: &Streams,
    ) -> Result<(), Broken> {
        let streams = streams.child(&format!("sweep {}", state.sweep));
        let exact = self.config.exact_at(state.sweep);
        let before =
            (exact && self.limit.is_finite()).then(|| (state.paths.clone(), state.states.clone()));
        self.draw_latents(state, &streams)?;
        if let Some((paths, states)) = before
            && state.paths.iter().any(|x| x.abs() > self.limit)
        {
            (state.paths, state.states) = (paths, states);
        }
        self.draw_dynamics(state, &streams)?;
        self.draw_neurons(state, &streams)?;
        if exact {
            if !self.config.one_cluster() {
                assign_exactly(self, state, &streams)?;
                // Dynamics were integrated out.
                self.redraw_dynamics(state, &streams.child("after clusters"))?;
            }
            name_clusters(state);
        } else {
            self.finish(state, &streams)?;
        }
        state.sweep += 1;
        Ok(())
    }

    /// Step 1: paths.
    pub(super) fn draw_latents(
        &mut self,
        state: &mut ChainState,
        streams: &Streams,
    ) -> Result<(), Broken> {
        let (config, k) = (self.config, state.k());
        let dispersion: Vec<f64> = (0..state.clusters.len())
            .map(|i| state.augmenting(config, i))
            .collect();
        let ln_r: Vec<f64> = dispersion.iter().map(|r| r.ln()).collect();
        state.clipped = augment_all(
            state,
            self.counts,
            |i| dispersion[i],
            streams,
            &mut self.data,
        );
        let information: Option<Vec<Information>> = state
            .dynamics
            .iter()
            .map(|d| Information::of(d, k))
            .collect();
        let information = information.ok_or("a covariance of the dynamics")?;
        let evidence = Evidence::gather(state, &self.data, &ln_r);
        let mut rng = streams.stream("paths");
        let broken = "the precision of the paths";
        let clusters = 0..state.n_clusters();
        let all = Conditional {
            information: &information,
            evidence: &evidence,
            clusters,
        };
        let poisson = config.observation == Observation::Poisson;
        let moves = if state.sweep < config.n_settling() || config.states == 1 {
            0
        } else {
            config.boundary_moves
        };
        if !poisson || moves > 0 {
            let old = poisson.then(|| state.clone());
            let (accepted, _) = all
                .shift_and_draw(state, moves, &mut rng, &mut self.space)
                .ok_or(broken)?;
            if let Some(mut old) = old {
                let everyone: Vec<usize> = (0..state.clusters.len()).collect();
                let ratio = self.correction(&everyone, &dispersion, &old, state);
                let accept = ratio > rng.random::<f64>().ln();
                if !accept {
                    std::mem::swap(&mut state.paths, &mut old.paths);
                    std::mem::swap(&mut state.states, &mut old.states);
                }
                count(&mut state.accepted.paths, accept);
            }
            state.accepted.boundaries.0 += accepted as u64;
            state.accepted.boundaries.1 += moves as u64;
            return Ok(());
        }
        // Of Poisson counts alone, and one cluster at a time: proposals for few neurons are accepted more often.
        for c in 0..state.n_clusters() {
            let old = state.clone();
            draw_paths(
                state,
                &information,
                &evidence,
                c..c + 1,
                Some(&mut rng),
                &mut self.space,
            )
            .ok_or(broken)?;
            let members: Vec<usize> = (0..state.clusters.len())
                .filter(|&i| state.clusters[i] == c)
                .collect();
            let ratio = self.correction(&members, &dispersion, &old, state);
            let accept = ratio > rng.random::<f64>().ln();
            if !accept {
                state.paths = old.paths;
            }
            count(&mut state.accepted.paths, accept);
        }
        Ok(())
    }

    /// Log ratio by which paths drawn for negative binomial counts are accepted for Poisson counts of these neurons.
    fn correction(
        &self,
        neurons: &[usize],
        dispersion: &[f64],
        old: &ChainState,
        new: &ChainState,
    ) -> f64 {
        let mut eta = (vec![0.0; new.n_bins()], vec![0.0; new.n_bins()]);
        let columns = (old.columns(), new.columns());
        let of = |&i: &usize| {
            old.log_rates(&columns.0, i, &mut eta.0);
            new.log_rates(&columns.1, i, &mut eta.1);
            poisson_correction(self.counts.of(i), dispersion[i], &eta.0, &eta.1)
        };
        neurons.iter().map(of).sum()
    }

    /// Step 2: states, and the dynamics of each.
    fn draw_dynamics(&self, state: &mut ChainState, streams: &Streams) -> Result<(), Broken> {
        let (config, sweep) = (self.config, state.sweep);
        if sweep < config.n_settling() {
            return walk_alone(state, streams);
        }
        let searches = config.states > 1
            && sweep < config.burn_in
            && (sweep - config.n_settling()).is_multiple_of(config.search_every);
        if searches {
            let ln_r: Vec<f64> = (0..state.clusters.len())
                .map(|i| state.augmenting(config, i).ln())
                .collect();
            let found = search_states(config, state, &self.data, &ln_r, &streams.child("search"));
            state.restarts += usize::from(found);
        }
        let mut rng = streams.stream("states");
        draw_transitions(config, state, &mut rng);
        let drawn = draw_states(state, &mut rng).map_err(|_| "a transition matrix")?;
        drawn.ok_or("a density of the dynamics")?;
        self.redraw_dynamics(state, streams)
    }

    pub(super) fn redraw_dynamics(
        &self,
        state: &mut ChainState,
        streams: &Streams,
    ) -> Result<(), Broken> {
        let k = state.k();
        let steps = Steps::of_states(&state.paths, &state.states, self.config.states, k);
        let drawn: Option<Vec<Dynamics>> = steps
            .par_iter()
            .enumerate()
            .map(|(s, steps)| draw_dynamics(steps, &mut streams.indexed("dynamics", s)))
            .collect();
        state.dynamics = drawn.ok_or("the posterior of the dynamics")?;
        Ok(())
    }

    /// Steps 3 and 4: offsets, loadings and dispersions, all neurons at once.
    pub(super) fn draw_neurons(
        &mut self,
        state: &mut ChainState,
        streams: &Streams,
    ) -> Result<(), Broken> {
        let (p, n_bins) = (state.p(), state.n_bins());
        let (config, counts) = (self.config, self.counts);
        let now: &ChainState = state;
        let columns = now.columns();
        self.ln_r = (0..now.clusters.len())
            .map(|i| now.augmenting(config, i).ln())
            .collect();
        let drawn: Option<Vec<_>> = self
            .data
            .omega
            .par_chunks_mut(n_bins)
            .zip(self.data.kappa.par_chunks_mut(n_bins))
            .enumerate()
            .map(|(i, pseudo)| {
                draw_neuron(
                    config,
                    counts,
                    now,
                    &columns,
                    i,
                    pseudo,
                    &mut streams.indexed("neuron", i),
                )
            })
            .collect();
        for (i, neuron) in drawn
            .ok_or("the precision of the loadings")?
            .into_iter()
            .enumerate()
        {
            state.offsets[i] = neuron.offset;
            state.loadings[i * p..(i + 1) * p].copy_from_slice(&neuron.loadings);
            state.dispersions[i] = neuron.dispersion;
            if let Some(accept) = neuron.accepted.0 {
                count(&mut state.accepted.loadings, accept);
            }
            if let Some(accept) = neuron.accepted.1 {
                count(&mut state.accepted.dispersions, accept);
            }
        }
        Ok(())
    }

    /// How well each neuron is foretold by the others of its cluster: by what one compares starts.
    pub(super) fn foretold(&self, state: &ChainState, streams: &Streams) -> Option<f64> {
        let left_out = LeftOut::new(&self.data, &self.ln_r, state)?;
        foretold(
            self.config,
            self.counts,
            &self.prior,
            &left_out,
            state,
            streams,
        )
    }
}

fn count(of: &mut (u64, u64), accepted: bool) {
    of.0 += u64::from(accepted);
    of.1 += 1;
}
