//! Step 6 of the exact kernel: a Gibbs update of each neuron's cluster and loadings that leaves the posterior invariant.
//!
//! The state is extended by one new path beside those of the clusters, drawn from q, the prior of a cluster that is alone
//! (or, where the neuron stands alone, its own path), and by loadings on each path drawn from their Laplace approximation g (the neuron's own on
//! its own path). In the extended state cluster c has the weight p(c) p(y | loadings) N(loadings) / g(loadings), and a new
//! cluster beside that p(all paths with the new one) / (p(all paths) q(new path)), dynamics integrated out (Neal 2000,
//! algorithm 8, with importance weights).

use chiasm_core::{Rng, Streams};
use rand_distr::{Distribution, StandardNormal};

use super::assign::{categorical, target};
use super::dense::{cholesky, half_ln_det};
use super::dynamics::{Steps, draw_dynamics, ln_marginal};
use super::laplace::{Laplace, laplace};
use super::likelihood::{Regressors, ln_likelihood};
use super::state::ChainState;
use super::sweep::{Broken, Sweeper};

pub(super) fn assign_exactly(
    sweeper: &Sweeper<'_>,
    state: &mut ChainState,
    streams: &Streams,
) -> Result<(), Broken> {
    state.births = 0;
    for i in 0..state.clusters.len() {
        one(sweeper, state, i, streams)?;
    }
    Ok(())
}

fn one(
    sweeper: &Sweeper<'_>,
    state: &mut ChainState,
    i: usize,
    streams: &Streams,
) -> Result<(), Broken> {
    let (config, counts, prior) = (sweeper.config, sweeper.counts, &sweeper.prior);
    let mut rng = streams.indexed("exact", i);
    let (rows, p, n_bins) = (state.rows, state.p(), state.n_bins());
    let own = state.clusters[i];
    let alone = state.clusters.iter().filter(|&&c| c == own).count() == 1;
    // The stacked path without and with the candidate for a new cluster.
    let k = state.k();
    let candidate = if alone {
        super::project::of_cluster(&state.paths, k, own * rows, rows)
    } else {
        from_prior(state, config.states, &mut rng).ok_or("the prior of the dynamics")?
    };
    let others: Vec<usize> = (0..state.n_clusters())
        .filter(|&c| !(alone && c == own))
        .collect();
    let m = others.len() * rows;
    let mut without = Vec::with_capacity(n_bins * m);
    let mut with = Vec::with_capacity(n_bins * (m + rows));
    for (t, x) in state.paths.chunks_exact(k).enumerate() {
        for &c in &others {
            without.extend_from_slice(&x[c * rows..(c + 1) * rows]);
            with.extend_from_slice(&x[c * rows..(c + 1) * rows]);
        }
        with.extend_from_slice(&candidate[t * rows..(t + 1) * rows]);
    }
    let broken = "the marginal density of the paths";
    let ln_without = if others.is_empty() {
        0.0
    } else {
        ln_marginal(&without, &state.states, config.states, m).ok_or(broken)?
    };
    let ln_with = ln_marginal(&with, &state.states, config.states, m + rows);
    let ln_alone = ln_marginal(&candidate, &state.states, config.states, rows);
    let ln_birth = match (ln_with, ln_alone) {
        _ if candidate.iter().any(|x| x.abs() > sweeper.limit) => f64::NEG_INFINITY,
        (Some(with), Some(own)) => with - ln_without - own,
        // Drawn from heavy tails, a path may be so large that its density is lost in rounding: no birth, then.
        _ if !alone => f64::NEG_INFINITY,
        _ => return Err(broken),
    };
    // Loadings on each path, and their weights.
    let target = target(config, counts, state, i);
    let unscaled = vec![1.0; p];
    let mut weights = Vec::new();
    let mut loadings: Vec<Vec<f64>> = Vec::new();
    let mut sizes = state.sizes();
    sizes[own] -= 1;
    for option in 0..=others.len() {
        let new = option == others.len();
        let regressors = if new {
            Regressors::new(&candidate, rows, unscaled.clone())
        } else {
            let path = super::project::of_cluster(&state.paths, k, others[option] * rows, rows);
            Regressors::new(&path, rows, unscaled.clone())
        };
        let is_own = if new {
            alone
        } else {
            !alone && others[option] == own
        };
        let Some(fit) = laplace(target, &regressors, None) else {
            // A path drawn from heavy tails may say nothing finite: nobody comes to it, and so nobody leaves it.
            if is_own {
                return Ok(());
            }
            weights.push(f64::NEG_INFINITY);
            loadings.push(vec![]);
            continue;
        };
        let drawn = if is_own {
            state.loading(i).to_vec()
        } else {
            fit.draw(&unscaled, &mut rng)
        };
        let likelihood = ln_likelihood(target, &regressors, &drawn);
        let ln_prior: f64 = drawn.iter().map(|l| -0.5 * l * l).sum();
        let weight = if new {
            prior.ln_open(others.len()) + ln_birth
        } else {
            prior.ln_join(sizes[others[option]])
        };
        weights.push(weight + likelihood + ln_prior - ln_proposal(&fit, &drawn));
        loadings.push(drawn);
    }
    if !alone && others.len() >= config.max_clusters {
        weights.pop();
    }
    let own_option = if alone { others.len() } else { own };
    let chosen = categorical(&weights, &mut rng).unwrap_or(own_option);
    state.loadings[i * p..(i + 1) * p].copy_from_slice(&loadings[chosen]);
    if chosen == own_option {
        return Ok(());
    }
    if chosen == others.len() {
        // Born.
        state.births += 1;
        let free = (0..).find(|name| !state.names.contains(name)).unwrap_or(0);
        state.names.push(free);
        state.paths = with;
        state.clusters[i] = state.names.len() - 1;
    } else if alone {
        // The neuron's old cluster dies.
        state.paths = without;
        state.names.remove(own);
        for c in &mut state.clusters {
            *c -= usize::from(*c > own);
        }
        state.clusters[i] = chosen;
    } else {
        state.clusters[i] = others[chosen];
    }
    Ok(())
}

