//! Every onset and length of a deficit, at every depth, all at once.

use chiasm_core::{SettingError, Watch, vectorized};
use rayon::prelude::*;

use super::super::error::TheoryError;
use super::deficit::Span;
use super::reduced::{check_depth, check_rate};

/// Runs in step with each other: as many as hide each other's latency and still fit registers of 512 bits. With smaller ones
/// some spill to memory, which costs less than the latency would.
const LANES: usize = 48;

/// Steps between two looks at whether runs still change.
const BLOCK: usize = 32;

/// Deficits to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Depths of the pathways.
    pub depths: Vec<usize>,
    /// First steps in which pathway b does not learn.
    pub onsets: Vec<usize>,
    /// Numbers of such steps.
    pub lengths: Vec<usize>,
}

/// What deficits left at the end of the runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Permanent {
    grid: Grid,
    s: Vec<f64>,
    /// `[depth][length][onset][mode]`, strengths in both pathways.
    strengths: Vec<[f64; 2]>,
}

impl Permanent {
    /// Strengths of a mode in both pathways, by positions in the grid.
    #[must_use]
    pub fn strengths(&self, depth: usize, length: usize, onset: usize, mode: usize) -> [f64; 2] {
        let (lengths, onsets) = (self.grid.lengths.len(), self.grid.onsets.len());
        let cell = (depth * lengths + length) * onsets + onset;
        self.strengths[cell * self.s.len() + mode]
    }

    /// What pathway b lacks for good, by positions in the grid, as [`damage`](super::damage) measures it.
    #[must_use]
    pub fn damage(&self, depth: usize, length: usize, onset: usize) -> f64 {
        let each = self.s.iter().enumerate().map(|(mode, s)| {
            let [a, b] = self.strengths(depth, length, onset, mode);
            s * (a - b) / (a + b)
        });
        each.sum::<f64>() / self.s.iter().sum::<f64>()
    }

    /// The deficits.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }
}

/// One run of one mode: its singular value, and `p` of both pathways.
#[derive(Clone, Copy)]
struct Lane {
    s: f64,
    a: f64,
    b: f64,
}

/// Euler's steps at a depth.
#[derive(Clone, Copy)]
struct Euler {
    depth: usize,
    rate: f64,
}

/// Runs the exact dynamics for every deficit of the grid: modes of singular values `s` that start with strengths `k` in both
/// pathways, by Euler's steps, so many of them. What deficits have in common is run once: the steps before an onset, and those
/// of the longest deficit from there.
///
/// # Errors
/// As [`Reduced::new`](super::Reduced::new); an empty axis of the grid; [`TheoryError::Cancelled`].
pub fn sweep(
    s: &[f64],
    k: &[f64],
    grid: &Grid,
    (rate, steps): (f64, usize),
    watch: &dyn Watch,
) -> Result<Permanent, TheoryError> {
    for (field, axis) in [
        ("depths", &grid.depths),
        ("onsets", &grid.onsets),
        ("lengths", &grid.lengths),
    ] {
        SettingError::check(!axis.is_empty(), field, "at least one", "none")?;
    }
    if k.len() != s.len() {
        return Err(TheoryError::Shape {
            what: "strengths at the start",
            expected: s.len(),
            found: k.len(),
        });
    }
    for v in k {
        let fine = v.is_finite() && *v > 0.0;
        SettingError::check(fine, "strengths", "numbers above 0", v)?;
    }
    // Modes alike run alike: one run is theirs.
    let mut modes: Vec<(f64, f64)> = vec![];
    let runs = s.iter().zip(k).map(|(s, k)| {
        let same = modes.iter().position(|m| *m == (*s, *k));
        same.unwrap_or_else(|| {
            modes.push((*s, *k));
            modes.len() - 1
        })
    });
    let runs: Vec<usize> = runs.collect();
    // Where deficits end, `[length][onset]`, and these places from the first end to the last.
    let onsets = grid.onsets.len();
    let ends = grid
        .lengths
        .iter()
        .flat_map(|length| grid.onsets.iter().map(move |onset| onset + length));
    let ends: Vec<usize> = ends.collect();
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by_key(|cell| ends[*cell]);
    let mut strengths = Vec::new();
    for &depth in &grid.depths {
        check_depth(depth)?;
        check_rate(rate, depth, s)?;
        for &length in &grid.lengths {
            for &start in &grid.onsets {
                Span { start, length }.within(steps)?;
            }
        }
        let euler = Euler { depth, rate };
        let starts = modes.iter().map(|(s, k)| {
            let p = k.powf(1.0 / depth as f64);
            Lane { s: *s, a: p, b: p }
        });
        let mut before: Vec<Lane> = starts.collect();
        let open = |lanes: &mut [Lane], steps| euler.advance(lanes, steps, false);
        let begun = at_steps(&grid.onsets, &mut before, open);
        let mut closed: Vec<Lane> = begun.into_iter().flatten().collect();
        let ended = at_steps(&grid.lengths, &mut closed, |lanes, steps| {
            let lanes = lanes.par_chunks_mut(LANES);
            lanes.for_each(|lanes| euler.advance(lanes, steps, true));
        });
        watch.check()?;
        // Runs of a mode side by side, since strong modes come to rest long before weak ones.
        let of_mode = |mode| {
            let (ends, ended, n) = (&ends, &ended, modes.len());
            let cells = order.iter();
            cells.map(move |cell| (ends[*cell], ended[cell / onsets][cell % onsets * n + mode]))
        };
        let mut lanes: Vec<(usize, Lane)> = (0..modes.len()).flat_map(of_mode).collect();
        lanes.par_chunks_mut(order.len()).for_each(|lanes| {
            lanes.par_chunks_mut(LANES).for_each(|lanes| {
                if !watch.cancelled() {
                    euler.finish(lanes, steps);
                }
            });
        });
        let mut found = vec![[0.0; 2]; lanes.len()];
        for (i, (_, lane)) in lanes.iter().enumerate() {
            let (mode, cell) = (i / order.len(), order[i % order.len()]);
            found[cell * modes.len() + mode] = [lane.a, lane.b].map(|p| p.powi(depth as i32));
        }
        watch.check()?;
        for cell in found.chunks_exact(modes.len()) {
            strengths.extend(runs.iter().map(|run| cell[*run]));
        }
    }
    match strengths.iter().position(|k| !(k[0] + k[1]).is_finite()) {
        None => Ok(Permanent {
            grid: grid.clone(),
            s: s.to_vec(),
            strengths,
        }),
        Some(_) => Err(TheoryError::Diverged {
            quantity: "a mode's strength",
            step: steps,
        }),
    }
}

