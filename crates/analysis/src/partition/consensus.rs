//! Many partitions of the same things, as a sampler draws them: how often two things share a block, and the one partition
//! that stands for all.

use ndarray::Array2;

use super::PartitionError;

/// A partition chosen by its expected agreement with the posterior.
#[derive(Debug, Clone, PartialEq)]
pub struct PointPartition {
    /// The block of each thing, numbered by first appearance.
    pub labels: Vec<usize>,
    /// Its posterior expected adjusted Rand index, at most 1.
    pub expected_rand: f64,
}

/// `[thing, thing]`: the share of the partitions in which two things have one label. The diagonal is 1.
///
/// # Errors
/// Where there are no partitions, or their lengths differ or are 0.
pub fn posterior_similarity(partitions: &[&[usize]]) -> Result<Array2<f64>, PartitionError> {
    let first = partitions.first().ok_or(PartitionError::Empty)?;
    let n = first.len();
    if n == 0 {
        return Err(PartitionError::Empty);
    }
    if let Some(other) = partitions.iter().find(|p| p.len() != n) {
        return Err(PartitionError::Length {
            expected: n,
            found: other.len(),
        });
    }
    let mut counts = Array2::<u32>::zeros((n, n));
    for labels in partitions {
        for i in 0..n {
            for j in 0..i {
                counts[[i, j]] += u32::from(labels[i] == labels[j]);
            }
        }
    }
    let all = partitions.len() as f64;
    Ok(Array2::from_shape_fn((n, n), |(i, j)| match i.cmp(&j) {
        std::cmp::Ordering::Equal => 1.0,
        std::cmp::Ordering::Greater => f64::from(counts[[i, j]]) / all,
        std::cmp::Ordering::Less => f64::from(counts[[j, i]]) / all,
    }))
}

