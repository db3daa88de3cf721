//! The same on own images.

use chiasm_core::{Failure, SettingError};
use chiasm_data::color_images::{Channels, ColorImages};
use chiasm_data::{DataError, Place};
use chiasm_lab::bench::Table;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_lab::{Bench, Figure, Findings, Input};
use chiasm_net::perceptrons::{Perceptron, Pixels};
use chiasm_net::train::Rule;

use super::arms::{self, Arm, Kind, Trained};
use super::figures;
use super::fit_config::FitConfig;
use super::images::{Data, draw};

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let data = load(config, input, bench)?;
    let n = data.train.len();
    let least = config.shares.first().map_or(n, |s| part(n, *s));
    let expected = format!("at most {least}, the images that the smallest share learns from");
    SettingError::check(config.batch <= least, "batch", &expected, config.batch)?;
    let arms = all_arms(config, n);
    let steps: usize = arms.iter().map(|a| a.epochs).sum();
    bench.watch().stage("training", steps as u64);
    let trained = bench.arms(arms.len(), |i, bench| arms::train(&arms[i], &data, bench))?;
    let all: Vec<(Arm, Trained)> = arms.into_iter().zip(trained).collect();
    report(config, &all, &data, bench)?;
    let widest = &all[config.widths.len() - 1];
    let labels = data.test.images().labels();
    let mut counts = vec![0; data.n_classes()];
    labels.iter().for_each(|l| counts[*l] += 1);
    let commonest = counts.iter().max().copied().unwrap_or(0) as f64 / labels.len() as f64;
    let last = widest.1.last().accuracy;
    let views = widest.1.views_accuracy.unwrap_or(last);
    Ok(Findings::new(format!(
        "{} tells {:.1} % of {} test images of {} classes ({:.1} % by the mean over {} views); the commonest class is {:.1} % of them. Of \
         the images it learned from it tells {:.1} %.",
        name_of(&widest.0),
        100.0 * last,
        labels.len(),
        counts.len(),
        100.0 * views,
        config.views,
        100.0 * commonest,
        100.0 * widest.1.train_accuracy
    )))
}

fn name_of(arm: &Arm) -> String {
    match arm.kind {
        Kind::Perceptron(p) | Kind::NoNorm(p) => p.to_string(),
        Kind::Linear => "linear".into(),
    }
}

fn part(n: usize, share: f64) -> usize {
    (share * n as f64) as usize
}

fn load(config: &FitConfig, input: &Input, bench: &mut Bench) -> Result<Data, Failure> {
    let [path] = &input.paths[..] else {
        let found = format!("{} paths", input.paths.len());
        let expected = "one folder of images, CLASS/NAME.jpg";
        return Err(DataError::invalid(Place::dataset("input"), expected, found).into());
    };
    let size = (config.side, config.side);
    let channels = if config.grey {
        Channels::Grey
    } else {
        Channels::Color
    };
    let read = |path: &std::path::Path| ColorImages::folder(path, size, channels);
    let (train, test) = if path.join("train").is_dir() && path.join("test").is_dir() {
        let (train, test) = (read(&path.join("train"))?, read(&path.join("test"))?);
        if train.classes() != test.classes() {
            let place = Place::dataset("test").in_file(path);
            let expected = format!("the classes of `train`: {}", train.classes().join(", "));
            return Err(DataError::invalid(place, expected, test.classes().join(", ")).into());
        }
        // In an order that is as good as any: shares of the images are the first of them.
        (draw(&train, train.len(), bench, "train"), test)
    } else {
        split(&read(path)?, config.test_share, path, bench)?
    };
    let (mean, sd) = Pixels::moments(&train);
    Ok(Data {
        train: Pixels::new(train, &mean, &sd)?,
        test: Pixels::new(test, &mean, &sd)?,
        name: path.display().to_string(),
        is_cifar: false,
    })
}

/// Keeps a share of each class for testing, at least one image.
fn split(
    all: &ColorImages,
    share: f64,
    path: &std::path::Path,
    bench: &mut Bench,
) -> Result<(ColorImages, ColorImages), Failure> {
    let shuffled = draw(all, all.len(), bench, "split");
    let (mut train, mut test) = (vec![], vec![]);
    for (class, name) in all.classes().iter().enumerate() {
        let labels = shuffled.labels().iter().enumerate();
        let own: Vec<usize> = labels
            .filter(|(_, l)| **l == class)
            .map(|(i, _)| i)
            .collect();
        if own.len() < 2 {
            let place = Place::dataset(name.clone()).in_file(path);
            let expected =
                "at least two images of each class, to learn from one and test on the other";
            return Err(DataError::invalid(place, expected, own.len()).into());
        }
        let n = ((share * own.len() as f64).round() as usize).clamp(1, own.len() - 1);
        test.extend_from_slice(&own[..n]);
        train.extend_from_slice(&own[n..]);
    }
    // Back in the order of the shuffle, so that the first images are of all classes.
    train.sort_unstable();
    test.sort_unstable();
    bench.note(format!(
        "There is no folder `test`: {} of {} images, drawn from each class, were kept for testing.",
        test.len(),
        all.len()
    ));
    Ok((shuffled.select(&train), shuffled.select(&test)))
}

