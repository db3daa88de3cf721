//! How a reservoir answers: its branching factor, and how many different patterns its counts hold.

use ndarray::ArrayView2;

use super::{Reservoir, Response};

/// Spikes this many steps before and after are counted, and half a window of rest is left out at both ends.
const LAG: u32 = 4;
const EDGE: u32 = 25;

/// The branching factor of one response: for each spike of a neuron the spikes of those it projects to in the 4 ms after,
/// over those of its sources in the 4 ms before (at least 1), within the reservoir; the mean over a neuron's spikes, then
/// over neurons with any. The first and last 25 ms are left out. Near 1 activity neither grows nor dies.
///
/// `None` for a sample in which no neuron spikes in the window, or that is too short for one.
#[must_use]
pub fn branching_factor(reservoir: &Reservoir, response: &Response) -> Option<f64> {
    let wiring = &reservoir.wiring;
    let duration = response.astrocyte.len() as u32;
    let window = EDGE..duration.checked_sub(EDGE)?;
    let length = window.len() + 1;
    // For each neuron its spikes up to each step, within the window.
    let mut before = vec![0u16; wiring.n_neurons * length];
    for (t, i) in response.spikes.iter().filter(|s| window.contains(&s.0)) {
        before[*i as usize * length + (t - EDGE) as usize + 1] += 1;
    }
    for spikes in before.chunks_mut(length) {
        for t in 1..length {
            spikes[t] += spikes[t - 1];
        }
    }
    let between = |i: u32, from: u32, to: u32| {
        let at = |t: u32| before[i as usize * length + (t - EDGE) as usize];
        u32::from(at(to) - at(from))
    };
    let mut sums = vec![(0.0, 0u32); wiring.n_neurons];
    let inner = window.start + LAG..window.end.saturating_sub(LAG);
    for &(t, i) in response.spikes.iter().filter(|s| inner.contains(&s.0)) {
        let after = wiring.targets[wiring.row(i as usize)].iter();
        let after: u32 = after.map(|j| between(*j, t + 1, t + 1 + LAG)).sum();
        let sources = wiring.column_sources[wiring.column(i as usize)].iter();
        let sources = sources.take_while(|s| (**s as usize) < wiring.n_neurons);
        let earlier: u32 = sources.map(|j| between(*j, t - LAG, t)).sum();
        let (sum, n) = &mut sums[i as usize];
        *sum += f64::from(after) / f64::from(earlier.max(1));
        *n += 1;
    }
    let means = sums.iter().filter(|s| s.1 > 0);
    let means: Vec<f64> = means.map(|(sum, n)| sum / f64::from(*n)).collect();
    (!means.is_empty()).then(|| chiasm_core::stats::mean(&means))
}

const PRIME: u64 = (1 << 31) - 1;

/// The rank of a matrix of counts: how many of its rows are no combination of the others. It is exact but for a chance of
/// about n / 2^31, as it is found by elimination among the integers modulo a prime, and takes `n^2 m` steps.
#[must_use]
pub fn rank(counts: ArrayView2<'_, u16>) -> usize {
    // Eliminating over the shorter side is faster.
    let counts = if counts.nrows() > counts.ncols() {
        counts.reversed_axes()
    } else {
        counts
    };
    let mut rows: Vec<Vec<u32>> = counts
        .outer_iter()
        .map(|row| row.iter().map(|c| u32::from(*c)).collect())
        .collect();
    let mut rank = 0;
    for column in 0..counts.ncols() {
        let Some(found) = rows[rank..].iter().position(|row| row[column] != 0) else {
            continue;
        };
        rows.swap(rank, rank + found);
        let (done, left) = rows.split_at_mut(rank + 1);
        let pivot = &done[rank][column..];
        let inverse = inverse(u64::from(pivot[0]));
        for row in left {
            let row = &mut row[column..];
            let factor = u64::from(row[0]) * inverse % PRIME;
            if factor != 0 {
                let factor = PRIME - factor;
                chiasm_core::vectorized(
                    #[inline(always)]
                    || {
                        for (x, p) in row.iter_mut().zip(pivot) {
                            // Both below 2^31: the sum is below 2^62, and folding twice brings it to at most the prime.
                            let sum = u64::from(*x) + factor * u64::from(*p);
                            let sum = (sum & PRIME) + (sum >> 31);
                            let sum = (sum & PRIME) + (sum >> 31);
                            *x = if sum == PRIME { 0 } else { sum as u32 };
                        }
                    },
                );
            }
        }
        rank += 1;
        if rank == rows.len() {
            break;
        }
    }
    rank
}

/// The inverse modulo the prime: `x^(p - 2)`.
fn inverse(x: u64) -> u64 {
    let (mut power, mut base, mut left) = (1, x % PRIME, PRIME - 2);
    while left > 0 {
        if left & 1 == 1 {
            power = power * base % PRIME;
        }
        base = base * base % PRIME;
        left >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use rand::RngExt;

    #[test]
    fn ranks_of_matrices_known_by_hand() {
        assert_eq!(rank(Array2::zeros((3, 4)).view()), 0);
        assert_eq!(rank(array![[1, 2, 3], [2, 4, 6], [1, 0, 0]].view()), 2);
        assert_eq!(rank(array![[0, 1], [1, 0], [1, 1]].view()), 2);
        let diagonal = Array2::from_shape_fn((7, 9), |(i, j)| u16::from(i == j) * 60_000);
        assert_eq!(rank(diagonal.view()), 7);
        // A sum of five products of random columns and rows.
        let mut rng = chiasm_core::Streams::new(1).stream("factors");
        let mut draw = |n| -> Vec<[u16; 5]> {
            let entry = |_| [0; 5].map(|_: u16| rng.random_range(0..50));
            (0..n).map(entry).collect()
        };
        let (columns, rows) = (draw(40), draw(30));
        let product = |i: usize, j: usize| -> u16 {
            columns[i].iter().zip(rows[j]).map(|(a, b)| a * b).sum()
        };
        let five = Array2::from_shape_fn((40, 30), |(i, j)| product(i, j));
        assert_eq!(rank(five.view()), 5);
        assert_eq!(rank(five.t()), 5);
    }
}
