//! Recurrence networks: moments at which the system comes back to nearly the same state are joined.

use chiasm_core::{SettingError, Watch, stats};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::graph::Graph;
use super::series::Series;
use super::{TimedGraph, TimeseriesGraphError};

/// Rows worked on between two looks at the limit.
const ROWS: usize = 256;
/// Bins of the mutual information, each with as many samples as the others.
const INFORMATION_BINS: usize = 16;

/// Which states are joined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The nearest pairs, as many as make this density (0 to 1): compares series whatever their amplitude.
    Density(f64),
    /// Pairs no farther apart than this, in standard deviations of the series.
    Distance(f64),
    /// Each state with this many nearest ones; an edge if either is among the other's nearest.
    Nearest(usize),
}

/// How far apart the coordinates of a state are in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lag {
    /// This long, s; rounded to whole samples.
    Seconds(f64),
    /// The first minimum of the mutual information of the series with itself.
    MutualInformation,
}

/// A recurrence network: states are vectors of delayed values, two are joined where their Chebyshev distance is small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recurrence {
    /// Coordinates of a state (card 38, B2: 3).
    pub dimension: usize,
    /// Delay from coordinate to coordinate (card 38, B2: 0.2 s).
    pub lag: Lag,
    /// Which states are joined (card 38, B2: density 0.05).
    pub link: Link,
    /// Pairs closer in time than this many samples are not joined (Theiler window; 0 joins all).
    pub theiler: usize,
    /// Limit to the comparison of all pairs, bytes, at a bit for each pair.
    pub max_bytes: usize,
}

impl Default for Recurrence {
    fn default() -> Self {
        Self {
            dimension: 3,
            lag: Lag::Seconds(0.2),
            link: Link::Density(0.05),
            theiler: 0,
            max_bytes: 256 << 20,
        }
    }
}

/// A recurrence network, and what was chosen for it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrenceGraph {
    /// The graph; nodes carry the time of their first coordinate.
    pub timed: TimedGraph,
    /// The lag, samples.
    pub lag: usize,
    /// The largest distance of joined states, in standard deviations of the series; `None` for nearest neighbours.
    pub distance: Option<f64>,
}

impl Recurrence {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// Names the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let d = self.dimension;
        SettingError::check((1..=64).contains(&d), "dimension", "1 to 64", d)?;
        if let Lag::Seconds(s) = self.lag {
            SettingError::check(s > 0.0 && s.is_finite(), "lag_s", "above 0", s)?;
        }
        match self.link {
            Link::Density(p) => {
                SettingError::check(p > 0.0 && p < 1.0, "density", "above 0 and below 1", p)
            }
            Link::Distance(e) => {
                SettingError::check(e > 0.0 && e.is_finite(), "distance", "above 0", e)
            }
            Link::Nearest(k) => SettingError::check(k >= 1, "nearest", "at least 1", k),
        }
    }

    /// The network of a series.
    ///
    /// # Errors
    /// Settings out of range; uneven times; a constant series; fewer than 10 states; as many neighbours as states; more
    /// pairs than `max_bytes` allow; a series whose mutual information has no minimum where one is asked for.
    pub fn build(
        &self,
        series: &Series<'_>,
        watch: &dyn Watch,
    ) -> Result<RecurrenceGraph, TimeseriesGraphError> {
        self.validate()?;
        let step_s = series.step_s("a recurrence network")?;
        if let Some(value) = series.constant() {
            return Err(TimeseriesGraphError::Constant {
                value,
                needs: "its states are all one, and no distance tells them apart",
            });
        }
        let lag = self.lag_of(series.values(), step_s)?;
        let n = series
            .len()
            .saturating_sub((self.dimension - 1).saturating_mul(lag));
        if n < 10 {
            return Err(TimeseriesGraphError::TooFew {
                what: "states (samples less the delays)",
                least: 10,
                found: n,
            });
        }
        let bytes = n.saturating_mul(n) / 8;
        if bytes > self.max_bytes {
            return Err(TimeseriesGraphError::TooManyNodes {
                n,
                bytes,
                limit: self.max_bytes,
            });
        }
        let (mean, sd) = (stats::mean(series.values()), stats::sd(series.values(), 0));
        let x: Vec<f64> = series.values().iter().map(|v| (v - mean) / sd).collect();
        let states = States {
            x: &x,
            n,
            lag,
            dimension: self.dimension,
            apart: self.theiler.max(1),
        };
        let (graph, distance) = match self.link {
            Link::Density(p) => {
                let distance = states.quantile(p, watch)?;
                (
                    states.within(distance, self.max_bytes, watch)?,
                    Some(distance),
                )
            }
            Link::Distance(e) => (states.within(e, self.max_bytes, watch)?, Some(e)),
            Link::Nearest(k) => (states.nearest(k, watch)?, None),
        };
        Ok(RecurrenceGraph {
            timed: TimedGraph {
                graph,
                times_s: (0..n).map(|i| series.time_s(i)).collect(),
            },
            lag,
            distance,
        })
    }

    fn lag_of(&self, x: &[f64], step_s: f64) -> Result<usize, TimeseriesGraphError> {
        match self.lag {
            Lag::Seconds(s) => Ok(((s / step_s).round().min(1e15) as usize).max(1)),
            Lag::MutualInformation => first_minimum(x, x.len() / 4).ok_or_else(|| {
                let expected =
                    "a series whose mutual information has a minimum within a quarter of it";
                SettingError::new("lag", expected, "none").into()
            }),
        }
    }
}

