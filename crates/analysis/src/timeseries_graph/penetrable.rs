//! Limited penetrable visibility: a line of sight may pass through up to p samples (Zhou et al. 2012).
//!
//! Looking back from sample j, an earlier one is joined exactly if it exceeds the (p+1)-th largest slope (natural) or
//! value (horizontal) met so far. The next such sample is found by stepping over whole blocks: of each block of 64, 128,
//! ... samples the upper hull, or the largest value, is known. So every step gives an edge, in O(log^2 n).

use super::TimeseriesGraphError;
use super::graph::Graph;
use super::visibility::Points;

/// Samples looked at one by one before whole blocks are.
const NEAR: usize = 16;
/// Samples of a block of the lowest level, a power of two.
const BLOCK: usize = 64;

/// The last sample before `end` that `hit`s, where `may(level, block)` says whether any of the samples
/// `[block, block + 1) * BLOCK << level` does.
fn last_before(
    end: usize,
    n_levels: usize,
    may: impl Fn(usize, usize) -> bool,
    hit: impl Fn(usize) -> bool,
) -> Option<usize> {
    let back = |from: usize, end: usize| (from..end).rev().find(|&k| hit(k));
    let near = end.saturating_sub(NEAR);
    if let Some(k) = back(near, end) {
        return Some(k);
    }
    let block = near / BLOCK;
    if let Some(k) = back(block * BLOCK, near) {
        return Some(k);
    }
    // Climb: `block` blocks of this level are still to be looked at.
    let (mut level, mut blocks) = (0, block);
    loop {
        if blocks == 0 {
            return None;
        }
        if blocks % 2 == 1 || level + 1 == n_levels {
            blocks -= 1;
            if may(level, blocks) {
                break;
            }
        } else {
            level += 1;
            blocks /= 2;
        }
    }
    // Descend to the latest half that may hold it.
    while level > 0 {
        level -= 1;
        blocks *= 2;
        if may(level, blocks + 1) {
            blocks += 1;
        }
    }
    back(blocks * BLOCK, (blocks + 1) * BLOCK)
}

/// Upper hulls of blocks: vertices in the order of time.
struct Hulls {
    /// For each level, where the vertices of each block start, and the vertices.
    levels: Vec<(Vec<usize>, Vec<u32>)>,
}

impl Hulls {
    fn new<P: Points>(points: &P, n: usize) -> Self {
        let mut levels = Vec::new();
        let mut starts = vec![0];
        let mut vertices: Vec<u32> = Vec::new();
        for block in 0..n.div_ceil(BLOCK) {
            let samples = block * BLOCK..n.min((block + 1) * BLOCK);
            grow(
                points,
                &mut vertices,
                starts[block],
                samples.map(|k| k as u32),
            );
            starts.push(vertices.len());
        }
        levels.push((starts, vertices));
        while let Some((below, of)) = levels.last()
            && below.len() > 2
        {
            let n_below = below.len() - 1;
            let (mut starts, mut vertices) = (vec![0], Vec::with_capacity(of.len()));
            for block in 0..n_below.div_ceil(2) {
                let both = below[2 * block]..below[n_below.min(2 * block + 2)];
                let start = vertices.len();
                grow(points, &mut vertices, start, of[both].iter().copied());
                starts.push(vertices.len());
            }
            levels.push((starts, vertices));
        }
        Self { levels }
    }

    /// Whether the block holds a sample above the line from `j` through `i`.
    fn any_above<P: Points>(
        &self,
        points: &P,
        level: usize,
        block: usize,
        j: usize,
        i: usize,
    ) -> bool {
        let (starts, vertices) = &self.levels[level];
        let hull = &vertices[starts[block]..starts[block + 1]];
        // From the latest vertex back, the slope seen from j rises up to the tangent and falls after it.
        let (mut low, mut high) = (0, hull.len() - 1);
        while low < high {
            let middle = usize::midpoint(low, high);
            if points.above(j, hull[middle + 1] as usize, hull[middle] as usize) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        points.above(j, i, hull[low] as usize)
    }
}

/// Adds samples, in the order of time, to the hull that starts at `start`.
fn grow<P: Points>(
    points: &P,
    hull: &mut Vec<u32>,
    start: usize,
    samples: impl Iterator<Item = u32>,
) {
    for k in samples {
        while let [.., a, b] = hull[start..] {
            // b stays if it is above the line from k back to a.
            let (a, b, k) = (a as usize, b as usize, k as usize);
            if points.above(k, a, b) {
                break;
            }
            hull.pop();
        }
        hull.push(k);
    }
}

/// The largest samples met so far, the smallest of them first; at most `p + 1`.
struct Tops {
    p: usize,
    samples: Vec<usize>,
}

impl Tops {
    /// The sample to be exceeded, once there are p + 1.
    fn threshold(&self) -> Option<usize> {
        (self.samples.len() > self.p).then(|| self.samples[0])
    }