/// The lanes after each of these numbers of steps, whichever way these are sorted.
fn at_steps(
    steps: &[usize],
    lanes: &mut [Lane],
    advance: impl Fn(&mut [Lane], usize),
) -> Vec<Vec<Lane>> {
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|i| steps[*i]);
    let mut found = vec![vec![]; steps.len()];
    let mut now = 0;
    for i in order {
        advance(lanes, steps[i] - now);
        now = steps[i];
        found[i] = lanes.to_vec();
    }
    found
}

impl Euler {
    /// From each lane's own step, the least first, to the last step.
    fn finish(self, lanes: &mut [(usize, Lane)], steps: usize) {
        let mut now = lanes.first().map_or(steps, |(end, _)| *end);
        let mut open: Vec<Lane> = vec![];
        while now < steps {
            let waiting = lanes[open.len()..].iter();
            open.extend(waiting.take_while(|(end, _)| *end <= now).map(|(_, l)| *l));
            let next = lanes.get(open.len());
            let next = next.map_or(steps, |(end, _)| *end.min(&steps));
            self.advance(&mut open, next - now, false);
            now = next;
        }
        for ((_, lane), open) in lanes.iter_mut().zip(open) {
            *lane = open;
        }
    }

    /// Up to [`LANES`] lanes, all of which learn in pathway b or do not.
    fn advance(self, lanes: &mut [Lane], steps: usize, closed: bool) {
        // Depths that are asked for often, with their powers unrolled.
        for lanes in lanes.chunks_mut(LANES) {
            match self.depth {
                1 => self.advance_at::<1>(lanes, steps, closed),
                2 => self.advance_at::<2>(lanes, steps, closed),
                3 => self.advance_at::<3>(lanes, steps, closed),
                4 => self.advance_at::<4>(lanes, steps, closed),
                6 => self.advance_at::<6>(lanes, steps, closed),
                _ => self.advance_at::<0>(lanes, steps, closed),
            }
        }
    }

    fn advance_at<const D: usize>(self, lanes: &mut [Lane], steps: usize, closed: bool) {
        let (mut s, mut a, mut b) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (i, lane) in lanes.iter().enumerate() {
            (s[i], a[i], b[i]) = (lane.s, lane.a, lane.b);
        }
        let Self { depth, rate } = self;
        vectorized(
            #[inline(always)]
            || {
                let mut left = steps;
                while left > 0 {
                    let (block, before) = (left.min(BLOCK), (a, b));
                    for _ in 0..block {
                        for i in 0..LANES {
                            // Each lane's powers stay in registers, and their number is known where `D` is.
                            let (mut pa, mut pb) = (1.0, 1.0);
                            for _ in 1..if D == 0 { depth } else { D } {
                                pa *= a[i];
                                pb *= b[i];
                            }
                            let rest = rate * (s[i] - pa * a[i] - pb * b[i]);
                            a[i] += pa * rest;
                            b[i] += if closed { 0.0 } else { pb * rest };
                        }
                    }
                    left -= block;
                    // What is back where it was, to the last bit, comes back there after every further block.
                    if block == BLOCK && (a, b) == before {
                        left %= BLOCK;
                    }
                }
            },
        );
        for (i, lane) in lanes.iter_mut().enumerate() {
            (lane.a, lane.b) = (a[i], b[i]);
        }
    }
}
