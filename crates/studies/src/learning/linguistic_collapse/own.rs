//! What the own language models say: each measure against the loss, over models and within one width.

use chiasm_analysis::collapse::{Correlation, correlate};
use chiasm_core::{Failure, stats};
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;

use super::config::Config;
use super::corpus::{self, Tokens};
use super::models::{self, Course, Job, Measures};
use super::published::MEASURES;
use super::{claims, figures_own};

/// Least number of models (card 50, works when 5).
const LEAST: usize = 12;

/// Measures of models beside their loss.
pub(super) struct Association {
    /// In the order of [`MEASURES`].
    pub(super) own: Vec<Correlation>,
    /// With shuffled labels.
    pub(super) shuffled: Vec<Correlation>,
}

/// Trains and measures all models; leaves metrics, tables and figures, and what was found, in words.
pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<String, Failure> {
    let language = &config.language;
    if language.widths.is_empty() {
        for claim in claims::OWN_MODELS {
            bench.not_at_this_scale(claim, "no language models: language.widths is empty");
        }
        return Ok("No language model was trained.".into());
    }
    let tokens = corpus::load(language, bench)?;
    let jobs = Job::all(language);
    let epochs: usize = jobs.iter().map(|j| j.epochs).sum();
    bench.watch().stage("language models", epochs as u64);
    let courses = bench.arms(jobs.len(), |i, bench| {
        let name = format!("model-{}", jobs[i].name());
        bench.stage(&name, |bench| {
            models::train(jobs[i], (language, &tokens), bench)
        })
    })?;
    table(&courses, bench)?;
    bench.metric("own/models", courses.len() as f64, "1")?;
    bench.metric("own/train-tokens", tokens.train.len() as f64, "1")?;
    bench.metric("own/validation-tokens", tokens.validation.len() as f64, "1")?;
    bench.metric("own/classes-seen", courses[0].n_classes as f64, "1")?;
    let mismatches = courses.iter().filter(|c| {
        let model = c.job.model(language, tokens.vocabulary);
        c.n_parameters != model.n_parameters()
    });
    bench.metric("own/parameter-mismatches", mismatches.count() as f64, "1")?;
    bench.figure(figures_own::losses(&courses, &tokens.name))?;
    bench.figure(figures_own::through_training(&courses, &tokens.name))?;
    if courses.len() < 3 {
        for claim in claims::OWN_MODELS {
            bench.not_at_this_scale(claim, "correlations need three models or more");
        }
        return Ok(format!("{} language models were trained.", courses.len()));
    }
    let found = associate(&courses, config, bench)?;
    report(&found, &courses, bench)?;
    if courses.len() < LEAST {
        let why = format!(
            "asks for {LEAST} models or more; these are {}",
            courses.len()
        );
        for claim in claims::OWN_MODELS {
            bench.not_at_this_scale(claim, why.clone());
        }
    }
    bench.figure(figures_own::measures_and_loss(&courses, &tokens.name))?;
    bench.figure(figures_own::strengths(&found))?;
    Ok(sentence(&found, &courses, &tokens))
}

fn losses(courses: &[Course]) -> Vec<f64> {
    courses.iter().map(|c| c.last().loss).collect()
}

/// One measure of all models.
pub(super) fn values(courses: &[Course], place: usize, of: fn(&Course) -> Measures) -> Vec<f64> {
    courses.iter().map(|c| of(c).values()[place]).collect()
}

pub(super) fn own(course: &Course) -> Measures {
    course.last().own
}

pub(super) fn shuffled(course: &Course) -> Measures {
    course.last().shuffled
}

fn associate(courses: &[Course], config: &Config, bench: &Bench) -> Result<Association, Failure> {
    let loss = losses(courses);
    let of = |name: &str, of: fn(&Course) -> Measures| -> Result<Vec<Correlation>, Failure> {
        let streams = bench.streams().child(name);
        let each = MEASURES.iter().enumerate().map(|(i, (measure, _))| {
            let x = values(courses, i, of);
            // One value for all models, such as no agreement at all, goes with nothing.
            if x.iter().all(|v| *v == x[0]) {
                return Ok(Correlation {
                    n: x.len(),
                    pearson: 0.0,
                    spearman: 0.0,
                    pearson_p: 1.0,
                    spearman_p: 1.0,
                });
            }
            let streams = streams.child(measure);
            Ok(correlate(&x, &loss, config.shuffles, &streams)?)
        });
        each.collect()
    };
    Ok(Association {
        own: of("own", own)?,
        shuffled: of("own shuffled", shuffled)?,
    })
}

