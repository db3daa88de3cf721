//! The measures on own features of a vocabulary.

use std::fmt::Write as _;
use std::path::Path;

use chiasm_analysis::collapse::{
    Agreement, Classifier, CollapseError, Decisions, Duality, Means, Norms, PairMeasures, Spread,
    Sums, Within, duality, duality_error, norms, orthogonality, simplex_error, simplex_error_floor,
};
use chiasm_core::{Failure, Inside, SettingError};
use chiasm_data::{DataError, NamedArrays, Place};
use chiasm_lab::bench::{Document, Table};
use chiasm_lab::{Bench, Findings, Input};
use ndarray::{Array2, Axis};

use super::config::FitConfig;
use super::figures;
use crate::learning::samples::{matrix, whole};

/// Features and token ids of one file.
struct Shard {
    x: Array2<f64>,
    labels: Vec<usize>,
}

fn shard(path: &Path, config: &FitConfig) -> Result<Shard, Failure> {
    let file = NamedArrays::open(path)?;
    let x = matrix(&file, &config.variable, "features, [sample, feature]")?;
    let values = file.vector(&config.labels)?;
    let labels = whole(&values, |i, v| {
        file.fault(&config.labels, Some(i), "a token id, from 0", v)
    })?;
    if labels.len() != x.nrows() {
        let expected = format!("{}, one for each sample", x.nrows());
        return Err(file
            .fault(&config.labels, None, expected, labels.len())
            .into());
    }
    Ok(Shard { x, labels })
}

/// What is measured of some of the classes.
struct Measured {
    n_classes: usize,
    n_samples: u64,
    norms: Norms,
    simplex: f64,
    pairs: PairMeasures,
    dual: Option<(f64, Duality)>,
}

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    if input.paths.is_empty() {
        let place = Place::dataset("input");
        return Err(DataError::invalid(place, "at least one shard", "none").into());
    }
    let about = |path: &Path| {
        let name = path.display().to_string();
        move |e: Failure| e.about(name)
    };
    let classifier = match &config.classifier {
        None => None,
        Some(path) => Some(classifier(path).map_err(about(path))?),
    };
    let n_classes = n_classes(config, input, classifier.as_ref())?;
    bench.watch().stage("passes", 2 * input.paths.len() as u64);
    let means: Means = bench.stage("means", |bench| {
        let mut sums: Option<Sums> = None;
        for path in &input.paths {
            bench.watch().check()?;
            let own = shard(path, config)?;
            let sums = match &mut sums {
                Some(sums) => sums,
                none => none.insert(Sums::new(n_classes, own.x.ncols())?),
            };
            let added = sums.add(own.x.view(), &own.labels);
            added.map_err(|e| about(path)(e.into()))?;
            bench.watch().tick(1);
        }
        let sums = sums.ok_or_else(|| SettingError::new("files", "at least one shard", "none"))?;
        Ok(sums.means())
    })?;
    let within: Within = bench.stage("spread", |bench| {
        let mut spread = Spread::new(&means);
        for path in &input.paths {
            bench.watch().check()?;
            let own = shard(path, config)?;
            let added = spread.add(&means, own.x.view(), &own.labels);
            added.map_err(|e| about(path)(e.into()))?;
            bench.watch().tick(1);
        }
        Ok(spread.within(&means)?)
    })?;
    let decisions = match (&config.validation, &classifier) {
        (Some(path), Some(classifier)) => {
            let own = shard(path, config)?;
            let mut decisions = Decisions::new(&means);
            let added = decisions.add((&means, classifier), own.x.view(), &own.labels);
            added.map_err(|e| about(path)(e.into()))?;
            Some(decisions)
        }
        _ => None,
    };
    let classes = means.seen(config.min_count);
    let whole = measure(
        &classes,
        (&means, &within),
        classifier.as_ref(),
        config,
        bench,
    )?;
    let agreement = decisions
        .as_ref()
        .map(|d| d.agreement(&means))
        .transpose()?;
    let ood = match &config.elsewhere {
        None => None,
        Some(path) => Some(elsewhere(path, config, &means, &classes).map_err(about(path))?),
    };
    say(&whole, &means, config, bench);
    report(&whole, agreement, ood, bench)?;
    by_frequency(
        &classes,
        (&means, &within),
        classifier.as_ref(),
        config,
        bench,
    )?;
    listing(
        &classes,
        (&means, &within),
        whole.dual.as_ref(),
        decisions.as_ref(),
        bench,
    )?;
    Ok(findings(&whole, &means, agreement))
}

