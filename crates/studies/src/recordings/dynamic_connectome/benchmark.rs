//! The block model beside other methods on benchmark graphs with planted communities (claim 3 of paper 01): exponential
//! weights, both degree corrections, the level nearest to the truth, as in the paper's benchmark.

use chiasm_analysis::connectome::block_model::{BlockModel, WeightedGraph};
use chiasm_analysis::partition::{Combo, Louvain, Nnsed, Surprise, normalized_mutual_information};
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

/// The block model and its baselines, by name in metrics and in figures. The paper's graph network is another search for
/// modularity, as Louvain's method and Combo are.
const METHODS: [(&str, &str); 5] = [
    ("method", "block model"),
    ("louvain", "Louvain"),
    ("combo", "Combo"),
    ("surprise", "surprise"),
    ("nnsed", "NNSED"),
];

/// Of one graph, by method.
type Scores = [f64; METHODS.len()];

pub(super) fn run(graphs: usize, bench: &mut Bench) -> Result<(), Failure> {
    let scores: Vec<Vec<Scores>> = bench.stage("benchmark", |bench| {
        let bench = &*bench;
        bench
            .watch()
            .stage("benchmark graphs", (SETTINGS.len() * graphs) as u64);
        let all: Vec<Option<Scores>> = (0..SETTINGS.len() * graphs)
            .into_par_iter()
            .map(|k| {
                let found = one_graph(k / graphs, k % graphs, bench);
                bench.watch().tick(1);
                found
            })
            .collect::<Result<_, Failure>>()?;
        let by_setting = all.chunks(graphs);
        Ok(by_setting
            .map(|s| s.iter().flatten().copied().collect())
            .collect())
    })?;
    let means: Vec<Vec<f64>> = (0..METHODS.len())
        .map(|m| scores.iter().map(|s| mean(&of_method(s, m))).collect())
        .collect();
    let mut best = f64::NEG_INFINITY;
    for ((name, _), means_of) in METHODS.iter().zip(&means) {
        let mean = stats::mean(means_of);
        bench.metric(&format!("lfr_nmi_clear/{name}"), means_of[CLEAR], "1")?;
        bench.metric(&format!("lfr_nmi_mean/{name}"), mean, "1")?;
        if *name != "method" {
            best = best.max(mean);
        }
    }
    let wins = means[0]
        .iter()
        .zip(&means[1])
        .filter(|(m, l)| m > l)
        .count();
    bench.metric("lfr_settings_won", wins as f64, "1")?;
    bench.metric("lfr_nmi_gain_over_all", stats::mean(&means[0]) - best, "1")?;
    bench.figure(figure(&scores, &means))
}

fn mean(x: &[f64]) -> f64 {
    if x.is_empty() { 0.0 } else { stats::mean(x) }
}

fn of_method(scores: &[Scores], m: usize) -> Vec<f64> {
    scores.iter().map(|s| s[m]).collect()
}

/// Agreement with the planted communities of one graph: the best level of the block model, and the baselines. Nothing
/// for a graph of one community, which holds nothing to be found.
fn one_graph(s: usize, g: usize, bench: &Bench) -> Result<Option<Scores>, Failure> {
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
    let agreement = |labels: &[usize]| normalized_mutual_information(&graph.communities, labels);
    let blocks = model.fit(&weighted, &streams, &Inside(bench.watch()))?;
    let mut best = 0.0f64;
    for level in &blocks.levels {
        best = best.max(agreement(level)?);
    }
    let louvain = Louvain::default().fit(&weighted, &mut streams.stream("louvain"))?;
    let combo = Combo::default().fit(&weighted, &mut streams.stream("combo"))?;
    let surprise = Surprise::default().fit(&weighted, &mut streams.stream("surprise"))?;
    let nnsed = Nnsed::default().fit(&weighted, &mut streams.stream("nnsed"))?;
    Ok(Some([
        best,
        agreement(&louvain.labels)?,
        agreement(&combo.labels)?,
        agreement(&surprise.labels)?,
        agreement(&nnsed.labels)?,
    ]))
}

fn figure(scores: &[Vec<Scores>], means: &[Vec<f64>]) -> Figure {
    let names = SETTINGS
        .iter()
        .map(|(b, t, k, w)| format!("{b} / {t} / {k} / {w}"))
        .collect();
    let standard_error = |x: Vec<f64>| {
        if x.len() > 1 {
            stats::sd(&x, 1) / (x.len() as f64).sqrt()
        } else {
            0.0
        }
    };
    Figure::new(
        "benchmark",
        "Planted communities of weighted benchmark graphs",
        "Normalized mutual information with the planted communities (best level of the block model), mean and standard \
         error over graphs, in the nine settings of the benchmark: exponent of the weights / mixing of the wiring / mean \
         degree / mixing of the weights.",
    )
    .with(METHODS.iter().zip(means).enumerate().fold(
        Panel::new(
            "",
            Axis::categories("setting", names),
            Axis::new("normalized mutual information", "1").range(0.0, 1.0),
        ),
        |panel, (m, ((_, title), means))| {
            panel.with(Mark::Bars {
                series: (*title).into(),
                x: (0..means.len()).map(|k| k as f64).collect(),
                y: means.clone(),
                error: scores.iter().map(|s| standard_error(of_method(s, m))).collect(),
            })
        },
    ))
}
