//! The experiment: planted counts, the sampler, its Poisson variant, k-means, and predictions with and without clusters
//! and states.

use chiasm_analysis::biclustering::{Biclustering, Chain, Counts, Observation, Summary};
use chiasm_analysis::partition::adjusted_rand;
use chiasm_core::{Failure, stats};
use chiasm_data::Recording;
use chiasm_data::generate::{ClusteredCounts, clustered_counts};
use chiasm_lab::{Bench, Findings};
use ndarray::Array2;

use super::baselines::baselines;
use super::config::Config;
use super::held_out::held_out;
use super::score::{agreement, latents};
use super::{claims, figures};

/// Stages of the main chains that are kept on disk.
const STAGES: usize = 5;

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let (recording, truth) = clustered_counts(&config.data, bench.streams())?;
    let counts = counts_of(&recording, bench)?;
    // Silent neurons were left out of the counts; here of the truth.
    let truth = without(truth, &counts.1);
    let counts = counts.0;

    // What plain clustering finds.
    let plain = baselines(&counts, &truth.states, config.data.n_clusters, bench)?;
    let best_plain = plain.states.iter().map(|s| s.1).fold(0.0, f64::max);
    for (name, agreed) in &plain.states {
        bench.metric(&format!("bins/agreement/k_means_{name}"), *agreed, "1")?;
    }
    let rand = adjusted_rand(&truth.clusters, &plain.neurons)?;
    bench.metric("neurons/adjusted_rand/k_means", rand, "1")?;

    // The method.
    let chains = staged("chains", &config.method, &counts, STAGES, bench)?;
    let summary = config.method.summarize(&chains)?;
    let rand = adjusted_rand(&truth.clusters, &summary.neurons.labels)?;
    let agreed = agreement(&truth.states, &summary.bins.labels)?;
    bench.metric("neurons/adjusted_rand", rand, "1")?;
    let difference = summary.modal_clusters() as f64 - config.data.n_clusters as f64;
    bench.metric("neurons/modal_minus_planted", difference, "1")?;
    bench.metric("bins/agreement", agreed, "1")?;
    bench.metric(
        "bins/adjusted_rand",
        adjusted_rand(&truth.states, &summary.bins.labels)?,
        "1",
    )?;
    bench.metric("bins/gain_over_k_means", agreed - best_plain, "1")?;
    let scores = latents(&truth, &summary)?;
    let correlations: Vec<f64> = scores.iter().flat_map(|s| s.correlations.clone()).collect();
    let coverage: Vec<f64> = scores.iter().map(|s| s.coverage).collect();
    bench.metric("latents/correlation", stats::mean(&correlations), "1")?;
    let least = correlations.iter().copied().fold(1.0, f64::min);
    bench.metric("latents/correlation/least", least, "1")?;
    bench.metric("latents/coverage", stats::mean(&coverage), "1")?;
    report_mixing(&chains, &summary, bench)?;

    let poisson = poisson(config, bench)?;
    let arms = held_out(config, &counts, bench)?;
    bench.not_at_this_scale(
        claims::RECORDING,
        "the counts of the paper's recording are not part of this program: `chiasm fit biclustering FILE` measures this on \
         any recording whose units have regions",
    );

    figures::co_clustering(&summary, &truth.clusters, &truth.states, "planted", bench)?;
    figures::traces(&config.method, &chains, bench)?;
    figures::counts(&summary, bench)?;
    let times: Vec<f64> = (0..counts.n_bins())
        .map(|t| t as f64 * config.data.bin_s)
        .collect();
    figures::ribbon(
        &times,
        &[
            ("planted", &truth.states),
            ("biclustering", &summary.bins.labels),
            ("k-means", &plain.best),
        ],
        bench,
    )?;
    figures::latents(&times, &summary, Some(&scores), bench)?;
    let mut bars = vec![("biclustering".to_owned(), agreed)];
    bars.extend(poisson.map(|p| ("Poisson variant".to_owned(), p)));
    bars.extend(
        plain
            .states
            .iter()
            .map(|(n, a)| (format!("k-means, {}", n.replace('_', " ")), *a)),
    );
    figures::arms(&bars, &arms, bench)?;
    Ok(Findings::new(format!(
        "{} neurons in {} bins: the sampler finds {} clusters (adjusted Rand index {rand:.3} with the planted {}) and labels \
         {:.1} % of the bins as planted; k-means of smoothed counts labels {:.1} % at best.",
        counts.n_neurons(),
        counts.n_bins(),
        summary.modal_clusters(),
        config.data.n_clusters,
        100.0 * agreed,
        100.0 * best_plain,
    ))
    .and(format!(
        "Mean paths correlate with the planted ones at {:.3} after linear alignment, and 95% bands cover {:.1} % of them.",
        stats::mean(&correlations),
        100.0 * stats::mean(&coverage),
    ))
    .and(format!(
        "Held-out counts: {}.",
        arms.iter().map(|a| format!("{} {:.4}", a.name, a.mean)).collect::<Vec<_>>().join(", ")
    )))
}

/// `[neuron, bin]` of a recording of counts without silent neurons, and the neurons kept.
fn counts_of(recording: &Recording, bench: &mut Bench) -> Result<(Counts, Vec<usize>), Failure> {
    let values = recording
        .traces()
        .map(|t| t.values.t().mapv(f64::from))
        .unwrap_or_default();
    let all = Counts::new(values.view())?;
    let silent = all.silent();
    if silent.is_empty() {
        return Ok((all, (0..values.nrows()).collect()));
    }
    bench.note(format!(
        "{} neurons never fire and are left out",
        silent.len()
    ));
    let kept: Vec<usize> = (0..values.nrows())
        .filter(|i| !silent.contains(i))
        .collect();
    Ok((
        Counts::new(values.select(ndarray::Axis(0), &kept).view())?,
        kept,
    ))
}

