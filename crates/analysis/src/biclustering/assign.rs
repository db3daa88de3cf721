//! Step 6: which cluster a neuron belongs to.
//!
//! What a cluster's path says of a neuron is the marginal likelihood over the neuron's loadings, by Laplace's
//! approximation at their posterior mode. It depends on no other neuron, so it is found for all neurons at once and in
//! parallel; the Gibbs pass over the neurons only weighs it against the sizes of the clusters.

use chiasm_core::{Rng, Streams};
use rand::RngExt;
use rayon::prelude::*;

use super::Counts;
use super::births::new_path;
use super::config::{Biclustering, Observation};
use super::laplace::{Laplace, laplace};
use super::left_out::LeftOut;
use super::likelihood::{Regressors, Target};
use super::partition_prior::PartitionPrior;
use super::state::ChainState;

/// A path of one cluster.
struct Candidate {
    /// `[bin, row]`
    path: Vec<f64>,
    regressors: Regressors,
    /// Position in the state before the pass; `None` for a new path.
    from: Option<usize>,
    size: usize,
}

impl Candidate {
    fn new(config: &Biclustering, path: Vec<f64>, from: Option<usize>, size: usize) -> Self {
        let regressors = Regressors::scaled(config, &path, config.latents + 1);
        Self {
            path,
            regressors,
            from,
            size,
        }
    }
}

/// What each cluster's path says of a neuron.
type Fits = Vec<Option<Laplace>>;
/// A new path, and what it says of its neuron.
type Fresh = (Candidate, Option<Laplace>);

/// The neuron as the paths see it.
pub(super) fn target<'a>(
    config: &Biclustering,
    counts: &'a Counts,
    state: &ChainState,
    i: usize,
) -> Target<'a> {
    Target {
        counts: counts.of(i),
        offset: state.offsets[i],
        dispersion: match config.observation {
            Observation::NegativeBinomial => Some(state.dispersions[i]),
            Observation::Poisson => None,
        },
    }
}

/// One Gibbs pass over all neurons. Returns the positions (after the pass) of clusters just born; `None` where a matrix is
/// not positive definite.
pub(super) fn assign(
    config: &Biclustering,
    counts: &Counts,
    prior: &PartitionPrior,
    left_out: Option<&LeftOut<'_>>,
    state: &mut ChainState,
    streams: &Streams,
) -> Option<Vec<usize>> {
    let (n, rows, k) = (state.clusters.len(), state.rows, state.k());
    let p = rows - 1;
    let sizes = state.sizes();
    let mut candidates: Vec<Candidate> = (0..state.n_clusters())
        .map(|c| {
            let path = super::project::of_cluster(&state.paths, k, c * rows, rows);
            Candidate::new(config, path, Some(c), sizes[c])
        })
        .collect();
    let splines = state.sweep.is_multiple_of(config.spline_every);
    let now: &ChainState = state;
    let on = |candidate: &Candidate, i: usize| {
        laplace(target(config, counts, now, i), &candidate.regressors, None)
    };
    let without = match left_out {
        Some(left_out) => Some(left_out.paths(now, streams, "left out")?),
        None => None,
    };
    let (mut fits, mut fresh): (Vec<Fits>, Vec<Option<Fresh>>) = (0..n)
        .into_par_iter()
        .map(|i| {
            let mut fits = Vec::with_capacity(candidates.len());
            for (c, candidate) in candidates.iter().enumerate() {
                fits.push(if c == now.clusters[i] {
                    let without = without.as_ref().map(|paths| paths[i].as_slice());
                    own_fit(config, counts, now, without, &candidate.regressors, i)
                } else {
                    on(candidate, i)
                });
            }
            let path = new_path(
                now.n_bins(),
                rows,
                splines,
                &mut streams.indexed("birth", i),
            );
            let candidate = Candidate::new(config, path, None, 0);
            let fit = on(&candidate, i);
            (fits, Some((candidate, fit)))
        })
        .unzip();
    let mut clusters = now.clusters.clone();
    let mut moved: Vec<Option<Vec<f64>>> = vec![None; n];
    let mut rng = streams.stream("assign");
    for i in 0..n {
        let old = clusters[i];
        candidates[old].size -= 1;
        let alone = candidates[old].size == 0;
        let open = candidates.iter().filter(|c| c.size > 0).count();
        let mut weights: Vec<f64> = Vec::with_capacity(candidates.len() + 1);
        for (c, candidate) in candidates.iter().enumerate() {
            if fits[i].len() <= c {
                let fit = on(candidate, i);
                fits[i].push(fit);
            }
            let ln_prior = match (candidate.size, c == old) {
                // Its own path stands for the new cluster.
                (0, true) => prior.ln_open(open),
                (0, false) => f64::NEG_INFINITY,
                (size, _) => prior.ln_join(size),
            };
            weights.push(ln_prior + ln_marginal(fits[i][c].as_ref()));
        }
        let new = fresh[i]
            .take()
            .filter(|_| !alone && open < config.max_clusters);
        if let Some((_, fit)) = &new {
            weights.push(prior.ln_open(open) + ln_marginal(fit.as_ref()));
        }
        let chosen = categorical(&weights, &mut rng).unwrap_or(old);
        if chosen == candidates.len()
            && let Some((candidate, fit)) = new
        {
            candidates.push(candidate);
            fits[i].push(fit);
        }
        candidates[chosen].size += 1;
        clusters[i] = chosen;
        if chosen != old
            && let Some(fit) = &fits[i][chosen]
        {
            // Loadings of another path say nothing here: they follow from the one chosen.
            let scale = &candidates[chosen].regressors.scale;
            moved[i] = Some(fit.draw(scale, &mut streams.indexed("move", i)));
        }
    }
    for (i, loadings) in moved.into_iter().enumerate() {
        if let Some(loadings) = loadings {
            state.loadings[i * p..(i + 1) * p].copy_from_slice(&loadings);
        }
    }
    Some(rebuild(state, clusters, candidates))
}

