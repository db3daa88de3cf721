//! How likely a partition of the neurons is before anything is seen.
//!
//! Under each prior, a partition of n neurons into blocks of sizes n_1, ..., n_t has the probability
//! V_n(t) (gamma)_{n_1} ... (gamma)_{n_t}, (gamma)_m being the rising factorial (for a Dirichlet process gamma = 0 and
//! (m - 1)! in its place). Adding a neuron to a block of m then weighs m + gamma, opening a block
//! gamma V_n(t + 1) / V_n(t).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

/// The prior over partitions of the neurons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterPrior {
    /// A mixture of finite mixtures: the number of clusters less one is geometric (Miller and Harrison 2018).
    #[default]
    Mixtures,
    /// A Dirichlet process of fixed concentration.
    DirichletProcess,
    /// A finite mixture of a fixed number of clusters, some of which may stay empty.
    Fixed,
}

/// The coefficients of a partition prior, in logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionPrior {
    ln_v: Vec<f64>,
    gamma: f64,
}

impl PartitionPrior {
    /// Mixture of finite mixtures over `n` things, p(k) = rho (1 - rho)^(k - 1), Dirichlet weight `gamma`.
    #[must_use]
    pub fn mixtures(n: usize, rho: f64, gamma: f64) -> Self {
        let ln_p = |k: usize| rho.ln() + (k - 1) as f64 * (-rho).ln_1p();
        let ln_v = (1..=n + 1).map(|t| ln_v(n, t, gamma, ln_p)).collect();
        Self { ln_v, gamma }
    }

    /// A mixture of exactly `clusters`.
    #[must_use]
    pub fn fixed(n: usize, clusters: usize, gamma: f64) -> Self {
        let ln_v = (1..=n + 1)
            .map(|t| {
                if t > clusters || t > n {
                    f64::NEG_INFINITY
                } else {
                    term(n, t, clusters, gamma)
                }
            })
            .collect();
        Self { ln_v, gamma }
    }

    /// A Dirichlet process of this concentration.
    #[must_use]
    pub fn dirichlet_process(n: usize, concentration: f64) -> Self {
        let all = ln_gamma(concentration) - ln_gamma(concentration + n as f64);
        let ln_v = (1..=n + 1)
            .map(|t| all + t as f64 * concentration.ln())
            .collect();
        Self { ln_v, gamma: 0.0 }
    }

    /// log V_n(t); minus infinity where no partition has `t` blocks.
    #[must_use]
    pub fn ln_v(&self, t: usize) -> f64 {
        t.checked_sub(1)
            .and_then(|i| self.ln_v.get(i))
            .copied()
            .unwrap_or(f64::NEG_INFINITY)
    }

    /// Log weight of joining a block of `size` others.
    #[must_use]
    pub fn ln_join(&self, size: usize) -> f64 {
        (size as f64 + self.gamma).ln()
    }

    /// Log weight of opening a block beside `blocks` others.
    #[must_use]
    pub fn ln_open(&self, blocks: usize) -> f64 {
        let first = if self.gamma > 0.0 {
            self.gamma.ln()
        } else {
            0.0
        };
        if blocks == 0 {
            // The only choice there is.
            return 0.0;
        }
        self.ln_v(blocks + 1) - self.ln_v(blocks) + first
    }
}

/// log of k!/(k - t)! Gamma(gamma k) / Gamma(gamma k + n).
fn term(n: usize, t: usize, k: usize, gamma: f64) -> f64 {
    let (kf, nf) = (k as f64, n as f64);
    ln_gamma(kf + 1.0) - ln_gamma((k - t) as f64 + 1.0) + ln_gamma(gamma * kf)
        - ln_gamma(gamma * kf + nf)
}

