//! The effect on real images (paper 55's motivation; card 55, F): a small convolutional network learns from few photographs
//! at a large step that falls half-way to the small one, and at the small step throughout.

use chiasm_core::{Failure, SettingError};
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_net::network::{
    Layer, Network, Nonlinearity, Pooling, Schedule, Targets, Training, TrainingConfig, Window,
};
use chiasm_net::train::Rule;
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::photographs::{self, Photographs};

/// The network and how it learns. Not the paper's, which was not seen: chosen for two minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Photos {
    /// Photographs to learn from, drawn for each seed.
    pub train: usize,
    /// Photographs to test on.
    pub test: usize,
    /// Channels of the two convolutions.
    pub channels: [usize; 2],
    /// Passes over the photographs.
    pub epochs: usize,
    /// Photographs in a batch.
    pub batch: usize,
    /// The large step, until half of the passes are done.
    pub large: f64,
    /// The small step.
    pub small: f64,
    /// Networks of each kind; a pair of them has one start and one order of batches.
    pub draws: usize,
}

impl Default for Photos {
    fn default() -> Self {
        Self {
            train: 1000,
            test: 2000,
            channels: [8, 16],
            epochs: 40,
            batch: 16,
            large: 0.1,
            small: 0.01,
            draws: 2,
        }
    }
}

impl Photos {
    pub(super) fn paper() -> Self {
        Self {
            train: 50_000,
            test: 10_000,
            channels: [32, 64],
            draws: 5,
            ..Self::default()
        }
    }

    pub(super) fn smoke() -> Self {
        Self {
            train: 40,
            test: 20,
            channels: [2, 2],
            epochs: 2,
            draws: 1,
            ..Self::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        for (field, n, most) in [
            ("train", self.train, 50_000),
            ("test", self.test, 10_000),
            ("channels", self.channels[0].min(self.channels[1]), 4096),
            ("epochs", self.epochs, 100_000),
            ("batch", self.batch, 50_000),
            ("draws", self.draws, 1000),
        ] {
            let expected = format!("1 to {most}");
            let field = format!("photos.{field}");
            SettingError::check((1..=most).contains(&n), &field, &expected, n)?;
        }
        for (field, v) in [("photos.large", self.large), ("photos.small", self.small)] {
            SettingError::check(v.is_finite() && v > 0.0, field, "a number above 0", v)?;
        }
        let expected = format!("more than the small step, {}", self.small);
        let fine = self.large > self.small;
        SettingError::check(fine, "photos.large", &expected, self.large)
    }

    fn layers(&self, [channels, rows, columns]: [usize; 3]) -> Vec<Layer> {
        let [first, second] = self.channels;
        let pool = |image| Layer::Pool {
            window: Window::tiles(image, 2),
            pooling: Pooling::Max,
        };
        let (half_rows, half_columns) = (rows / 2, columns / 2);
        vec![
            Layer::convolution(Window::same([channels, rows, columns]), first),
            Layer::Each(Nonlinearity::Relu),
            pool([first, rows, columns]),
            Layer::convolution(Window::same([first, half_rows, half_columns]), second),
            Layer::Each(Nonlinearity::Relu),
            pool([second, half_rows, half_columns]),
            Layer::dense(10),
        ]
    }
}

/// One network's course, pass by pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Course {
    loss: Vec<f64>,
    train: Vec<f64>,
    test: Vec<f64>,
}

impl Course {
    /// Share of passes after the first whose loss is above that of the pass before.
    fn rises(&self) -> f64 {
        let rises = self.loss.windows(2).filter(|w| w[1] > w[0]).count();
        rises as f64 / (self.loss.len() - 1).max(1) as f64
    }
}

fn last(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or_default()
}

const ARMS: [&str; 2] = ["large, then small", "small"];

