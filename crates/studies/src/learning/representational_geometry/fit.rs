//! The measures on own recordings: trials with labels.

use chiasm_analysis::geometry::{
    Dichotomy, Null, Samples, Svm, ccgp, cross_validated, null_of, parallelism, selectivity,
    sparsity,
};
use chiasm_analysis::kernel::{
    centered, cka, cka_unbiased, effective_rank, gram, participation_ratio,
};
use chiasm_core::{Failure, SettingError};
use chiasm_lab::bench::Table;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_lab::{Bench, Figure, Findings, Input};
use ndarray::{Array2, Axis as Along};

use super::config::FitConfig;

/// What one dichotomy came to.
struct Told {
    name: String,
    parallelism: f64,
    parallelism_p: f64,
    ccgp: f64,
    ccgp_p: f64,
    /// Where every condition has enough trials.
    decoding: Option<(f64, f64)>,
    target: f64,
    selectivity: f64,
}

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let mut findings: Option<Findings> = None;
    let recordings = input.recordings(bench)?;
    let mut before: Vec<(String, Vec<String>, Array2<f64>)> = vec![];
    for (path, recording) in input.paths.iter().zip(&recordings) {
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        let mut name = stem.unwrap_or_default();
        if recordings.len() == 1 {
            name = String::new();
        } else if before.iter().any(|(n, ..)| *n == name) {
            name = format!("{name}-{}", before.len() + 1);
        }
        let (names, samples) = Samples::of_recording(recording, &config.trials)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        let samples = if config.standardize {
            standardized(&samples, bench)?
        } else {
            samples
        };
        let one = of_samples(config, &name, &names, &samples, bench)
            .map_err(|e| e.about(path.display()))?;
        findings = Some(match findings {
            None => Findings::new(one),
            Some(all) => all.and(one),
        });
        let kernel = gram(samples.means().view());
        for (other, conditions, theirs) in &before {
            if *conditions == names {
                let alike = cka(kernel.view(), theirs.view())?;
                bench.metric(&format!("cka/{other}/{name}"), alike, "1")?;
                if names.len() >= 4
                    && let Ok(alike) = cka_unbiased(kernel.view(), theirs.view())
                {
                    bench.metric(&format!("cka-unbiased/{other}/{name}"), alike, "1")?;
                }
            } else {
                bench.note(format!(
                    "{other} and {name} have other conditions: not compared."
                ));
            }
        }
        before.push((name, names, kernel));
    }
    Ok(findings.unwrap_or_default())
}

/// Every unit with mean 0 and variance 1 over trials; units that never change are left out.
fn standardized(samples: &Samples, bench: &mut Bench) -> Result<Samples, Failure> {
    let values = samples.values();
    let mean = values.mean_axis(Along(0)).unwrap_or_default();
    let deviation = values.std_axis(Along(0), 0.0);
    let changing: Vec<usize> = (0..values.ncols())
        .filter(|&u| deviation[u] > 1e-12 * mean[u].abs())
        .collect();
    if changing.is_empty() {
        let expected = "a recording with a unit that changes between trials";
        return Err(SettingError::new("standardize", expected, "none").into());
    }
    let silent = values.ncols() - changing.len();
    if silent > 0 {
        bench.note(format!("{silent} units that never change were left out."));
    }
    let scaled = (&values - &mean) / &deviation.mapv(|d| d.max(f64::MIN_POSITIVE));
    let scaled = scaled.select(Along(1), &changing);
    Ok(Samples::new(scaled, samples.conditions().to_vec())?)
}

/// Dichotomies by name, as asked for or all balanced ones.
fn dichotomies(config: &FitConfig, names: &[String]) -> Result<Vec<(String, Dichotomy)>, Failure> {
    let n = names.len();
    if config.positive.is_empty() {
        if n > 8 || !n.is_multiple_of(2) || n < 4 {
            let expected = "the positive conditions of each dichotomy, or 4, 6 or 8 conditions";
            let found = format!("{n} conditions: {}", names.join(", "));
            return Err(SettingError::new("positive", expected, found).into());
        }
        let all = Dichotomy::balanced(n)?.into_iter();
        return Ok(all.map(|d| (label(&d, names), d)).collect());
    }
    let mut all = vec![];
    for (i, positive) in config.positive.iter().enumerate() {
        let field = format!("positive.{i}");
        if let Some(unknown) = positive.iter().find(|p| !names.contains(p)) {
            let expected = format!("labels among {}", names.join(", "));
            return Err(SettingError::new(&field, expected, unknown).into());
        }
        let dichotomy = Dichotomy::new(names.iter().map(|n| positive.contains(n)).collect())?;
        all.push((label(&dichotomy, names), dichotomy));
    }
    Ok(all)
}