fn all_arms(config: &FitConfig, n: usize) -> Vec<Arm> {
    let arm = |name: String, width: usize, n_train: usize| Arm {
        name,
        kind: Kind::Perceptron(Perceptron::bottleneck(config.depth, width)),
        augmentation: config.augmentation,
        smoothing: config.smoothing,
        rule: Rule::LION,
        rate: config.rate,
        batch: config.batch,
        epochs: config.epochs,
        n_train,
        views: 0,
        keep_every: config.keep_every,
    };
    let widths = config.widths.iter();
    let mut arms: Vec<Arm> = widths.map(|w| arm(format!("width/{w}"), *w, n)).collect();
    if let Some(widest) = arms.last_mut() {
        widest.views = config.views;
    }
    let width = config.widths[config.widths.len() - 1];
    for share in &config.shares {
        arms.push(arm(format!("images/{share}"), width, part(n, *share)));
    }
    arms
}

fn report(
    config: &FitConfig,
    all: &[(Arm, Trained)],
    data: &Data,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let percent = |v: f64| 100.0 * v;
    let mut rows = vec![];
    for (arm, trained) in all {
        let (last, name) = (trained.last(), &arm.name);
        bench.metric(&format!("{name}/accuracy"), percent(last.accuracy), "%")?;
        let train = percent(trained.train_accuracy);
        bench.metric(&format!("{name}/train-accuracy"), train, "%")?;
        bench.metric(&format!("{name}/loss-above-floor"), last.loss, "nats")?;
        bench.metric(&format!("{name}/compute"), last.compute, "multiply-adds")?;
        rows.push(vec![
            name_of(arm),
            arm.n_train.to_string(),
            format!("{:.1}", percent(last.accuracy)),
            format!("{:.1}", train),
            format!("{:.2e}", last.compute),
        ]);
    }
    let widest = &all[config.widths.len() - 1].1;
    let views = widest.views_accuracy.unwrap_or(widest.last().accuracy);
    bench.metric("views/accuracy", percent(views), "%")?;
    bench.table(Table {
        id: "networks".into(),
        title: "All networks".into(),
        columns: [
            "network",
            "images",
            "test accuracy (%)",
            "on images learned from (%)",
            "multiply-adds",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })?;
    bench.figure(curves(config, all, data))?;
    bench.figure(courses(all))?;
    bench.figure(figures::confusion(&widest.told, data))?;
    bench.figure(figures::filters(
        &[("first layer", widest)],
        data.train.images().shape(),
    ))
}

/// Accuracy over width and over images.
fn curves(config: &FitConfig, all: &[(Arm, Trained)], data: &Data) -> Figure {
    let accuracy = |t: &Trained| 100.0 * t.last().accuracy;
    let (widths, shares) = all.split_at(config.widths.len());
    let by_width: Vec<(f64, f64)> = config
        .widths
        .iter()
        .zip(widths)
        .map(|(w, (_, t))| (*w as f64, accuracy(t)))
        .collect();
    let mut by_images: Vec<(f64, f64)> = shares
        .iter()
        .map(|(arm, t)| (arm.n_train as f64, accuracy(t)))
        .collect();
    by_images.push((
        data.train.len() as f64,
        accuracy(&widths[widths.len() - 1].1),
    ));
    let mut figure = Figure::new(
        "accuracy",
        "Width and images",
        "Test accuracy at the end, over the width of the network and, for the widest, over the images it learned from (as many passes each).",
    )
    .columns(2);
    for (title, label, pairs) in [
        ("width", "units of each layer", by_width),
        ("images", "images learned from", by_images),
    ] {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let panel = Panel::new(
            title,
            Axis::new(label, "1").log(),
            Axis::new("accuracy", "%"),
        );
        let points = Mark::Points {
            series: String::new(),
            x: x.clone(),
            y: y.clone(),
            labels: vec![],
        };
        let joined = Mark::Line {
            series: String::new(),
            x,
            y,
        };
        figure = figure.with(panel.with(joined).with(points));
    }
    figure
}

fn courses(all: &[(Arm, Trained)]) -> Figure {
    let mut panel = Panel::new("", Axis::new("pass", "1"), Axis::new("accuracy", "%"));
    for (arm, trained) in all {
        panel = panel.with(Mark::Line {
            series: arm.name.replace('/', " "),
            x: trained.course.iter().map(|m| m.epoch as f64).collect(),
            y: trained.course.iter().map(|m| 100.0 * m.accuracy).collect(),
        });
    }
    Figure::new(
        "training",
        "Accuracy on test images over training",
        "One line for each network: by width on all images, and by the share of the images for the widest.",
    )
    .with(panel)
}
