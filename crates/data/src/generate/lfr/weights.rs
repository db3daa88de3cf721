//! Weights that agree with the nodes' strengths.

use super::Lfr;

/// Weights of the edges `pairs`: node by node, equal amounts are added to its inner edges and to its outer ones until
/// both sums are as its strength asks; again and again, until the squared error over all nodes is below
/// `1e-9 (sum k^beta)^2` or a round gains less than 1 % (card 01). No weight falls below a millionth of the mean
/// weight asked for, so that all stay positive.
pub(super) fn propagate(
    settings: &Lfr,
    pairs: &[(usize, usize)],
    communities: &[usize],
) -> Vec<f64> {
    let n = communities.len();
    // Edges of each node: inner ones in 0, outer ones in 1.
    let mut edges: Vec<[Vec<usize>; 2]> = vec![[Vec::new(), Vec::new()]; n];
    for (e, &(a, b)) in pairs.iter().enumerate() {
        let kind = usize::from(communities[a] != communities[b]);
        edges[a][kind].push(e);
        edges[b][kind].push(e);
    }
    let asked: Vec<[f64; 2]> = edges
        .iter()
        .map(|[inner, outer]| {
            let k = (inner.len() + outer.len()) as f64;
            let strength = if k > 0.0 { k.powf(settings.beta) } else { 0.0 };
            match (inner.is_empty(), outer.is_empty()) {
                (true, _) => [0.0, strength],
                (_, true) => [strength, 0.0],
                _ => [
                    (1.0 - settings.mu_weight) * strength,
                    settings.mu_weight * strength,
                ],
            }
        })
        .collect();
    let total: f64 = asked.iter().flatten().sum();
    let floor = 1e-6 * total / (2.0 * pairs.len() as f64);
    let mut weights = vec![floor; pairs.len()];
    let mut last = f64::INFINITY;
    for _ in 0..10_000 {
        let mut error = 0.0;
        for (own, asked) in edges.iter().zip(&asked) {
            for (own, asked) in own.iter().zip(asked) {
                if own.is_empty() {
                    continue;
                }
                let missing = asked - own.iter().map(|&e| weights[e]).sum::<f64>();
                for &e in own {
                    weights[e] = (weights[e] + missing / own.len() as f64).max(floor);
                }
            }
        }
        for (own, asked) in edges.iter().zip(&asked) {
            let sums: Vec<f64> = own
                .iter()
                .map(|own| own.iter().map(|&e| weights[e]).sum())
                .collect();
            error += (asked[0] - sums[0]).powi(2)
                + (asked[1] - sums[1]).powi(2)
                + (asked[0] + asked[1] - sums[0] - sums[1]).powi(2);
        }
        if error < 1e-9 * total * total || last - error < 0.01 * last {
            break;
        }
        last = error;
    }
    weights
}
