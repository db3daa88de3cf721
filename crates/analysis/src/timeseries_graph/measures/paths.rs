//! Components and shortest paths.

use chiasm_core::{Cancelled, Rng, Watch};
use rand::seq::index::sample;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::timeseries_graph::Adjacency;

/// Sources that one sweep follows at once: a bit each.
const WORD: usize = 64;

/// The components of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Components {
    /// The component of each node, numbered from 0 in the order of their first node.
    pub of: Vec<u32>,
    /// The size of each component.
    pub sizes: Vec<usize>,
}

impl Components {
    /// Number of components.
    #[must_use]
    pub fn n(&self) -> usize {
        self.sizes.len()
    }

    /// The share of nodes in the largest component, 0 to 1.
    #[must_use]
    pub fn largest_share(&self) -> f64 {
        let largest = self.sizes.iter().max().copied().unwrap_or(0);
        largest as f64 / self.of.len() as f64
    }

    /// The nodes of the largest component, ascending; the first of equals.
    #[must_use]
    pub fn largest_nodes(&self) -> Vec<u32> {
        let largest = self.sizes.iter().max().copied().unwrap_or(0);
        let which = self.sizes.iter().position(|&s| s == largest).unwrap_or(0) as u32;
        (0..self.of.len() as u32)
            .filter(|&i| self.of[i as usize] == which)
            .collect()
    }
}

/// The components of a graph.
#[must_use]
pub fn components(adjacency: &Adjacency) -> Components {
    let n = adjacency.n_nodes();
    let mut of = vec![u32::MAX; n];
    let mut sizes = Vec::new();
    let mut open = Vec::new();
    for start in 0..n {
        if of[start] != u32::MAX {
            continue;
        }
        let name = sizes.len() as u32;
        of[start] = name;
        open.push(start);
        let mut size = 0;
        while let Some(i) = open.pop() {
            size += 1;
            for &j in adjacency.of(i) {
                if of[j as usize] == u32::MAX {
                    of[j as usize] = name;
                    open.push(j as usize);
                }
            }
        }
        sizes.push(size);
    }
    Components { of, sizes }
}

/// Shortest paths within one component, in edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paths {
    /// Mean length over ordered pairs of different nodes, the first of which is a source.
    pub mean: f64,
    /// The longest shortest path from a source: the diameter where all nodes are sources, else a bound from below.
    pub diameter: usize,
    /// The least eccentricity of a source: the radius where all nodes are sources, else a bound from above.
    pub radius: usize,
    /// Mean eccentricity of the sources: their distance from the node farthest away.
    pub mean_eccentricity: f64,
    /// Whether all nodes were sources.
    pub exact: bool,
}

/// Shortest paths from at most `most_sources` of the nodes of one component, drawn at random where there are more; `None`
/// for a component of one node.
///
/// # Errors
/// Cancelled work.
pub fn paths(
    adjacency: &Adjacency,
    component: &[u32],
    most_sources: usize,
    rng: &mut Rng,
    watch: &dyn Watch,
) -> Result<Option<Paths>, Cancelled> {
    if component.len() < 2 {
        return Ok(None);
    }
    let exact = most_sources >= component.len();
    let sources: Vec<u32> = if exact {
        component.to_vec()
    } else {
        let mut drawn = sample(rng, component.len(), most_sources.max(1)).into_vec();
        drawn.sort_unstable();
        drawn.into_iter().map(|k| component[k]).collect()
    };
    watch.stage("following paths", sources.len() as u64);
    let swept: Vec<(u64, Vec<usize>)> = sources
        .par_chunks(WORD)
        .map(|batch| {
            watch.check()?;
            let done = sweep(adjacency, batch);
            watch.tick(batch.len() as u64);
            Ok(done)
        })
        .collect::<Result<_, Cancelled>>()?;
    let total: u64 = swept.iter().map(|s| s.0).sum();
    let eccentricities = swept.iter().flat_map(|s| &s.1);
    let pairs = sources.len() as f64 * (component.len() - 1) as f64;
    Ok(Some(Paths {
        mean: total as f64 / pairs,
        diameter: eccentricities.clone().max().copied().unwrap_or(0),
        radius: eccentricities.clone().min().copied().unwrap_or(0),
        mean_eccentricity: eccentricities.sum::<usize>() as f64 / sources.len() as f64,
        exact,
    }))
}

/// Breadth first from up to 64 sources at once, a bit of a word each: the sum of all distances, and the distance of the
/// farthest node from each source.
fn sweep(adjacency: &Adjacency, sources: &[u32]) -> (u64, Vec<usize>) {
    let n = adjacency.n_nodes();
    let (mut seen, mut front, mut next) = (vec![0u64; n], vec![0u64; n], vec![0u64; n]);
    let mut active: Vec<u32> = sources.to_vec();
    for (bit, &s) in sources.iter().enumerate() {
        seen[s as usize] |= 1 << bit;
        front[s as usize] |= 1 << bit;
    }
    let mut farthest = vec![0; sources.len()];
    let mut total = 0;
    let mut touched: Vec<u32> = Vec::new();
    let mut distance = 0usize;
    while !active.is_empty() {
        distance += 1;
        for &i in &active {
            let bits = std::mem::take(&mut front[i as usize]);
            for &j in adjacency.of(i as usize) {
                let new = bits & !seen[j as usize];
                if new != 0 {
                    if next[j as usize] == 0 {
                        touched.push(j);
                    }
                    next[j as usize] |= new;
                }
            }
        }
        let mut reached = 0u64;
        for &j in &touched {
            let new = std::mem::take(&mut next[j as usize]);
            seen[j as usize] |= new;
            front[j as usize] = new;
            reached |= new;
            total += distance as u64 * u64::from(new.count_ones());
        }
        for (bit, far) in farthest.iter_mut().enumerate() {
            if (reached >> bit) & 1 == 1 {
                *far = distance;
            }
        }
        std::mem::swap(&mut active, &mut touched);
        touched.clear();
    }
    (total, farthest)
}
