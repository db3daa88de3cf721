//! Steps 3 and 4: offset, loadings and dispersion of each neuron, given its cluster's path.

use chiasm_core::Rng;
use rand::RngExt;
use rand_distr::{Distribution, Gamma, StandardNormal};

use super::dense::{cholesky, solve_lower, solve_lower_transposed};
use super::pseudo_data::augment;
use super::state::{ChainState, negative_binomial, poisson};
use super::{Biclustering, Counts, Observation};

/// A neuron's parameters.
pub(super) struct Neuron {
    pub offset: f64,
    pub loadings: Vec<f64>,
    pub dispersion: f64,
    /// Whether proposals for loadings and dispersion were accepted; `None` where there was none.
    pub accepted: (Option<bool>, Option<bool>),
}

/// Draws offset and loadings, then the dispersion; leaves the pseudo-data in `omega` and `kappa`. `None` where a matrix is not positive definite.
pub(super) fn draw_neuron(
    config: &Biclustering,
    counts: &Counts,
    state: &ChainState,
    neuron: usize,
    (omega, kappa): (&mut [f64], &mut [f64]),
    rng: &mut Rng,
) -> Option<Neuron> {
    let (n_bins, rows, k) = (state.n_bins(), state.rows, state.k());
    let c = state.clusters[neuron];
    let y = counts.of(neuron);
    let r = state.augmenting(config, neuron);
    let ln_r = r.ln();
    let mut eta = vec![0.0; n_bins];
    state.log_rates(neuron, &mut eta);
    augment(y, r, &eta, rng, omega, kappa);
    // Precision I + Z' Omega Z, Z = [1, X]; right side Z' (kappa + omega (log r - mu)).
    let mut precision = super::dense::identity(rows);
    let mut draw = vec![0.0; rows];
    let mut z = vec![1.0; rows];
    for ((x, w), kappa) in state.paths.chunks_exact(k).zip(&*omega).zip(&*kappa) {
        let own = &x[c * rows..(c + 1) * rows];
        z[1..].copy_from_slice(&own[1..]);
        let pseudo = kappa + w * (ln_r - own[0]);
        for a in 0..rows {
            draw[a] += z[a] * pseudo;
            let f = w * z[a];
            for b in 0..=a {
                precision[a * rows + b] += f * z[b];
            }
        }
    }
    if !cholesky(&mut precision, rows) {
        return None;
    }
    solve_lower(&precision, &mut draw);
    for d in &mut draw {
        let noise: f64 = StandardNormal.sample(rng);
        *d += noise;
    }
    solve_lower_transposed(&precision, &mut draw);
    let mut new = Neuron {
        offset: draw[0],
        loadings: draw[1..].to_vec(),
        dispersion: state.dispersions[neuron],
        accepted: (None, None),
    };
    let mut new_eta = vec![0.0; n_bins];
    let shifted = |new: &Neuron, out: &mut [f64]| {
        for (o, x) in out.iter_mut().zip(state.paths.chunks_exact(k)) {
            let own = &x[c * rows..(c + 1) * rows];
            let sum = new.offset
                + own[0]
                + new
                    .loadings
                    .iter()
                    .zip(&own[1..])
                    .map(|(l, v)| l * v)
                    .sum::<f64>();
            *o = sum.clamp(-super::state::MAX_LOG_RATE, super::state::MAX_LOG_RATE);
        }
    };
    shifted(&new, &mut new_eta);
    match config.observation {
        Observation::Poisson => {
            let accept = poisson_correction(y, r, &eta, &new_eta) > rng.random::<f64>().ln();
            if !accept {
                new.offset = state.offsets[neuron];
                new.loadings.copy_from_slice(state.loading(neuron));
            }
            new.accepted.0 = Some(accept);
        }
        Observation::NegativeBinomial if config.dispersion.is_none() => {
            let (dispersion, accept) = draw_dispersion(y, new.dispersion, &new_eta, rng);
            new.dispersion = dispersion;
            new.accepted.1 = Some(accept);
        }
        Observation::NegativeBinomial => {}
    }
    Some(new)
}

/// Log ratio by which a move between log rates that leaves the negative binomial of dispersion `r` invariant is accepted
/// for Poisson counts.
pub(super) fn poisson_correction(y: &[f64], r: f64, old: &[f64], new: &[f64]) -> f64 {
    let observed = y
        .iter()
        .zip(old.iter().zip(new))
        .filter(|(y, _)| !y.is_nan());
    observed
        .map(|(&y, (&old, &new))| {
            poisson(y, new) - poisson(y, old) + negative_binomial(y, r, old)
                - negative_binomial(y, r, new)
        })
        .sum()
}

