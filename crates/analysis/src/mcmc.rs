//! Diagnostics of Markov chains: do chains agree (R-hat), how many independent draws are they worth (ESS), and where does
//! most of the posterior lie (HPD).
//!
//! ```
//! use chiasm_analysis::mcmc::{effective_sample_size, hpd, r_hat};
//! let chains = [vec![0.1, -0.4, 0.3, 0.2, -0.3, 0.0], vec![0.2, -0.1, 0.4, -0.3, 0.1, -0.2]];
//! let views: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
//! assert!(r_hat(&views).is_some_and(|r| r < 1.3));
//! assert!(effective_sample_size(&views).is_some_and(|n| n > 1.0));
//! assert_eq!(hpd(&[1.0, 2.0, 2.1, 2.2, 9.0], 0.6), Some((2.0, 2.2)));
//! ```

/// Halves of all chains, cut to one length. `None` with fewer than four draws in any chain, or values that are not finite.
fn halves<'a>(chains: &[&'a [f64]]) -> Option<Vec<&'a [f64]>> {
    let n = chains.iter().map(|c| c.len()).min()? / 2;
    let finite = chains.iter().all(|c| c.iter().all(|v| v.is_finite()));
    if n < 2 || !finite {
        return None;
    }
    Some(
        chains
            .iter()
            .flat_map(|c| [&c[..n], &c[c.len() - n..]])
            .collect(),
    )
}

/// Variance within chains and the pooled estimate of the whole variance (Gelman et al., Bayesian Data Analysis 3, 11.4).
fn variances(chains: &[&[f64]]) -> (f64, f64) {
    let (m, n) = (chains.len() as f64, chains[0].len() as f64);
    let means: Vec<f64> = chains.iter().map(|c| chiasm_core::stats::mean(c)).collect();
    let within = chains
        .iter()
        .map(|c| chiasm_core::stats::sd(c, 1).powi(2))
        .sum::<f64>()
        / m;
    let between = chiasm_core::stats::sd(&means, 1).powi(2);
    (within, within * (n - 1.0) / n + between)
}

/// Split R-hat: near 1 where chains, and the halves of each, have the same distribution; above 1.1 they have not mixed.
/// Chains are cut to the length of the shortest.
///
/// `None` where it is not defined: fewer than four draws, values that are not finite, or draws that never change (then the
/// trace says nothing about mixing).
#[must_use]
pub fn r_hat(chains: &[&[f64]]) -> Option<f64> {
    let halves = halves(chains)?;
    let (within, pooled) = variances(&halves);
    (within > 0.0).then(|| (pooled / within).sqrt())
}

/// Effective sample size over all chains: draws divided by their autocorrelation time, by Geyer's initial monotone
/// sequence over the halves of the chains.
///
/// `None` as for [`r_hat`].
#[must_use]
pub fn effective_sample_size(chains: &[&[f64]]) -> Option<f64> {
    let halves = halves(chains)?;
    let (within, pooled) = variances(&halves);
    if within <= 0.0 {
        return None;
    }
    let n = halves[0].len();
    let total = (halves.len() * n) as f64;
    let means: Vec<f64> = halves.iter().map(|c| chiasm_core::stats::mean(c)).collect();
    // Mean over chains of the autocovariance at a lag.
    let autocovariance = |lag: usize| {
        let of = |(c, m): (&&[f64], &f64)| {
            let sum: f64 = (lag..n).map(|i| (c[i] - m) * (c[i - lag] - m)).sum();
            sum / n as f64
        };
        halves.iter().zip(&means).map(of).sum::<f64>() / halves.len() as f64
    };
    let correlation = |lag: usize| 1.0 - (within - autocovariance(lag)) / pooled;
    let (mut time, mut previous, mut lag) = (-1.0, f64::INFINITY, 0);
    while lag + 1 < n {
        let pair = correlation(lag) + correlation(lag + 1);
        if pair <= 0.0 {
            break;
        }
        previous = pair.min(previous);
        time += 2.0 * previous;
        lag += 2;
    }
    // Antithetic chains may be worth more than their draws, but an estimate beyond that is noise.
    Some(total / time.max(1.0 / (total.log10().max(1.0))))
}

/// The shortest interval that holds a `mass` of the draws (highest posterior density of a unimodal posterior).
///
/// `None` without draws, with values that are not finite, or with a mass that is not in (0, 1].
#[must_use]
pub fn hpd(draws: &[f64], mass: f64) -> Option<(f64, f64)> {
    if draws.is_empty() || !(mass > 0.0 && mass <= 1.0) || draws.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut sorted = draws.to_vec();
    sorted.sort_by(f64::total_cmp);
    let inside = ((mass * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
    let mut best = (sorted[0], sorted[inside - 1]);
    for window in sorted.windows(inside) {
        if window[inside - 1] - window[0] < best.1 - best.0 {
            best = (window[0], window[inside - 1]);
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;
    use rand_distr::{Distribution, StandardNormal};

    fn autoregressive(n: usize, phi: f64, chain: usize) -> Vec<f64> {
        let mut rng = Streams::new(2).indexed("chain", chain);
        let mut x = 0.0;
        let mut next = || {
            let noise: f64 = StandardNormal.sample(&mut rng);
            x = phi * x + noise;
            x
        };
        (0..200).for_each(|_| {
            next();
        });
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn autocorrelated_draws_are_worth_what_theory_says() {
        for phi in [0.0, 0.5, 0.9] {
            let chains: Vec<Vec<f64>> = (0..4).map(|c| autoregressive(20_000, phi, c)).collect();
            let views: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
            let expected = 80_000.0 * (1.0 - phi) / (1.0 + phi);
            let found = effective_sample_size(&views).unwrap();
            assert!(
                (found / expected - 1.0).abs() < 0.15,
                "{phi}: {found} against {expected}"
            );
            assert!((r_hat(&views).unwrap() - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn chains_apart_or_adrift_are_told() {
        let (a, b) = (autoregressive(500, 0.0, 0), autoregressive(500, 0.0, 1));
        let shifted: Vec<f64> = b.iter().map(|v| v + 4.0).collect();
        assert!(r_hat(&[&a, &shifted]).unwrap() > 1.5);
        let drift: Vec<f64> = a
            .iter()
            .enumerate()
            .map(|(i, v)| v + i as f64 / 100.0)
            .collect();
        assert!(r_hat(&[&drift]).unwrap() > 1.2);
        assert_eq!(r_hat(&[&[1.0; 10]]), None);
        assert_eq!(r_hat(&[&a[..3]]), None);
        assert_eq!(r_hat(&[]), None);
        let mut holed = a.clone();
        holed[7] = f64::NAN;
        assert_eq!(effective_sample_size(&[&holed]), None);
    }

    #[test]
    fn the_densest_interval_of_a_normal_is_its_middle() {
        let draws = autoregressive(40_000, 0.0, 3);
        let (low, high) = hpd(&draws, 0.95).unwrap();
        assert!(
            (low + 1.96).abs() < 0.12 && (high - 1.96).abs() < 0.12,
            "{low} {high}"
        );
        assert_eq!(hpd(&[], 0.9), None);
        assert_eq!(hpd(&[1.0], 1.1), None);
        assert_eq!(hpd(&[3.0], 0.5), Some((3.0, 3.0)));
    }
}
