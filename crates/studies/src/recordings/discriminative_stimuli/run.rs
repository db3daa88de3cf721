//! The experiment: the toy, neurons of 8 types clustered from several numbers of clusters, typing, harder neurons.

use chiasm_core::{Failure, stats};
use chiasm_data::generate::CellTypes;
use chiasm_lab::{Bench, Findings};
use chiasm_probe::stimuli::{self, Types};

use super::arms::{self, ArmResult};
use super::config::Config;
use super::typing::{self, SETS, Typing};
use super::{claims, figures, gallery, hard, planted, toy};

/// What one set of neurons gives.
type Measured = (Vec<ArmResult>, Typing, Option<Shown>);

/// The types that are shown in figures, with the names and labels of the true ones.
type Shown = (Types, Vec<String>, Vec<usize>);

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let objectives = bench.stage("toy", |bench| toy::run(config, bench))?;
    let cells = CellTypes {
        per_type: (config.neurons_per_type, config.neurons_per_type),
        noise: config.filter_noise,
        ..CellTypes::default()
    };
    let mut sets: Vec<Vec<ArmResult>> = Vec::new();
    let mut typings = Vec::new();
    let mut shown = None;
    for dataset in 0..config.datasets {
        let (arms, typing, first) = measure(config, &cells, dataset, bench)?;
        sets.push(arms);
        typings.push(typing);
        shown = shown.or(first);
    }
    record(config, &sets, &typings, bench)?;
    bench.not_at_this_scale(
        claims::RECORDINGS,
        "the recordings and the networks fitted to them were not published with the code; neurons of known types stand in",
    );
    bench.note("The neurons are generated with planted types; nothing was recorded.");

    bench.figure(figures::toy(&config.toy_norms, &objectives))?;
    bench.figure(figures::agreement(&sets))?;
    bench.figure(figures::course(config, &sets))?;
    bench.figure(figures::typing(&typings))?;
    if let Some((types, names, labels)) = &shown {
        let of = figures::names_of(types, names, labels);
        bench.figure(gallery::images("stimuli", types, &of))?;
        bench.figure(figures::responses("responses", types, &of))?;
        bench.figure(figures::confusion("confusion", types, names, labels))?;
    }
    let mut findings = summary(config, &sets, &typings);
    if config.hard {
        let hard = hard::run(config, &cells, bench)?;
        let of = figures::names_of(&hard.movies, &hard.movie_names, &hard.movie_labels);
        bench.figure(gallery::movies("movie-stimuli", &hard.movies, &of))?;
        let each: Vec<String> = hard
            .arms
            .iter()
            .map(|a| format!("{} {:.2}", a.name, a.ari))
            .collect();
        findings = findings.and(format!(
            "Harder neurons, adjusted Rand index: {}.",
            each.join(", ")
        ));
    }
    Ok(findings)
}

/// All arms on one set of neurons, kept as a stage.
fn measure(
    config: &Config,
    cells: &CellTypes,
    dataset: usize,
    bench: &mut Bench,
) -> Result<Measured, Failure> {
    bench.stage(&format!("set-{dataset}"), |bench| {
        let streams = bench.streams().child(&format!("set {dataset}"));
        let watch = bench.watch();
        let (known, truth) = planted::linear(cells, config.reference_images, &streams)?;
        let rules = [("paper", &config.paper), ("held-out", &config.held_out)];
        watch.stage(
            &format!("set {dataset}"),
            2 * (config.start_clusters.len() + 1) as u64,
        );
        let (mut results, mut shown) = (Vec::new(), None);
        for (rule, settings) in rules {
            for &clusters in &config.start_clusters {
                let settings = stimuli::Config {
                    clusters,
                    split: false,
                    ..settings.clone()
                };
                let name = arms::name(rule, clusters, false);
                let (result, types) = arms::cluster(&name, &settings, &known, &streams, watch)?;
                watch.tick(1);
                results.push(result);
                if dataset == 0 {
                    shown = Some((types, known.names.clone(), known.labels.clone()));
                }
            }
            let settings = stimuli::Config {
                clusters: config.split_from,
                split: true,
                ..settings.clone()
            };
            let name = arms::name(rule, config.split_from, true);
            results.push(arms::cluster(&name, &settings, &known, &streams, watch)?.0);
            watch.tick(1);
        }
        results.push(arms::by_random_stimuli(
            &known.model,
            &known.normalization,
            &known.labels,
            known.names.len(),
            &streams,
        )?);
        results.push(arms::by_k_means(
            &known.model,
            &known.normalization,
            (&known.labels, known.names.len()),
            config.reference_images,
            &streams,
            watch,
        )?);
        let typing = typing::run(config, cells, &known, &truth, &streams, watch)?;
        Ok((results, typing, shown))
    })
}

/// The mean over sets of an arm's agreement.
fn mean_ari(sets: &[Vec<ArmResult>], name: &str) -> f64 {
    stats::mean(&of_arm(sets, name))
}

/// An arm's agreement on each set.
pub(super) fn of_arm(sets: &[Vec<ArmResult>], name: &str) -> Vec<f64> {
    sets.iter()
        .flat_map(|s| s.iter().filter(|a| a.name == name).map(|a| a.ari))
        .collect()
}