pub(super) fn run(photos: &Photos, bench: &mut Bench) -> Result<(), Failure> {
    let found = photographs::load(true, (photos.train, photos.test), bench)?;
    let (train, test) = (&found.train, &found.test);
    let all = Photographs::all;
    let (x, seen): (Array2<f32>, _) = (train.rows(&all(train)), test.rows(&all(test)));
    let (labels, held_out) = (train.images().labels(), test.images().labels());
    let (channels, rows, columns) = train.images().shape();
    let layers = photos.layers([channels, rows, columns]);
    let jobs = ARMS.len() * photos.draws;
    let passes = (jobs * photos.epochs) as u64;
    bench.watch().stage("photographs", passes);
    let courses = bench.arms(jobs, |job, bench| {
        let (arm, draw) = (job % ARMS.len(), job / ARMS.len());
        bench.stage(&format!("photographs-{arm}-{draw}"), |bench| {
            let streams = bench.streams().child(&format!("photographs {draw}"));
            let start = Network::new(x.ncols(), &layers, &mut streams.stream("start"))?;
            let (rate, factor) = match arm {
                0 => (photos.large, photos.small / photos.large),
                _ => (photos.small, 1.0),
            };
            let config = TrainingConfig {
                epochs: photos.epochs,
                batch: photos.batch,
                optimizer: Rule::Sgd { momentum: 0.0 },
                rate,
                schedule: Schedule::Steps {
                    after: vec![photos.epochs.div_ceil(2)],
                    factor,
                },
                ..TrainingConfig::default()
            };
            let mut training: Training<f32> = config.start(start)?;
            let mut course = Course {
                loss: vec![],
                train: vec![],
                test: vec![],
            };
            while !training.done() {
                let watch = bench.watch();
                let epoch = training.epoch(x.view(), Targets::Classes(labels), &streams, watch)?;
                let told = training.network().classify(seen.view())?;
                let right = told.iter().zip(held_out).filter(|(a, b)| a == b).count();
                course.loss.push(epoch.loss);
                course.train.push(epoch.accuracy);
                course.test.push(right as f64 / held_out.len() as f64);
                bench.watch().tick(1);
            }
            Ok(course)
        })
    })?;
    let of = |arm: usize| courses.iter().skip(arm).step_by(ARMS.len());
    let mean = |arm: usize, value: &dyn Fn(&Course) -> f64| {
        of(arm).map(value).sum::<f64>() / photos.draws as f64
    };
    let gap = mean(0, &|c| last(&c.test)) - mean(1, &|c| last(&c.test));
    let least = courses.iter().map(|c| last(&c.train));
    bench.metric("photographs/gap", gap, "1")?;
    bench.metric("photographs/train-least", least.fold(1.0, f64::min), "1")?;
    for (arm, name) in ["large", "small"].into_iter().enumerate() {
        bench.metric(
            &format!("photographs/test-{name}"),
            mean(arm, &|c| last(&c.test)),
            "1",
        )?;
        bench.metric(
            &format!("photographs/rises-{name}"),
            mean(arm, &Course::rises),
            "1",
        )?;
    }
    let rises = mean(0, &Course::rises) - mean(1, &Course::rises);
    bench.metric("photographs/rises-gap", rises, "1")?;
    bench.figure(figure(photos, &courses, &found.name))
}

fn figure(photos: &Photos, courses: &[Course], source: &str) -> Figure {
    let panel = |title: &str, y: Axis, value: fn(&Course) -> &[f64]| {
        let panel = Panel::new(title, Axis::new("passes", "1"), y);
        courses
            .iter()
            .enumerate()
            .fold(panel, |panel, (job, course)| {
                let y = value(course).to_vec();
                panel.with(Mark::Line {
                    series: ARMS[job % ARMS.len()].into(),
                    x: (1..=y.len()).map(|e| e as f64).collect(),
                    y,
                })
            })
    };
    Figure::new(
        "photographs",
        "A large step on real images",
        &format!(
            "A network of two convolutions on {} images ({source}), by plain stochastic descent in batches of {}: at a step of {} that \
             falls to {} half-way, and at {} throughout, {} networks of each from the same starts. The large step's loss rises now \
             and then; what it learned is told by the test images.",
            photos.train, photos.batch, photos.large, photos.small, photos.small, photos.draws
        ),
    )
    .with(panel("learning", Axis::new("loss", "nats").log(), |c| &c.loss))
    .with(panel("images not learned from", Axis::new("accuracy", "1"), |c| &c.test))
}