/// The smaller class, or the first of equal ones, by name.
fn label(dichotomy: &Dichotomy, names: &[String]) -> String {
    let of = |class| -> Vec<&str> {
        let members = dichotomy.members(class).into_iter();
        members.map(|c| names[c].as_str()).collect()
    };
    let (positive, negative) = (of(true), of(false));
    if positive.len() <= negative.len() {
        positive.join(" + ")
    } else {
        format!("not {}", negative.join(" + "))
    }
}

fn of_samples(
    config: &FitConfig,
    prefix: &str,
    names: &[String],
    samples: &Samples,
    bench: &mut Bench,
) -> Result<String, Failure> {
    let at = |what: &str| {
        if prefix.is_empty() {
            what.to_owned()
        } else {
            format!("{prefix}/{what}")
        }
    };
    let all = dichotomies(config, names)?;
    let folds = samples
        .counts()
        .iter()
        .copied()
        .min()
        .unwrap_or(0)
        .min(config.folds);
    if folds < 2 {
        bench.note("Decoding was left out: it needs two trials of every condition.");
    }
    bench.watch().stage("dichotomies", all.len() as u64);
    let means = samples.means();
    let kernel = gram(means.view());
    let middle = centered(kernel.view())?;
    let mut told = vec![];
    for (i, (name, dichotomy)) in all.iter().enumerate() {
        bench.watch().check()?;
        let bits = bench.streams().child("nulls").child(&i.to_string());
        told.push(one(config, (name, dichotomy), samples, folds, &bits)?);
        bench.watch().tick(1);
    }
    bench.metric(&at("units"), means.ncols() as f64, "1")?;
    bench.metric(&at("conditions"), names.len() as f64, "1")?;
    bench.metric(&at("trials"), samples.conditions().len() as f64, "1")?;
    bench.metric(&at("dimension"), participation_ratio(middle.view())?, "1")?;
    bench.metric(&at("effective-rank"), effective_rank(middle.view())?, "1")?;
    bench.metric(&at("sparsity"), sparsity(means.view())?, "1")?;
    for t in &told {
        let name = &t.name;
        bench.metric(&at(&format!("parallelism/{name}")), t.parallelism, "1")?;
        bench.metric(&at(&format!("parallelism-p/{name}")), t.parallelism_p, "1")?;
        bench.metric(&at(&format!("ccgp/{name}")), t.ccgp, "1")?;
        bench.metric(&at(&format!("ccgp-p/{name}")), t.ccgp_p, "1")?;
        bench.metric(&at(&format!("target/{name}")), t.target, "1")?;
        bench.metric(&at(&format!("selectivity/{name}")), t.selectivity, "1")?;
        if let Some((accuracy, p)) = t.decoding {
            bench.metric(&at(&format!("decoding/{name}")), accuracy, "1")?;
            bench.metric(&at(&format!("decoding-p/{name}")), p, "1")?;
        }
    }
    let id = |what: &str| {
        at(what)
            .replace('/', "-")
            .to_lowercase()
            .replace([' ', '_', '.'], "-")
    };
    bench.table(table(&id("dichotomies"), &told))?;
    bench.figure(kernel_figure(&id("kernel"), names, &middle))?;
    bench.figure(bars(&id("dichotomy-measures"), &told))?;
    let best = told
        .iter()
        .max_by(|a, b| a.parallelism.total_cmp(&b.parallelism));
    let best = best.map_or(String::new(), |b| {
        format!(
            " Coded most alike in all contexts: {} (parallelism {:.2}, p {:.3}; generalization {:.2}, p {:.3}).",
            b.name, b.parallelism, b.parallelism_p, b.ccgp, b.ccgp_p
        )
    });
    Ok(format!(
        "{}{} trials of {} conditions, {} units.{best}",
        if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}: ")
        },
        samples.conditions().len(),
        names.len(),
        means.ncols(),
    ))
}

