//! Where states come from: in the burn-in, segmentations are made from how large and how fast the paths are, each is
//! improved by Gibbs sweeps over paths, states and dynamics, and the one that explains the pseudo-data best is taken over.
//!
//! States that start at random settle on any segmentation whose pieces are long enough for dynamics of their own, and one
//! state draws paths that look like one state. The released code therefore makes its states anew again and again, at any
//! time; here that is confined to the burn-in, and to better states.

use chiasm_core::{Quiet, Rng, Streams, stats};
use ndarray::Array2;
use rayon::prelude::*;
use statrs::function::gamma::ln_gamma;

use super::Biclustering;
use super::dynamics::{Steps, draw_dynamics, ln_marginal, ln_start};
use super::latents::{Conditional, Information, Space, draw_paths};
use super::pseudo_data::{Augmented, Evidence};
use super::state::ChainState;
use super::states::{draw_states, draw_transitions, step_densities};
use crate::kmeans::KMeans;

/// Bins of the moving averages over the paths.
const WINDOW: usize = 7;
/// Gibbs sweeps for each segmentation: the first few keep it, the last few are scored.
const SWEEPS: usize = 16;
const KEPT: usize = 4;
const SCORED: usize = 5;
/// Boundaries moved in each of these sweeps.
const SHIFTS: usize = 20;
/// Most groups of bins that a segmentation is made of.
const GROUPS: usize = 4;

/// Takes over states, transitions, dynamics and paths that explain the pseudo-data better than the present ones, if a search
/// finds any; returns whether it does.
pub(super) fn search_states(
    config: &Biclustering,
    state: &mut ChainState,
    data: &Augmented,
    ln_r: &[f64],
    streams: &Streams,
) -> bool {
    let evidence = Evidence::gather(state, data, ln_r);
    let mut mean = state.clone();
    let all = 0..state.n_clusters();
    let information: Option<Vec<Information>> = state
        .dynamics
        .iter()
        .map(|d| Information::of(d, state.k()))
        .collect();
    let Some(information) = information else {
        return false;
    };
    if draw_paths(
        &mut mean,
        &information,
        &evidence,
        all,
        None,
        &mut Space::default(),
    )
    .is_none()
    {
        return false;
    }
    let points = features(&mean);
    let now: &ChainState = state;
    // The present states compete on equal terms: with as many sweeps.
    let mut scored: Vec<Option<(f64, ChainState)>> = (1..=GROUPS.min(config.states))
        .into_par_iter()
        .map(|n_clusters| {
            let streams = streams.child(&format!("segmentation {n_clusters}"));
            let mut other = now.clone();
            if n_clusters > 1 {
                let method = KMeans {
                    n_clusters,
                    n_starts: 3,
                    ..KMeans::default()
                };
                other.states = method.fit(points.view(), &streams, &Quiet).ok()?.labels;
                other.states[0] = other.states[1];
                other.paths.clone_from(&mean.paths);
            }
            let score = improve(config, &mut other, &evidence, &mut streams.stream("sweeps"))?;
            Some((score, other))
        })
        .collect();
    let present = scored[0].take().map_or(f64::NEG_INFINITY, |p| p.0);
    let better = scored.into_iter().flatten().filter(|f| f.0 > present);
    let Some((_, best)) = better.reduce(|a, b| if b.0 > a.0 { b } else { a }) else {
        return false;
    };
    *state = best;
    true
}

