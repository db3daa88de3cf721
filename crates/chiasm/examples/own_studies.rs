//! A catalogue of your own on chiasm's command line: one small study, and its method on a file of numbers.
//!
//! ```text
//! cargo run --example own_studies -- run random-walk --seeds 3
//! cargo run --example own_studies -- fit random-walk numbers.txt
//! ```

use std::time::Duration;

use chiasm::cli::{Catalogue, main as command_line};
use chiasm::core::{Diagnose, Failure, Group, SettingError, TimeAxis, stats};
use chiasm::data::{Activity, DataError, Draft, Missing, Place, Traces};
use chiasm::lab::bench::Table;
use chiasm::lab::figure::{Axis, Mark, Panel};
use chiasm::lab::study::Paper;
use chiasm::lab::{
    Area, Bench, Bound, ClaimKind, ClaimSpec, Entry, Figure, Findings, Fit, Input, Preset,
    Settings, Study, StudyInfo,
};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the walk.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Config {
    /// Number of stages, each kept as it is done.
    stages: usize,
    /// Steps in each stage.
    steps: usize,
    /// Waits this long in each stage, ms: a stand-in for work.
    pause_ms: u64,
    /// How a step is made.
    step: Step,
    /// What goes wrong, to see what happens then.
    fault: Fault,
}

/// How a step is made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Step {
    /// Mean of a step.
    drift: f64,
    /// Half of its range.
    width: f64,
}

/// A fault on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    /// None.
    None,
    /// A panic in the last stage.
    Panic,
    /// A result that is not finite.
    NotFinite,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stages: 4,
            steps: 50,
            pause_ms: 0,
            step: Step {
                drift: 0.5,
                width: 1.0,
            },
            fault: Fault::None,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                steps: 5000,
                ..Self::default()
            },
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.stages > 0, "stages", "at least 1", self.stages)?;
        SettingError::check(self.steps > 0, "steps", "at least 1", self.steps)?;
        let width = self.step.width;
        SettingError::check(width > 0.0, "step.width", "a number above 0", width)
    }
}

/// A random walk with drift.
struct Walk;

static INFO: StudyInfo = StudyInfo {
    name: "random-walk",
    area: Area::Structure,
    title: "a random walk with drift",
    summary: "Walks at random with a drift, and measures the drift from the steps. \
              It stands here to show what a study needs.",
    home: "examples::own_studies",
    inputs: "a text file of numbers, one on each line",
    paper: Paper {
        card: 0,
        title: "On walking",
        authors: "A. Nonymous",
        venue: "Journal of Steps",
        year: 1905,
        link: "https://example.org/walk",
    },
};

impl Study for Walk {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        let claim = |id, statement, metric, bound| ClaimSpec {
            id,
            statement,
            place: "Section 2, Table 1",
            kind: ClaimKind::Qualitative,
            paper: Some("0.5"),
            metric,
            bound,
            reason: "three standard errors of the default length",
        };
        let near_half = Bound::Within {
            value: 0.5,
            tolerance: 0.13,
        };
        vec![
            claim("drift", "the mean step is the drift", "drift", near_half),
            claim(
                "forward",
                "the walk ends ahead of its start",
                "end",
                Bound::AtLeast(0.0),
            ),
            ClaimSpec {
                paper: None,
                ..claim(
                    "tail",
                    "the longest excursion grows with length",
                    "tail",
                    Bound::AtLeast(1.0),
                )
            },
        ]
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        let mut steps: Vec<f64> = Vec::new();
        bench.watch().stage("walk", config.stages as u64);
        for stage in 0..config.stages {
            let more: Vec<f64> = bench.stage(&format!("stage {stage}"), |bench| {
                std::thread::sleep(Duration::from_millis(config.pause_ms));
                if config.fault == Fault::Panic && stage + 1 == config.stages {
                    panic!("asked for");
                }
                let mut rng = bench.streams().indexed("steps", stage);
                let (drift, width) = (config.step.drift, config.step.width);
                let walk =
                    (0..config.steps).map(|_| drift + width * (2.0 * rng.random::<f64>() - 1.0));
                let walk: Vec<f64> = walk.collect();
                bench.log("mean step", stage as f64, stats::mean(&walk));
                Ok(walk)
            })?;
            steps.extend(more);
            bench.watch().tick(1);
            bench.watch().best("drift", stats::mean(&steps));
        }
        bench.not_at_this_scale("tail", "needs walks of a million steps");
        leave(&steps, config.fault, bench)
    }
}