fn record(
    config: &Config,
    sets: &[Vec<ArmResult>],
    typings: &[Typing],
    bench: &mut Bench,
) -> Result<(), Failure> {
    for arm in &sets[0] {
        let name = &arm.name;
        let all = of_arm(sets, name);
        bench.metric(&format!("ari/{name}"), stats::mean(&all), "1")?;
        if all.len() > 1 {
            bench.metric(&format!("ari-sd/{name}"), stats::sd(&all, 1), "1")?;
        }
        let clusters: Vec<f64> = sets
            .iter()
            .flat_map(|s| s.iter().filter(|a| a.name == *name))
            .map(|a| a.n_clusters as f64)
            .collect();
        bench.metric(&format!("clusters/{name}"), stats::mean(&clusters), "1")?;
    }
    for rule in ["paper", "held-out"] {
        let all = of_arm(sets, &arms::name(rule, config.split_from, true));
        let share = all.iter().filter(|&&a| a >= 0.95).count() as f64 / all.len() as f64;
        bench.metric(&format!("share-of-sets-at-0.95/{rule}-split"), share, "1")?;
    }
    // The claims are about these very numbers of clusters.
    let has = |k: usize| config.start_clusters.contains(&k);
    let random = mean_ari(sets, "random-stimuli");
    let paper = |k: usize| mean_ari(sets, &arms::name("paper", k, false));
    if has(24) {
        bench.metric("ari/paper-24-minus-random", paper(24) - random, "1")?;
    }
    if has(24) && has(8) {
        bench.metric("ari/paper-24-minus-8", paper(24) - paper(8), "1")?;
    } else {
        bench.not_at_this_scale("over-seeding", "start_clusters lacks 8 or 24");
    }
    if !has(24) {
        for claim in ["paper-rule-24", "held-out-24", "beats-random-stimuli"] {
            bench.not_at_this_scale(claim, "start_clusters lacks 24");
        }
    }
    for (s, set) in SETS.iter().enumerate() {
        let mean = |of: &dyn Fn(&Typing) -> f64| {
            stats::mean(&typings.iter().map(of).collect::<Vec<f64>>())
        };
        let set = set.replace(' ', "-");
        bench.metric(&format!("typing/{set}"), mean(&|t| t.by_largest[s]), "1")?;
        let by_nearest = mean(&|t| t.by_nearest[s]);
        bench.metric(&format!("typing-by-nearest/{set}"), by_nearest, "1")?;
    }
    let gap: Vec<f64> = typings
        .iter()
        .map(|t| t.by_largest[0] - t.by_largest[1])
        .collect();
    let gap = stats::mean(&gap);
    bench.metric("typing/discriminative-minus-exciting", gap, "1")?;
    // Types 4 to 7 are the Gabors, 0 to 3 differences of Gaussians in pairs of one polarity and two sizes.
    let gabors = typings.iter().flat_map(|t| &t.with_filter[4..]);
    let least = gabors.fold(f64::INFINITY, |m, c| m.min(c.abs()));
    bench.metric("cosine/gabor-least", least, "1")?;
    let pairs = typings.iter().flat_map(|t| &t.with_exciting[..4]);
    let most = pairs.fold(f64::NEG_INFINITY, |m, c| m.max(*c));
    bench.metric("cosine/exciting-most", most, "1")?;
    let mean: Vec<f64> = typings.iter().flat_map(|t| t.with_filter.clone()).collect();
    bench.metric("cosine/filter-mean", stats::mean(&mean), "1")
}

fn summary(config: &Config, sets: &[Vec<ArmResult>], typings: &[Typing]) -> Findings {
    let most = *config.start_clusters.last().unwrap_or(&0);
    let spread = |name: &str| {
        let all = of_arm(sets, name);
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("{:.2} ({low:.2} to {high:.2})", stats::mean(&all))
    };
    let split = |rule| arms::name(rule, config.split_from, true);
    let typed = |s: usize| {
        stats::mean(
            &typings
                .iter()
                .map(|t| t.by_largest[s])
                .collect::<Vec<f64>>(),
        )
    };
    Findings::new(format!(
        "Neurons of 8 planted types, begun from {most} clusters: the paper's rule agrees with the types by an adjusted Rand \
         index of {}, judging neurons by stimuli made without them by {}; over {} sets of neurons.",
        spread(&arms::name("paper", most, false)),
        spread(&arms::name("held-out", most, false)),
        sets.len()
    ))
    .and(format!(
        "With the split stage, begun from {} clusters: {} by the paper's rule, {} with neurons held out. Grouping by random \
         stimuli: {}. By k-means on their responses to {} random stimuli, told the number of types: {}.",
        config.split_from,
        spread(&split("paper")),
        spread(&split("held-out")),
        spread("random-stimuli"),
        config.reference_images,
        spread("k-means")
    ))
    .and(format!(
        "Fresh neurons are typed right by 8 discriminative stimuli in {:.0} %, by the most exciting ones of 8 neurons in \
         {:.0} %, by random ones in {:.0} %.",
        100.0 * typed(0),
        100.0 * typed(1),
        100.0 * typed(2)
    ))
}