/// The first lag (1 to `most`) at which the mutual information of a series with itself is smaller than at both neighbours;
/// `None` where there is none. Values count by their rank.
#[must_use]
pub fn first_minimum(x: &[f64], most: usize) -> Option<usize> {
    let n = x.len();
    let ranks = stats::average_ranks(x);
    let bin = |r: f64| {
        (((r - 0.5) / n as f64 * INFORMATION_BINS as f64) as usize).min(INFORMATION_BINS - 1)
    };
    let bins: Vec<usize> = ranks.into_iter().map(bin).collect();
    let information = |lag: usize| {
        let pairs = n - lag;
        let mut joint = [[0u32; INFORMATION_BINS]; INFORMATION_BINS];
        for (a, b) in bins.iter().zip(&bins[lag..]) {
            joint[*a][*b] += 1;
        }
        let p = |k: u32| f64::from(k) / pairs as f64;
        let column = |b: usize| joint.iter().map(|row| row[b]).sum::<u32>();
        let columns: Vec<f64> = (0..INFORMATION_BINS).map(|b| p(column(b))).collect();
        let mut sum = 0.0;
        for row in &joint {
            let of_row = p(row.iter().sum());
            for (&k, of_column) in row.iter().zip(&columns) {
                if k > 0 {
                    sum += p(k) * (p(k) / (of_row * of_column)).ln();
                }
            }
        }
        sum
    };
    let most = most.min(n.saturating_sub(2));
    let mut before = f64::INFINITY;
    let mut here = if most >= 1 {
        information(1)
    } else {
        return None;
    };
    for lag in 1..most {
        let next = information(lag + 1);
        if here < before && here < next {
            return Some(lag);
        }
        (before, here) = (here, next);
    }
    None
}

/// Delay vectors, compared by Chebyshev distance.
struct States<'a> {
    x: &'a [f64],
    n: usize,
    lag: usize,
    dimension: usize,
    /// Least number of samples between joined states.
    apart: usize,
}

