//! The clustering: stimuli for clusters, neurons to the cluster whose stimulus drives them most, and again.

use chiasm_core::{Inside, Rng, Streams, Watch};
use ndarray::{Array2, Axis};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::groups::contiguous;
use super::types::argmax;
use super::{Ascended, Ascent, Config, Groups, Normalization, ResponseModel, StimuliError, Types};

/// One iteration of the clustering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Iteration {
    /// Clusters at its begin.
    pub n_clusters: usize,
    /// Mean objective of their stimuli.
    pub mean_value: f64,
    /// Neurons that moved to another cluster.
    pub changed: usize,
    /// The label of each neuron at its end. Labels of emptied clusters are not yet closed up.
    pub labels: Vec<usize>,
}

/// Everything that a search needs.
pub(super) struct Search<'a> {
    pub(super) config: &'a Config,
    pub(super) ascent: Ascent,
    pub(super) model: &'a dyn ResponseModel,
    pub(super) normalization: &'a Normalization,
    pub(super) watch: &'a dyn Watch,
}

/// A clustering of some neurons as it stands.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The neurons clustered; all others count nowhere.
    pub(super) neurons: Vec<usize>,
    /// Of each of them its cluster: 0, 1, ..., none empty.
    pub(super) labels: Vec<usize>,
    /// The stimuli of each half `[cluster, pixel]`, or one set where nothing is held out.
    stimuli: Option<Vec<Array2<f64>>>,
    pub(super) converged: bool,
}

impl State {
    pub(super) fn new(neurons: Vec<usize>, mut labels: Vec<usize>) -> Self {
        contiguous(&mut labels);
        Self {
            neurons,
            labels,
            stimuli: None,
            converged: false,
        }
    }

    pub(super) fn n_clusters(&self) -> usize {
        self.labels.iter().max().map_or(0, |m| m + 1)
    }

    /// Closes up the labels of emptied clusters, with their stimuli.
    fn close_up(&mut self) {
        let kept = contiguous(&mut self.labels);
        for stimuli in self.stimuli.iter_mut().flatten() {
            *stimuli = stimuli.select(Axis(0), &kept);
        }
    }
}

impl Config {
    /// Clusters the neurons of a model, from random balanced assignments.
    ///
    /// Assignments come from the stream `assignment`, stimuli from `stimuli`, halves from `halves`; each restart has a
    /// family of streams of its own.
    ///
    /// # Errors
    /// Settings out of range; fewer than 2 neurons, or more clusters than neurons; a normalization for another number of
    /// neurons; scores that are not finite or not one for each neuron; [`StimuliError::Cancelled`].
    pub fn fit(
        &self,
        model: &dyn ResponseModel,
        normalization: &Normalization,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Types, StimuliError> {
        let n = model.n_neurons();
        if n < 2 {
            return Err(StimuliError::TooFewNeurons { found: n });
        }
        if !(2..=n).contains(&self.clusters) {
            return Err(StimuliError::Clusters {
                found: self.clusters,
                n_neurons: n,
            });
        }
        let mut best: Option<Types> = None;
        for restart in 0..self.restarts {
            let streams = streams.child(&format!("restart {restart}"));
            let labels = balanced(n, self.clusters, &mut streams.stream("assignment"));
            let types = self.fit_from(model, normalization, labels, &streams, watch)?;
            if best.as_ref().is_none_or(|b| types.score > b.score) {
                best = Some(types);
            }
        }
        best.ok_or(StimuliError::TooFewNeurons { found: n })
    }

    /// Clusters the neurons of a model, from this assignment.
    ///
    /// # Errors
    /// As [`Config::fit`]; a list of labels of another length.
    pub fn fit_from(
        &self,
        model: &dyn ResponseModel,
        normalization: &Normalization,
        labels: Vec<usize>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Types, StimuliError> {
        self.validate()?;
        let n = model.n_neurons();
        for (what, found) in [
            ("labels", labels.len()),
            ("normalization", normalization.n_neurons()),
        ] {
            if found != n {
                return Err(StimuliError::PerNeuron {
                    what,
                    expected: n,
                    found,
                });
            }
        }
        let search = Search {
            config: self,
            ascent: self.ascent(),
            model,
            normalization,
            watch,
        };
        let mut iterations = Vec::new();
        watch.stage("cluster", self.max_iterations as u64);
        let state = State::new((0..n).collect(), labels);
        let effort = Effort {
            steps: self.steps,
            iterations: self.max_iterations,
        };
        let mut state = search.cluster(state, effort, &streams.child("cluster"), |i| {
            watch.tick(1);
            watch.best("objective", i.mean_value);
            iterations.push(i);
        })?;
        let (converged, mut n_splits) = (state.converged, 0);
        if self.split {
            (state, n_splits) = search.split(state, &streams.child("split"))?;
        }
        let found = search.finish(&state, &streams.child("final"))?;
        let score = search
            .judge(&state, self.steps, &streams.child("score"))?
            .score;
        Ok(Types {
            shape: model.shape(),
            temperature: self.temperature,
            labels: state.labels,
            stimuli: found.stimuli,
            responses: found.responses,
            values: found.values,
            iterations,
            converged,
            n_splits,
            score,
        })
    }
}

/// How good a clustering is.
pub(super) struct Judgement {
    /// What clusterings are compared by.
    pub(super) score: f64,
    /// Of each cluster, the share of its neurons that its own stimulus drives most.
    pub(super) recall: Vec<f64>,
}

/// How long a clustering goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) steps: usize,
    pub(super) iterations: usize,
}

impl Search<'_> {
    /// Number of parts that the neurons of each cluster are taken apart into.
    fn n_parts(&self) -> usize {
        if self.config.held_out { 2 } else { 1 }
    }

