//! The experiment: exact checks, then networks over width, images, batches and parts.

use chiasm_core::Failure;
use chiasm_lab::{Bench, Findings};
use chiasm_net::perceptrons::{
    Augmentation, Interval, Perceptron, Point, ScalingLaw, Split, envelope, optimal_split,
    power_law,
};
use chiasm_net::train::Rule;

use super::arms::{self, Arm, Kind, Trained};
use super::config::Config;
use super::images::{self, Data};
use super::transfer::{self, Transferred};
use super::{checks, claims, figures, report};

/// All that was measured.
pub(super) struct Results {
    pub(super) arms: Vec<(Arm, Trained)>,
    pub(super) transfer: Transferred,
    /// Slope and R^2 of the line through the logarithms of compute and error at the end, over widths.
    pub(super) line: (f64, f64),
    pub(super) envelope: Vec<Point>,
    /// The law, a pure power law, and the law's confidence; none where the envelope has too few points.
    pub(super) law: Option<(ScalingLaw, ScalingLaw, Interval)>,
    pub(super) split: Option<Split>,
}

impl Results {
    pub(super) fn of(&self, name: &str) -> &Trained {
        let found = self.arms.iter().find(|(arm, _)| arm.name == name);
        &found.expect("an arm of this study").1
    }

    /// Accuracy at the end, percent.
    pub(super) fn accuracy(&self, name: &str) -> f64 {
        100.0 * self.of(name).last().accuracy
    }
}

/// The arm of a perceptron of bottlenecks.
fn arm(config: &Config, name: String, width: usize) -> Arm {
    Arm {
        name,
        kind: Kind::Perceptron(Perceptron::bottleneck(config.depth, width)),
        augmentation: config.augmentation,
        smoothing: config.smoothing,
        rule: Rule::LION,
        rate: config.widths.rate,
        batch: config.batch,
        epochs: config.widths.epochs,
        n_train: config.n_train,
        views: 0,
        keep_every: config.keep_every,
    }
}

fn all_arms(config: &Config) -> Vec<Arm> {
    let (width, epochs) = (config.data.width, config.widths.epochs);
    let blocks = &config.blocks;
    let part = |name: &str| Arm {
        augmentation: Augmentation::default(),
        rate: blocks.rate,
        epochs: blocks.epochs,
        ..arm(config, format!("blocks/{name}"), blocks.width)
    };
    let plain = Perceptron::standard(config.depth, blocks.width);
    let bottleneck = Perceptron::bottleneck(config.depth, blocks.width);
    let mut arms = vec![
        Arm {
            augmentation: config.augmentation,
            views: config.views,
            ..part("augmented")
        },
        part("bottleneck"),
        Arm {
            kind: Kind::NoNorm(bottleneck),
            ..part("no-norm")
        },
        Arm {
            kind: Kind::Perceptron(plain),
            ..part("standard")
        },
        Arm {
            kind: Kind::Linear,
            rate: blocks.linear_rate,
            smoothing: 0.0,
            ..part("linear")
        },
    ];
    for width in config.widths.widths.iter().rev() {
        arms.push(arm(config, format!("width/{width}"), *width));
    }
    for share in &config.data.shares {
        let n = (share * config.n_train as f64) as usize;
        let steps = config.n_train / config.batch * epochs;
        arms.push(Arm {
            n_train: n,
            // As many steps as with all images.
            epochs: (steps as f64 / (n / config.batch) as f64).round() as usize,
            ..arm(config, format!("data/{n}"), width)
        });
    }
    for batch in &config.descent.batches {
        let root = (*batch as f64 / config.batch as f64).sqrt();
        arms.push(Arm {
            batch: *batch,
            rate: config.widths.rate * root,
            ..arm(config, format!("batch/{batch}"), width)
        });
    }
    for (name, rule, rate) in [
        ("adamw", Rule::ADAMW, config.descent.adamw_rate),
        ("sgd", Rule::Sgd { momentum: 0.9 }, config.descent.sgd_rate),
    ] {
        arms.push(Arm {
            rule,
            rate,
            ..arm(config, format!("optimizer/{name}"), width)
        });
    }
    arms
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    bench.watch().stage("images", 0);
    let data = images::load(config, bench)?;
    bench.watch().stage("checks", 0);
    bench.stage("checks", |bench| checks::run(config, &data, bench))?;
    let arms = all_arms(config);
    let tuning = &config.transfer;
    let steps: usize = arms.iter().map(|a| a.epochs).sum();
    let steps = steps + tuning.epochs + 3 * tuning.tuning_epochs;
    bench.watch().stage("training", steps as u64);
    // The transfer is the first arm, which may run beside the others.
    enum Out {
        Transfer(Transferred),
        Arm(Box<Trained>),
    }
    let out = bench.arms(arms.len() + 1, |i, bench| match i.checked_sub(1) {
        None => bench
            .stage("transfer", |bench| transfer::run(config, &data, bench))
            .map(Out::Transfer),
        Some(i) => Ok(Out::Arm(Box::new(arms::train(&arms[i], &data, bench)?))),
    })?;
    let mut transferred = None;
    let mut trained = vec![];
    for one in out {
        match one {
            Out::Transfer(found) => transferred = Some(found),
            Out::Arm(found) => trained.push(*found),
        }
    }
    let arms: Vec<(Arm, Trained)> = arms.into_iter().zip(trained).collect();
    let results = laws(config, arms, transferred.expect("the first arm"), bench)?;
    report::metrics(config, &results, bench)?;
    at_scale(config, &results, &data, bench)?;
    for figure in figures::all(config, &results, &data) {
        bench.figure(figure)?;
    }
    bench.table(report::table(&results))?;
    Ok(report::findings(config, &results, &data))
}

