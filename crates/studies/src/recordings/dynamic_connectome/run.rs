//! The experiment: planted recordings, the method, its ablations and the field's plain baselines, all scored alike.

use chiasm_analysis::connectome::affinity::{AffinityKind, ConnectomeTensor, tensor_of};
use chiasm_analysis::connectome::communities::{Communities, DynamicConnectome};
use chiasm_analysis::connectome::factorization::{
    Factorization, Factors, MaskedTensor, RankChoice, similarity,
};
use chiasm_analysis::connectome::states::ConnectivityStates;
use chiasm_analysis::partition::normalized_mutual_information;
use chiasm_core::{Failure, stats};
use chiasm_data::Recording;
use chiasm_data::generate::planted_calcium;
use chiasm_lab::{Bench, Findings};
use ndarray::{Array2, Array3};
use rand::RngExt;

use super::benchmark;
use super::config::Config;
use super::figures;
use super::score::{Arm, MotifScore, Truth, score};
use super::static_graph::{louvain_labels, static_correlation};

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    // The recordings, and what is hidden in them.
    let (animals, planted) = planted_calcium(&config.data, bench.streams())?;
    let method = &config.connectome;
    let joined = tensor_of(&method.affinities(&animals, bench.watch())?)?;
    let truth = Truth::of(
        &planted,
        &config.data.motifs,
        &joined.names,
        &joined.pairs,
        animals.len(),
    );
    note_unseen(&joined, bench);

    // The method: components, their number chosen by the stated criterion, and the communities of each.
    let (factors, choice): (Factors, Option<RankChoice>) = bench.stage("components", |bench| {
        let streams = bench.streams().clone();
        Ok(method.components(&joined, &streams, bench.watch())?)
    })?;
    let arm = arm_of(&joined, &factors);
    let scores = score(&arm, &truth);
    let streams = bench.streams().clone();
    let communities = method.communities(&joined, &factors, &streams, bench.watch())?;
    record_method(config, &factors, choice.as_ref(), &scores, bench)?;

    // Without the mask, and with other affinities.
    let mut aucs = vec![("method".to_string(), pair_aucs(&scores))];
    let fixed = DynamicConnectome {
        choose_rank: false,
        factorization: Factorization {
            rank: factors.rank(),
            starts: config.ablation_starts,
            ..method.factorization.clone()
        },
        ..method.clone()
    };
    for (name, ablated) in ablations(&fixed, &animals, &joined, bench)? {
        let (other, _) = fixed.components(&ablated, &streams.child(name), bench.watch())?;
        let truth = Truth::of(
            &planted,
            &config.data.motifs,
            &ablated.names,
            &ablated.pairs,
            animals.len(),
        );
        let found = score(&arm_of(&ablated, &other), &truth);
        record_arm(name, &found, bench)?;
        aucs.push((name.to_string(), pair_aucs(&found)));
    }

    // Baselines: one correlation matrix for all time, and clustered sliding windows.
    let statics = static_correlation(&method.affinity, &animals, &joined)?;
    let of_static: Vec<f64> = (0..truth.motifs.len())
        .map(|m| stats::roc_auc(&statics, &truth.together(m)))
        .collect();
    bench.metric("pair_auc/static_correlation", least(&of_static), "1")?;
    bench.metric(
        "pair_auc_gain_over_static",
        least(&pair_aucs(&scores)) - least(&of_static),
        "1",
    )?;
    aucs.push(("static_correlation".into(), of_static));
    let states = window_states(&fixed, &animals, bench)?;
    let found = score(&states, &truth);
    record_arm("window_states", &found, bench)?;
    aucs.push(("window_states".into(), pair_aucs(&found)));

    // Communities against the planted ones, on the neurons that are in any.
    let (by_method, by_static) =
        community_scores(&joined, &truth, &scores, &communities, &statics, bench)?;

    exact_recovery(bench)?;
    benchmark::run(config.lfr_graphs, bench)?;
    figures::rank_diagnostics(choice.as_ref(), bench)?;
    figures::components(
        &joined,
        &truth,
        &arm,
        &factors,
        &communities,
        &scores,
        bench,
    )?;
    figures::arms(&aucs, &by_method, &by_static, bench)?;
    Ok(summary(
        &factors,
        choice.as_ref(),
        &scores,
        &by_method,
        &by_static,
    ))
}

fn note_unseen(joined: &ConnectomeTensor, bench: &mut Bench) {
    if let Some(&(i, j)) = joined.unseen.first() {
        bench.note(format!(
            "{} pairs of neurons are seen together in no animal and are left out, {} and {} among them",
            joined.unseen.len(),
            joined.names[i],
            joined.names[j]
        ));
    }
}

