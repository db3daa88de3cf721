//! The measures on own features.

use chiasm_analysis::collapse::{Classifier, Collapse};
use chiasm_core::Failure;
use chiasm_data::{DataError, Place};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};

use super::config::FitConfig;
use super::figures;
use crate::learning::samples::{Names, Samples, of_arrays, of_recordings};

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let all = load(config, input, bench)?;
    let mut found = vec![];
    for samples in &all {
        bench.watch().check()?;
        let own = measure(samples).map_err(|e| e.about(&samples.name))?;
        if own.fewest == 1 {
            bench.note(format!(
                "{}: a class has one sample; classes of one have no scatter, and NC1 is the lower for it.",
                samples.name
            ));
        }
        found.push(own);
    }
    report(&all, &found, bench)?;
    let (first, last) = (&found[0], &found[found.len() - 1]);
    let head = format!(
        "{} sets of features were measured, of {} samples in {} classes (the first).",
        all.len(),
        all[0].labels.len(),
        all[0].n_classes
    );
    Ok(Findings::new(head).and(if found.len() > 1 {
        format!(
            "From the first to the last NC1 goes from {:.3} to {:.3}, NC1~ from {:.3} to {:.3}, NC2 from {:.3} to {:.3}.",
            first.ratio, last.ratio, first.quotient, last.quotient, first.simplex, last.simplex
        )
    } else {
        format!(
            "NC1 is {:.3}, NC1~ {:.3}, NC2 {:.3}.",
            first.ratio, first.quotient, first.simplex
        )
    }))
}

fn load(config: &FitConfig, input: &Input, bench: &mut Bench) -> Result<Vec<Samples>, Failure> {
    if let Some(kind) = &config.epochs {
        return of_recordings(input, (kind, config.per_epoch), bench);
    }
    if input.paths.is_empty() {
        let place = Place::dataset("input");
        return Err(DataError::invalid(place, "at least one file", "none").into());
    }
    let names = Names {
        labels: config.labels.as_deref(),
        features: config.variable.as_deref(),
        weights: config.weights.as_deref(),
    };
    let each = input.paths.iter().map(|path| of_arrays(path, &names));
    each.collect()
}

fn measure(samples: &Samples) -> Result<Collapse, Failure> {
    let classifier = samples.weights.as_ref();
    let classifier = classifier
        .map(|w| Classifier::new(w.view(), None))
        .transpose()?;
    let n = samples.n_classes;
    let found = Collapse::of(samples.x.view(), &samples.labels, n, classifier.as_ref())?;
    Ok(found)
}

fn report(all: &[Samples], found: &[Collapse], bench: &mut Bench) -> Result<(), Failure> {
    let mut rows = vec![];
    for (i, (samples, own)) in all.iter().zip(found).enumerate() {
        let mut row = vec![
            samples.name.clone(),
            samples.labels.len().to_string(),
            samples.x.ncols().to_string(),
        ];
        let agreement = own.agreement.map(|a| a.agreement);
        let accuracy = own.agreement.map(|a| a.accuracy);
        for (name, value) in [
            ("nc1", Some(own.ratio)),
            ("nc1-quotient", Some(own.quotient)),
            ("nc2", Some(own.simplex)),
            ("nc3", own.duality),
            ("nc4", agreement),
            ("accuracy", accuracy),
        ] {
            if let Some(value) = value {
                bench.metric(&format!("{name}/{i}"), value, "1")?;
            }
            row.push(value.map_or(String::new(), |v| format!("{v:.5}")));
        }
        rows.push(row);
    }
    bench.table(Table {
        id: "measures".into(),
        title: "How far each set of features has collapsed".into(),
        columns: [
            "features", "samples", "width", "NC1", "NC1~", "NC2", "NC3", "NC4", "accuracy",
        ]
        .map(String::from)
        .to_vec(),
        rows,
    })?;
    let names: Vec<String> = all.iter().map(|s| s.name.clone()).collect();
    let of = |f: &dyn Fn(&Collapse) -> f64| found.iter().map(f).collect::<Vec<f64>>();
    let mut series = vec![
        ("NC1", of(&|c| c.ratio)),
        ("NC1~", of(&|c| c.quotient)),
        ("NC2", of(&|c| c.simplex)),
    ];
    if found.iter().any(|c| c.duality.is_some()) {
        series.push(("NC3", of(&|c| c.duality.unwrap_or(f64::NAN))));
    }
    bench.figure(figures::measured(&names, &series))
}
