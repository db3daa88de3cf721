//! A picture of distances in the plane: multidimensional scaling by SMACOF (metric and non-metric), and Procrustes
//! alignment of one picture to another.
//!
//! SMACOF lowers the stress sum (d_ij - |x_i - x_j|)^2 by the Guttman transform X <- B(X) X / n; the non-metric variant
//! replaces d by the monotone regression of |x_i - x_j| on its order before each step. Starts are random: compare
//! pictures only after [`procrustes`], and trust no coordinate.

use chiasm_core::Streams;
use chiasm_data::rdm::n_of_pairs;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::RsaError;

/// How distances are scaled to the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mds {
    /// Fit the distances themselves, or only their order.
    pub metric: bool,
    /// Random starts, of which the one of the lowest stress is kept.
    pub starts: usize,
    /// Most steps of a start.
    pub max_steps: usize,
    /// A start ends when a step lowers the stress by less than this part of it.
    pub tolerance: f64,
}

impl Default for Mds {
    fn default() -> Self {
        Self {
            metric: true,
            starts: 8,
            max_steps: 500,
            tolerance: 1e-6,
        }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct MdsResult {
    /// `[item, 2]`, centered.
    pub points: Array2<f64>,
    /// Kruskal's stress-1: sqrt(sum (d - |x|)^2 / sum |x|^2). 0 is perfect; above 0.2 the picture misleads.
    pub stress: f64,
    /// Steps of the best start.
    pub steps: usize,
    /// Whether it ended by the tolerance.
    pub converged: bool,
}

impl Mds {
    /// Scales condensed distances to the plane. Start `i` takes its bits from `streams.indexed("mds", i)`.
    ///
    /// # Errors
    /// [`RsaError::Shape`] if there are not n(n-1)/2 distances; [`RsaError::NotFinite`]; [`RsaError::Constant`] if all
    /// are 0; [`RsaError::Parameter`] without starts.
    pub fn fit(&self, distances: &[f64], streams: &Streams) -> Result<MdsResult, RsaError> {
        let n = n_of_pairs(distances.len()).ok_or_else(|| RsaError::Shape {
            what: "distances",
            expected: "n(n-1)/2".into(),
            found: distances.len().to_string(),
        })?;
        if let Some(index) = distances.iter().position(|d| !d.is_finite()) {
            return Err(RsaError::NotFinite {
                what: "distances".into(),
                index,
                value: distances[index],
            });
        }
        if distances.iter().all(|&d| d <= 0.0) {
            return Err(RsaError::Constant {
                what: "distances".into(),
                value: 0.0,
            });
        }
        let starts: Vec<MdsResult> = (0..self.starts)
            .into_par_iter()
            .map(|i| {
                let mut rng = streams.indexed("mds", i);
                let noise: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(2 * n).collect();
                self.descend(distances, n, noise)
            })
            .collect();
        let best = starts
            .into_iter()
            .min_by(|a, b| a.stress.total_cmp(&b.stress));
        best.ok_or(RsaError::Parameter {
            name: "starts",
            expected: "at least 1",
            found: 0.0,
        })
    }

    fn descend(&self, distances: &[f64], n: usize, mut x: Vec<f64>) -> MdsResult {
        let mut order: Vec<usize> = (0..distances.len()).collect();
        order.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        let mut last = f64::INFINITY;
        for step in 1..=self.max_steps {
            let found = plane_distances(&x, n);
            let wanted = if self.metric {
                distances.to_vec()
            } else {
                disparities(&found, &order)
            };
            // Measured against what is wanted, whose size is fixed: this falls in every step. Stress-1 need not.
            let error = stress(&found, &wanted);
            let converged = last - error <= self.tolerance * error;
            if converged || step == self.max_steps {
                return MdsResult {
                    points: Array2::from_shape_vec((n, 2), x).expect("two coordinates each"),
                    stress: stress(&wanted, &found),
                    steps: step,
                    converged,
                };
            }
            last = error;
            x = guttman(&x, &wanted, &found, n);
        }
        // max_steps = 0: the start itself.
        MdsResult {
            stress: stress(distances, &plane_distances(&x, n)),
            points: Array2::from_shape_vec((n, 2), x).expect("two coordinates each"),
            steps: 0,
            converged: false,
        }
    }
}

fn plane_distances(x: &[f64], n: usize) -> Vec<f64> {
    let mut d = Vec::with_capacity(n * (n - 1) / 2);
    for i in 0..n {
        for j in i + 1..n {
            d.push((x[2 * i] - x[2 * j]).hypot(x[2 * i + 1] - x[2 * j + 1]));
        }
    }
    d
}

fn stress(wanted: &[f64], found: &[f64]) -> f64 {
    let (mut error, mut size) = (0.0, 0.0);
    for (w, f) in wanted.iter().zip(found) {
        error += (w - f) * (w - f);
        size += f * f;
    }
    if size > 0.0 {
        (error / size).sqrt()
    } else {
        f64::INFINITY
    }
}

/// One step: every point to the mean of where its distances to the others put it.
fn guttman(x: &[f64], wanted: &[f64], found: &[f64], n: usize) -> Vec<f64> {
    let mut next = vec![0.0; 2 * n];
    let mut pair = 0;
    for i in 0..n {
        for j in i + 1..n {
            let ratio = if found[pair] > 0.0 {
                wanted[pair] / found[pair]
            } else {
                0.0
            };
            for c in 0..2 {
                let pull = ratio * (x[2 * i + c] - x[2 * j + c]);
                next[2 * i + c] += pull;
                next[2 * j + c] -= pull;
            }
            pair += 1;
        }
    }
    next.iter_mut().for_each(|v| *v /= n as f64);
    next
}

/// The monotone regression of the found distances on the order of the wanted ones (pool adjacent violators), scaled to
/// a mean square of 1.
fn disparities(found: &[f64], order: &[usize]) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::with_capacity(order.len());
    for &i in order {
        let mut block = (found[i], 1);
        while let Some(&(mean, count)) = blocks.last().filter(|b| b.0 >= block.0) {
            let total = count + block.1;
            block.0 = (mean * count as f64 + block.0 * block.1 as f64) / total as f64;
            block.1 = total;
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut out = vec![0.0; found.len()];
    let mut at = order.iter();
    for (mean, count) in blocks {
        for &i in at.by_ref().take(count) {
            out[i] = mean;
        }
    }
    // Without this the picture shrinks from step to step.
    let scale = (found.len() as f64 / out.iter().map(|d| d * d).sum::<f64>()).sqrt();
    if scale.is_finite() {
        out.iter_mut().for_each(|d| *d *= scale);
    }
    out
}

/// Moves, turns, mirrors and scales `points` (`[item, 2]`) to lie on `target` as closely as can be (least squares).
/// Returns the moved points and the part of the target's variance that is left unexplained, in [0, 1].
///
/// # Errors
/// [`RsaError::Shape`] if the two differ in shape or are not in the plane; [`RsaError::Constant`] if all points of one
/// coincide.
pub fn procrustes(
    points: &Array2<f64>,
    target: &Array2<f64>,
) -> Result<(Array2<f64>, f64), RsaError> {
    let n = target.nrows();
    if points.dim() != target.dim() || target.ncols() != 2 || n == 0 {
        return Err(RsaError::Shape {
            what: "points to align",
            expected: format!("{:?}, in the plane", target.dim()),
            found: format!("{:?}", points.dim()),
        });
    }
    let mean = |a: &Array2<f64>| [a.column(0).sum() / n as f64, a.column(1).sum() / n as f64];
    let (from, to) = (mean(points), mean(target));
    let (mut xx, mut yy) = (0.0, 0.0);
    // Sums of products between the axes of both, for a turn and for a mirrored turn.
    let (mut turn, mut mirror) = ([0.0; 2], [0.0; 2]);
    for (p, q) in points.rows().into_iter().zip(target.rows()) {
        let (px, py) = (p[0] - from[0], p[1] - from[1]);
        let (qx, qy) = (q[0] - to[0], q[1] - to[1]);
        xx += px * px + py * py;
        yy += qx * qx + qy * qy;
        turn[0] += px * qx + py * qy;
        turn[1] += px * qy - py * qx;
        mirror[0] += px * qx - py * qy;
        mirror[1] += px * qy + py * qx;
    }
    if xx <= 0.0 || yy <= 0.0 {
        return Err(RsaError::Constant {
            what: "points to align".into(),
            value: 0.0,
        });
    }
    let (turned, mirrored) = (turn[0].hypot(turn[1]), mirror[0].hypot(mirror[1]));
    let (sums, gain, flip) = if turned >= mirrored {
        (turn, turned, 1.0)
    } else {
        (mirror, mirrored, -1.0)
    };
    let (cos, sin) = if gain > 0.0 {
        (sums[0] / gain, sums[1] / gain)
    } else {
        (1.0, 0.0)
    };
    let scale = gain / xx;
    let mut moved = Array2::zeros((n, 2));
    for (p, mut out) in points.rows().into_iter().zip(moved.rows_mut()) {
        let (px, py) = (p[0] - from[0], flip * (p[1] - from[1]));
        out[0] = scale * (cos * px - sin * py) + to[0];
        out[1] = scale * (sin * px + cos * py) + to[1];
    }
    Ok((moved, (1.0 - gain * gain / (xx * yy)).max(0.0)))
}
