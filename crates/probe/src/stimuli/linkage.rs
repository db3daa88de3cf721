//! Average linkage, to put like clusters next to each other.

use ndarray::ArrayView2;

/// The order of the rows of a matrix in which like ones stand side by side: leaves of the tree that average linkage
/// (UPGMA) builds on the distance 1 - correlation between rows. A row without variance is as far from all others as
/// rows that are not correlated.
#[must_use]
pub fn average_linkage_order(rows: ArrayView2<f64>) -> Vec<usize> {
    let n = rows.nrows();
    let lists: Vec<Vec<f64>> = rows.rows().into_iter().map(|r| r.to_vec()).collect();
    let distance = |i: usize, j: usize| {
        let r = chiasm_core::stats::pearson(&lists[i], &lists[j]);
        if r.is_finite() { 1.0 - r } else { 1.0 }
    };
    let mut between: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| distance(i, j)).collect())
        .collect();
    // Leaves of each cluster that is still open; the earlier of two that join keeps its place.
    let mut leaves: Vec<Option<Vec<usize>>> = (0..n).map(|i| Some(vec![i])).collect();
    for _ in 1..n {
        let mut nearest: Option<(f64, usize, usize)> = None;
        for i in 0..n {
            for j in i + 1..n {
                if leaves[i].is_some()
                    && leaves[j].is_some()
                    && nearest.is_none_or(|(d, ..)| between[i][j] < d)
                {
                    nearest = Some((between[i][j], i, j));
                }
            }
        }
        let Some((_, i, j)) = nearest else { break };
        let right = leaves[j].take().unwrap_or_default();
        let left = leaves[i].take().unwrap_or_default();
        let (a, b) = (left.len() as f64, right.len() as f64);
        for k in 0..n {
            if leaves[k].is_some() {
                let mean = (a * between[i][k] + b * between[j][k]) / (a + b);
                between[i][k] = mean;
                between[k][i] = mean;
            }
        }
        leaves[i] = Some([left, right].concat());
    }
    leaves.into_iter().flatten().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn like_rows_stand_side_by_side() {
        let rows = array![
            [1.0, 2.0, 3.0, 4.0],
            [4.0, 3.0, 2.0, 1.0],
            [1.1, 2.0, 3.2, 4.0],
            [4.0, 3.1, 2.0, 0.9],
            [2.0, 2.0, 2.0, 2.0]
        ];
        let order = average_linkage_order(rows.view());
        let place = |i: usize| order.iter().position(|&o| o == i).unwrap();
        assert_eq!(place(0).abs_diff(place(2)), 1);
        assert_eq!(place(1).abs_diff(place(3)), 1);
        assert_eq!(order.len(), 5);
        assert!(average_linkage_order(rows.slice(ndarray::s![..0, ..])).is_empty());
    }
}