fn ln_marginal(fit: Option<&Laplace>) -> f64 {
    fit.map_or(f64::NEG_INFINITY, |f| f.ln_marginal)
}

/// What its own cluster says of a neuron: by a path drawn without it, or by the present one.
fn own_fit(
    config: &Biclustering,
    counts: &Counts,
    state: &ChainState,
    without: Option<&[f64]>,
    present: &Regressors,
    i: usize,
) -> Option<Laplace> {
    let of = |path: &[f64]| Regressors::scaled(config, path, state.rows);
    let without = without.map(of);
    let on = without.as_ref().unwrap_or(present);
    let start = on.to_scale(state.loading(i));
    laplace(target(config, counts, state, i), on, Some(&start))
}

/// How well each neuron is foretold by the others of its cluster, and how likely the partition is a priori: the sum over the
/// neurons of their log marginal likelihoods on paths drawn without them, and the log prior of the partition. `None` where a
/// matrix is not positive definite.
pub(super) fn foretold(
    config: &Biclustering,
    counts: &Counts,
    prior: &PartitionPrior,
    left_out: &LeftOut<'_>,
    state: &ChainState,
    streams: &Streams,
) -> Option<f64> {
    let each: Option<Vec<f64>> = left_out
        .paths(state, streams, "foretold")?
        .par_iter()
        .enumerate()
        .map(|(i, path)| {
            let without = Regressors::scaled(config, path, state.rows);
            let target = target(config, counts, state, i);
            let fit = laplace(target, &without, Some(&without.to_scale(state.loading(i))))?;
            let r = state.dispersions[i];
            let alone = |y: f64| {
                super::chain::ln_probability(config, y, r, 0.0)
                    - match target.dispersion {
                        Some(r) => super::state::negative_binomial(y, r, 0.0),
                        None => super::state::poisson(y, 0.0),
                    }
            };
            let constant: f64 = target
                .counts
                .iter()
                .filter(|y| !y.is_nan())
                .map(|&y| alone(y))
                .sum();
            Some(fit.ln_marginal + constant)
        })
        .collect();
    let mut sizes = vec![0; state.n_clusters()];
    let mut ln_prior = 0.0;
    for (before, &c) in state.clusters.iter().enumerate() {
        let open = sizes.iter().filter(|s| **s > 0).count();
        // Up to a constant: V is that of all neurons, whatever their order.
        ln_prior += if sizes[c] > 0 {
            prior.ln_join(sizes[c])
        } else if before > 0 {
            prior.ln_open(open)
        } else {
            0.0
        };
        sizes[c] += 1;
    }
    Some(each?.iter().sum::<f64>() + ln_prior)
}

/// Keeps the clusters that hold neurons; returns the positions of the new ones.
fn rebuild(state: &mut ChainState, clusters: Vec<usize>, candidates: Vec<Candidate>) -> Vec<usize> {
    let (rows, old_k) = (state.rows, state.k());
    let kept: Vec<usize> = (0..candidates.len())
        .filter(|&c| candidates[c].size > 0)
        .collect();
    let mut position = vec![0; candidates.len()];
    kept.iter()
        .enumerate()
        .for_each(|(new, &old)| position[old] = new);
    state.clusters = clusters.into_iter().map(|c| position[c]).collect();
    let k = kept.len() * rows;
    let mut paths = vec![0.0; state.n_bins() * k];
    for (new, &old) in kept.iter().enumerate() {
        for (x, own) in paths
            .chunks_exact_mut(k)
            .zip(candidates[old].path.chunks_exact(rows))
        {
            x[new * rows..(new + 1) * rows].copy_from_slice(own);
        }
    }
    state.paths = paths;
    let order: Vec<Option<usize>> = kept
        .iter()
        .flat_map(|&c| (0..rows).map(move |r| (c, r)))
        .map(|(c, r)| candidates[c].from.map(|from| from * rows + r))
        .collect();
    for d in &mut state.dynamics {
        *d = d.select(old_k, &order);
    }
    // A name that no cluster has yet, for each that was born.
    let old_names = state.names.clone();
    let mut taken = old_names.clone();
    let mut names = Vec::with_capacity(kept.len());
    for &c in &kept {
        names.push(match candidates[c].from {
            Some(from) => old_names[from],
            None => {
                let free = (0..)
                    .find(|name| !taken.contains(name))
                    .unwrap_or(taken.len());
                taken.push(free);
                free
            }
        });
    }
    state.names = names;
    (0..kept.len())
        .filter(|&new| candidates[kept[new]].from.is_none())
        .collect()
}

/// A position drawn with these log weights; `None` where none is above minus infinity.
pub(super) fn categorical(ln_weights: &[f64], rng: &mut Rng) -> Option<usize> {
    let most = ln_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return None;
    }
    let total: f64 = ln_weights.iter().map(|w| (w - most).exp()).sum();
    let mut left = rng.random::<f64>() * total;
    for (i, w) in ln_weights.iter().enumerate() {
        left -= (w - most).exp();
        if left < 0.0 {
            return Some(i);
        }
    }
    ln_weights.iter().rposition(|w| *w > f64::NEG_INFINITY)
}
