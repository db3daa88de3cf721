//! How well each task is done after each.

use serde::{Deserialize, Serialize};

/// `A[i][j]`: accuracy, 0 to 1, on task `j` after learning task `i`, NaN where it was not measured. ACC and BWT need the
/// diagonal and the last row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    rows: Vec<Vec<f64>>,
}

impl Accuracies {
    /// Nothing learned yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was measured after one more task, the tasks 0, 1, ... in their order.
    pub fn push(&mut self, row: Vec<f64>) {
        self.rows.push(row);
    }

    /// The matrix, row by row.
    #[must_use]
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// Tasks learned.
    #[must_use]
    pub fn n_tasks(&self) -> usize {
        self.rows.len()
    }

    /// Accuracy on task `j` after task `i`; NaN where it was not measured.
    #[must_use]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        let row = self.rows.get(i);
        row.and_then(|r| r.get(j)).copied().unwrap_or(f64::NAN)
    }

    /// Mean accuracy on the learned tasks after the last (ACC). NaN before a first one.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let n = self.n_tasks();
        let last = n.wrapping_sub(1);
        (0..n).map(|j| self.get(last, j)).sum::<f64>() / n as f64
    }

    /// What later tasks changed: accuracy after the last task less that right after learning it, mean over all tasks but the
    /// last (BWT). Below 0: forgetting. 0 of a single task.
    #[must_use]
    pub fn backward_transfer(&self) -> f64 {
        let n = self.n_tasks();
        if n < 2 {
            return 0.0;
        }
        let change = |j| self.get(n - 1, j) - self.get(j, j);
        (0..n - 1).map(change).sum::<f64>() / (n - 1) as f64
    }

    /// Mean accuracy on each task right after learning it: what is left to learn with.
    #[must_use]
    pub fn learned(&self) -> f64 {
        let n = self.n_tasks();
        (0..n).map(|j| self.get(j, j)).sum::<f64>() / n as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_by_hand() {
        let mut a = Accuracies::new();
        assert!(a.mean().is_nan());
        a.push(vec![0.9]);
        assert_eq!((a.mean(), a.backward_transfer()), (0.9, 0.0));
        a.push(vec![0.7, 0.8]);
        a.push(vec![0.5, 0.9, 0.7]);
        assert!((a.mean() - 0.7).abs() < 1e-12);
        // (.5 - .9 + .9 - .8) / 2
        assert!((a.backward_transfer() + 0.15).abs() < 1e-12);
        assert!((a.learned() - 0.8).abs() < 1e-12);
        a.push(vec![0.5]);
        assert!(a.mean().is_nan() && a.backward_transfer().is_nan());
    }
}
