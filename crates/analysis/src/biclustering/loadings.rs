//! Steps 3 and 4: offset, loadings and dispersion of each neuron, given its cluster's path.

use chiasm_core::{Rng, summed, vectorized};
use rand::RngExt;
use rand_distr::{Distribution, Gamma, StandardNormal};

use super::columns::{Columns, log_rates};
use super::dense::{cholesky, solve_lower, solve_lower_transposed};
use super::lanes::dot;
use super::negative_binomial::{exponentiate, ln_sums_of};
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
    columns: &Columns,
    neuron: usize,
    (omega, kappa): (&mut [f64], &mut [f64]),
    rng: &mut Rng,
) -> Option<Neuron> {
    let (n_bins, rows) = (state.n_bins(), state.rows);
    let first = state.clusters[neuron] * rows;
    let y = counts.of(neuron);
    let r = state.augmenting(config, neuron);
    let mut eta = vec![0.0; n_bins];
    state.log_rates(columns, neuron, &mut eta);
    augment(y, r, &eta, rng, omega, kappa);
    let (mut precision, mut draw) = regression(columns, first..first + rows, r.ln(), omega, kappa);
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
    log_rates(columns, first, new.offset, &new.loadings, &mut new_eta);
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

/// What the pseudo-data say of offset and loadings: precision I + Z' Omega Z (lower triangle) with Z = [1, X], and right side
/// Z' (kappa + omega (log r - mu)).
fn regression(
    columns: &Columns,
    own: std::ops::Range<usize>,
    ln_r: f64,
    omega: &[f64],
    kappa: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    let rows = own.len();
    let mut precision = super::dense::identity(rows);
    let mut right = vec![0.0; rows];
    let mut weighted = omega.to_vec();
    let mut pseudo = kappa.to_vec();
    vectorized(
        #[inline(always)]
        || {
            let mean = columns.of_coordinate(own.start);
            for ((p, w), m) in pseudo.iter_mut().zip(omega).zip(mean) {
                *p = w.mul_add(ln_r - m, *p);
            }
            precision[0] += summed(omega, |w| w);
            right[0] = summed(&pseudo, |p| p);
            for a in 1..rows {
                let z = columns.of_coordinate(own.start + a);
                for ((v, w), z) in weighted.iter_mut().zip(omega).zip(z) {
                    *v = w * z;
                }
                right[a] = dot(&pseudo, z);
                precision[a * rows] = summed(&weighted, |w| w);
                for b in 1..=a {
                    precision[a * rows + b] += dot(&weighted, columns.of_coordinate(own.start + b));
                }
            }
        },
    );
    (precision, right)
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
    let (seen, mut mean): (Vec<f64>, Vec<f64>) =
        y.iter().zip(eta).filter(|(y, _)| !y.is_nan()).unzip();
    exponentiate(&mut mean);
    let (n, mut ln_sums) = (seen.len() as f64, vec![0.0; seen.len()]);
    // Rate of the proposal from r, and log p(y, L | r) p(r).
    let mut look = |r: f64| {
        let ln_r = r.ln();
        let (all, weighted) = ln_sums_of(&seen, &mean, r, &mut ln_sums);
        let rate = 1.0 + all - n * ln_r;
        (rate, tables * ln_r - r + r * (n * ln_r - all) - weighted)
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