fn classifier(path: &Path) -> Result<Classifier, Failure> {
    let file = NamedArrays::open(path)?;
    let name = match file.names() {
        [one] => one.clone(),
        _ => "weights".into(),
    };
    let weights = matrix(&file, &name, "weights, [class, feature]")?;
    Ok(Classifier::new(weights.view(), None)?)
}

fn n_classes(
    config: &FitConfig,
    input: &Input,
    classifier: Option<&Classifier>,
) -> Result<usize, Failure> {
    let by_weights = classifier.map(|c| c.weights().nrows());
    match (config.classes, by_weights) {
        (Some(n), Some(w)) if n != w => {
            let expected = format!("{w}, the classes of the classifier");
            Err(SettingError::new("classes", expected, n).into())
        }
        (Some(n), _) | (None, Some(n)) => Ok(n),
        (None, None) => {
            let mut most = 0;
            for path in &input.paths {
                let own = shard(path, config)?;
                most = most.max(own.labels.iter().max().map_or(0, |m| m + 1));
            }
            Ok(most)
        }
    }
}

fn measure(
    classes: &[usize],
    (means, within): (&Means, &Within),
    classifier: Option<&Classifier>,
    config: &FitConfig,
    bench: &Bench,
) -> Result<Measured, Failure> {
    let (centered, _) = means.centered(classes)?;
    let variances: Vec<f64> = classes.iter().map(|&c| within.variances[c]).collect();
    let dual = match classifier {
        None => None,
        Some(classifier) => {
            let own = classifier.weights().select(Axis(0), classes);
            let error = duality_error(own.view(), centered.view())?;
            Some((error, duality(own.view(), centered.view())?))
        }
    };
    let pairs = config
        .pairs
        .measure(centered.view(), &variances, &Inside(bench.watch()))
        .map_err(|e| match e {
            // Rows of the kept classes, named by their token ids.
            CollapseError::Duplicates {
                what,
                first,
                second,
            } => CollapseError::Duplicates {
                what,
                first: classes[first],
                second: classes[second],
            },
            other => other,
        })?;
    Ok(Measured {
        n_classes: classes.len(),
        n_samples: classes.iter().map(|&c| means.counts()[c]).sum(),
        norms: norms(centered.view())?,
        simplex: simplex_error(centered.view())?,
        pairs,
        dual,
    })
}

fn elsewhere(
    path: &Path,
    config: &FitConfig,
    means: &Means,
    classes: &[usize],
) -> Result<f64, Failure> {
    let file = NamedArrays::open(path)?;
    let x = matrix(&file, &config.variable, "features, [sample, feature]")?;
    let mut sums = Sums::new(1, x.ncols())?;
    sums.add(x.view(), &vec![0; x.nrows()])?;
    let mean = sums.means().values().row(0).to_owned();
    let own = means.values().select(Axis(0), classes);
    Ok(orthogonality(own.view(), &mean)?)
}