pub(super) fn at(name: &str) -> usize {
    MEASURES.iter().position(|(n, _)| *n == name).unwrap_or(0)
}

/// The claims' measures.
const CLAIMED: [&str; 3] = ["cdnv", "log_kern_var", "agreement"];

/// Mean Spearman correlation within models of one width, where size has no part in it; widths of three models or more.
fn within_widths(courses: &[Course], place: usize, of: fn(&Course) -> Measures) -> f64 {
    let mut widths: Vec<usize> = courses.iter().map(|c| c.job.width).collect();
    widths.sort_unstable();
    widths.dedup();
    let each = widths.iter().filter_map(|width| {
        let same: Vec<&Course> = courses.iter().filter(|c| c.job.width == *width).collect();
        let x: Vec<f64> = same.iter().map(|c| of(c).values()[place]).collect();
        let y: Vec<f64> = same.iter().map(|c| c.last().loss).collect();
        let correlation = stats::spearman(&x, &y);
        // Of one value for all there is none.
        (same.len() > 2 && correlation.is_finite()).then_some(correlation)
    });
    stats::mean(&each.collect::<Vec<f64>>())
}

fn report(found: &Association, courses: &[Course], bench: &mut Bench) -> Result<(), Failure> {
    for (i, (measure, _)) in MEASURES.iter().enumerate() {
        for (name, correlations, of) in [
            ("own", &found.own, own as fn(&Course) -> Measures),
            ("own-shuffled", &found.shuffled, shuffled),
        ] {
            let c = correlations[i];
            bench.metric(&format!("{name}/spearman/{measure}"), c.spearman, "1")?;
            bench.metric(&format!("{name}/pearson/{measure}"), c.pearson, "1")?;
            bench.metric(&format!("{name}/p/{measure}"), c.spearman_p, "1")?;
            let within = within_widths(courses, i, of);
            if within.is_finite() {
                bench.metric(&format!("{name}/within-width/{measure}"), within, "1")?;
            }
        }
    }
    let strength = |name: &str| found.own[at(name)].spearman.abs();
    let gap = strength("log_kern_var") - strength("norms_log_var");
    bench.metric("own/uniformity-over-norms", gap, "1")?;
    let strongest = CLAIMED.map(|m| found.shuffled[at(m)].spearman.abs());
    bench.metric(
        "own/shuffled",
        strongest.into_iter().fold(0.0, f64::max),
        "1",
    )
}

fn table(courses: &[Course], bench: &mut Bench) -> Result<(), Failure> {
    let head = [
        "layers",
        "width",
        "epochs",
        "decay",
        "parameters",
        "training loss",
        "validation loss",
    ];
    let columns = head
        .iter()
        .copied()
        .chain(MEASURES.iter().map(|(name, _)| *name));
    let rows = courses.iter().map(|c| {
        let last = c.last();
        let number = |v: f64| format!("{v:.4}");
        let mut row = vec![
            c.job.blocks.to_string(),
            c.job.width.to_string(),
            c.job.epochs.to_string(),
            c.job.decay.to_string(),
            c.n_parameters.to_string(),
            last.train_loss.map_or_else(String::new, number),
            number(last.loss),
        ];
        row.extend(last.own.values().iter().map(|v| format!("{v:.4e}")));
        row
    });
    bench.table(Table {
        id: "models".into(),
        title: "Own language models: loss (nats) and measures of collapse at the end of training"
            .into(),
        columns: columns.map(String::from).collect(),
        rows: rows.collect(),
    })
}

fn sentence(found: &Association, courses: &[Course], tokens: &Tokens) -> String {
    let s = |m: &str| found.own[at(m)].spearman;
    let control = CLAIMED.map(|m| found.shuffled[at(m)].spearman);
    let stand_in = if tokens.is_stand_in {
        " (a stand-in for a text)"
    } else {
        ""
    };
    let (best, worst) = losses(courses)
        .into_iter()
        .fold((f64::INFINITY, 0.0f64), |(a, b), v| (a.min(v), b.max(v)));
    format!(
        "Over {} own language models on {}{stand_in}, whose validation loss goes from {worst:.2} to {best:.2} nats, the loss goes with \
         the variance over distance by {:.2}, with the variance of the log kernel by {:.2}, with agreement by {:.2} and with the variance \
         of log norms by {:.2} (Spearman); with the labels of the tokens shuffled the first three are {:.2}, {:.2} and {:.2}.",
        courses.len(),
        tokens.name,
        s("cdnv"),
        s("log_kern_var"),
        s("agreement"),
        s("norms_log_var"),
        control[0],
        control[1],
        control[2]
    )
}
