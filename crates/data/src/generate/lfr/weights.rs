//! Weights that agree with the nodes' strengths.

use super::Lfr;

/// Weights of the edges `pairs`. Every weight starts at 0 and each node, in turn, first spreads the strength that it
/// still lacks over all its edges alike, then shifts what its inner edges hold too much onto its outer ones, alike too
/// (or the other way). Again and again, until the squared error over all nodes is below `1e-9 (sum k^beta)^2` or a round
/// gains less than 1 % (card 01). A change that would leave an edge without weight is left out for that edge.
pub(super) fn propagate(
    settings: &Lfr,
    pairs: &[(usize, usize)],
    communities: &[usize],
) -> Vec<f64> {
    let mut nodes = Nodes::new(settings, pairs, communities);
    let total: f64 = nodes.strength.iter().sum();
    // An edge that no change reached, because each would have emptied it, still needs a weight above 0.
    let floor = 1e-6 * total / (2.0 * pairs.len() as f64);
    let mut weights = vec![0.0; pairs.len()];
    let mut last = nodes.error();
    for _ in 0..10_000 {
        for node in 0..communities.len() {
            nodes.spread_what_is_missing(node, &mut weights);
            nodes.shift_what_is_inside(node, &mut weights);
        }
        let error = nodes.error();
        if error < 1e-9 * total * total || last - error < 0.01 * last {
            break;
        }
        last = error;
    }
    weights.into_iter().map(|w: f64| w.max(floor)).collect()
}

/// What each node has on its edges, and what it should have.
struct Nodes<'a> {
    pairs: &'a [(usize, usize)],
    edges: Vec<Vec<usize>>,
    within: Vec<bool>,
    inner_edges: Vec<usize>,
    strength: Vec<f64>,
    /// Weight on inner edges and on outer ones.
    sums: Vec<[f64; 2]>,
    mu_weight: f64,
}

impl<'a> Nodes<'a> {
    fn new(settings: &Lfr, pairs: &'a [(usize, usize)], communities: &[usize]) -> Self {
        let n = communities.len();
        let within: Vec<bool> = pairs
            .iter()
            .map(|&(a, b)| communities[a] == communities[b])
            .collect();
        let mut edges = vec![Vec::new(); n];
        let mut inner_edges = vec![0; n];
        for (e, &(a, b)) in pairs.iter().enumerate() {
            for node in [a, b] {
                edges[node].push(e);
                inner_edges[node] += usize::from(within[e]);
            }
        }
        let strength = edges
            .iter()
            .map(|own| match own.len() {
                0 => 0.0,
                k => (k as f64).powf(settings.beta),
            })
            .collect();
        Self {
            pairs,
            edges,
            within,
            inner_edges,
            strength,
            sums: vec![[0.0; 2]; n],
            mu_weight: settings.mu_weight,
        }
    }

    fn missing(&self, node: usize) -> f64 {
        self.strength[node] - self.sums[node][0] - self.sums[node][1]
    }

    fn excess_inside(&self, node: usize) -> f64 {
        self.sums[node][0] - (1.0 - self.mu_weight) * self.strength[node]
    }

    fn error(&self) -> f64 {
        (0..self.strength.len())
            .map(|i| {
                let outside = self.sums[i][1] - self.mu_weight * self.strength[i];
                self.excess_inside(i).powi(2) + outside.powi(2) + self.missing(i).powi(2)
            })
            .sum()
    }

    fn change(&mut self, edge: usize, by: f64, weights: &mut [f64]) {
        if weights[edge] + by > 0.0 {
            weights[edge] += by;
            let (a, b) = self.pairs[edge];
            let kind = usize::from(!self.within[edge]);
            self.sums[a][kind] += by;
            self.sums[b][kind] += by;
        }
    }

    fn spread_what_is_missing(&mut self, node: usize, weights: &mut [f64]) {
        let k = self.edges[node].len();
        let by = self.missing(node) / k as f64;
        for place in 0..k {
            self.change(self.edges[node][place], by, weights);
        }
    }

    fn shift_what_is_inside(&mut self, node: usize, weights: &mut [f64]) {
        let k = self.edges[node].len();
        let (inner, outer) = (self.inner_edges[node], k - self.inner_edges[node]);
        if inner == 0 || outer == 0 {
            return;
        }
        let excess = self.excess_inside(node);
        for place in 0..k {
            let edge = self.edges[node][place];
            let by = if self.within[edge] {
                -excess / inner as f64
            } else {
                excess / outer as f64
            };
            self.change(edge, by, weights);
        }
    }
}
