//! A picture of a graph, and how elongated it is.

use chiasm_core::{SettingError, Streams, Watch};
use rand::RngExt;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measures::components;
use super::{Adjacency, Graph, TimeseriesGraphError};

/// Nodes whose forces one thread sums side by side.
const LANES: usize = 8;
/// Pivots of the start from distances.
const PIVOTS: usize = 50;

/// Where nodes stand before forces move them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// At the two main axes of their distances in the graph from 50 pivots (Brandes & Pich 2007): unfolds long chains.
    #[default]
    Pivots,
    /// Anywhere in a square, as Fruchterman and Reingold start.
    Random,
}

/// The force-directed layout of Fruchterman and Reingold (1991) in a square of side 1: neighbours attract with d^2 / k, all nodes
/// repel with k^2 / d, where k^2 is the area for each node; steps are capped by a temperature that falls to 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Steps.
    pub iterations: usize,
    /// Where nodes start.
    pub start: Start,
    /// Most nodes: each step takes time with their square.
    pub max_nodes: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            iterations: 200,
            start: Start::Pivots,
            max_nodes: 5000,
        }
    }
}

/// Where the nodes of the largest component stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The nodes, ascending.
    pub nodes: Vec<u32>,
    /// Their places.
    pub xy: Vec<[f64; 2]>,
}

impl Picture {
    /// The elongation index (card 38, D): the ratio of the standard deviations along the two principal axes of the
    /// places; 1 for a round picture, large for a chain; infinite where all nodes stand on one line.
    #[must_use]
    pub fn elongation(&self) -> f64 {
        let n = self.xy.len() as f64;
        let mean = |c: usize| self.xy.iter().map(|p| p[c]).sum::<f64>() / n;
        let (mx, my) = (mean(0), mean(1));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for p in &self.xy {
            let (dx, dy) = (p[0] - mx, p[1] - my);
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
        let (half, apart) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        ((half + apart) / (half - apart).max(0.0)).sqrt()
    }
}

impl Layout {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// Names the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let i = self.iterations;
        SettingError::check((1..=100_000).contains(&i), "iterations", "1 to 100000", i)
    }

