//! Greedy moves: merging blocks down to a number, and sweeps of single nodes at that number.

use chiasm_core::Rng;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::hierarchy::Coupling;
use super::state::{Gathered, State, compact};

/// Up to this many blocks a node is tried in every one of them.
const TRY_ALL: usize = 24;
/// Beyond, in this many blocks found by walks over its neighbours.
const WALKS: usize = 10;
/// Up to this many pair costs, all merges are tried against each other.
const MERGE_BUDGET: usize = 1_000_000;
/// A gain must exceed the rounding of the sums it comes from.
pub(super) const GAIN: f64 = 1e-9;

/// Labels with `target` blocks: merges the cheapest pairs first, in passes of disjoint pairs.
pub(super) fn shrink(state: &State<'_>, target: usize, rng: &mut Rng) -> Vec<u32> {
    let (mut labels, mut b) = compact(&state.label);
    let mut graph = state.graph.condense(&labels, b, false);
    let mut moving = Gathered::default();
    while b > target {
        let blocks = State::singletons(&graph, state.terms);
        let links: usize = (0..b).map(|r| graph.n_neighbors(r)).sum();
        let all = links.saturating_mul(b) <= MERGE_BUDGET || b <= TRY_ALL;
        let mut merges: Vec<(f64, u32, u32)> = Vec::new();
        let mut candidates = Vec::new();
        for r in 0..b {
            blocks.gather(r, &mut moving);
            candidates.clear();
            if all {
                candidates.extend(r as u32 + 1..b as u32);
            } else {
                walk(&blocks, r, 2 * WALKS, rng, &mut candidates);
            }
            // All pairs of a large problem would need sorting in full; each block's best few are enough.
            let from = merges.len();
            for &s in &candidates {
                let cost = blocks.move_cost(&moving, s as usize);
                merges.push((cost, r as u32, s));
            }
            if b > 2 * TRY_ALL {
                merges[from..].sort_unstable_by(by_cost);
                merges.truncate(from + 6);
            }
        }
        merges.sort_unstable_by(by_cost);
        let mut parent: Vec<u32> = (0..b as u32).collect();
        let mut used = vec![false; b];
        // Few merges at a time where blocks are few: each changes what the others cost.
        let mut left = (b - target).min((b / 4).max(1));
        for (_, r, s) in merges {
            if left == 0 {
                break;
            }
            if !used[r as usize] && !used[s as usize] {
                used[r as usize] = true;
                used[s as usize] = true;
                parent[r as usize] = s;
                left -= 1;
            }
        }
        let (merged, fewer) = compact(&parent);
        for label in &mut labels {
            *label = merged[*label as usize];
        }
        graph = graph.condense(&merged, fewer, false);
        b = fewer;
    }
    labels
}

fn by_cost(a: &(f64, u32, u32), b: &(f64, u32, u32)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)))
}

/// Blocks found by short walks from `node`: its neighbours' blocks, and those of their neighbours. One in eight is
/// drawn from all blocks, so that none is out of reach.
fn walk(state: &State<'_>, node: usize, n: usize, rng: &mut Rng, found: &mut Vec<u32>) {
    let graph = state.graph;
    let own = state.label[node];
    for k in 0..n {
        let mut at = node;
        let steps = 1 + k % 2;
        let block = if k % 8 == 7 || graph.n_neighbors(node) == 0 {
            rng.random_range(0..state.capacity()) as u32
        } else {
            for _ in 0..steps {
                at = graph.neighbor(at, rng.random_range(0..graph.n_neighbors(at)));
            }
            state.label[at]
        };
        if block != own && state.members[block as usize] > 0 && !found.contains(&block) {
            found.push(block);
        }
    }
}

/// Sweeps over all nodes in random order; each goes to the block where the description becomes shortest, if that is
/// shorter than where it is. The last node of a block stays. Ends when a sweep moves nothing or after `most` sweeps;
/// returns what was gained.
pub(super) fn sweep(
    state: &mut State<'_>,
    most: usize,
    mut above: Option<&mut Coupling<'_>>,
    rng: &mut Rng,
) -> f64 {
    let mut order: Vec<u32> = (0..state.graph.len() as u32).collect();
    let mut moving = Gathered::default();
    let mut candidates = Vec::new();
    let mut gained = 0.0;
    if state.n_blocks() < 2 {
        return gained;
    }
    for _ in 0..most {
        order.shuffle(rng);
        let mut moved = false;
        for &node in &order {
            let node = node as usize;
            let r = state.label[node] as usize;
            if state.members[r] == 1 {
                continue;
            }
            candidates.clear();
            if state.capacity() <= TRY_ALL {
                candidates.extend(
                    (0..state.capacity() as u32)
                        .filter(|&s| s as usize != r && state.members[s as usize] > 0),
                );
            } else {
                walk(state, node, WALKS, rng, &mut candidates);
            }
            state.gather(node, &mut moving);
            if let Some((cost, s)) = best_of(state, &moving, &candidates, above.as_deref_mut()) {
                if let Some(above) = above.as_deref_mut() {
                    above.apply(&moving, r, s);
                }
                state.apply(&moving, s);
                gained -= cost;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    gained
}

/// The candidate that shortens the description most, if any does.
pub(super) fn best_of(
    state: &State<'_>,
    moving: &Gathered,
    candidates: &[u32],
    mut above: Option<&mut Coupling<'_>>,
) -> Option<(f64, usize)> {
    let r = state.label[moving.node] as usize;
    let mut best: Option<(f64, usize)> = None;
    for &s in candidates {
        let s = s as usize;
        let mut cost = state.move_cost(moving, s);
        if let Some(above) = above.as_deref_mut() {
            cost += above.move_cost(moving, r, s);
        }
        if cost < -GAIN && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, s));
        }
    }
    best
}