/// Draws a dispersion given counts and log rates, r ~ Gamma(1, 1) a priori.
///
/// With the tables L of a Chinese restaurant, p(y, L | r) is r^L prod_t (r / (r + rate))^r (1 / (r + rate))^y. Were
/// r / (r + rate) fixed, r would be Gamma(1 + L, 1 - sum log(r / (r + rate))): the released code takes that for the
/// posterior. As the ratio depends on r, it is here the proposal of a Metropolis-Hastings step.
fn draw_dispersion(y: &[f64], r: f64, eta: &[f64], rng: &mut Rng) -> (f64, bool) {
    let tables: f64 = y
        .iter()
        .filter(|y| !y.is_nan())
        .map(|&y| tables(y, r, rng))
        .sum();
    let seen: Vec<(f64, f64)> = y
        .iter()
        .zip(eta)
        .filter(|(y, _)| !y.is_nan())
        .map(|(&y, eta)| (y, eta.exp()))
        .collect();
    // Rate of the proposal from r, and log p(y, L | r) p(r).
    let look = |r: f64| {
        let ln_r = r.ln();
        let (mut rate, mut ln_p) = (1.0, tables * ln_r - r);
        for (y, mean) in &seen {
            let sum = (r + mean).ln();
            rate += sum - ln_r;
            ln_p += r * (ln_r - sum) - y * sum;
        }
        (rate, ln_p)
    };
    let (rate, ln_p) = look(r);
    let Ok(proposal) = Gamma::new(1.0 + tables, 1.0 / rate) else {
        return (r, false);
    };
    let new = proposal.sample(rng);
    // r = 0 is no negative binomial.
    if !(new > 1e-10 && new.is_finite()) {
        return (r, false);
    }
    let (new_rate, new_ln_p) = look(new);
    let ln_q = |to: f64, rate: f64| (1.0 + tables) * rate.ln() + tables * to.ln() - rate * to;
    let ratio = new_ln_p - ln_p + ln_q(r, new_rate) - ln_q(new, rate);
    if ratio > rng.random::<f64>().ln() {
        (new, true)
    } else {
        (r, false)
    }
}

/// Tables that `y` guests open in a restaurant of weight `r`. Beyond many guests openings are so rare that their number
/// is Poisson.
fn tables(y: f64, r: f64, rng: &mut Rng) -> f64 {
    const MANY: f64 = 20_000.0;
    let near = y.min(MANY) as usize;
    let mut sum = super::states::chinese_restaurant(near, r, rng) as f64;
    if y > MANY {
        let mean = r * ((y + r) / (MANY + r)).ln();
        sum += rand_distr::Poisson::new(mean).map_or(0.0, |p| p.sample(rng));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::{Streams, stats};
    use statrs::function::gamma::ln_gamma;

    #[test]
    fn dispersions_follow_their_posterior() {
        let mut rng = Streams::new(3).stream("dispersion");
        let y: Vec<f64> = (0..60)
            .map(|t| f64::from((t * 7) % 9) * f64::from(t % 2))
            .collect();
        let eta: Vec<f64> = (0..60)
            .map(|t| 0.4 + 0.8 * (f64::from(t) * 0.7).sin())
            .collect();
        // The posterior on a fine grid.
        let ln_p = |r: f64| {
            let of = |(&y, &eta): (&f64, &f64)| {
                ln_gamma(y + r) - ln_gamma(r) + r * r.ln() + negative_binomial(y, r, eta)
            };
            y.iter().zip(&eta).map(of).sum::<f64>() - r
        };
        let grid: Vec<f64> = (1..4000).map(|i| f64::from(i) * 0.005).collect();
        let most = grid.iter().map(|r| ln_p(*r)).fold(f64::MIN, f64::max);
        let weights: Vec<f64> = grid.iter().map(|r| (ln_p(*r) - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean: f64 = grid.iter().zip(&weights).map(|(r, w)| r * w / total).sum();
        let (mut r, mut all, mut accepted) = (1.0, Vec::new(), 0);
        for _ in 0..60_000 {
            let (next, yes) = draw_dispersion(&y, r, &eta, &mut rng);
            r = next;
            accepted += u32::from(yes);
            all.push(r);
        }
        let worth = crate::mcmc::effective_sample_size(&[&all]).unwrap();
        let error = stats::sd(&all, 1) / worth.sqrt();
        assert!(
            (stats::mean(&all) - mean).abs() < 4.0 * error,
            "{} {mean} {error}",
            stats::mean(&all)
        );
        assert!(accepted > 10_000, "{accepted}");
    }
}
