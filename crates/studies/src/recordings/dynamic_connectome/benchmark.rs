//! The block model beside Louvain on benchmark graphs with planted communities (claim 3 of paper 01): exponential
//! weights, both degree corrections, the level nearest to the truth, as in the paper's benchmark.

use chiasm_analysis::connectome::block_model::{BlockModel, WeightedGraph};
use chiasm_analysis::partition::{Louvain, normalized_mutual_information};
use chiasm_core::{Failure, Inside, stats};
use chiasm_data::generate::{Lfr, lfr};
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use rayon::prelude::*;

/// `(beta, mixing of the wiring, mean degree, mixing of the weights)` of the nine settings (paper 01, benchmark notebook;
/// the third and the fifth are one setting with other graphs).
const SETTINGS: [(f64, f64, f64, f64); 9] = [
    (0.5, 0.5, 25.0, 0.5),
    (1.0, 0.5, 25.0, 0.5),
    (2.0, 0.5, 25.0, 0.5),
    (2.0, 0.25, 25.0, 0.5),
    (2.0, 0.5, 25.0, 0.5),
    (2.0, 0.75, 25.0, 0.5),
    (2.0, 0.5, 10.0, 0.5),
    (2.0, 0.5, 25.0, 0.25),
    (2.0, 0.5, 25.0, 0.75),
];

/// The setting with beta 2 and little mixing of the wiring.
const CLEAR: usize = 3;

pub(super) fn run(graphs: usize, bench: &mut Bench) -> Result<(), Failure> {
    let scores: Vec<Scores> = bench.stage("benchmark", |bench| {
        let bench = &*bench;
        bench
            .watch()
            .stage("benchmark graphs", (SETTINGS.len() * graphs) as u64);
        let all: Vec<Option<(f64, f64)>> = (0..SETTINGS.len() * graphs)
            .into_par_iter()
            .map(|k| {
                let found = one_graph(k / graphs, k % graphs, bench);
                bench.watch().tick(1);
                found
            })
            .collect::<Result<_, Failure>>()?;
        Ok(all
            .chunks(graphs)
            .map(|setting| setting.iter().flatten().copied().unzip())
            .collect())
    })?;
    let mean = |x: &[f64]| if x.is_empty() { 0.0 } else { stats::mean(x) };
    let model: Vec<f64> = scores.iter().map(|s| mean(&s.0)).collect();
    let louvain: Vec<f64> = scores.iter().map(|s| mean(&s.1)).collect();
    let wins = model.iter().zip(&louvain).filter(|(m, l)| m > l).count();
    bench.metric("lfr_settings_won", wins as f64, "1")?;
    bench.metric("lfr_nmi_clear/method", model[CLEAR], "1")?;
    bench.metric("lfr_nmi_clear/louvain", louvain[CLEAR], "1")?;
    bench.metric("lfr_nmi_mean/method", stats::mean(&model), "1")?;
    bench.metric("lfr_nmi_mean/louvain", stats::mean(&louvain), "1")?;
    bench.figure(figure(&scores, &model, &louvain))
}

/// Agreement with the planted communities of one graph: the best level of the block model, and Louvain. Nothing for a
/// graph of one community, which holds nothing to be found.
fn one_graph(s: usize, g: usize, bench: &Bench) -> Result<Option<(f64, f64)>, Failure> {
    let (beta, mu_topology, mean_degree, mu_weight) = SETTINGS[s];
    let planted = Lfr {
        beta,
        mu_topology,
        mean_degree,
        mu_weight,
        ..Lfr::default()
    };
    let streams = bench.streams().child(&format!("lfr {s}.{g}"));
    let graph = lfr(&planted, &mut streams.stream("graph"))?;
    if graph.n_communities() < 2 {
        return Ok(None);
    }
    let weighted = WeightedGraph::from_edges(graph.n_nodes, &graph.edges)?;
    let model = BlockModel {
        restarts: 2,
        ..BlockModel::default()
    };
    let blocks = model.fit(&weighted, &streams, &Inside(bench.watch()))?;
    let mut best = 0.0f64;
    for level in &blocks.levels {
        best = best.max(normalized_mutual_information(&graph.communities, level)?);
    }
    let louvain = Louvain::default().fit(&weighted, &mut streams.stream("louvain"))?;
    let by_louvain = normalized_mutual_information(&graph.communities, &louvain.labels)?;
    Ok(Some((best, by_louvain)))
}

/// Scores of the block model and of Louvain's method on each graph of a setting.
type Scores = (Vec<f64>, Vec<f64>);

fn figure(scores: &[Scores], model: &[f64], louvain: &[f64]) -> Figure {
    let names = SETTINGS
        .iter()
        .map(|(b, t, k, w)| format!("{b} / {t} / {k} / {w}"))
        .collect();
    let error = |of: &dyn Fn(&Scores) -> Vec<f64>| -> Vec<f64> {
        let standard_error = |x: Vec<f64>| {
            if x.len() > 1 {
                stats::sd(&x, 1) / (x.len() as f64).sqrt()
            } else {
                0.0
            }
        };
        scores.iter().map(|s| standard_error(of(s))).collect()
    };
    let bars = |series: &str, shift: f64, y: &[f64], error: Vec<f64>| Mark::Bars {
        series: series.into(),
        x: (0..y.len()).map(|k| k as f64 + shift).collect(),
        y: y.to_vec(),
        error,
    };
    Figure::new(
        "benchmark",
        "Planted communities of weighted benchmark graphs",
        "Normalized mutual information with the planted communities (best level of the block model), mean and standard \
         error over graphs, in the nine settings of the benchmark: exponent of the weights / mixing of the wiring / mean \
         degree / mixing of the weights.",
    )
    .with(
        Panel::new(
            "",
            Axis::categories("setting", names),
            Axis::new("normalized mutual information", "1").range(0.0, 1.0),
        )
        .with(bars("block model", -0.2, model, error(&|s| s.0.clone())))
        .with(bars("Louvain", 0.2, louvain, error(&|s| s.1.clone()))),
    )
}
