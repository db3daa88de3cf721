//! Edges for given inner and outer degrees.

use std::collections::BTreeSet;

use chiasm_core::Rng;
use rand::RngExt;
use rand::seq::SliceRandom;

type Pairs = BTreeSet<(usize, usize)>;

/// Wires the graph; `inner` is lowered where a community cannot take all of a node's inner edges. Pairs `(a, b)` with
/// `a < b`, in ascending order.
pub(super) fn wire(
    degrees: &[usize],
    inner: &mut [usize],
    communities: &[usize],
    rng: &mut Rng,
) -> Vec<(usize, usize)> {
    let n_communities = communities.iter().max().map_or(0, |m| m + 1);
    let mut pairs = Pairs::new();
    for c in 0..n_communities {
        let members: Vec<usize> = (0..degrees.len())
            .filter(|&i| communities[i] == c)
            .collect();
        pairs.extend(wire_within(&members, inner, rng));
    }
    if n_communities > 1 {
        let outer: Vec<usize> = degrees
            .iter()
            .zip(inner.iter())
            .map(|(k, i)| k - i.min(k))
            .collect();
        pairs.extend(wire_between(&outer, communities, rng));
    }
    pairs.into_iter().collect()
}

fn ordered(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

/// A simple graph with these degrees among the members. It is laid out greedily (the node with most open ends joins
/// those with the next most, which succeeds whenever anything can) and then randomised by swaps of edges. Ends that
/// find no partner are taken off `inner`.
fn wire_within(members: &[usize], inner: &mut [usize], rng: &mut Rng) -> Pairs {
    let mut open: Vec<(usize, usize)> = members.iter().map(|&i| (inner[i], i)).collect();
    open.shuffle(rng);
    let mut list = Vec::new();
    while open.len() > 1 {
        open.sort_by_key(|&(ends, _)| std::cmp::Reverse(ends));
        let (ends, node) = open.remove(0);
        let mut joined = 0;
        for other in open.iter_mut().take(ends) {
            if other.0 == 0 {
                break;
            }
            other.0 -= 1;
            joined += 1;
            list.push(ordered(node, other.1));
        }
        inner[node] -= ends - joined;
    }
    if let Some(&(ends, node)) = open.first() {
        inner[node] -= ends;
    }
    let mut pairs: Pairs = list.iter().copied().collect();
    shuffle_edges(&mut list, &mut pairs, |_, _| true, rng);
    pairs
}

/// Swaps ends of random pairs of edges, ten tries for each edge, where the graph stays simple and both new edges are
/// allowed.
fn shuffle_edges(
    list: &mut [(usize, usize)],
    pairs: &mut Pairs,
    allowed: impl Fn(usize, usize) -> bool,
    rng: &mut Rng,
) {
    let n = list.len();
    if n < 2 {
        return;
    }
    for _ in 0..10 * n {
        let (x, y) = (rng.random_range(0..n), rng.random_range(0..n));
        let ((a, b), (mut c, mut d)) = (list[x], list[y]);
        if rng.random::<bool>() {
            std::mem::swap(&mut c, &mut d);
        }
        let (p, q) = (ordered(a, d), ordered(c, b));
        if x == y
            || p.0 == p.1
            || q.0 == q.1
            || p == q
            || pairs.contains(&p)
            || pairs.contains(&q)
            || !allowed(p.0, p.1)
            || !allowed(q.0, q.1)
        {
            continue;
        }
        pairs.remove(&list[x]);
        pairs.remove(&list[y]);
        pairs.insert(p);
        pairs.insert(q);
        list[x] = p;
        list[y] = q;
    }
}

/// Edges between communities: ends are matched at random, and edges that fall within a community or repeat another
/// are rewired with random good ones. Those that cannot be mended are left out.
fn wire_between(outer: &[usize], communities: &[usize], rng: &mut Rng) -> Pairs {
    let mut ends: Vec<usize> = outer
        .iter()
        .enumerate()
        .flat_map(|(i, &k)| std::iter::repeat_n(i, k))
        .collect();
    ends.shuffle(rng);
    let mut pairs = Pairs::new();
    let mut good = Vec::new();
    let mut bad = Vec::new();
    let allowed = |a: usize, b: usize| communities[a] != communities[b];
    for pair in ends.chunks_exact(2) {
        let edge = ordered(pair[0], pair[1]);
        if allowed(edge.0, edge.1) && pairs.insert(edge) {
            good.push(edge);
        } else {
            bad.push(edge);
        }
    }
    let mut tries = 200 * (good.len() + bad.len());
    while let Some(&(a, b)) = bad.last() {
        if tries == 0 || good.is_empty() {
            break;
        }
        tries -= 1;
        let k = rng.random_range(0..good.len());
        let (mut c, mut d) = good[k];
        if rng.random::<bool>() {
            std::mem::swap(&mut c, &mut d);
        }
        let (p, q) = (ordered(a, c), ordered(b, d));
        let fits = |e: (usize, usize)| allowed(e.0, e.1) && !pairs.contains(&e);
        if p != q && fits(p) && fits(q) {
            pairs.remove(&good[k]);
            pairs.insert(p);
            pairs.insert(q);
            good[k] = p;
            good.push(q);
            bad.pop();
        } else if rng.random_range(0..50) == 0 {
            // Another bad edge may have better luck with this one out of the way.
            let last = bad.len() - 1;
            let k = rng.random_range(0..=last);
            bad.swap(k, last);
        }
    }
    shuffle_edges(&mut good, &mut pairs, allowed, rng);
    pairs
}
