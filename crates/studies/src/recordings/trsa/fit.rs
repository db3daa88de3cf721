//! The method on own RDMs or recordings.

use std::path::Path;

use chiasm_analysis::rsa::{
    Bootstrap, Conditions, Distance, NoiseScale, Similarity, Thresholds, add_noise, compare,
    patterns, rdm,
};
use chiasm_core::{Failure, SettingError, stats};
use chiasm_data::rdm::{Layout, MissingPairs, Negative, ReadRdms, read};
use chiasm_data::{RdmLabel, RdmRules, Rdms, Recording};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};
use ndarray::Array2;

use super::arms::{Effort, Outcome, measure};
use super::config::{FitConfig, LayoutChoice, MissingChoice, PatternDistance, Task, duplicates};
use super::figures;

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let mut rdms = load(config, input, bench)?;
    rdms.notes()
        .iter()
        .for_each(|note| bench.note(note.clone()));
    if config.noise_level > 0.0 {
        rdms = add_noise(
            &rdms,
            config.noise_level,
            NoiseScale::PerRdm,
            bench.streams(),
        )?;
        bench.note(format!(
            "Noise of {} sd was added to every RDM.",
            config.noise_level
        ));
    }
    bench.metric("rdms", rdms.len() as f64, "1")?;
    bench.metric("stimuli", rdms.n_stimuli() as f64, "1")?;
    let findings = likeness(&rdms, bench)?;
    let thresholds = Thresholds::new(config.lower, config.upper)?;
    let shown: Vec<usize> = (0..rdms.len().min(3)).collect();
    match figures::rdm_panels("rdms", &rdms, &shown, thresholds) {
        Ok(figure) => bench.figure(figure)?,
        // A model of two categories has no geodesics at these thresholds: no reason to give up the rest.
        Err(e) => bench.note(format!("No picture of the RDMs: {e}.")),
    }
    match config.task {
        Task::Compare => Ok(findings),
        Task::Identify => {
            let effort = Effort {
                grid_step: config.grid_step,
                draws: config.draws,
                bootstrap: Bootstrap {
                    n_resamples: config.bootstraps,
                    duplicates: duplicates(config.impute_duplicates),
                    ..Bootstrap::default()
                },
            };
            let outcome = measure("identify", &rdms, effort, bench)?;
            report(&rdms, &outcome, config, bench)?;
            let (l, u, best) = outcome.best();
            Ok(findings.and(format!(
                "Regions are told across subjects (chance {:.3}) by raw RDM {:.3}, by rank RDM {:.3}, and best at the \
                 thresholds ({l:.2}, {u:.2}): {best:.3}.",
                outcome.chance,
                outcome.accuracy("raw"),
                outcome.accuracy("rank"),
            )))
        }
    }
}

fn report(
    rdms: &Rdms,
    outcome: &Outcome,
    config: &FitConfig,
    bench: &mut Bench,
) -> Result<(), Failure> {
    for arm in &outcome.arms {
        bench.metric(&format!("accuracy/{}", arm.name), arm.accuracy, "1")?;
        if let Some(error) = arm.error {
            bench.metric(&format!("error/{}", arm.name), error, "1")?;
        }
    }
    let (l, u, best) = outcome.best();
    bench.metric("map/best", best, "1")?;
    bench.metric("map/best-l", l, "1")?;
    bench.metric("map/best-u", u, "1")?;
    bench.table(Table {
        id: "arms".into(),
        title: "Identification accuracy, bootstrap error, and paired p against the rank RDM".into(),
        columns: ["transform", "accuracy", "error", "p"]
            .map(String::from)
            .to_vec(),
        rows: outcome
            .arms
            .iter()
            .map(|a| {
                let number = |v: f64| format!("{v:.4}");
                let or_none = |v: Option<f64>| v.map_or(String::new(), number);
                vec![
                    a.name.clone(),
                    number(a.accuracy),
                    or_none(a.error),
                    or_none(a.p_rank),
                ]
            })
            .collect(),
    })?;
    bench.figure(figures::accuracy_map(
        "accuracy-map",
        "Identification over all thresholds",
        outcome,
        config.grid_step,
    ))?;
    bench.figure(figures::families(
        "families",
        "Identification by transform",
        outcome,
    ))?;
    let picture = figures::pictures("mds", rdms, bench)?;
    bench.figure(picture)
}

/// Spearman correlations between all RDMs.
fn likeness(rdms: &Rdms, bench: &mut Bench) -> Result<Findings, Failure> {
    let matrix = compare(rdms, rdms, Similarity::Spearman)?;
    let mut between = Vec::new();
    for i in 0..rdms.len() {
        for j in i + 1..rdms.len() {
            between.push(matrix[[i, j]]);
        }
    }
    let mean = format!("{} RDMs over {} stimuli", rdms.len(), rdms.n_stimuli());
    if between.is_empty() {
        return Ok(Findings::new(format!("{mean}.")));
    }
    let mean_rho = stats::mean(&between);
    bench.metric("spearman/mean", mean_rho, "1")?;
    bench.figure(figures::similarity(&matrix, rdms))?;
    Ok(Findings::new(format!(
        "{mean}; the mean Spearman correlation between two of them is {mean_rho:.3}."
    )))
}