    /// The clustering proper, until no neuron moves or one cluster is left.
    pub(super) fn cluster(
        &self,
        mut state: State,
        effort: Effort,
        streams: &Streams,
        mut each: impl FnMut(Iteration),
    ) -> Result<State, StimuliError> {
        for iteration in 0..effort.iterations {
            state.close_up();
            let n_clusters = state.n_clusters();
            if n_clusters <= 1 {
                state.converged = true;
                break;
            }
            let streams = streams.child(&format!("iteration {iteration}"));
            let start = match state.stimuli.take() {
                Some(warm) if !self.config.reinitialize => warm,
                _ => self.random(n_clusters, &streams),
            };
            let parts = self.parts(&state, &mut streams.stream("halves"));
            let found = self.improve(&state, &parts, start, effort.steps)?;
            let mut changed = 0;
            let columns: Vec<Vec<usize>> =
                found.iter().map(|f| argmax(f.responses.view())).collect();
            for (k, label) in state.labels.iter_mut().enumerate() {
                let new = columns[parts[k]][state.neurons[k]];
                changed += usize::from(new != *label);
                *label = new;
            }
            let values: Vec<f64> = found.iter().flat_map(|f| f.values.clone()).collect();
            each(Iteration {
                n_clusters,
                mean_value: chiasm_core::stats::mean(&values),
                changed,
                labels: state.labels.clone(),
            });
            state.stimuli = Some(found.into_iter().map(|f| f.stimuli).collect());
            if changed == 0 {
                state.converged = true;
                break;
            }
        }
        state.close_up();
        Ok(state)
    }

    /// Random stimuli, one set for each part.
    fn random(&self, n_clusters: usize, streams: &Streams) -> Vec<Array2<f64>> {
        let pixels = self.model.shape().n_pixels();
        (0..self.n_parts())
            .map(|part| {
                let mut rng = streams.indexed("stimuli", part);
                Array2::from_shape_simple_fn((n_clusters, pixels), || {
                    StandardNormal.sample(&mut rng)
                })
            })
            .collect()
    }

    /// The part of each neuron: neurons of a cluster are shuffled and dealt out.
    fn parts(&self, state: &State, rng: &mut Rng) -> Vec<usize> {
        let n_parts = self.n_parts();
        let mut parts = vec![0; state.labels.len()];
        if n_parts == 1 {
            return parts;
        }
        for cluster in 0..state.n_clusters() {
            let mut own: Vec<usize> = (0..parts.len())
                .filter(|&k| state.labels[k] == cluster)
                .collect();
            own.shuffle(rng);
            let first = rng.random_range(0..n_parts);
            for (i, k) in own.into_iter().enumerate() {
                parts[k] = (first + i) % n_parts;
            }
        }
        parts
    }