/// The partition with the greatest posterior expected adjusted Rand index (maxPEAR, Fritsch and Ickstadt 2009) among those
/// given and the cuts, into up to `max_blocks` blocks, of the average-linkage and complete-linkage trees over
/// 1 - `similarity`.
///
/// # Errors
/// Where `similarity` is empty or not square, or a candidate has another length.
pub fn max_pear(
    similarity: &Array2<f64>,
    candidates: &[&[usize]],
    max_blocks: usize,
) -> Result<PointPartition, PartitionError> {
    let (n, columns) = similarity.dim();
    if n == 0 {
        return Err(PartitionError::Empty);
    }
    let wrong = std::iter::once(columns)
        .chain(candidates.iter().map(|c| c.len()))
        .find(|&len| len != n);
    if let Some(found) = wrong {
        return Err(PartitionError::Length { expected: n, found });
    }
    let mut best = PointPartition {
        labels: vec![0; n],
        expected_rand: f64::NEG_INFINITY,
    };
    let mut consider = |labels: Vec<usize>| {
        let expected_rand = expected_rand(similarity, &labels);
        if expected_rand > best.expected_rand {
            best = PointPartition {
                labels,
                expected_rand,
            };
        }
    };
    for linkage in [Linkage::Average, Linkage::Complete] {
        let merges = tree(similarity, linkage);
        for blocks in 1..=max_blocks.clamp(1, n) {
            consider(cut(n, &merges, blocks));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for labels in candidates {
        let labels = by_appearance(labels);
        if seen.insert(labels.clone()) {
            consider(labels);
        }
    }
    Ok(best)
}

/// Labels renumbered 0, 1, ... in the order in which they first appear.
#[must_use]
pub fn by_appearance(labels: &[usize]) -> Vec<usize> {
    let mut names = std::collections::BTreeMap::new();
    labels
        .iter()
        .map(|l| {
            let next = names.len();
            *names.entry(*l).or_insert(next)
        })
        .collect()
}

/// Posterior expected adjusted Rand index of a partition (Fritsch and Ickstadt 2009, eq. 13).
fn expected_rand(similarity: &Array2<f64>, labels: &[usize]) -> f64 {
    let n = labels.len();
    if n < 2 {
        return 1.0;
    }
    let (mut together, mut similar, mut both) = (0.0, 0.0, 0.0);
    for i in 0..n {
        let row = similarity.row(i);
        for j in 0..i {
            similar += row[j];
            if labels[i] == labels[j] {
                together += 1.0;
                both += row[j];
            }
        }
    }
    let pairs = n as f64 * (n as f64 - 1.0) / 2.0;
    let chance = together * similar / pairs;
    let room = 0.5 * (together + similar) - chance;
    // All partitions agree that there is one block, or that every thing stands alone.
    if room.abs() < 1e-12 * pairs {
        return if (both - together).abs() < 1e-12 * pairs && (both - similar).abs() < 1e-12 * pairs
        {
            1.0
        } else {
            0.0
        };
    }
    (both - chance) / room
}

#[derive(Clone, Copy)]
enum Linkage {
    Average,
    Complete,
}

/// Merges `(a, b, height)` of an agglomerative tree by the nearest-neighbor chain; things stand for their blocks.
fn tree(similarity: &Array2<f64>, linkage: Linkage) -> Vec<(usize, usize, f64)> {
    let n = similarity.nrows();
    let mut distance = similarity.mapv(|s| 1.0 - s);
    let mut size = vec![1.0; n];
    let mut alive = vec![true; n];
    let mut merges = Vec::with_capacity(n.saturating_sub(1));
    let mut chain: Vec<usize> = Vec::new();
    while merges.len() + 1 < n {
        if chain.is_empty() {
            chain.extend((0..n).find(|&i| alive[i]));
        }
        let top = chain[chain.len() - 1];
        let before = chain.len().checked_sub(2).map(|i| chain[i]);
        // Of equals the one before on the chain, so that it ends.
        let mut near = before;
        for j in (0..n).filter(|&j| alive[j] && j != top) {
            if near.is_none_or(|b| distance[[top, j]] < distance[[top, b]]) {
                near = Some(j);
            }
        }
        let Some(near) = near else { break };
        if Some(near) != before {
            chain.push(near);
            continue;
        }
        chain.truncate(chain.len() - 2);
        let (a, b) = (top.min(near), top.max(near));
        merges.push((a, b, distance[[a, b]]));
        for j in (0..n).filter(|&j| alive[j] && j != a && j != b) {
            let joined = match linkage {
                Linkage::Average => {
                    (size[a] * distance[[a, j]] + size[b] * distance[[b, j]]) / (size[a] + size[b])
                }
                Linkage::Complete => distance[[a, j]].max(distance[[b, j]]),
            };
            distance[[a, j]] = joined;
            distance[[j, a]] = joined;
        }
        size[a] += size[b];
        alive[b] = false;
    }
    // The chain finds merges out of order; both linkages are monotone, so sorting by height is the tree.
    merges.sort_by(|x, y| x.2.total_cmp(&y.2));
    merges
}

/// The blocks left once all but `blocks - 1` merges are made.
fn cut(n: usize, merges: &[(usize, usize, f64)], blocks: usize) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..n).collect();
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    for &(a, b, _) in merges.iter().take(n - blocks.min(n)) {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        parent[a.max(b)] = a.min(b);
    }
    let roots: Vec<usize> = (0..n).map(|i| root(&mut parent, i)).collect();
    by_appearance(&roots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::adjusted_rand;
    use proptest::prelude::*;

    #[test]
    fn similarity_counts_shared_labels() {
        let drawn: [&[usize]; 4] = [&[0, 0, 1], &[5, 5, 5], &[1, 0, 0], &[2, 2, 0]];
        let similarity = posterior_similarity(&drawn).unwrap();
        assert_eq!(similarity[[0, 1]], 0.75);
        assert_eq!(similarity[[2, 1]], 0.5);
        assert_eq!(similarity[[2, 0]], 0.25);
        assert_eq!(similarity[[1, 1]], 1.0);
        assert!(posterior_similarity(&[]).is_err());
        let uneven: [&[usize]; 2] = [&[0, 0], &[0]];
        assert!(posterior_similarity(&uneven).is_err());
    }

    #[test]
    fn agreed_partitions_stand_for_themselves() {
        let truth = [0usize, 0, 0, 1, 1, 2, 2, 2];
        let similarity = posterior_similarity(&[&truth, &truth]).unwrap();
        // Found by the trees alone, without candidates.
        let found = max_pear(&similarity, &[], 8).unwrap();
        assert_eq!(found.labels, truth);
        assert!((found.expected_rand - 1.0).abs() < 1e-12);
        for flat in [[0usize; 4], [0, 1, 2, 3]] {
            let similarity = posterior_similarity(&[&flat]).unwrap();
            let found = max_pear(&similarity, &[], 4).unwrap();
            assert_eq!((found.labels, found.expected_rand), (flat.to_vec(), 1.0));
        }
        assert!(max_pear(&similarity, &[&[0, 1]], 3).is_err());
    }

    #[test]
    fn of_noisy_draws_the_common_part_is_found() {
        let truth: Vec<usize> = (0..24).map(|i| i / 8).collect();
        let drawn: Vec<Vec<usize>> = (0..40)
            .map(|d| {
                let mut labels = truth.clone();
                labels[(d * 7) % 24] = 3;
                labels[(d * 11 + 5) % 24] = d % 3;
                labels
            })
            .collect();
        let views: Vec<&[usize]> = drawn.iter().map(Vec::as_slice).collect();
        let similarity = posterior_similarity(&views).unwrap();
        let found = max_pear(&similarity, &views, 10).unwrap();
        assert_eq!(found.labels, truth);
        // Its expected index is the mean index over the draws, up to the approximation of the mean of a ratio.
        let mean = views
            .iter()
            .map(|d| adjusted_rand(d, &truth).unwrap())
            .sum::<f64>()
            / 40.0;
        assert!(
            (found.expected_rand - mean).abs() < 0.02,
            "{} {mean}",
            found.expected_rand
        );
    }

    proptest! {
        #[test]
        fn no_candidate_beats_the_choice(
            drawn in prop::collection::vec(prop::collection::vec(0usize..4, 9), 1..12)
        ) {
            let views: Vec<&[usize]> = drawn.iter().map(Vec::as_slice).collect();
            let similarity = posterior_similarity(&views).unwrap();
            let found = max_pear(&similarity, &views, 9).unwrap();
            prop_assert!(found.expected_rand <= 1.0 + 1e-12);
            for labels in &views {
                prop_assert!(expected_rand(&similarity, labels) <= found.expected_rand + 1e-12);
            }
            // One draw alone is its own point partition.
            let alone = max_pear(&posterior_similarity(&views[..1]).unwrap(), &views[..1], 9).unwrap();
            prop_assert_eq!(alone.labels, by_appearance(views[0]));
        }
    }
}
