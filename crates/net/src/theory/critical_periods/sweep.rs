//! Every onset and length of a deficit, at every depth, all at once.

use chiasm_core::{SettingError, Watch, vectorized};
use rayon::prelude::*;

use super::super::error::TheoryError;
use super::deficit::Span;
use super::reduced::{check_depth, check_rate};

/// Runs in step with each other: four of the widest registers.
const LANES: usize = 32;

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

/// One run of one mode.
#[derive(Clone, Copy)]
struct Lane {
    s: f64,
    p: f64,
    start: usize,
    end: usize,
}

/// Runs the exact dynamics for every deficit of the grid: modes of singular values `s` that start with strengths `k` in both
/// pathways, by Euler's steps, so many of them.
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
    let mut strengths = Vec::new();
    for &depth in &grid.depths {
        check_depth(depth)?;
        check_rate(rate, depth, s)?;
        let mut lanes = Vec::new();
        for &length in &grid.lengths {
            for &start in &grid.onsets {
                let span = Span { start, length };
                span.within(steps)?;
                lanes.extend(modes.iter().map(|(s, k)| Lane {
                    s: *s,
                    p: k.powf(1.0 / depth as f64),
                    start,
                    end: span.end(),
                }));
            }
        }
        let mut found = vec![[0.0; 2]; lanes.len()];
        let chunks = found.par_chunks_mut(LANES).zip(lanes.par_chunks(LANES));
        chunks.for_each(|(found, lanes)| {
            if !watch.cancelled() {
                run(lanes, depth, (rate, steps), found);
            }
        });
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

/// `x^e`, lane by lane.
#[inline(always)]
fn power(x: &[f64; LANES], e: usize) -> [f64; LANES] {
    let mut out = [1.0; LANES];
    for _ in 0..e {
        for (o, x) in out.iter_mut().zip(x) {
            *o *= x;
        }
    }
    out
}

fn run(lanes: &[Lane], depth: usize, (rate, steps): (f64, usize), found: &mut [[f64; 2]]) {
    // Depths that are asked for often, with their powers unrolled.
    match depth {
        1 => run_at::<1>(lanes, depth, (rate, steps), found),
        2 => run_at::<2>(lanes, depth, (rate, steps), found),
        3 => run_at::<3>(lanes, depth, (rate, steps), found),
        4 => run_at::<4>(lanes, depth, (rate, steps), found),
        6 => run_at::<6>(lanes, depth, (rate, steps), found),
        _ => run_at::<0>(lanes, depth, (rate, steps), found),
    }
}

fn run_at<const D: usize>(
    lanes: &[Lane],
    depth: usize,
    (rate, steps): (f64, usize),
    found: &mut [[f64; 2]],
) {
    let (mut s, mut a) = ([0.0; LANES], [0.0; LANES]);
    let (mut start, mut end) = ([0.0; LANES], [0.0; LANES]);
    for (i, lane) in lanes.iter().enumerate() {
        (s[i], a[i]) = (lane.s, lane.p);
        (start[i], end[i]) = (lane.start as f64, lane.end as f64);
    }
    let mut b = a;
    let depth = if D == 0 { depth } else { D };
    vectorized(
        #[inline(always)]
        || {
            for step in 0..steps {
                let now = step as f64;
                let (pa, pb) = (power(&a, depth - 1), power(&b, depth - 1));
                for i in 0..LANES {
                    let rest = rate * (s[i] - pa[i] * a[i] - pb[i] * b[i]);
                    let closed = now >= start[i] && now < end[i];
                    a[i] += pa[i] * rest;
                    b[i] += if closed { 0.0 } else { pb[i] * rest };
                }
            }
        },
    );
    let (ka, kb) = (power(&a, depth), power(&b, depth));
    for (i, k) in found.iter_mut().enumerate() {
        *k = [ka[i], kb[i]];
    }
}
