//! What is learned.

use chiasm_core::Rng;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1};
use rand::seq::SliceRandom;

use super::ContinualError;
use crate::Real;

/// Samples with labels. Several tasks may share the inputs.
#[derive(Debug, Clone)]
pub struct Part<'a, T> {
    /// `[sample, column]`.
    pub inputs: ArrayView2<'a, T>,
    /// For each sample the index of its class.
    pub labels: &'a [usize],
}

/// One task: samples to learn from and others to be asked.
#[derive(Debug, Clone)]
pub struct Task<'a, T> {
    /// What it is, for messages.
    pub name: String,
    /// Samples to learn from.
    pub train: Part<'a, T>,
    /// Samples to be asked.
    pub test: Part<'a, T>,
    /// The order in which the task sees the columns: its column `c` is `columns[c]` of the inputs. As they are if `None`.
    pub columns: Option<Vec<usize>>,
}

/// A random order of `n` columns.
#[must_use]
pub fn permutation(n: usize, rng: &mut Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    order
}

impl<T: Real> Task<'_, T> {
    /// Checks both parts against the network's inputs and classes.
    ///
    /// # Errors
    /// No sample; another number of columns or labels; a column that is not there; a label without a class; a value that is
    /// not finite.
    pub fn check(&self, width: usize, classes: usize) -> Result<(), ContinualError> {
        self.check_part("train", &self.train, width, classes)?;
        self.check_part("test", &self.test, width, classes)
    }

    pub(crate) fn check_part(
        &self,
        part: &'static str,
        of: &Part<'_, T>,
        width: usize,
        classes: usize,
    ) -> Result<(), ContinualError> {
        let what = |what: &str| format!("task `{}`, {part}, {what}", self.name);
        let (n, columns) = of.inputs.dim();
        if n == 0 {
            return Err(ContinualError::Empty {
                task: self.name.clone(),
                part,
            });
        }
        let seen = self.columns.as_ref().map_or(columns, Vec::len);
        if seen != width {
            return Err(ContinualError::shape(what("columns"), width, seen));
        }
        if of.labels.len() != n {
            return Err(ContinualError::shape(what("labels"), n, of.labels.len()));
        }
        let beyond = |c: &&usize| **c >= columns;
        if let Some(c) = self.columns.iter().flatten().find(beyond) {
            return Err(ContinualError::shape(what("column below"), columns, *c));
        }
        if let Some(sample) = of.labels.iter().position(|l| *l >= classes) {
            return Err(ContinualError::Label {
                task: self.name.clone(),
                part,
                sample,
                classes,
                found: of.labels[sample],
            });
        }
        if let Some((sample, column, found)) = super::arrays::not_finite(of.inputs) {
            return Err(ContinualError::NotFinite {
                what: "inputs",
                sample,
                column,
                found,
            });
        }
        Ok(())
    }

    /// Row `sample` as the task sees it.
    fn write(&self, row: ArrayView1<'_, T>, mut out: ArrayViewMut1<'_, T>) {
        match &self.columns {
            None => out.assign(&row),
            Some(columns) => {
                for (o, c) in out.iter_mut().zip(columns) {
                    *o = row[*c];
                }
            }
        }
    }
}

/// A batch of samples, each `(task, sample)` of a training part: inputs `[row, column]` and labels.
pub(crate) fn gather<T: Real>(
    tasks: &[Task<'_, T>],
    which: &[(usize, usize)],
    width: usize,
) -> (Array2<T>, Vec<usize>) {
    let mut x = Array2::zeros((which.len(), width));
    let mut labels = Vec::with_capacity(which.len());
    for (out, &(task, sample)) in x.rows_mut().into_iter().zip(which) {
        let part = &tasks[task].train;
        tasks[task].write(part.inputs.row(sample), out);
        labels.push(part.labels[sample]);
    }
    (x, labels)
}

/// Samples `first..last` of the part to be asked.
pub(crate) fn asked<T: Real>(
    task: &Task<'_, T>,
    first: usize,
    last: usize,
    width: usize,
) -> Array2<T> {
    let mut x = Array2::zeros((last - first, width));
    for (out, sample) in x.rows_mut().into_iter().zip(first..last) {
        task.write(task.test.inputs.row(sample), out);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;

    #[test]
    fn tasks_see_their_columns_and_what_does_not_fit_is_refused_by_place() {
        let x = Array2::from_shape_fn((4, 3), |(i, j)| (10 * i + j) as f64);
        let labels = [0, 1, 0, 1];
        let part = || Part {
            inputs: x.view(),
            labels: &labels,
        };
        let task = Task {
            name: "turned".into(),
            train: part(),
            test: part(),
            columns: Some(vec![2, 0, 1]),
        };
        task.check(3, 2).unwrap();
        let (batch, told) = gather(std::slice::from_ref(&task), &[(0, 3), (0, 1)], 3);
        assert_eq!(batch.row(0).to_vec(), [32.0, 30.0, 31.0]);
        assert_eq!((batch[[1, 2]], told), (11.0, vec![1, 1]));
        assert_eq!(asked(&task, 2, 4, 3).row(1), batch.row(0));
        let refused = |task: Task<'_, f64>, width, classes| {
            task.check(width, classes).unwrap_err().to_string()
        };
        assert!(refused(task.clone(), 4, 2).contains("columns: expected 4, found 3"));
        assert!(refused(task.clone(), 3, 1).contains("`turned`, train, sample 1"));
        let far = Task {
            columns: Some(vec![0, 1, 3]),
            ..task.clone()
        };
        assert!(refused(far, 3, 2).contains("column below"));
        let none = Task {
            test: Part {
                inputs: x.slice(ndarray::s![..0, ..]),
                labels: &[],
            },
            ..task.clone()
        };
        assert!(refused(none, 3, 2).contains("test: expected at least one sample"));
        let mut bad = x.clone();
        bad[[2, 1]] = f64::NAN;
        let bad = Task {
            train: Part {
                inputs: bad.view(),
                labels: &labels,
            },
            ..task.clone()
        };
        assert!(refused(bad, 3, 2).contains("sample 2, column 1"));
    }

    #[test]
    fn a_permutation_holds_every_column_once() {
        let mut order = permutation(50, &mut Streams::new(1).stream("columns"));
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