/// log V_n(t) = log sum over k >= t of k!/(k - t)! Gamma(gamma k) / Gamma(gamma k + n) p(k).
fn ln_v(n: usize, t: usize, gamma: f64, ln_p: impl Fn(usize) -> f64) -> f64 {
    if t > n {
        return f64::NEG_INFINITY;
    }
    let mut sum = f64::NEG_INFINITY;
    let mut rising = true;
    let mut previous = f64::NEG_INFINITY;
    for k in t..t + 2_000_000 {
        let next = term(n, t, k, gamma) + ln_p(k);
        rising &= next >= previous;
        previous = next;
        let (high, low) = if next > sum { (next, sum) } else { (sum, next) };
        let changed = high + (low - high).exp().ln_1p();
        // Terms rise to one peak and then fall at least as fast as p(k).
        if !rising && (changed - sum).abs() < 1e-15 {
            return changed;
        }
        sum = changed;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probability of each number of blocks: V_n(t) times the Lah number, the sum over partitions of products of m!.
    fn of_blocks(prior: &PartitionPrior, n: usize) -> Vec<f64> {
        let ln_factorial = |m: usize| ln_gamma(m as f64 + 1.0);
        (1..=n)
            .map(|t| {
                let lah = ln_factorial(n - 1) - ln_factorial(t - 1) - ln_factorial(n - t)
                    + ln_factorial(n)
                    - ln_factorial(t);
                (prior.ln_v(t) + lah).exp()
            })
            .collect()
    }

    #[test]
    fn coefficients_are_those_of_the_reference() {
        let prior = PartitionPrior::mixtures(30, 0.2, 1.0);
        let expected = [
            -76.21327074,
            -79.06956856,
            -80.80680769,
            -81.83053920,
            -82.32321396,
        ];
        for (t, e) in (1..).zip(expected) {
            assert!((prior.ln_v(t) - e).abs() < 5e-9, "{t}: {}", prior.ln_v(t));
        }
        let blocks = of_blocks(&prior, 30);
        for (found, expected) in blocks.iter().zip([0.2112, 0.1760, 0.1446, 0.1169]) {
            assert!((found - expected).abs() < 5e-5, "{found}");
        }
        assert!((blocks.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let mean: f64 = (1..).zip(&blocks).map(|(t, p)| f64::from(t) * p).sum();
        assert!((mean - 4.0426).abs() < 5e-5, "{mean}");
        let recording = PartitionPrior::mixtures(63, 0.415, 1.0);
        assert!((recording.ln_v(1) + 201.87017442).abs() < 5e-9);
        for (found, expected) in of_blocks(&recording, 63)
            .iter()
            .zip([0.4228, 0.2486, 0.1442])
        {
            assert!((found - expected).abs() < 5e-5, "{found}");
        }
    }

    #[test]
    fn one_more_neuron_goes_somewhere() {
        // V_n(t) = (n + gamma t) V_{n+1}(t) + gamma V_{n+1}(t + 1)
        for (rho, gamma) in [(0.2, 1.0), (0.415, 1.0), (0.6, 0.3), (0.3, 2.5)] {
            for n in [1, 5, 30, 200] {
                let (now, next) = (
                    PartitionPrior::mixtures(n, rho, gamma),
                    PartitionPrior::mixtures(n + 1, rho, gamma),
                );
                for t in 1..=n.min(12) {
                    let split = ((next.ln_v(t) - now.ln_v(t)).exp()
                        * (n as f64 + gamma * t as f64))
                        + gamma * (next.ln_v(t + 1) - now.ln_v(t)).exp();
                    assert!(
                        (split - 1.0).abs() < 1e-12,
                        "{rho} {gamma} {n} {t}: {split}"
                    );
                }
            }
        }
    }

    #[test]
    fn other_priors_are_distributions_too() {
        let fixed = PartitionPrior::fixed(6, 3, 1.0);
        let blocks = of_blocks(&fixed, 6);
        assert!((blocks.iter().sum::<f64>() - 1.0).abs() < 1e-12 && blocks[3] == 0.0);
        assert_eq!(fixed.ln_open(3), f64::NEG_INFINITY);
        assert_eq!(
            PartitionPrior::fixed(6, 1, 1.0).ln_open(1),
            f64::NEG_INFINITY
        );
        let process = PartitionPrior::dirichlet_process(5, 0.7);
        // Joining blocks of 2 and 3, or opening one, at n = 5: 2, 3 and alpha.
        assert!((process.ln_open(2) - 0.7f64.ln()).abs() < 1e-12);
        assert!((process.ln_join(3) - 3.0f64.ln()).abs() < 1e-12);
        assert_eq!(
            PartitionPrior::mixtures(4, 0.2, 1.0).ln_v(5),
            f64::NEG_INFINITY
        );
    }
}