/// Gibbs sweeps over dynamics, paths and states, given pseudo-data; the mean score of the last of them.
fn improve(
    config: &Biclustering,
    state: &mut ChainState,
    evidence: &Evidence,
    rng: &mut Rng,
) -> Option<f64> {
    let k = state.k();
    let mut space = Space::default();
    let mut scores = Vec::with_capacity(SCORED);
    for sweep in 0..SWEEPS {
        let steps = Steps::of_states(&state.paths, &state.states, config.states, k);
        state.dynamics = steps
            .iter()
            .map(|s| draw_dynamics(s, rng))
            .collect::<Option<_>>()?;
        draw_transitions(config, state, rng);
        let information: Vec<Information> = state
            .dynamics
            .iter()
            .map(|d| Information::of(d, k))
            .collect::<Option<_>>()?;
        let conditional = Conditional {
            information: &information,
            evidence,
            clusters: 0..state.n_clusters(),
        };
        let (_, ln_evidence) = conditional.shift_and_draw(state, SHIFTS, rng, &mut space)?;
        if sweep >= SWEEPS - SCORED {
            let price = price(state)?;
            scores.push(ln_evidence + price + ln_states(config, state));
        }
        if sweep >= KEPT {
            draw_states(state, rng).ok()??;
        }
    }
    Some(stats::mean(&scores))
}

/// What the dynamics cost: by how much the density of a path drawn with them exceeds its density with all dynamics integrated
/// out, as a negative number. Added to the evidence at the drawn dynamics it estimates the evidence without any (Chib 1995).
fn price(state: &ChainState) -> Option<f64> {
    let k = state.k();
    let steps = step_densities(&state.paths, &state.dynamics, k)?;
    let drawn: f64 = (1..state.n_bins())
        .map(|t| steps[[t - 1, state.states[t]]])
        .sum();
    let whole = ln_marginal(&state.paths, &state.states, state.dynamics.len(), k)?;
    Some(whole - ln_start(&state.paths[..k]) - drawn)
}

/// log p(states) with the transitions integrated out and shared weights taken to be even.
fn ln_states(config: &Biclustering, state: &ChainState) -> f64 {
    let l = config.states;
    let mut counts = vec![0.0; l * l];
    for two in state.states[1..].windows(2) {
        counts[two[0] * l + two[1]] += 1.0;
    }
    let even = config.alpha / l as f64;
    let mut sum = 0.0;
    for (from, row) in counts.chunks_exact(l).enumerate() {
        let all: f64 = row.iter().sum();
        sum += ln_gamma(config.alpha + config.kappa) - ln_gamma(config.alpha + config.kappa + all);
        for (to, n) in row.iter().enumerate() {
            let weight = even + if from == to { config.kappa } else { 0.0 };
            sum += ln_gamma(weight + n) - ln_gamma(weight);
        }
    }
    sum
}

/// `[bin, 2]`: z-scored logarithms of how large the paths are around each bin, and of how large their steps are.
fn features(state: &ChainState) -> Array2<f64> {
    let (k, n_bins) = (state.k(), state.n_bins());
    let square = |t: usize| {
        state.paths[t * k..(t + 1) * k]
            .iter()
            .map(|x| x * x)
            .sum::<f64>()
    };
    let step = |t: usize| {
        let (before, now) = state.paths[(t.max(1) - 1) * k..(t.max(1) + 1) * k].split_at(k);
        before
            .iter()
            .zip(now)
            .map(|(a, b)| (b - a) * (b - a))
            .sum::<f64>()
    };
    let sizes: Vec<f64> = (0..n_bins).map(square).collect();
    let steps: Vec<f64> = (0..n_bins).map(step).collect();
    let mut out = Array2::zeros((n_bins, 2));
    for (column, values) in [sizes, steps].iter().enumerate() {
        let logs: Vec<f64> = (0..n_bins)
            .map(|t| {
                let around =
                    &values[t.saturating_sub(WINDOW / 2)..(t + WINDOW / 2 + 1).min(n_bins)];
                (stats::mean(around) + 1e-12).ln()
            })
            .collect();
        let (mean, sd) = (stats::mean(&logs), stats::sd(&logs, 0));
        for (t, v) in logs.iter().enumerate() {
            let z = (v - mean) / sd;
            out[[t, column]] = if z.is_finite() { z } else { 0.0 };
        }
    }
    out
}