/// What must not be lost.
fn say(whole: &Measured, means: &Means, config: &FitConfig, bench: &mut Bench) {
    let (all, kept) = (means.n_classes(), whole.n_classes);
    if kept < all {
        bench.note(format!(
            "{} of {all} classes have fewer than {} samples and are left out.",
            all - kept,
            config.min_count
        ));
    }
    let pairs = &whole.pairs;
    if pairs.n_same_mean > 0 {
        bench.note(format!(
            "{} pairs of classes have one mean: left out of CDNV.",
            pairs.n_same_mean
        ));
    }
    if pairs.n_same_direction > 0 {
        bench.note(format!(
            "{} pairs of classes have one direction, or a mean that is that of all: left out of the kernels.",
            pairs.n_same_direction
        ));
    }
    if whole.norms.n_zero > 0 {
        bench.note(format!(
            "{} classes have the mean of all classes: left out of log norms.",
            whole.norms.n_zero
        ));
    }
}

/// The row of a table, in the columns of the published one.
fn report(
    whole: &Measured,
    agreement: Option<Agreement>,
    ood: Option<f64>,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let mut row: Vec<(&str, f64)> = vec![
        ("cdnv", whole.pairs.cdnv),
        ("norms_mean", whole.norms.norms.mean),
        ("norms_var", whole.norms.norms.variance),
        ("norms_variation", whole.norms.variation),
        ("norms_log_mean", whole.norms.log_norms.mean),
        ("norms_log_var", whole.norms.log_norms.variance),
        ("interfere_mean", whole.pairs.interference.mean),
        ("interfere_var", whole.pairs.interference.variance),
        ("etf_error", whole.simplex),
        ("log_kern_mean", whole.pairs.log_kernel.mean),
        ("log_kern_var", whole.pairs.log_kernel.variance),
    ];
    if let Some(r) = whole.pairs.riesz {
        row.extend([("riesz_kern_mean", r.mean), ("riesz_kern_var", r.variance)]);
    }
    if let Some((error, dual)) = &whole.dual {
        row.extend([
            ("dual_error", *error),
            ("simdot_mean", dual.product.mean),
            ("simdot_var", dual.product.variance),
            ("simcos_mean", dual.cosine.mean),
            ("simcos_var", dual.cosine.variance),
            ("dists_mean", dual.distance.mean),
            ("dists_var", dual.distance.variance),
        ]);
    }
    if let Some(a) = agreement {
        row.extend([
            ("hits", a.hits as f64),
            ("misses", (a.n_samples - a.hits) as f64),
            ("agreement", a.agreement),
            ("agreement_with_unseen", a.with_unseen),
            ("val_acc", a.accuracy),
            ("nearest_acc", a.nearest_accuracy),
            ("val_unseen", a.n_unseen as f64),
        ]);
    }
    if let Some(o) = ood {
        row.push(("orthogonality", o));
    }
    for (name, value) in &row {
        bench.metric(name, *value, "1")?;
    }
    bench.table(Table {
        id: "row".into(),
        title: "The measures, named as in the published table".into(),
        columns: ["measure", "value"].map(String::from).to_vec(),
        rows: row
            .iter()
            .map(|(name, v)| vec![(*name).into(), format!("{v:.6e}")])
            .collect(),
    })
}

/// The same by bins of classes, from the rarest.
fn by_frequency(
    classes: &[usize],
    passes: (&Means, &Within),
    classifier: Option<&Classifier>,
    config: &FitConfig,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let mut order = classes.to_vec();
    let counts = passes.0.counts();
    order.sort_by_key(|&c| (counts[c], c));
    let size = order.len().div_ceil(config.bins.max(1));
    // A bin of fewer than three classes says nothing.
    if config.bins == 0 || size < 3 {
        return Ok(());
    }
    let (mut names, mut rows) = (vec![], vec![]);
    let mut series = [
        ("CDNV", vec![]),
        ("variance of log kernel", vec![]),
        ("mean cosine to the classifier", vec![]),
    ];
    for bin in order.chunks(size).filter(|bin| bin.len() >= 3) {
        let mut own = bin.to_vec();
        own.sort_unstable();
        let found = measure(&own, passes, classifier, config, bench)?;
        let (least, most) = (counts[bin[0]], counts[bin[bin.len() - 1]]);
        names.push(format!("{least} to {most}"));
        let cosine = found.dual.as_ref().map(|(_, d)| d.cosine.mean);
        series[0].1.push(found.pairs.cdnv);
        series[1].1.push(found.pairs.log_kernel.variance);
        series[2].1.push(cosine.unwrap_or(f64::NAN));
        rows.push(vec![
            format!("{least} to {most}"),
            found.n_classes.to_string(),
            found.n_samples.to_string(),
            format!("{:.4e}", found.pairs.cdnv),
            format!("{:.4}", found.norms.variation),
            format!("{:.4e}", found.pairs.log_kernel.variance),
            format!("{:.4}", found.simplex),
            cosine.map_or(String::new(), |c| format!("{c:.4}")),
        ]);
    }
    bench.table(Table {
        id: "bins".into(),
        title: "By frequency of the classes".into(),
        columns: [
            "samples of a class",
            "classes",
            "samples",
            "CDNV",
            "variation of norms",
            "variance of log kernel",
            "distance from a simplex",
            "mean cosine to the classifier",
        ]
        .map(String::from)
        .to_vec(),
        rows,
    })?;
    let shown = if classifier.is_some() { 3 } else { 2 };
    bench.figure(figures::bins(&names, &series[..shown]))
}