fn load(config: &FitConfig, input: &Input, bench: &mut Bench) -> Result<Rdms, Failure> {
    let rules = RdmRules {
        symmetrise: config.symmetrise,
        missing: match config.missing {
            MissingChoice::Refuse => MissingPairs::Refuse,
            MissingChoice::DropStimuli => MissingPairs::DropStimuli,
            MissingChoice::Impute => MissingPairs::Impute,
        },
        negative: if config.refuse_negative {
            Negative::Refuse
        } else {
            Negative::Warn
        },
    };
    let how = ReadRdms {
        rules,
        layout: match config.layout {
            LayoutChoice::Auto => Layout::Auto,
            LayoutChoice::Square => Layout::Square,
            LayoutChoice::Condensed => Layout::Condensed,
        },
        variable: config.variable.clone(),
        labels: config.labels.clone(),
    };
    let only_recording = |path: &Path| {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        matches!(extension.as_deref(), Some("nwb" | "parquet"))
    };
    let recordings = config.epochs.is_some()
        || config.bins.is_some()
        || input.map.is_some()
        || input.span_s.is_some()
        || input.paths.iter().any(|p| only_recording(p));
    if !recordings {
        return Ok(read(&input.paths, &how)?);
    }
    from_recordings(config, input, rules, bench)
}

fn from_recordings(
    config: &FitConfig,
    input: &Input,
    rules: RdmRules,
    bench: &mut Bench,
) -> Result<Rdms, Failure> {
    let conditions = match (&config.epochs, config.bins) {
        (Some(kind), None) => Conditions::Epochs(kind.clone()),
        (None, Some(bins)) => Conditions::Bins(bins),
        _ => {
            return Err(SettingError::new(
                "epochs",
                "either epochs=KIND or bins=NUMBER, to say what the conditions of a recording are",
                match config.bins {
                    Some(_) => "both",
                    None => "neither",
                },
            )
            .into());
        }
    };
    let mut all: Option<Rdms> = None;
    let mut names: Option<Vec<String>> = None;
    for (path, recording) in input.paths.iter().zip(input.recordings(bench)?) {
        let (own, rdms) = of_recording(&recording, path, &conditions, config, rules)
            .map_err(|e| e.about(path.display()))?;
        if let Some(first) = &names
            && *first != own
        {
            return Err(SettingError::new(
                "epochs",
                format!("the same conditions in all recordings, in one order: {first:?}"),
                format!("{own:?} in {}", path.display()),
            )
            .into());
        }
        names = Some(own);
        all = Some(match all {
            None => rdms,
            Some(before) => before.concat(&rdms)?,
        });
    }
    let rdms = all.ok_or_else(|| SettingError::new("files", "at least one recording", "none"))?;
    bench.note(format!(
        "{} RDMs were made from {} recordings.",
        rdms.len(),
        input.paths.len()
    ));
    Ok(rdms)
}

/// The conditions of a recording, and one RDM for each region of its unit table.
fn of_recording(
    recording: &Recording,
    path: &Path,
    conditions: &Conditions,
    config: &FitConfig,
    rules: RdmRules,
) -> Result<(Vec<String>, Rdms), Failure> {
    let found = patterns(recording, conditions)?;
    let region = |i: usize| {
        recording.units()[i]
            .region
            .clone()
            .unwrap_or_else(|| "all".into())
    };
    let mut regions: Vec<String> = (0..recording.n_units()).map(region).collect();
    regions.sort();
    regions.dedup();
    let subject = match recording.session().subject.as_str() {
        "" => path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default(),
        subject => subject.to_owned(),
    };
    let distance = match config.distance {
        PatternDistance::Correlation => Distance::Correlation,
        PatternDistance::Euclidean => Distance::Euclidean,
        PatternDistance::SquaredEuclidean => Distance::SquaredEuclidean,
    };
    let mut order: Vec<usize> = (0..found.conditions.len()).collect();
    // Epochs come in the order of time, which differs between recordings.
    if matches!(conditions, Conditions::Epochs(_)) {
        order.sort_by(|&a, &b| found.conditions[a].cmp(&found.conditions[b]));
    }
    let mut rows = Vec::new();
    let mut labels = Vec::new();
    for name in regions {
        let units: Vec<usize> = (0..recording.n_units())
            .filter(|&i| region(i) == name)
            .collect();
        let values = found
            .values
            .select(ndarray::Axis(0), &order)
            .select(ndarray::Axis(1), &units);
        rows.extend(rdm(values.view(), &distance)?);
        labels.push(RdmLabel::new(subject.clone(), name));
    }
    let shape = (labels.len(), rows.len() / labels.len().max(1));
    let values = Array2::from_shape_vec(shape, rows).unwrap_or_default();
    let names: Vec<String> = order.iter().map(|&i| found.conditions[i].clone()).collect();
    let rdms = Rdms::from_condensed(values, labels, rules)?.with_stimuli(names.clone());
    Ok((names, rdms?))
}
