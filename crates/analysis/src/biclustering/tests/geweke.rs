//! Does the exact kernel leave the posterior invariant? Parameters are drawn from the prior and counts given these; a few
//! sweeps given the counts must then leave the parameters with the prior's distribution (Geweke 2004, in the form of
//! independent replicates by Gandy and Scott 2020, arXiv:2001.06465: no autocorrelation blurs the errors). An error in any step
//! shifts some mean.

use super::*;
use crate::biclustering::dynamics::{Steps, draw_dynamics};
use crate::biclustering::states::prior_transitions;
use crate::biclustering::sweep::Sweeper;
use chiasm_core::stats;
use rand::RngExt;
use rayon::prelude::*;

const NEURONS: usize = 4;
const BINS: usize = 20;
/// Covariances have heavy tails: one in some hundred paths explodes. The prior of the check is cut here.
const LIMIT: f64 = 8.0;

fn method(observation: Observation) -> Biclustering {
    Biclustering {
        observation,
        latents: 1,
        states: 3,
        rho: 0.4,
        max_clusters: NEURONS,
        burn_in: 0,
        ..Biclustering::default()
    }
}

fn pick(weights: impl IntoIterator<Item = f64>, rng: &mut chiasm_core::Rng) -> usize {
    let weights: Vec<f64> = weights.into_iter().collect();
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    let found = weights.iter().position(|w| {
        left -= w;
        left < 0.0
    });
    found.unwrap_or(weights.len() - 1)
}

/// All parameters from the prior, step by step as the model is written down.
fn from_prior(method: &Biclustering, state: &mut ChainState, rng: &mut chiasm_core::Rng) {
    let rows = state.rows;
    // The partition by its predictive rule: V_n(t) is that of all four, so clusters are counted by rejection-free
    // sampling of K, weights and labels.
    let mut n_components = 1;
    while rng.random::<f64>() > method.rho {
        n_components += 1;
    }
    let gamma: Vec<f64> = (0..n_components)
        .map(|_| Gamma::new(method.cluster_weight, 1.0).unwrap().sample(rng))
        .collect();
    let components: Vec<usize> = (0..NEURONS)
        .map(|_| pick(gamma.iter().copied(), rng))
        .collect();
    state.clusters = crate::partition::by_appearance(&components);
    let n = state.clusters.iter().max().unwrap() + 1;
    state.names = (0..n).collect();
    (state.weights, state.transitions) = prior_transitions(method, rng);
    let l = method.states;
    for t in 1..BINS {
        state.states[t] = if t == 1 {
            rng.random_range(0..l)
        } else {
            let from = state.states[t - 1];
            pick(state.transitions[from * l..(from + 1) * l].to_vec(), rng)
        };
    }
    state.states[0] = state.states[1];
    let k = n * rows;
    state.dynamics = (0..l)
        .map(|_| draw_dynamics(&Steps::none(k), rng).unwrap())
        .collect();
    state.paths = (0..k).map(|_| normal(rng)).collect();
    for t in 1..BINS {
        let d = &state.dynamics[state.states[t]];
        let mut q = d.q.clone();
        assert!(crate::biclustering::dense::cholesky(&mut q, k));
        let noise: Vec<f64> = (0..k).map(|_| normal(rng)).collect();
        for i in 0..k {
            let x = &state.paths[(t - 1) * k..t * k];
            let moved: f64 = (0..k)
                .map(|j| d.a[i * k + j] * x[j] + q[i * k + j] * noise[j])
                .sum();
            state.paths.push(moved + d.b[i]);
        }
    }
    state.offsets.iter_mut().for_each(|o| *o = normal(rng));
    state.loadings.iter_mut().for_each(|o| *o = normal(rng));
    state
        .dispersions
        .iter_mut()
        .for_each(|r| *r = Gamma::new(1.0, 1.0).unwrap().sample(rng));
}

fn draw_counts(
    method: &Biclustering,
    state: &ChainState,
    counts: &mut Counts,
    rng: &mut chiasm_core::Rng,
) {
    let mut eta = vec![0.0; BINS];
    for i in 0..NEURONS {
        state.log_rates(&state.columns(), i, &mut eta);
        for (t, eta) in eta.iter().enumerate() {
            let rate = eta.exp();
            let count = match method.observation {
                Observation::NegativeBinomial => negative_binomial(rate, state.dispersions[i], rng),
                Observation::Poisson if rate > 0.0 => Poisson::new(rate).unwrap().sample(rng),
                Observation::Poisson => 0.0,
            };
            counts.replace(i, t, count);
        }
    }
}