/// Class by class: which ones have collapsed.
fn listing(
    classes: &[usize],
    (means, within): (&Means, &Within),
    dual: Option<&(f64, Duality)>,
    decisions: Option<&Decisions>,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let (centered, _) = means.centered(classes)?;
    let judged: Vec<(u64, u64)> = decisions.map_or(vec![], |d| d.by_class().collect());
    let mut text = String::from("class,samples,variance,norm,cosine,validation_samples,hits\n");
    for (i, &c) in classes.iter().enumerate() {
        let m = centered.row(i);
        let cosine = dual.map_or(String::new(), |(_, d)| d.cosines[i].to_string());
        let (n, hits) = judged
            .get(c)
            .map_or((String::new(), String::new()), |(n, h)| {
                (n.to_string(), h.to_string())
            });
        let (count, variance) = (means.counts()[c], within.variances[c]);
        let norm = m.dot(&m).sqrt();
        let _ = writeln!(text, "{c},{count},{variance},{norm},{cosine},{n},{hits}");
    }
    bench.document(Document {
        id: "classes".into(),
        title: "Every class: samples, scatter, norm of its centered mean, cosine to the classifier, agreement".into(),
        ending: "csv".into(),
        text,
    })?;
    let of = |f: &dyn Fn(usize) -> f64| classes.iter().map(|&c| f(c)).collect::<Vec<f64>>();
    let counts = of(&|c| means.counts()[c] as f64);
    bench.figure(figures::classes(counts, of(&|c| within.variances[c])))
}

fn findings(whole: &Measured, means: &Means, agreement: Option<Agreement>) -> Findings {
    let floor = simplex_error_floor(means.n_features(), whole.n_classes);
    let findings = Findings::new(format!(
        "{} classes with {} samples of {} features: class-distance normalized variance {:.3e}; norms of the means vary by {:.2} of \
         themselves; their log kernel has the mean {:.3} and the variance {:.4} (random directions: -.347 and {:.4}); their \
         distance from a simplex is {:.3}, where {floor:.3} is the least that so many classes allow.",
        whole.n_classes,
        whole.n_samples,
        means.n_features(),
        whole.pairs.cdnv,
        whole.norms.variation,
        whole.pairs.log_kernel.mean,
        whole.pairs.log_kernel.variance,
        1.0 / (4.0 * means.n_features() as f64),
        whole.simplex,
    ));
    match agreement {
        None => findings,
        Some(a) => findings.and(format!(
            "On {} validation samples, {} of them of classes never seen, the classifier decides as the nearest class mean does in \
             {:.1} % ({:.1} % where classes never seen stand at zero); it is right in {:.1} %.",
            a.n_samples,
            a.n_unseen,
            100.0 * a.agreement,
            100.0 * a.with_unseen,
            100.0 * a.accuracy
        )),
    }
}