/// Metrics, figure, table and recording of a walk.
fn leave(steps: &[f64], fault: Fault, bench: &mut Bench) -> Result<Findings, Failure> {
    let mut at = 0.0;
    let path: Vec<f64> = steps
        .iter()
        .map(|s| {
            at += s;
            at
        })
        .collect();
    let drift = match fault {
        Fault::NotFinite => f64::NAN,
        _ => stats::mean(steps),
    };
    bench.metric("drift", drift, "1")?;
    bench.metric("end", at, "1")?;
    let x: Vec<f64> = (0..path.len()).map(|i| i as f64).collect();
    let line = Mark::Line {
        series: "walk".into(),
        x,
        y: path.clone(),
    };
    let panel = Panel::new("", Axis::new("step", "1"), Axis::new("position", "1")).with(line);
    bench.figure(Figure::new("walk", "The walk", "Position after each step.").with(panel))?;
    bench.table(Table {
        id: "ends".into(),
        title: "Where the walk went".into(),
        columns: vec!["what".into(), "value".into()],
        rows: vec![vec!["end".into(), at.to_string()]],
    })?;
    let values = path.iter().map(|v| *v as f32).collect::<Vec<f32>>();
    let n = values.len();
    let traces = Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: n,
        },
        values: chiasm_array(values, n)?,
        quantity: "position".into(),
    };
    let recording = Draft::new(Activity::Traces(traces)).validate(Missing::Refuse)?;
    bench.recording("walk", recording)?;
    Ok(Findings::new(format!(
        "The mean of {} steps is {drift:.3}.",
        steps.len()
    )))
}

fn chiasm_array(values: Vec<f32>, n: usize) -> Result<ndarray::Array2<f32>, Failure> {
    let shaped = ndarray::Array2::from_shape_vec((n, 1), values);
    shaped.map_err(|e| DataError::invalid(Place::dataset("walk"), "one column", e).into())
}

/// The drift of the user's own steps.
struct Drift;

/// Settings of the fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
struct FitConfig {
    /// Numbers left out at the start.
    skip: usize,
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        Ok(())
    }
}

/// A line that is no number.
#[derive(Debug, thiserror::Error)]
#[error("{path}, line {line}: expected a number, found `{found}`")]
struct NoNumber {
    path: String,
    line: usize,
    found: String,
}

impl Diagnose for NoNumber {
    fn group(&self) -> Group {
        Group::Input
    }
}

impl Fit for Drift {
    type Config = FitConfig;

    fn fit(
        &self,
        config: &FitConfig,
        input: &Input,
        bench: &mut Bench,
    ) -> Result<Findings, Failure> {
        let mut steps = Vec::new();
        for path in &input.paths {
            let text = std::fs::read_to_string(path).map_err(|source| DataError::Io {
                path: path.clone(),
                action: "read",
                source,
            })?;
            for (i, line) in text.lines().enumerate() {
                steps.push(line.trim().parse::<f64>().map_err(|_| NoNumber {
                    path: path.display().to_string(),
                    line: i + 1,
                    found: line.into(),
                })?);
            }
        }
        let steps: Vec<f64> = steps.into_iter().skip(config.skip).collect();
        if steps.is_empty() {
            return Err(
                DataError::invalid(Place::dataset("steps"), "at least one number", "none").into(),
            );
        }
        leave(&steps, Fault::None, bench)
    }
}

fn main() {
    let catalogue = Catalogue {
        entries: vec![Entry::new(Walk, Drift)],
        systems: &chiasm::studies::SYSTEMS,
    };
    std::process::exit(command_line(&catalogue, std::env::args_os()).code());
}