impl States<'_> {
    /// Distances of state `j` from states `0..to`, into `out`.
    fn distances(&self, j: usize, to: usize, out: &mut Vec<f64>) {
        out.clear();
        out.resize(to, 0.0);
        for d in 0..self.dimension {
            let shifted = &self.x[d * self.lag..];
            let own = shifted[j];
            for (o, v) in out.iter_mut().zip(shifted) {
                let gap = (v - own).abs();
                *o = if gap > *o { gap } else { *o };
            }
        }
    }

    /// How many earlier states each may be joined with.
    fn n_earlier(&self, j: usize) -> usize {
        (j + 1).saturating_sub(self.apart)
    }

    /// The distance within which the share `density` of all pairs lies: the exact order statistic, found digit by digit
    /// in four passes, so that distances need not be kept.
    fn quantile(&self, density: f64, watch: &dyn Watch) -> Result<f64, TimeseriesGraphError> {
        let pairs: usize = (0..self.n).map(|j| self.n_earlier(j)).sum();
        let all = self.n * (self.n - 1) / 2;
        let mut rank = ((density * all as f64).ceil() as usize).clamp(1, pairs.max(1)) - 1;
        let mut prefix = 0u64;
        watch.stage("finding the distance", 4 * self.n as u64);
        for shift in [48u32, 32, 16, 0] {
            let counts = self.count(prefix, shift, watch)?;
            let mut digit = 0;
            while digit + 1 < counts.len() && rank >= counts[digit] {
                rank -= counts[digit];
                digit += 1;
            }
            prefix = (prefix << 16) | digit as u64;
        }
        Ok(f64::from_bits(prefix))
    }

    /// How often each digit follows `prefix` in the bits of the distances, which are ordered as the distances are.
    fn count(
        &self,
        prefix: u64,
        shift: u32,
        watch: &dyn Watch,
    ) -> Result<Vec<usize>, chiasm_core::Cancelled> {
        let chunks = self
            .n
            .div_ceil(rayon::current_num_threads().max(1) * 4)
            .max(1);
        let rows: Vec<usize> = (0..self.n).collect();
        let partial: Vec<Vec<usize>> = rows
            .par_chunks(chunks)
            .map(|rows| {
                let mut counts = vec![0usize; 1 << 16];
                let mut distances = Vec::new();
                for &j in rows {
                    watch.check()?;
                    self.distances(j, self.n_earlier(j), &mut distances);
                    for d in &distances {
                        let bits = d.to_bits();
                        if shift == 48 || bits >> (shift + 16) == prefix {
                            counts[(bits >> shift) as usize & 0xffff] += 1;
                        }
                    }
                }
                watch.tick(rows.len() as u64);
                Ok(counts)
            })
            .collect::<Result<_, chiasm_core::Cancelled>>()?;
        let mut total = vec![0; 1 << 16];
        for counts in partial {
            total.iter_mut().zip(counts).for_each(|(t, c)| *t += c);
        }
        Ok(total)
    }

    /// Joins states no farther apart than `distance`.
    fn within(
        &self,
        distance: f64,
        max_bytes: usize,
        watch: &dyn Watch,
    ) -> Result<Graph, TimeseriesGraphError> {
        let limit = max_bytes / size_of::<u32>();
        let mut lists: Vec<Vec<u32>> = Vec::with_capacity(self.n);
        let mut n_edges = 0;
        watch.stage("joining states", self.n as u64);
        for first in (0..self.n).step_by(ROWS) {
            watch.check()?;
            let rows = first..self.n.min(first + ROWS);
            let some: Vec<Vec<u32>> = rows
                .into_par_iter()
                .map_init(Vec::new, |distances, j| {
                    self.distances(j, self.n_earlier(j), distances);
                    let near = distances.iter().enumerate().rev();
                    near.filter(|(_, d)| **d <= distance)
                        .map(|(i, _)| i as u32)
                        .collect()
                })
                .collect();
            n_edges += some.iter().map(Vec::len).sum::<usize>();
            watch.tick(some.len() as u64);
            lists.extend(some);
            if n_edges > limit {
                return Err(TimeseriesGraphError::TooManyEdges {
                    limit,
                    done: lists.len(),
                    n: self.n,
                });
            }
        }
        Ok(Graph::from_earlier(&lists))
    }

    /// Joins each state with its `k` nearest; of equals, the earlier.
    fn nearest(&self, k: usize, watch: &dyn Watch) -> Result<Graph, TimeseriesGraphError> {
        let most = self.n.saturating_sub(2 * self.apart);
        SettingError::check(
            k <= most,
            "nearest",
            &format!("at most {most} for {} states", self.n),
            k,
        )?;
        watch.stage("joining states", self.n as u64);
        let edges: Vec<Vec<(usize, usize)>> = (0..self.n)
            .into_par_iter()
            .map_init(Vec::new, |distances, j| {
                watch.check()?;
                self.distances(j, self.n, distances);
                let mut others: Vec<usize> = (0..self.n)
                    .filter(|i| i.abs_diff(j) >= self.apart)
                    .collect();
                let order =
                    |a: &usize, b: &usize| distances[*a].total_cmp(&distances[*b]).then(a.cmp(b));
                others.select_nth_unstable_by(k - 1, order);
                watch.tick(1);
                Ok(others[..k].iter().map(|&i| (j, i)).collect())
            })
            .collect::<Result<_, chiasm_core::Cancelled>>()?;
        Graph::from_edges(self.n, &edges.concat())
    }
}