fn arm_of(joined: &ConnectomeTensor, factors: &Factors) -> Arm {
    Arm {
        times_s: joined.time.to_vec(),
        time: factors.time.t().to_owned(),
        pairs: factors.pairs.t().to_owned(),
        animals: Some(factors.animals.t().to_owned()),
    }
}

fn pair_aucs(scores: &[MotifScore]) -> Vec<f64> {
    scores.iter().map(|s| s.pair_auc).collect()
}

fn least(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::INFINITY, f64::min)
}

fn record_arm(name: &str, scores: &[MotifScore], bench: &mut Bench) -> Result<(), Failure> {
    let correlations: Vec<f64> = scores.iter().map(|s| s.time_correlation).collect();
    bench.metric(
        &format!("time_correlation/{name}"),
        least(&correlations),
        "1",
    )?;
    bench.metric(&format!("pair_auc/{name}"), least(&pair_aucs(scores)), "1")?;
    let outside = scores.iter().filter_map(|s| s.outside).reduce(f64::max);
    if let Some(outside) = outside {
        bench.metric(&format!("outside_weight/{name}"), outside, "1")?;
    }
    Ok(())
}

fn record_method(
    config: &Config,
    factors: &Factors,
    choice: Option<&RankChoice>,
    scores: &[MotifScore],
    bench: &mut Bench,
) -> Result<(), Failure> {
    record_arm("method", scores, bench)?;
    for (m, s) in scores.iter().enumerate() {
        let motif = format!("motif_{}", m + 1);
        bench.metric(
            &format!("time_correlation/method/{motif}"),
            s.time_correlation,
            "1",
        )?;
        bench.metric(&format!("pair_auc/method/{motif}"), s.pair_auc, "1")?;
    }
    bench.metric("rank", factors.rank() as f64, "1")?;
    bench.metric("relative_error", factors.relative_error(), "1")?;
    bench.metric("sweeps", factors.errors.len() as f64, "1")?;
    match choice {
        Some(choice) => {
            let planted = config.data.motifs.len() + 1;
            bench.metric(
                "rank_minus_planted",
                choice.rank as f64 - planted as f64,
                "1",
            )?;
            bench.metric("restart_similarity", choice.fitted.stability(), "1")?;
            for point in &choice.curve {
                bench.log("relative_error", point.rank as f64, point.error);
                bench.log("restart_similarity", point.rank as f64, point.stability);
            }
        }
        None => bench.not_at_this_scale(
            "number-of-components",
            "the number of components was set by hand",
        ),
    }
    let rise = |w: &[f64]| w[1] * w[1] - w[0] * w[0];
    let largest = factors
        .errors
        .windows(2)
        .map(rise)
        .fold(0.0, stats::greater);
    bench.metric("largest_rise_of_squared_error", largest, "1")
}

/// The same recordings, seen differently.
fn ablations(
    method: &DynamicConnectome,
    animals: &[Recording],
    joined: &ConnectomeTensor,
    bench: &Bench,
) -> Result<Vec<(&'static str, ConnectomeTensor)>, Failure> {
    let mut all = vec![("no_mask", without_mask(joined)?)];
    for (name, kind) in [
        ("levels", AffinityKind::Levels),
        ("z_product", AffinityKind::ZProduct),
        ("windowed_pearson", AffinityKind::WindowedPearson),
        ("level_kernel", AffinityKind::LevelKernel),
    ] {
        let mut other = method.clone();
        other.affinity.kind = kind;
        all.push((name, tensor_of(&other.affinities(animals, bench.watch())?)?));
    }
    Ok(all)
}

/// Missing pairs taken for pairs without affinity.
fn without_mask(joined: &ConnectomeTensor) -> Result<ConnectomeTensor, Failure> {
    let mut tensor = MaskedTensor::new(joined.time.len(), joined.pairs.len());
    let all: Vec<usize> = (0..joined.pairs.len()).collect();
    for w in 0..joined.n_animals() {
        if let Some(animal) = joined.tensor.animal(w) {
            tensor.push_animal(
                &all,
                animal.mapv(|v| if v.is_nan() { 0.0 } else { v }).view(),
            )?;
        }
    }
    Ok(ConnectomeTensor {
        tensor,
        ..joined.clone()
    })
}

