//! Weighted benchmark graphs with planted communities (Lancichinetti and Fortunato 2009, "LFR").
//!
//! Written from the published description (card 01, data): degrees and community sizes follow power laws; each node
//! has a fraction `1 - mu_topology` of its edges within its community; edges are wired at random and rewired until
//! that holds; node strengths are `k^beta`, of which a fraction `1 - mu_weight` lies within the community, and weights
//! are propagated until they agree with the strengths.

mod weights;
mod wiring;

use chiasm_core::{Rng, SettingError};
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// What [`lfr`] plants. The defaults are the setting of card 01 in which communities are clearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lfr {
    /// Nodes.
    pub n_nodes: usize,
    /// Mean degree.
    pub mean_degree: f64,
    /// Largest degree.
    pub max_degree: usize,
    /// Exponent of the degrees' power law, 0 or more.
    pub degree_exponent: f64,
    /// Exponent of the community sizes' power law, 0 or more.
    pub size_exponent: f64,
    /// Fraction of a node's edges that leave its community, 0 to 1.
    pub mu_topology: f64,
    /// Fraction of a node's strength on edges that leave its community, 0 to 1.
    pub mu_weight: f64,
    /// Strength of a node of degree k is `k^beta`.
    pub beta: f64,
}

impl Default for Lfr {
    fn default() -> Self {
        Self {
            n_nodes: 125,
            mean_degree: 25.0,
            max_degree: 100,
            degree_exponent: 2.0,
            size_exponent: 1.0,
            mu_topology: 0.25,
            mu_weight: 0.5,
            beta: 2.0,
        }
    }
}

impl Lfr {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.n_nodes >= 4, "n_nodes", "at least 4", self.n_nodes)?;
        SettingError::check(
            (2..self.n_nodes).contains(&self.max_degree),
            "max_degree",
            "2 to one less than n_nodes",
            self.max_degree,
        )?;
        for (value, field) in [
            (self.degree_exponent, "degree_exponent"),
            (self.size_exponent, "size_exponent"),
        ] {
            SettingError::check((0.0..=10.0).contains(&value), field, "0 to 10", value)?;
        }
        SettingError::check(
            (-4.0..=4.0).contains(&self.beta),
            "beta",
            "-4 to 4",
            self.beta,
        )?;
        for (value, field) in [
            (self.mu_topology, "mu_topology"),
            (self.mu_weight, "mu_weight"),
        ] {
            SettingError::check((0.0..=1.0).contains(&value), field, "0 to 1", value)?;
        }
        let least = power_mean(1, self.max_degree, self.degree_exponent);
        SettingError::check(
            self.mean_degree >= least && self.mean_degree <= self.max_degree as f64,
            "mean_degree",
            &format!("{least:.2} (degrees from 1) to max_degree"),
            self.mean_degree,
        )
    }
}

/// A graph with planted communities.
#[derive(Debug, Clone, PartialEq)]
pub struct LfrGraph {
    /// Number of nodes.
    pub n_nodes: usize,
    /// `(a, b, weight)` with `a < b`, in ascending order; each pair once, weights above 0.
    pub edges: Vec<(usize, usize, f64)>,
    /// The planted community of each node, from 0.
    pub communities: Vec<usize>,
}

impl LfrGraph {
    /// Number of planted communities. Where it is 1 there is nothing to find.
    #[must_use]
    pub fn n_communities(&self) -> usize {
        self.communities.iter().max().map_or(0, |m| m + 1)
    }

    /// Fraction of the edge ends that leave their community, reached by the wiring.
    #[must_use]
    pub fn mixing(&self) -> f64 {
        let between = |e: &&(usize, usize, f64)| self.communities[e.0] != self.communities[e.1];
        self.edges.iter().filter(between).count() as f64 / self.edges.len() as f64
    }

    /// Fraction of the weight on edges that leave their community, reached by the propagation.
    #[must_use]
    pub fn weight_mixing(&self) -> f64 {
        let (mut between, mut all) = (0.0, 0.0);
        for &(a, b, w) in &self.edges {
            all += w;
            if self.communities[a] != self.communities[b] {
                between += w;
            }
        }
        between / all
    }
}