/// Bounded functions: their means exist, and no heavy tail hides an error.
fn measures(state: &ChainState, counts: &Counts) -> Vec<(&'static str, f64)> {
    let mean = |x: &[f64], f: fn(f64) -> f64| x.iter().map(|v| f(*v)).sum::<f64>() / x.len() as f64;
    let k = state.k();
    let last = &state.paths[(BINS - 1) * k..];
    let switches = state.states[1..]
        .windows(2)
        .filter(|w| w[0] != w[1])
        .count();
    let largest = *state.sizes().iter().max().unwrap() as f64;
    let stay: f64 = (0..state.dynamics.len())
        .map(|s| state.transitions[s * (state.dynamics.len() + 1)])
        .sum();
    // Of parameters and counts together.
    let mut eta = vec![0.0; BINS];
    let mut residuals = Vec::new();
    for i in 0..NEURONS {
        state.log_rates(&state.columns(), i, &mut eta);
        let of = |(eta, y): (&f64, &f64)| (eta - (y + 0.3).ln()).tanh();
        residuals.extend(eta.iter().zip(counts.of(i)).map(of));
    }
    let of_used = &state.dynamics[state.states[BINS - 1]];
    vec![
        ("clusters", state.n_clusters() as f64),
        ("largest cluster", largest),
        ("offset", mean(&state.offsets, |v| v)),
        ("offset squared", mean(&state.offsets, |v| (v * v).min(9.0))),
        (
            "loading squared",
            mean(&state.loadings, |v| (v * v).min(9.0)),
        ),
        ("dispersion", mean(&state.dispersions, |v| v)),
        (
            "log dispersion",
            mean(&state.dispersions, |v| v.ln().max(-6.0)),
        ),
        ("switches", switches as f64),
        ("first path", mean(&state.paths[..k], |v| v.tanh().powi(2))),
        ("last path", mean(last, |v| v.tanh().powi(2))),
        (
            "step",
            (0..k)
                .map(|a| {
                    (5.0 * (last[a] - state.paths[(BINS - 2) * k + a]))
                        .tanh()
                        .powi(2)
                })
                .sum::<f64>()
                / k as f64,
        ),
        (
            "largest weight",
            state.weights.iter().copied().fold(0.0, f64::max),
        ),
        ("staying", stay),
        ("A", of_used.a[0].clamp(-3.0, 3.0)),
        ("A squared", (of_used.a[0] - 1.0).powi(2).min(1.0)),
        ("Q", (20.0 * of_used.q[0]).tanh()),
        ("residual", mean(&residuals, |v| v)),
        ("residual squared", mean(&residuals, |v| v * v)),
    ]
}

/// For each measure the mean change over replicates, in standard errors.
fn changes(method: &Biclustering, replicates: usize, sweeps: usize) -> Vec<(&'static str, f64)> {
    let pairs: Vec<[Vec<(&'static str, f64)>; 2]> = (0..replicates)
        .into_par_iter()
        .map(|replicate| {
            let streams = Streams::new(11).child(&replicate.to_string());
            let mut rng = streams.stream("prior");
            let mut counts = Counts::new(Array2::ones((NEURONS, BINS)).view()).unwrap();
            let mut state = Sweeper::new(method, &counts).start(&streams);
            loop {
                from_prior(method, &mut state, &mut rng);
                if state.paths.iter().all(|x| x.abs() <= LIMIT) {
                    break;
                }
            }
            draw_counts(method, &state, &mut counts, &mut rng);
            let before = measures(&state, &counts);
            let mut sweeper = Sweeper::new(method, &counts);
            sweeper.limit = LIMIT;
            for _ in 0..sweeps {
                sweeper.sweep(&mut state, &streams).unwrap();
            }
            [before, measures(&state, &counts)]
        })
        .collect();
    let changed = |m: usize| {
        let change: Vec<f64> = pairs.iter().map(|[a, b]| b[m].1 - a[m].1).collect();
        let error = stats::sd(&change, 1) / (change.len() as f64).sqrt();
        // What is no parameter of the model does not change at all.
        let z = if error > 0.0 {
            stats::mean(&change) / error
        } else {
            0.0
        };
        (pairs[0][0][m].0, z)
    };
    (0..pairs[0][0].len()).map(changed).collect()
}

fn check(observation: Observation) {
    let changed = changes(&method(observation), 8000, 4);
    assert!(
        changed.iter().all(|(_, z)| z.abs() < 4.0),
        "{observation:?}: {changed:.1?}"
    );
    let still = changed.iter().filter(|c| c.1 == 0.0).count();
    let expected = match observation {
        Observation::NegativeBinomial => 0,
        Observation::Poisson => 2,
    };
    assert_eq!(still, expected, "{changed:.1?}");
}

#[test]
fn the_exact_kernel_keeps_the_prior_under_negative_binomial_counts() {
    check(Observation::NegativeBinomial);
}

#[test]
fn the_exact_kernel_keeps_the_prior_under_poisson_counts() {
    check(Observation::Poisson);
}

#[test]
fn the_released_kernel_does_not_keep_the_prior() {
    let released = Biclustering {
        kernel: Kernel::Released,
        ..method(Observation::NegativeBinomial)
    };
    let changed = changes(&released, 1000, 4);
    assert!(changed.iter().any(|c| c.1.abs() > 6.0), "{changed:.1?}");
}
