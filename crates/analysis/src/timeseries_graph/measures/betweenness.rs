//! Betweenness: how many shortest paths lead through a node (Brandes 2001).

use chiasm_core::{Cancelled, Rng, Watch};
use rand::seq::index::sample;
use rayon::prelude::*;

use crate::timeseries_graph::Adjacency;

/// Sources summed by one thread before sums are joined, in order, so that threads do not change a bit.
const CHUNK: usize = 16;
/// Chunks whose sums are held at a time.
const WAVE: usize = 16;

/// The share of shortest paths between two other nodes that lead through each node, 0 to 1, summed from at most
/// `most_sources` nodes drawn at random (all: exact) and scaled up. Zeros for fewer than three nodes.
///
/// # Errors
/// Cancelled work.
pub fn betweenness(
    adjacency: &Adjacency,
    most_sources: usize,
    rng: &mut Rng,
    watch: &dyn Watch,
) -> Result<Vec<f64>, Cancelled> {
    let n = adjacency.n_nodes();
    let mut total = vec![0.0; n];
    if n < 3 {
        return Ok(total);
    }
    let sources: Vec<usize> = if most_sources >= n {
        (0..n).collect()
    } else {
        let mut drawn = sample(rng, n, most_sources.max(1)).into_vec();
        drawn.sort_unstable();
        drawn
    };
    watch.stage("summing betweenness", sources.len() as u64);
    for wave in sources.chunks(CHUNK * WAVE) {
        let sums: Vec<Vec<f64>> = wave
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut work = Work::new(n);
                for &s in chunk {
                    watch.check()?;
                    work.add_from(adjacency, s);
                }
                watch.tick(chunk.len() as u64);
                Ok(work.sum)
            })
            .collect::<Result<_, Cancelled>>()?;
        for sum in sums {
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
    }
    // Every pair is met from both ends; drawn sources stand for all.
    let scale = n as f64 / sources.len() as f64 / ((n - 1) as f64 * (n - 2) as f64);
    total.iter_mut().for_each(|t| *t *= scale);
    Ok(total)
}

struct Work {
    distance: Vec<u32>,
    n_paths: Vec<f64>,
    dependency: Vec<f64>,
    order: Vec<u32>,
    sum: Vec<f64>,
}

impl Work {
    fn new(n: usize) -> Self {
        Self {
            distance: vec![u32::MAX; n],
            n_paths: vec![0.0; n],
            dependency: vec![0.0; n],
            order: Vec::with_capacity(n),
            sum: vec![0.0; n],
        }
    }

    fn add_from(&mut self, adjacency: &Adjacency, source: usize) {
        self.distance.fill(u32::MAX);
        self.order.clear();
        self.order.push(source as u32);
        self.distance[source] = 0;
        self.n_paths[source] = 1.0;
        let mut at = 0;
        while at < self.order.len() {
            let i = self.order[at] as usize;
            at += 1;
            let next = self.distance[i] + 1;
            let n_paths = self.n_paths[i];
            for &j in adjacency.of(i) {
                let j = j as usize;
                if self.distance[j] == u32::MAX {
                    self.distance[j] = next;
                    self.n_paths[j] = 0.0;
                    self.order.push(j as u32);
                }
                if self.distance[j] == next {
                    self.n_paths[j] += n_paths;
                }
            }
        }
        for &i in &self.order {
            self.dependency[i as usize] = 0.0;
        }
        for &i in self.order.iter().skip(1).rev() {
            let i = i as usize;
            self.sum[i] += self.dependency[i];
            let share = (1.0 + self.dependency[i]) / self.n_paths[i];
            for &j in adjacency.of(i) {
                let j = j as usize;
                // Also skips nodes that the source does not reach, whose distance is the largest there is.
                if self.distance[j] < self.distance[i] {
                    self.dependency[j] += self.n_paths[j] * share;
                }
            }
        }
    }
}
