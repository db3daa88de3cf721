//! Who connects to whom: the targets of each source.

use std::collections::BTreeSet;

use chiasm_core::rng::Rng;
use chiasm_core::{SettingError, Streams};
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rayon::prelude::*;

use super::Connect;

/// Rows that one task draws.
pub(super) const ROWS: usize = 256;

/// For each source its targets, ascending. Sizes and settings have been checked; `field` is at fault for a pair that is
/// given twice.
pub(super) fn targets(
    connect: &Connect,
    (n_from, n_to): (usize, usize),
    no_self: bool,
    streams: &Streams,
    field: &str,
) -> Result<Vec<Vec<u32>>, SettingError> {
    Ok(match connect {
        Connect::InDegree(k) => by_target((n_from, n_to), *k as usize, no_self, streams),
        Connect::Pairs(pairs) => by_pairs(n_from, pairs, field)?,
        connect => (0..n_from)
            .into_par_iter()
            .with_min_len(ROWS)
            .map(|i| row(connect, i, n_to, no_self, streams))
            .collect(),
    })
}

/// The targets of source `i`.
fn row(connect: &Connect, i: usize, n_to: usize, no_self: bool, streams: &Streams) -> Vec<u32> {
    let skip = (no_self || *connect == Connect::AllToOthers).then_some(i);
    match connect {
        Connect::OneToOne => vec![i as u32],
        Connect::Probability(p) if *p < 1.0 => {
            let mut targets = Vec::with_capacity((1.1 * p * n_to as f64) as usize + 8);
            if *p > 0.0 {
                let mut rng = streams.indexed("targets", i);
                // Gaps between successes are geometric: floor(E / -ln(1 - p)) for an exponential E.
                let scale = -1.0 / (-p).ln_1p();
                let mut at = gap(&mut rng, scale);
                while at < n_to as f64 {
                    if Some(at as usize) != skip {
                        targets.push(at as u32);
                    }
                    at += 1.0 + gap(&mut rng, scale);
                }
            }
            targets
        }
        Connect::OutDegree(k) => {
            let mut rng = streams.indexed("targets", i);
            some_of(n_to, *k as usize, skip, &mut rng)
        }
        _ => (0..n_to as u32)
            .filter(|t| Some(*t as usize) != skip)
            .collect(),
    }
}

/// A geometric number: failures before the next success.
pub(crate) fn gap(rng: &mut Rng, scale: f64) -> f64 {
    let e: f64 = Exp1.sample(rng);
    (e * scale).floor()
}

/// `k` different numbers below `n` without `skip`, ascending (Floyd's method).
fn some_of(n: usize, k: usize, skip: Option<usize>, rng: &mut Rng) -> Vec<u32> {
    let n = n - usize::from(skip.is_some());
    let mut chosen = BTreeSet::new();
    for top in n - k.min(n)..n {
        let x = rng.random_range(0..=top);
        if !chosen.insert(x) {
            chosen.insert(top);
        }
    }
    let shift = |x: usize| x + usize::from(skip.is_some_and(|s| x >= s));
    chosen.into_iter().map(|x| shift(x) as u32).collect()
}

/// `k` sources for each target, as rows by source.
fn by_target(
    (n_from, n_to): (usize, usize),
    k: usize,
    no_self: bool,
    streams: &Streams,
) -> Vec<Vec<u32>> {
    let sources: Vec<Vec<u32>> = (0..n_to)
        .into_par_iter()
        .with_min_len(ROWS)
        .map(|t| {
            some_of(
                n_from,
                k,
                no_self.then_some(t),
                &mut streams.indexed("sources", t),
            )
        })
        .collect();
    let mut rows = vec![vec![]; n_from];
    for (t, sources) in sources.iter().enumerate() {
        for &s in sources {
            rows[s as usize].push(t as u32);
        }
    }
    rows
}

/// Given pairs, as rows by source.
fn by_pairs(
    n_from: usize,
    pairs: &[(u32, u32)],
    field: &str,
) -> Result<Vec<Vec<u32>>, SettingError> {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|w| w[0] == w[1]) {
        let found = format!("({}, {}) twice", twice[0].0, twice[0].1);
        return Err(SettingError::new(field, "each pair once", found));
    }
    let mut rows = vec![vec![]; n_from];
    for (s, t) in sorted {
        rows[s as usize].push(t);
    }
    Ok(rows)
}