    /// Stimuli for the judgement of each part, made from the others: a cluster that has no neuron elsewhere is
    /// represented by all it has.
    fn improve(
        &self,
        state: &State,
        parts: &[usize],
        start: Vec<Array2<f64>>,
        steps: usize,
    ) -> Result<Vec<Ascended>, StimuliError> {
        let n_clusters = state.n_clusters();
        let ascent = Ascent {
            steps,
            ..self.ascent.clone()
        };
        let mut all = Vec::with_capacity(start.len());
        for (part, start) in start.into_iter().enumerate() {
            let seen = |k: usize| self.n_parts() == 1 || parts[k] != part;
            let mut has = vec![false; n_clusters];
            for (k, &label) in state.labels.iter().enumerate() {
                has[label] |= seen(k);
            }
            let mut labels = vec![None; self.model.n_neurons()];
            for (k, &label) in state.labels.iter().enumerate() {
                if seen(k) || !has[label] {
                    labels[state.neurons[k]] = Some(label);
                }
            }
            let groups = Groups::of(labels.into_iter(), n_clusters)?;
            all.push(ascent.run(self.model, self.normalization, &groups, start, self.watch)?);
        }
        Ok(all)
    }

    /// How good a clustering is, by new stimuli from random starts: the mean objective of all clusters (the paper's rule);
    /// or, where neurons are held out, how well the stimuli type neurons they were made without: the mean over neurons of
    /// the log of their own type's share in a softmax over all stimuli, plus ln K.
    pub(super) fn judge(
        &self,
        state: &State,
        steps: usize,
        streams: &Streams,
    ) -> Result<Judgement, StimuliError> {
        let n_clusters = state.n_clusters();
        if n_clusters <= 1 {
            return Ok(Judgement {
                score: 0.0,
                recall: vec![1.0; n_clusters],
            });
        }
        let parts = self.parts(state, &mut streams.stream("halves"));
        let start = self.random(n_clusters, streams);
        let found = self.improve(state, &parts, start, steps)?;
        let mut right = vec![0.0; n_clusters];
        let mut sizes = vec![0.0; n_clusters];
        let mut sum = 0.0;
        for (k, &label) in state.labels.iter().enumerate() {
            let column = found[parts[k]].responses.column(state.neurons[k]);
            sum += self.ascent.objective.of(&column.to_vec(), label);
            sizes[label] += 1.0;
            let best = column.iter().fold(f64::NEG_INFINITY, |b, &v| b.max(v));
            right[label] += f64::from(u8::from(column[label] >= best));
        }
        Ok(Judgement {
            score: if self.config.held_out {
                sum / state.labels.len() as f64
            } else {
                chiasm_core::stats::mean(&found[0].values)
            },
            recall: right.iter().zip(&sizes).map(|(r, n)| r / n).collect(),
        })
    }

    /// The stimuli of the final clusters, made from all their neurons.
    fn finish(&self, state: &State, streams: &Streams) -> Result<Ascended, StimuliError> {
        let n_clusters = state.n_clusters();
        let labels = state.labels.iter().map(|&l| Some(l));
        let groups = Groups::of(labels, n_clusters)?;
        let start = match &state.stimuli {
            Some(warm) if !self.config.held_out && warm[0].nrows() == n_clusters => warm[0].clone(),
            _ => self.random(n_clusters, streams).swap_remove(0),
        };
        let watch = Inside(self.watch);
        self.ascent
            .run(self.model, self.normalization, &groups, start, &watch)
    }
}

/// A random assignment to clusters of one size: neurons are shuffled and cut into chunks of ceil(n / clusters).
pub(super) fn balanced(n: usize, clusters: usize, rng: &mut Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    let chunk = n.div_ceil(clusters.max(1)).max(1);
    let mut labels = vec![0; n];
    for (i, neuron) in order.into_iter().enumerate() {
        labels[neuron] = i / chunk;
    }
    labels
}