    /// Places the nodes of the largest component. The same seed gives the same bits on any number of threads.
    ///
    /// # Errors
    /// Settings out of range; more nodes than `max_nodes`; fewer than three; cancelled work.
    pub fn of(
        &self,
        graph: &Graph,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Picture, TimeseriesGraphError> {
        self.validate()?;
        let whole = graph.adjacency();
        let nodes = components(&whole).largest_nodes();
        let n = nodes.len();
        if n > self.max_nodes {
            return Err(TimeseriesGraphError::TooManyNodes {
                n,
                bytes: n * n / 8,
                limit: self.max_nodes * self.max_nodes / 8,
            });
        }
        if n < 3 {
            return Err(TimeseriesGraphError::TooFew {
                what: "nodes of the largest component",
                least: 3,
                found: n,
            });
        }
        let mut name = vec![0u32; graph.n_nodes()];
        for (k, &i) in nodes.iter().enumerate() {
            name[i as usize] = k as u32;
        }
        let lists: Vec<Vec<u32>> = nodes
            .iter()
            .map(|&i| {
                whole
                    .of(i as usize)
                    .iter()
                    .map(|&j| name[j as usize])
                    .collect()
            })
            .collect();
        let adjacency = Adjacency::from_lists(&lists);
        let mut rng = streams.stream("layout");
        let jitter: Vec<[f64; 2]> = (0..n).map(|_| [rng.random(), rng.random()]).collect();
        let k = (1.0 / n as f64).sqrt();
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = match self.start {
            Start::Random => jitter.iter().map(|p| (p[0], p[1])).unzip(),
            Start::Pivots => {
                // Nodes with the same distances are told apart by a little noise.
                let place = |(p, j): (&[f64; 2], &[f64; 2])| {
                    (p[0] + 0.1 * k * (j[0] - 0.5), p[1] + 0.1 * k * (j[1] - 0.5))
                };
                by_pivots(&adjacency).iter().zip(&jitter).map(place).unzip()
            }
        };
        watch.stage("placing nodes", self.iterations as u64);
        for step in 0..self.iterations {
            watch.check()?;
            let temperature = 0.1 * (1.0 - step as f64 / self.iterations as f64);
            let moves: Vec<[f64; 2]> = (0..n)
                .into_par_iter()
                .with_min_len(64)
                .map(|i| force(&adjacency, &x, &y, i, k))
                .collect();
            for (i, [dx, dy]) in moves.into_iter().enumerate() {
                let length = dx.hypot(dy);
                if length > 0.0 {
                    let scale = temperature.min(length) / length;
                    x[i] += dx * scale;
                    y[i] += dy * scale;
                }
            }
            watch.tick(1);
        }
        let xy = x.into_iter().zip(y).map(|(x, y)| [x, y]).collect();
        Ok(Picture { nodes, xy })
    }
}

/// The force on node `i`.
fn force(adjacency: &Adjacency, x: &[f64], y: &[f64], i: usize, k: f64) -> [f64; 2] {
    let (own_x, own_y) = (x[i], y[i]);
    let (mut sum_x, mut sum_y) = ([0.0f64; LANES], [0.0f64; LANES]);
    let mut add = |lane: usize, x: f64, y: f64| {
        let (dx, dy) = (own_x - x, own_y - y);
        // Repulsion k^2 / d along the unit vector; the node itself is at no distance and adds nothing.
        let scale = k * k / (dx * dx + dy * dy).max(1e-12);
        sum_x[lane] += dx * scale;
        sum_y[lane] += dy * scale;
    };
    let whole = x.len() / LANES * LANES;
    for (xs, ys) in x.chunks_exact(LANES).zip(y.chunks_exact(LANES)) {
        for lane in 0..LANES {
            add(lane, xs[lane], ys[lane]);
        }
    }
    for j in whole..x.len() {
        add(j - whole, x[j], y[j]);
    }
    let mut total = [sum_x.iter().sum::<f64>(), sum_y.iter().sum::<f64>()];
    for &j in adjacency.of(i) {
        let (dx, dy) = (own_x - x[j as usize], own_y - y[j as usize]);
        let scale = dx.hypot(dy) / k;
        total[0] -= dx * scale;
        total[1] -= dy * scale;
    }
    total
}

/// Places by distance in the graph: the two main axes of the squared distances from pivots that lie far from each other,
/// centered, scaled to a square of side about 1. The component must be connected.
fn by_pivots(adjacency: &Adjacency) -> Vec<[f64; 2]> {
    let n = adjacency.n_nodes();
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let mut nearest = vec![u32::MAX; n];
    let mut pivot = 0;
    for _ in 0..PIVOTS.min(n) {
        let distances = from_one(adjacency, pivot);
        for (m, d) in nearest.iter_mut().zip(&distances) {
            *m = (*m).min(*d);
        }
        columns.push(
            distances
                .iter()
                .map(|&d| f64::from(d) * f64::from(d))
                .collect(),
        );
        // The next pivot is the node farthest from all so far; of equals, the first.
        let farthest = nearest.iter().max().copied().unwrap_or(0);
        if farthest == 0 {
            break;
        }
        pivot = nearest.iter().position(|&m| m == farthest).unwrap_or(0);
    }
    let m = columns.len();
    let column_means: Vec<f64> = columns
        .iter()
        .map(|c| chiasm_core::stats::mean(c))
        .collect();
    let total = chiasm_core::stats::mean(&column_means);
    let row_mean = |i: usize| columns.iter().map(|c| c[i]).sum::<f64>() / m as f64;
    let rows: Vec<f64> = (0..n).map(row_mean).collect();
    for (c, mean) in columns.iter_mut().zip(&column_means) {
        for (v, row) in c.iter_mut().zip(&rows) {
            *v = -0.5 * (*v - row - mean + total);
        }
    }
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let mut axes: Vec<Vec<f64>> = Vec::new();
    for axis in 0..2 {
        // Power iteration on C^T C from a vector that no symmetry makes orthogonal to the axis.
        let mut v: Vec<f64> = (0..m)
            .map(|c| 1.0 + ((c * 7 + axis * 3) % 11) as f64)
            .collect();
        for _ in 0..100 {
            for a in &axes {
                let along = product(a, &v);
                v.iter_mut().zip(a).for_each(|(v, a)| *v -= along * a);
            }
            let u = weighted(&columns, &v, n);
            v = columns.iter().map(|c| product(c, &u)).collect();
            let length = product(&v, &v).sqrt();
            if length > 0.0 {
                v.iter_mut().for_each(|v| *v /= length);
            }
        }
        axes.push(v);
    }
    let places: Vec<Vec<f64>> = axes.iter().map(|v| weighted(&columns, v, n)).collect();
    let largest = places.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    let scale = if largest > 0.0 { 0.5 / largest } else { 0.0 };
    (0..n)
        .map(|i| [places[0][i] * scale, places[1][i] * scale])
        .collect()
}

/// The sum of columns with these weights.
fn weighted(columns: &[Vec<f64>], weights: &[f64], n: usize) -> Vec<f64> {
    let mut sum = vec![0.0; n];
    for (c, w) in columns.iter().zip(weights) {
        sum.iter_mut().zip(c).for_each(|(s, v)| *s += w * v);
    }
    sum
}

/// Distances from one node, in edges.
fn from_one(adjacency: &Adjacency, source: usize) -> Vec<u32> {
    let mut distance = vec![u32::MAX; adjacency.n_nodes()];
    distance[source] = 0;
    let mut order = vec![source];
    let mut at = 0;
    while at < order.len() {
        let i = order[at];
        at += 1;
        for &j in adjacency.of(i) {
            if distance[j as usize] == u32::MAX {
                distance[j as usize] = distance[i] + 1;
                order.push(j as usize);
            }
        }
    }
    distance
}