fn one(
    config: &FitConfig,
    (name, dichotomy): (&str, &Dichotomy),
    samples: &Samples,
    folds: usize,
    bits: &chiasm_core::Streams,
) -> Result<Told, Failure> {
    let svm = Svm {
        c: config.c,
        ..Svm::default()
    };
    let n = config.shuffles;
    let pairs = |s: &Samples, d: &Dichotomy| parallelism(s.means().view(), d, config.pairing);
    let streams = bits.child("parallelism");
    let parallel = null_of(samples, dichotomy, config.null, n, &streams, |s, d| {
        pairs(s, d).map(|p| p.score)
    })?;
    let streams = bits.child("ccgp");
    let across = null_of(samples, dichotomy, config.null, n, &streams, |s, d| {
        let pairs = pairs(s, d)?.pairs;
        ccgp(s, d, &pairs, config.contexts, &svm).map(|c| c.accuracy)
    })?;
    let decoding = if folds >= 2 {
        let streams = bits.child("decoding");
        let found = null_of(samples, dichotomy, Null::Trials, n, &streams, |s, d| {
            cross_validated(s, d, folds, &svm)
        })?;
        Some((found.found, found.p))
    } else {
        None
    };
    let means = samples.means();
    let signs = dichotomy.signs().insert_axis(Along(1));
    let labels = signs.dot(&signs.t());
    let explained = selectivity(means.view(), std::slice::from_ref(dichotomy))?;
    Ok(Told {
        name: name.to_owned(),
        parallelism: parallel.found,
        parallelism_p: parallel.p,
        ccgp: across.found,
        ccgp_p: across.p,
        decoding,
        target: cka(gram(means.view()).view(), labels.view())?,
        selectivity: explained.mean().unwrap_or(0.0),
    })
}

fn table(id: &str, told: &[Told]) -> Table {
    let number = |v: f64| format!("{v:.3}");
    let rows = told.iter().map(|t| {
        vec![
            t.name.clone(),
            number(t.parallelism),
            number(t.parallelism_p),
            number(t.ccgp),
            number(t.ccgp_p),
            t.decoding.map_or(String::new(), |d| number(d.0)),
            t.decoding.map_or(String::new(), |d| number(d.1)),
            number(t.target),
            number(t.selectivity),
        ]
    });
    Table {
        id: id.into(),
        title: "Each dichotomy, with the part of shuffles that reach as far (p)".into(),
        columns: [
            "positive conditions",
            "parallelism",
            "p",
            "CCGP",
            "p",
            "decoding",
            "p",
            "alignment with labels",
            "variance of units explained",
        ]
        .map(Into::into)
        .to_vec(),
        rows: rows.collect(),
    }
}

fn kernel_figure(id: &str, names: &[String], kernel: &Array2<f64>) -> Figure {
    let largest = kernel.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let rows = kernel.rows().into_iter();
    let values = rows
        .map(|r| r.iter().map(|v| v / largest).collect())
        .collect();
    let axis = || Axis::categories("condition", names.to_vec());
    let panel = Panel::new("", axis(), axis()).with(Mark::Heatmap {
        series: "similarity, of the largest (1)".into(),
        values,
        x_range: None,
        y_range: None,
        color_range: Some((-1.0, 1.0)),
        diverging: true,
    });
    Figure::new(
        id,
        "Which conditions are represented alike",
        "Centered kernel of the conditions' mean activities.",
    )
    .with(panel)
}

fn bars(id: &str, told: &[Told]) -> Figure {
    let names = told.iter().map(|t| t.name.clone()).collect();
    let x: Vec<f64> = (0..told.len()).map(|i| i as f64).collect();
    let of = |series: &str, y: Vec<f64>| Mark::Bars {
        series: series.into(),
        x: x.clone(),
        y,
        error: vec![],
    };
    let mut panel = Panel::new(
        "",
        Axis::categories("positive conditions", names),
        Axis::new("value", "1"),
    )
    .with(of(
        "parallelism",
        told.iter().map(|t| t.parallelism).collect(),
    ))
    .with(of("CCGP", told.iter().map(|t| t.ccgp).collect()));
    if told.iter().all(|t| t.decoding.is_some()) {
        let decoding = told.iter().filter_map(|t| t.decoding);
        panel = panel.with(of("decoding", decoding.map(|d| d.0).collect()));
    }
    Figure::new(
        id,
        "How each dichotomy is coded",
        "Parallelism of the differences between paired conditions; accuracy on pairs left out (CCGP); accuracy on trials left out. \
         The table gives the part of shuffles that reach as far.",
    )
    .with(panel)
}