/// How error falls with compute over the widths.
fn laws(
    config: &Config,
    arms: Vec<(Arm, Trained)>,
    transfer: Transferred,
    bench: &Bench,
) -> Result<Results, Failure> {
    let widths = config.widths.widths.iter();
    let names: Vec<String> = widths.map(|w| format!("width/{w}")).collect();
    let point = |m: &arms::Measure| Point {
        compute: m.compute,
        error: 1.0 - m.accuracy,
    };
    let mut runs = vec![];
    let mut ends = vec![];
    for name in &names {
        let own = arms.iter().find(|(arm, _)| arm.name == *name);
        let (_, trained) = own.expect("an arm for each width");
        let course: Vec<Point> = trained.course.iter().map(point).collect();
        ends.push(point(&trained.last()));
        runs.push((trained.parameters, trained.image_compute, course));
    }
    let all: Vec<Point> = runs.iter().flat_map(|r| r.2.clone()).collect();
    let envelope = envelope(&all);
    let law = match ScalingLaw::fit(&envelope) {
        // Too few points.
        Err(_) => None,
        Ok(law) => {
            let mut rng = bench.streams().stream("resamplings");
            let interval = ScalingLaw::interval(&envelope, config.resamplings, &mut rng)?;
            Some((law, ScalingLaw::fit_pure(&envelope)?, interval))
        }
    };
    Ok(Results {
        line: power_law(&ends),
        law,
        envelope,
        split: optimal_split(&runs, 24),
        arms,
        transfer,
    })
}

/// Claims that this run does not test; those of the card's own scale are measured only there.
fn at_scale(
    config: &Config,
    results: &Results,
    data: &Data,
    bench: &mut Bench,
) -> Result<(), Failure> {
    for (id, why) in claims::ELSEWHERE {
        bench.not_at_this_scale(id, why);
    }
    if results.law.is_none() {
        bench.not_at_this_scale("floor-fits-better", "too few points on the envelope");
    }
    if results.split.is_none() {
        bench.not_at_this_scale("data-hungry", "too few networks of like compute");
    }
    let card = Config::card();
    let common = |c: &Config| {
        let images = (c.n_train, c.n_test, c.batch, c.depth);
        (images, c.smoothing, c.augmentation)
    };
    let alike = data.is_cifar && common(config) == common(&card);
    if alike && config.widths == card.widths {
        let apart = report::from_card(config, results);
        bench.metric("card/accuracy-over-width", apart, "points")?;
    } else {
        let why = "the bar is for widths of 16 to 256 after 15 passes over CIFAR-10's 50,000 images; see the page for the settings";
        bench.not_at_this_scale(claims::CARD_WIDTHS, why);
    }
    let blocks = |c: &Config| (c.blocks.width, c.blocks.epochs, c.blocks.rate);
    for (id, metric, at_card) in claims::CARD_BLOCKS {
        if alike && blocks(config) == blocks(&card) {
            let measured = bench.record().metrics.iter().find(|m| m.name == metric);
            let value = measured.map_or(f64::NAN, |m| m.value);
            bench.metric(at_card, value, "points")?;
        } else {
            let why = format!(
                "the bar is for width 128 after 30 passes over CIFAR-10's 50,000 images (here: `{metric}`); see the page for the settings"
            );
            bench.not_at_this_scale(id, why);
        }
    }
    if !data.is_cifar {
        bench.note(format!(
            "Claims about accuracy are meant for CIFAR-10's photographs; these are {}.",
            data.name
        ));
    }
    Ok(())
}
