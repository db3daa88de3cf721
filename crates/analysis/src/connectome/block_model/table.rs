//! Counts and costs between blocks: dense while that is small, hashed beyond.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::terms::Cell;

/// What lies between two blocks and what it costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) cell: Cell,
    pub(super) cost: f64,
}

const EMPTY: Entry = Entry {
    cell: Cell {
        count: 0,
        sum: 0.0,
        square: 0.0,
    },
    cost: 0.0,
};

/// Most blocks for which the dense form is kept (64 MiB).
const DENSE: usize = 1280;

/// A symmetric table.
#[derive(Debug, Clone)]
pub(super) enum Table {
    Dense { n: usize, entries: Vec<Entry> },
    Hashed(HashMap<u64, Entry, BuildHasherDefault<Mix>>),
}

impl Table {
    pub(super) fn new(n: usize) -> Self {
        if n <= DENSE {
            Self::Dense {
                n,
                entries: vec![Entry::default(); n * n],
            }
        } else {
            Self::Hashed(HashMap::default())
        }
    }

    // Called for every pair of every move: a reference, and inlined whatever the optimiser thinks.
    #[inline(always)]
    pub(super) fn get(&self, r: usize, s: usize) -> &Entry {
        match self {
            Self::Dense { n, entries } => &entries[r * n + s],
            Self::Hashed(map) => map.get(&key(r, s)).unwrap_or(&EMPTY),
        }
    }

    #[inline]
    pub(super) fn set(&mut self, r: usize, s: usize, entry: Entry) {
        match self {
            Self::Dense { n, entries } => {
                entries[r * *n + s] = entry;
                entries[s * *n + r] = entry;
            }
            Self::Hashed(map) => {
                if entry.cell.count == 0 {
                    map.remove(&key(r, s));
                } else {
                    map.insert(key(r, s), entry);
                }
            }
        }
    }

    /// Sum of all costs, in the order of the blocks.
    pub(super) fn total(&self) -> f64 {
        match self {
            Self::Dense { n, entries } => (0..*n)
                .map(|r| {
                    entries[r * n + r..(r + 1) * n]
                        .iter()
                        .map(|e| e.cost)
                        .sum::<f64>()
                })
                .sum(),
            Self::Hashed(map) => {
                let mut keys: Vec<u64> = map.keys().copied().collect();
                keys.sort_unstable();
                keys.iter().map(|k| map[k].cost).sum()
            }
        }
    }
}

fn key(r: usize, s: usize) -> u64 {
    ((r.min(s) as u64) << 32) | r.max(s) as u64
}

/// One multiplication by the golden ratio: the keys are already well spread.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(u64::from(b));
        }
    }
    fn write_u64(&mut self, v: u64) {
        let mixed = (self.0 ^ v).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}