/// Sliding-window correlations, clustered into as many states as there are components.
fn window_states(
    method: &DynamicConnectome,
    animals: &[Recording],
    bench: &Bench,
) -> Result<Arm, Failure> {
    let mut windows = method.clone();
    windows.affinity.kind = AffinityKind::WindowedPearson;
    let joined = tensor_of(&windows.affinities(animals, bench.watch())?)?;
    let states = ConnectivityStates {
        n_states: method.factorization.rank,
        ..ConnectivityStates::default()
    };
    let fitted = states.fit(&joined, bench.streams(), bench.watch())?;
    let times = joined.time.to_vec();
    Ok(Arm {
        times_s: fitted.frames.iter().map(|&f| times[f]).collect(),
        time: fitted.share,
        pairs: fitted.centroids,
        animals: None,
    })
}

fn community_scores(
    joined: &ConnectomeTensor,
    truth: &Truth<'_>,
    scores: &[MotifScore],
    communities: &[Communities],
    statics: &[f64],
    bench: &mut Bench,
) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let louvain = louvain_labels(joined, statics, bench)?;
    let of_motif = |labels: &[usize], m: usize| -> Result<f64, Failure> {
        let (units, planted) = truth.active(m);
        let found: Vec<usize> = units.iter().map(|&u| labels[u]).collect();
        Ok(normalized_mutual_information(&planted, &found)?)
    };
    let (mut by_method, mut by_static) = (Vec::new(), Vec::new());
    for (m, s) in scores.iter().enumerate() {
        by_method.push(of_motif(communities[s.component].blocks.labels(), m)?);
        by_static.push(of_motif(&louvain, m)?);
    }
    bench.metric("nmi/method", least(&by_method), "1")?;
    bench.metric("nmi/static_louvain", least(&by_static), "1")?;
    bench.metric(
        "nmi_gain_over_static_louvain",
        stats::mean(&by_method) - stats::mean(&by_static),
        "1",
    )?;
    Ok((by_method, by_static))
}

/// Data of exact rank 3: from how many of ten starts are the factors found?
fn exact_recovery(bench: &mut Bench) -> Result<(), Failure> {
    let mut rng = bench.streams().stream("exact");
    let mut factor = |n: usize| {
        Array2::from_shape_fn((n, 3), |_| {
            let v: f64 = rng.random();
            if v < 0.4 { 0.0 } else { v }
        })
    };
    let (time, pairs, animals) = (factor(40), factor(30), factor(6));
    let x = Array3::from_shape_fn((40, 30, 6), |(t, p, w)| {
        (0..3)
            .map(|r| time[[t, r]] * pairs[[p, r]] * animals[[w, r]])
            .sum::<f64>() as f32
    });
    let tensor = MaskedTensor::from_dense(&x)?;
    let norm = |m: &Array2<f64>, c: usize| m.column(c).dot(&m.column(c)).sqrt();
    let unit = |m: &Array2<f64>| Array2::from_shape_fn(m.dim(), |(i, c)| m[[i, c]] / norm(m, c));
    let planted = Factors {
        animals: Array2::from_shape_fn(animals.dim(), |(w, c)| {
            animals[[w, c]] * norm(&time, c) * norm(&pairs, c)
        }),
        time: unit(&time),
        pairs: unit(&pairs),
        errors: vec![0.0],
        converged: true,
    };
    let once = Factorization {
        rank: 3,
        starts: 1,
        max_sweeps: 3000,
        tolerance: 1e-9,
        ..Factorization::default()
    };
    let mut recovered = 0;
    for start in 0..10 {
        let streams = bench.streams().child(&format!("exact {start}"));
        let best = once.fit(&tensor, &streams, bench.watch())?.best;
        recovered +=
            usize::from(best.relative_error() < 1e-4 && similarity(&best, &planted) > 0.99);
    }
    bench.metric("exact_recoveries", recovered as f64, "1")
}

fn summary(
    factors: &Factors,
    choice: Option<&RankChoice>,
    scores: &[MotifScore],
    by_method: &[f64],
    by_static: &[f64],
) -> Findings {
    let list = |x: &[f64]| {
        x.iter()
            .map(|v| format!("{v:.3}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let correlations: Vec<f64> = scores.iter().map(|s| s.time_correlation).collect();
    let how = if choice.is_some() {
        "the criterion chose"
    } else {
        "the settings asked for"
    };
    Findings::new(format!(
        "Of the recordings with planted communities {how} {} components, which explain all but {:.1} % of the affinities' \
         norm. Their time courses follow the planted epochs with correlations {}, and their pair weights single out \
         pairs of one community with areas under the ROC curve of {}.",
        factors.rank(),
        100.0 * factors.relative_error(),
        list(&correlations),
        list(&pair_aucs(scores)),
    ))
    .and(format!(
        "The block model of each component matches the planted communities with a normalized mutual information of {}; \
         Louvain communities of one static correlation matrix reach {}.",
        list(by_method),
        list(by_static),
    ))
}
