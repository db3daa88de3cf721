//! How well clusters, states and latents agree with those planted.

use chiasm_analysis::biclustering::{Summary, identified};
use chiasm_analysis::partition::relabel;
use chiasm_core::{Failure, stats};
use chiasm_data::generate::ClusteredTruth;
use ndarray::Array2;

/// Share of the labels that agree with the truth once they are renamed to agree best.
pub(super) fn agreement(truth: &[usize], found: &[usize]) -> Result<f64, Failure> {
    let renamed = relabel(truth, found)?;
    let same = truth.iter().zip(&renamed).filter(|(a, b)| a == b).count();
    Ok(same as f64 / truth.len().max(1) as f64)
}

/// The latents of one planted cluster beside those of the cluster found for it.
pub(super) struct LatentScore {
    /// Position of the cluster found in `Summary::latents`.
    pub found: usize,
    /// For each planted row its multiple correlation with the rows found.
    pub correlations: Vec<f64>,
    /// `[row, bin]`: planted rows, linearly aligned with the rows found.
    pub aligned: Array2<f64>,
    /// Share of rows and bins in which the band covers the aligned truth.
    pub coverage: f64,
}

/// The planted latents against those of the clusters matched to them.
pub(super) fn latents(
    truth: &ClusteredTruth,
    summary: &Summary,
) -> Result<Vec<LatentScore>, Failure> {
    let names = relabel(&truth.clusters, &summary.neurons.labels)?;
    let rows = truth.loadings.ncols() + 1;
    let n_clusters = truth.paths.ncols() / rows;
    let mut scores = Vec::new();
    for cluster in 0..n_clusters {
        // The label in the point partition that was renamed to this planted cluster.
        let Some(at) = names.iter().position(|n| *n == cluster) else {
            continue;
        };
        let label = summary.neurons.labels[at];
        let Some(found) = summary.latents.iter().position(|l| l.label == label) else {
            continue;
        };
        let path: Vec<f64> = truth
            .paths
            .rows()
            .into_iter()
            .flat_map(|x| {
                x.iter()
                    .skip(cluster * rows)
                    .take(rows)
                    .copied()
                    .collect::<Vec<f64>>()
            })
            .collect();
        let planted = identified(&path, rows)?;
        let n_bins = planted.len() / rows;
        let planted = Array2::from_shape_fn((rows, n_bins), |(r, t)| planted[t * rows + r]);
        let l = &summary.latents[found];
        let fitted = project(&l.mean, &planted);
        let correlations = (0..rows)
            .map(|r| stats::pearson(&planted.row(r).to_vec(), &fitted.row(r).to_vec()))
            .collect();
        // In the frame of what was found, where the bands are.
        let aligned = project(&planted, &l.mean);
        let inside = aligned
            .indexed_iter()
            .filter(|(at, v)| (l.low[*at]..=l.high[*at]).contains(*v))
            .count();
        scores.push(LatentScore {
            found,
            correlations,
            coverage: inside as f64 / aligned.len() as f64,
            aligned,
        });
    }
    Ok(scores)
}

/// Least-squares fit of each row of `targets` by the rows of `basis` (centered), by Gram and Schmidt.
fn project(basis: &Array2<f64>, targets: &Array2<f64>) -> Array2<f64> {
    let mut ortho: Vec<ndarray::Array1<f64>> = Vec::new();
    for row in basis.rows() {
        let mut own = row.to_owned();
        own -= own.mean().unwrap_or(0.0);
        let size = own.dot(&own);
        for other in &ortho {
            let along = own.dot(other);
            own.scaled_add(-along, other);
        }
        let norm = own.dot(&own);
        if norm > 1e-12 * size {
            own /= norm.sqrt();
            ortho.push(own);
        }
    }
    let mut out = Array2::zeros(targets.dim());
    for (target, mut fit) in targets.rows().into_iter().zip(out.rows_mut()) {
        for axis in &ortho {
            fit.scaled_add(target.dot(axis), axis);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_renamed_before_they_are_compared() {
        assert_eq!(agreement(&[0, 0, 1, 1], &[7, 7, 3, 3]).unwrap(), 1.0);
        assert_eq!(agreement(&[0, 0, 1, 1], &[5, 5, 5, 5]).unwrap(), 0.5);
    }

    #[test]
    fn rows_mixed_linearly_are_aligned_again() {
        let basis =
            Array2::from_shape_fn((3, 40), |(r, t)| ((r + 1) as f64 * t as f64 * 0.37).sin());
        let mean = basis.mean_axis(ndarray::Axis(1)).unwrap();
        let centered = Array2::from_shape_fn((3, 40), |(r, t)| basis[[r, t]] - mean[r]);
        let mixed = Array2::from_shape_fn((3, 40), |(r, t)| {
            centered[[r, t]] + 0.5 * centered[[(r + 1) % 3, t]]
        });
        let fit = project(&mixed, &centered);
        assert!(
            fit.iter()
                .zip(&centered)
                .all(|(a, b)| (a - b).abs() < 1e-10)
        );
    }
}