fn without(
    truth: chiasm_data::generate::ClusteredTruth,
    kept: &[usize],
) -> chiasm_data::generate::ClusteredTruth {
    chiasm_data::generate::ClusteredTruth {
        clusters: kept.iter().map(|&i| truth.clusters[i]).collect(),
        offsets: kept.iter().map(|&i| truth.offsets[i]).collect(),
        loadings: truth.loadings.select(ndarray::Axis(0), kept),
        ..truth
    }
}

/// Chains in stages that are kept on disk, so that a killed run goes on from the last.
pub(super) fn staged(
    name: &str,
    method: &Biclustering,
    counts: &Counts,
    stages: usize,
    bench: &mut Bench,
) -> Result<Vec<Chain>, Failure> {
    let streams = bench.streams().child(name);
    let mut chains = method.start(counts, &streams)?;
    for stage in 1..=stages {
        let until = method.sweeps * stage / stages;
        let before = std::mem::take(&mut chains);
        chains = bench.stage(&format!("{name} to sweep {until}"), |b| {
            Ok(method.advance(counts, &[], before, until, &streams, b.watch())?)
        })?;
    }
    Ok(chains)
}

/// Diagnostics of the chains as metrics and a table.
pub(super) fn report_mixing(
    chains: &[Chain],
    summary: &Summary,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let or_none = |v: Option<f64>| v.map_or(String::new(), |v| format!("{v:.3}"));
    for m in &summary.mixing {
        let name = m.name.replace(' ', "_");
        if let Some(r) = m.r_hat {
            bench.metric(&format!("r_hat/{name}"), r, "1")?;
        }
        if let Some(n) = m.effective {
            bench.metric(&format!("effective_draws/{name}"), n, "1")?;
        }
    }
    bench.table(chiasm_lab::bench::Table {
        id: "mixing".into(),
        title: "Split R-hat and effective number of draws after the burn-in; empty where a trace never changes".into(),
        columns: ["trace", "R-hat", "effective draws"].map(String::from).to_vec(),
        rows: summary
            .mixing
            .iter()
            .map(|m| vec![m.name.into(), or_none(m.r_hat), or_none(m.effective)])
            .collect(),
    })?;
    bench.metric("clusters", summary.modal_clusters() as f64, "1")?;
    bench.metric("states", summary.modal_states() as f64, "1")?;
    bench.metric("draws", summary.n_draws as f64, "1")?;
    let mut accepted = [(0, 0); 4];
    for chain in chains {
        let a = chain.state.accepted;
        for (sum, own) in
            accepted
                .iter_mut()
                .zip([a.paths, a.loadings, a.dispersions, a.boundaries])
        {
            *sum = (sum.0 + own.0, sum.1 + own.1);
        }
    }
    for (name, (yes, all)) in ["paths", "loadings", "dispersions", "boundaries"]
        .into_iter()
        .zip(accepted)
    {
        if all > 0 {
            bench.metric(&format!("accepted/{name}"), yes as f64 / all as f64, "1")?;
        }
    }
    if summary.restarts > 0 {
        bench.note(format!(
            "a search found better states {} times in the burn-in",
            summary.restarts
        ));
    }
    if summary.clipped > 0 {
        bench.note(format!(
            "{} log rates of kept sweeps were clipped at 30",
            summary.clipped
        ));
    }
    if chains.len() > 1
        && summary
            .mixing
            .iter()
            .any(|m| m.r_hat.is_some_and(|r| r > 1.1))
    {
        bench.note("the chains do not agree on every trace (R-hat above 1.1): run more sweeps before trusting small differences");
    }
    Ok(())
}

/// The Poisson variant on Poisson counts of the same paths: its agreement with the planted states.
fn poisson(config: &Config, bench: &mut Bench) -> Result<Option<f64>, Failure> {
    if config.poisson_sweeps == 0 {
        for claim in claims::POISSON {
            bench.not_at_this_scale(claim, "the settings leave out the Poisson variant");
        }
        return Ok(None);
    }
    let data = ClusteredCounts {
        dispersion: None,
        ..config.data.clone()
    };
    let (recording, truth) = clustered_counts(&data, bench.streams())?;
    let (counts, kept) = counts_of(&recording, bench)?;
    let truth = without(truth, &kept);
    let method = Biclustering {
        observation: Observation::Poisson,
        sweeps: config.poisson_sweeps,
        burn_in: config.poisson_sweeps / 2,
        chains: 1,
        ..config.method.clone()
    };
    let chains = staged("Poisson chain", &method, &counts, 1, bench)?;
    let summary = method.summarize(&chains)?;
    let agreed = agreement(&truth.states, &summary.bins.labels)?;
    bench.metric("poisson/agreement", agreed, "1")?;
    let rand = adjusted_rand(&truth.clusters, &summary.neurons.labels)?;
    bench.metric("poisson/adjusted_rand", rand, "1")?;
    let (yes, all) = chains[0].state.accepted.paths;
    bench.metric(
        "poisson/accepted_paths",
        yes as f64 / all.max(1) as f64,
        "1",
    )?;
    Ok(Some(agreed))
}

/// Mean co-clustering of neurons of one group, and of two.
pub(super) fn within_and_between(similarity: &Array2<f64>, groups: &[usize]) -> Option<(f64, f64)> {
    let (mut within, mut between) = (Vec::new(), Vec::new());
    for i in 0..groups.len() {
        for j in 0..i {
            if groups[i] == groups[j] {
                &mut within
            } else {
                &mut between
            }
            .push(similarity[[i, j]]);
        }
    }
    (!within.is_empty() && !between.is_empty())
        .then(|| (stats::mean(&within), stats::mean(&between)))
}
