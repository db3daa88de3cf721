//! Horizontal visibility: two samples are joined where all samples between lie below both.
//!
//! Looking back from a sample, only the records upwards are seen, up to the first that is not below the sample itself.
//! They are the top of a stack of falling values; what the sample sees over, nothing later sees again. Each sample is put
//! there once and taken away once: O(n), and at most 2 n - 3 edges.

use super::graph::Graph;

/// A growing horizontal visibility graph.
#[derive(Debug, Clone)]
pub(super) struct Horizontal {
    offsets: Vec<usize>,
    earlier: Vec<u32>,
    /// Samples that later ones may still see, with falling values.
    open: Vec<(u32, f64)>,
}

impl Horizontal {
    pub(super) fn with_capacity(n: usize) -> Self {
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0);
        Self {
            offsets,
            earlier: Vec::with_capacity(2 * n),
            open: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn append(&mut self, value: f64) {
        let j = (self.offsets.len() - 1) as u32;
        while let Some(&(i, v)) = self.open.last() {
            self.earlier.push(i);
            if v > value {
                break;
            }
            self.open.pop();
            // An equal one hides all that lies behind it.
            if v == value {
                break;
            }
        }
        self.open.push((j, value));
        self.offsets.push(self.earlier.len());
    }

    pub(super) fn last(&self) -> &[u32] {
        match self.offsets.as_slice() {
            [.., start, _] => &self.earlier[*start..],
            _ => &[],
        }
    }

    pub(super) fn n_edges(&self) -> usize {
        self.earlier.len()
    }

    pub(super) fn graph(self) -> Graph {
        Graph::from_parts(self.offsets, self.earlier)
    }
}

pub(super) fn build(values: &[f64]) -> Graph {
    let mut growing = Horizontal::with_capacity(values.len());
    for &v in values {
        growing.append(v);
    }
    growing.graph()
}
