//! Baselines on one static graph.

use chiasm_analysis::connectome::affinity::{Affinity, ConnectomeTensor, on_clock};
use chiasm_analysis::connectome::block_model::WeightedGraph;
use chiasm_analysis::partition::Louvain;
use chiasm_core::Failure;
use chiasm_data::Recording;
use chiasm_lab::Bench;
use ndarray::ArrayView1;

/// Mean absolute correlation of each pair over the animals.
pub(super) fn static_correlation(
    affinity: &Affinity,
    animals: &[Recording],
    joined: &ConnectomeTensor,
) -> Result<Vec<f64>, Failure> {
    let traces = animals
        .iter()
        .map(|a| on_clock(affinity, a))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(joined.static_correlation(&traces))
}

/// Louvain communities of the static graph: one label for each unit.
pub(super) fn louvain_labels(
    joined: &ConnectomeTensor,
    correlation: &[f64],
    bench: &Bench,
) -> Result<Vec<usize>, Failure> {
    let matrix = joined.matrix(ArrayView1::from(correlation));
    let observed = matrix.mapv(|v| !v.is_nan());
    let graph = WeightedGraph::from_matrix(matrix.view(), Some(observed.view()), 0.0)?;
    Ok(Louvain::default()
        .fit(&graph, &mut bench.streams().stream("louvain"))?
        .labels)
}