/// `[bin, row]`: the path of a cluster that is alone, from the prior: its dynamics, then its steps under the present states.
fn from_prior(state: &ChainState, n_states: usize, rng: &mut Rng) -> Option<Vec<f64>> {
    let (rows, n_bins) = (state.rows, state.n_bins());
    let mut dynamics = Vec::with_capacity(n_states);
    for _ in 0..n_states {
        let drawn = draw_dynamics(&Steps::none(rows), rng)?;
        let mut root = drawn.q.clone();
        if !cholesky(&mut root, rows) {
            return None;
        }
        dynamics.push((drawn, root));
    }
    let mut path: Vec<f64> = (0..rows).map(|_| StandardNormal.sample(rng)).collect();
    for t in 1..n_bins {
        let (d, root) = &dynamics[state.states[t]];
        let noise: Vec<f64> = (0..rows).map(|_| StandardNormal.sample(rng)).collect();
        for i in 0..rows {
            let before = &path[(t - 1) * rows..t * rows];
            let step: f64 = (0..rows)
                .map(|j| d.a[i * rows + j] * before[j] + root[i * rows + j] * noise[j])
                .sum();
            path.push(step + d.b[i]);
        }
    }
    Some(path)
}

/// Log density of the proposal, without the factor of 2 pi that the prior of the loadings lacks, too.
fn ln_proposal(fit: &Laplace, drawn: &[f64]) -> f64 {
    let p = drawn.len();
    let mut squares = 0.0;
    for j in 0..p {
        // Column j of the factor against the difference: L' d.
        let dot: f64 = (j..p)
            .map(|i| fit.factor[i * p + j] * (drawn[i] - fit.mode[i]))
            .sum();
        squares += dot * dot;
    }
    half_ln_det(&fit.factor, p) - 0.5 * squares
}