    fn insert(&mut self, i: usize, above: impl Fn(usize) -> bool) {
        if self.samples.len() > self.p {
            self.samples.remove(0);
        }
        let place = self.samples.partition_point(|&t| above(t));
        self.samples.insert(place, i);
    }
}

struct Building {
    offsets: Vec<usize>,
    earlier: Vec<u32>,
    max_edges: usize,
    n: usize,
}

impl Building {
    fn new(n: usize, max_edges: usize) -> Self {
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0);
        Self {
            offsets,
            earlier: Vec::with_capacity(4 * n),
            max_edges,
            n,
        }
    }

    fn join(&mut self, i: usize, j: usize) -> Result<(), TimeseriesGraphError> {
        self.earlier.push(i as u32);
        if self.earlier.len() <= self.max_edges {
            return Ok(());
        }
        Err(TimeseriesGraphError::TooManyEdges {
            limit: self.max_edges,
            done: j,
            n: self.n,
        })
    }
}

pub(super) fn natural<P: Points>(
    points: &P,
    n: usize,
    p: usize,
    max_edges: usize,
) -> Result<Graph, TimeseriesGraphError> {
    let hulls = Hulls::new(points, n);
    let mut building = Building::new(n, max_edges);
    let mut tops = Tops { p, samples: vec![] };
    for j in 0..n {
        tops.samples.clear();
        let mut end = j;
        while end > 0 {
            let next = match tops.threshold() {
                None => Some(end - 1),
                Some(t) => last_before(
                    end,
                    hulls.levels.len(),
                    |level, block| hulls.any_above(points, level, block, j, t),
                    |k| points.above(j, t, k),
                ),
            };
            let Some(i) = next else { break };
            building.join(i, j)?;
            tops.insert(i, |t| points.above(j, t, i));
            end = i;
        }
        building.offsets.push(building.earlier.len());
    }
    Ok(Graph::from_parts(building.offsets, building.earlier))
}

/// The largest value of each block, level by level.
fn maxima(values: &[f64]) -> Vec<Vec<f64>> {
    let largest = |c: &[f64]| c.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut levels = vec![values.chunks(BLOCK).map(largest).collect::<Vec<f64>>()];
    while let Some(below) = levels.last()
        && below.len() > 1
    {
        let above = below.chunks(2).map(largest).collect();
        levels.push(above);
    }
    levels
}

pub(super) fn horizontal(
    values: &[f64],
    p: usize,
    max_edges: usize,
) -> Result<Graph, TimeseriesGraphError> {
    let n = values.len();
    let levels = maxima(values);
    let mut building = Building::new(n, max_edges);
    let mut tops = Tops { p, samples: vec![] };
    for j in 0..n {
        tops.samples.clear();
        let mut end = j;
        while end > 0 {
            let next = match tops.threshold() {
                None => Some(end - 1),
                // p + 1 samples as high as j hide all that is behind them.
                Some(t) if values[t] >= values[j] => None,
                Some(t) => last_before(
                    end,
                    levels.len(),
                    |level, block| levels[level][block] > values[t],
                    |k| values[k] > values[t],
                ),
            };
            let Some(i) = next else { break };
            building.join(i, j)?;
            tops.insert(i, |t| values[i] > values[t]);
            end = i;
        }
        building.offsets.push(building.earlier.len());
    }
    Ok(Graph::from_parts(building.offsets, building.earlier))
}
