//! Tokens of a Markov chain, where no text is at hand (paper 50).

use chiasm_core::{SettingError, Streams};
use rand::RngExt;
use rand_distr::{Distribution, Gamma};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What [`markov_tokens`] draws: token `j` follows token `i` with probability in proportion to `w_ij / (j + 1)^exponent`,
/// where row `i` of `w` is drawn from a Dirichlet law: Zipf's law, weighed anew after each token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MarkovTokens {
    /// Number of tokens (card 50: 512).
    pub states: usize,
    /// Exponent of Zipf's law (card 50: 1).
    pub exponent: f64,
    /// Concentration of the Dirichlet law; the smaller, the fewer tokens follow each (card 50: 0.1).
    pub concentration: f64,
    /// Tokens drawn (card 50: 1e6).
    pub length: usize,
}

impl Default for MarkovTokens {
    fn default() -> Self {
        Self {
            states: 512,
            exponent: 1.0,
            concentration: 0.1,
            length: 1_000_000,
        }
    }
}

impl MarkovTokens {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.states;
        SettingError::check((2..=10_000).contains(&n), "states", "2 to 10,000", n)?;
        let v = self.exponent;
        SettingError::check((0.0..=10.0).contains(&v), "exponent", "0 to 10", v)?;
        let v = self.concentration;
        let fine = (1e-3..=1e6).contains(&v);
        SettingError::check(fine, "concentration", "0.001 to 1e6", v)?;
        let n = self.length;
        let fine = (1..=100_000_000).contains(&n);
        SettingError::check(fine, "length", "1 to 1e8", n)
    }
}

/// Draws tokens, and the entropy of the chain: what is left to tell of a token by the one before it, nats, mean over the tokens
/// drawn.
///
/// # Errors
/// [`SettingError`] for settings out of range.
pub fn markov_tokens(
    config: &MarkovTokens,
    streams: &Streams,
) -> Result<(Vec<u32>, f64), SettingError> {
    config.validate()?;
    let n = config.states;
    let gamma = Gamma::new(config.concentration, 1.0)
        .map_err(|e| SettingError::new("concentration", "a shape of the gamma law", e))?;
    let mut rng = streams.stream("chain");
    let mut cumulative: Vec<Vec<f64>> = vec![];
    let mut entropies = vec![];
    for _ in 0..n {
        let weights: Vec<f64> = (0..n)
            .map(|j| {
                let w: f64 = gamma.sample(&mut rng);
                w.max(f64::MIN_POSITIVE) / ((j + 1) as f64).powf(config.exponent)
            })
            .collect();
        let sum: f64 = weights.iter().sum();
        let surprise = |w: &f64| {
            let p = w / sum;
            if p > 0.0 { -p * p.ln() } else { 0.0 }
        };
        entropies.push(weights.iter().map(surprise).sum::<f64>());
        let mut so_far = 0.0;
        let row = weights.iter().map(|w| {
            so_far += w / sum;
            so_far
        });
        cumulative.push(row.collect());
    }
    let mut rng = streams.stream("tokens");
    let (mut now, mut entropy) = (0, 0.0);
    let tokens = (0..config.length).map(|_| {
        entropy += entropies[now];
        let u: f64 = rng.random();
        // Rounding may leave the last sum below 1.
        now = cumulative[now].partition_point(|c| *c <= u).min(n - 1);
        now as u32
    });
    let tokens: Vec<u32> = tokens.collect();
    Ok((tokens, entropy / config.length as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_far_from_independent_draws_and_repeats() {
        let config = MarkovTokens {
            states: 64,
            length: 60_000,
            ..MarkovTokens::default()
        };
        let (tokens, entropy) = markov_tokens(&config, &Streams::new(1)).unwrap();
        assert_eq!(tokens, markov_tokens(&config, &Streams::new(1)).unwrap().0);
        assert!(tokens.iter().all(|t| *t < 64));
        let mut counts = vec![0.0f64; 64];
        let mut pairs = vec![vec![0.0f64; 64]; 64];
        for w in tokens.windows(2) {
            counts[w[0] as usize] += 1.0;
            pairs[w[0] as usize][w[1] as usize] += 1.0;
        }
        let n: f64 = counts.iter().sum();
        let surprise = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let alone: f64 = counts.iter().map(|c| surprise(c / n)).sum();
        let after: f64 = pairs
            .iter()
            .zip(&counts)
            .filter(|(_, c)| **c > 0.0)
            .map(|(row, c)| c / n * row.iter().map(|v| surprise(v / c)).sum::<f64>())
            .sum();
        assert!(after < 0.7 * alone, "{after} {alone}");
        assert!((after - entropy).abs() < 0.05, "{after} {entropy}");
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let field = |change: &dyn Fn(&mut MarkovTokens)| {
            let mut config = MarkovTokens::default();
            change(&mut config);
            markov_tokens(&config, &Streams::new(1)).unwrap_err().field
        };
        assert_eq!(field(&|c| c.states = 1), "states");
        assert_eq!(field(&|c| c.exponent = -1.0), "exponent");
        assert_eq!(field(&|c| c.concentration = 0.0), "concentration");
        assert_eq!(field(&|c| c.length = 0), "length");
    }
}