/// Draws a benchmark graph.
///
/// Community sizes range from one more than the smallest inner degree to one more than the largest; one community has
/// the largest size and the others are drawn, so that every node fits somewhere (chosen; the paper asks for no more
/// than that they fit). Degrees, sizes and members are drawn anew until no community has more outgoing edge ends than
/// all others together can take. The few edges that still find no place outside their community are left out.
///
/// # Errors
/// Settings out of range, or no sizes that fit after 20 000 draws.
///
/// ```
/// use chiasm_core::Streams;
/// use chiasm_data::generate::{Lfr, lfr};
/// let graph = lfr(&Lfr::default(), &mut Streams::new(13).stream("lfr"))?;
/// assert!(graph.n_communities() > 1 && (graph.mixing() - 0.25).abs() < 0.05);
/// # Ok::<(), chiasm_core::SettingError>(())
/// ```
pub fn lfr(settings: &Lfr, rng: &mut Rng) -> Result<LfrGraph, SettingError> {
    settings.validate()?;
    for _ in 0..DRAWS {
        let mut degrees = degrees(settings, rng);
        if degrees.iter().sum::<usize>() % 2 == 1 {
            // One node more or less: the smallest gains, so that none exceeds the largest degree.
            if let Some(k) = degrees.iter_mut().min() {
                *k += 1;
            }
        }
        let mut inner: Vec<usize> = degrees
            .iter()
            .map(|&k| {
                let exact = (1.0 - settings.mu_topology) * k as f64;
                // Rounded up or down at random, so that the mean mixing is as asked.
                exact.floor() as usize + usize::from(rng.random::<f64>() < exact.fract())
            })
            .collect();
        let Some(sizes) = sizes(settings, &inner, rng) else {
            continue;
        };
        let Some(communities) = assign(&sizes, &inner, rng) else {
            continue;
        };
        let outgoing = |c: usize| -> usize {
            (0..degrees.len())
                .filter(|&i| communities[i] == c)
                .map(|i| degrees[i] - inner[i].min(degrees[i]))
                .sum()
        };
        let all: usize = (0..sizes.len()).map(outgoing).sum();
        if sizes.len() > 1 && (0..sizes.len()).any(|c| 2 * outgoing(c) > all) {
            continue;
        }
        let pairs = wiring::wire(&degrees, &mut inner, &communities, rng);
        if pairs.is_empty() {
            continue;
        }
        let weights = weights::propagate(settings, &pairs, &communities);
        let edges = pairs
            .into_iter()
            .zip(weights)
            .map(|((a, b), w)| (a, b, w))
            .collect();
        return Ok(LfrGraph {
            n_nodes: settings.n_nodes,
            edges,
            communities,
        });
    }
    Err(SettingError::new(
        "mu_topology",
        "communities into which every node's inner degree fits",
        format!("none in {DRAWS} draws at {}", settings.mu_topology),
    ))
}

/// Where little leaves the communities, one draw in a hundred has no community larger than the others can serve.
const DRAWS: usize = 20_000;

/// Weights of a power law on `from..=to`.
fn power(from: usize, to: usize, exponent: f64) -> Vec<f64> {
    (from..=to).map(|k| (k as f64).powf(-exponent)).collect()
}

fn power_mean(from: usize, to: usize, exponent: f64) -> f64 {
    let p = power(from, to, exponent);
    let mean: f64 = p.iter().zip(from..).map(|(p, k)| p * k as f64).sum();
    mean / p.iter().sum::<f64>()
}

/// A draw from a power law on `from..=to`.
fn draw(from: usize, to: usize, exponent: f64, rng: &mut Rng) -> usize {
    let p = power(from, to, exponent);
    let mut left = rng.random::<f64>() * p.iter().sum::<f64>();
    for (k, p) in (from..).zip(&p) {
        left -= p;
        if left < 0.0 {
            return k;
        }
    }
    to
}

/// Degrees with the mean asked for: two power laws whose smallest degrees differ by one, mixed.
fn degrees(settings: &Lfr, rng: &mut Rng) -> Vec<usize> {
    let (largest, exponent) = (settings.max_degree, settings.degree_exponent);
    let mut least = 1;
    while least + 1 < largest && power_mean(least + 1, largest, exponent) <= settings.mean_degree {
        least += 1;
    }
    let low = power_mean(least, largest, exponent);
    let high = power_mean(least + 1, largest, exponent);
    let share = ((settings.mean_degree - low) / (high - low)).clamp(0.0, 1.0);
    (0..settings.n_nodes)
        .map(|_| {
            let from = least + usize::from(rng.random::<f64>() < share);
            draw(from, largest, exponent, rng)
        })
        .collect()
}

/// Community sizes that sum to the number of nodes.
fn sizes(settings: &Lfr, inner: &[usize], rng: &mut Rng) -> Option<Vec<usize>> {
    let n = inner.len();
    let least = inner.iter().min()? + 1;
    let largest = (inner.iter().max()? + 1).min(n);
    let least = least.max(3).min(largest);
    // The node with most inner edges must fit: one community has the largest size, the others are drawn.
    let mut sizes = vec![largest];
    let mut left = n - largest;
    while left > 0 {
        let size = draw(least, largest, settings.size_exponent, rng).min(left);
        if size < least {
            // What is left is too small for a community: spread it over those that are there.
            let n = sizes.len();
            for k in 0..size {
                sizes[k % n] += 1;
            }
            break;
        }
        sizes.push(size);
        left -= size;
    }
    Some(sizes)
}

/// A community for each node, larger than its inner degree: nodes go to random ones, and where one is full a random
/// member must look again.
fn assign(sizes: &[usize], inner: &[usize], rng: &mut Rng) -> Option<Vec<usize>> {
    let mut homeless: Vec<usize> = (0..inner.len()).collect();
    homeless.shuffle(rng);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
    let mut fits = Vec::new();
    for _ in 0..200 * inner.len() {
        let Some(node) = homeless.pop() else {
            break;
        };
        fits.clear();
        fits.extend((0..sizes.len()).filter(|&c| sizes[c] > inner[node]));
        if fits.is_empty() {
            return None;
        }
        // In proportion to size, as if each place were drawn alike.
        let places: usize = fits.iter().map(|&c| sizes[c]).sum();
        let mut place = rng.random_range(0..places);
        let mut home = fits[0];
        for &c in &fits {
            if place < sizes[c] {
                home = c;
                break;
            }
            place -= sizes[c];
        }
        if members[home].len() == sizes[home] {
            let k = rng.random_range(0..members[home].len());
            homeless.push(members[home].swap_remove(k));
        }
        members[home].push(node);
    }
    if !homeless.is_empty() {
        return None;
    }
    let mut communities = vec![0; inner.len()];
    for (c, nodes) in members.iter().enumerate() {
        for &node in nodes {
            communities[node] = c;
        }
    }
    Some(communities)
}

#[cfg(test)]
mod tests;
