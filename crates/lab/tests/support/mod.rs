//! A finished run with something of everything that a report shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chiasm_core::{Failure, Quiet, SettingError};
use chiasm_data::DiskFiles;
use chiasm_lab::bench::{Bench, Table};
use chiasm_lab::run::{Build, Place, Plan, Run, RunRecord};
use chiasm_lab::study::{Paper, Settings};
use chiasm_lab::{Area, Bound, ClaimKind, ClaimSpec, Entry, Findings, Preset, Study, StudyInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[path = "../../examples/gallery/figures.rs"]
mod gallery;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Config {
    /// Number of communities.
    communities: usize,
    /// Noise of the planted recording.
    noise: Noise,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Noise {
    /// Standard deviation.
    level: f64,
    /// Kind of noise.
    kind: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            communities: 4,
            noise: Noise {
                level: 0.1,
                kind: "white".into(),
            },
        }
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(
            self.communities > 0,
            "communities",
            "1 or more",
            self.communities,
        )
    }
}

struct Demonstration;

static INFO: StudyInfo = StudyInfo {
    name: "report-demonstration",
    area: Area::Recordings,
    title: "Communities of neurons that change in time",
    summary: "Plants communities in a made-up recording, looks for them with three methods & compares <what was found> \
              with what was planted.",
    home: "tests::support",
    inputs: "nothing",
    paper: Paper {
        card: 1,
        title: "A made-up paper with a title that is long enough to need two lines on a phone",
        authors: "A. Author, B. Other and C. Third",
        venue: "Journal of Made-up Results",
        year: 2024,
        link: "https://doi.org/10.0000/example",
    },
};

impl Study for Demonstration {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        let claim = |id, statement, kind, paper, metric, bound, reason| ClaimSpec {
            id,
            statement,
            place: "Figure 3b",
            kind,
            paper,
            metric,
            bound,
            reason,
        };
        vec![
            claim(
                "recovery",
                "The planted communities are found at low noise, whatever their number.",
                ClaimKind::Scaled,
                Some("0.95 ± 0.02"),
                "nmi/ours",
                Bound::AtLeast(0.9),
                "the paper's figure less two standard deviations",
            ),
            claim(
                "chance",
                "Shuffled recordings show no communities.",
                ClaimKind::Qualitative,
                None,
                "nmi/shuffled",
                Bound::AtMost(0.05),
                "the level of independent labels",
            ),
            claim(
                "scaling",
                "Memory grows with the square of the number of neurons.",
                ClaimKind::Exact,
                Some("2"),
                "memory_exponent",
                Bound::Within {
                    value: 2.0,
                    tolerance: 0.05,
                },
                "an exact count",
            ),
        ]
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        let part = bench.streams().seed() as f64 * 0.004;
        bench.metric("nmi/ours", 0.937_412 + part, "1")?;
        bench.metric("nmi/shuffled", 0.113 - part, "1")?;
        bench.metric("time_to_fit", 1.234_567_8, "s")?;
        bench.not_at_this_scale("scaling", "needs recordings of 10 000 neurons and more");
        bench.note("Sampling times were missing; a rate of 2 Hz stood in for them.");
        for step in 0..60 {
            let step = f64::from(step);
            bench.log("loss", step, (-step / 12.0).exp() + 0.02 + part);
            bench.log(
                "log likelihood/held out",
                step,
                -300.0 + 40.0 * (step / 9.0).tanh(),
            );
        }
        for figure in gallery::all() {
            bench.figure(figure)?;
        }
        bench.table(Table {
            id: "alignment".into(),
            title: "Alignment of communities with behavior".into(),
            columns: [
                "community",
                "neurons",
                "aligned with",
                "r (1)",
                "p, family-wise (1)",
                "share of time (%)",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: (0..config.communities)
                .map(|k| {
                    vec![
                        format!("{}", k + 1),
                        [
                            "AVA, AVE, RIM, RIB and 14 others",
                            "RIV, SMDV",
                            "AVB, RIB",
                            "URY",
                        ][k % 4]
                            .into(),
                        ["reversals", "turns", "forward runs", "–"][k % 4].into(),
                        format!("{:.8}", 0.91 - 0.2 * k as f64),
                        format!("{:.8}", 0.0015 * (1 + k * k * 30) as f64),
                        format!("{}", 12 + 7 * k),
                    ]
                })
                .collect(),
        })?;
        Ok(Findings::new(
            "All four planted communities were found: the agreement with the truth is 0.94, against 0.11 in shuffled \
             recordings.",
        )
        .and("Community 1 follows the reversals; the others follow nothing that was measured."))
    }
}

/// Runs the demonstration over two seeds in this folder; returns its record and where it is.
pub(crate) fn finished_run(folder: &Path) -> (RunRecord, PathBuf) {
    let entry = Entry::without_data(Demonstration, "it is made up");
    let place = folder.join("run");
    let plan = Plan {
        entry: &entry,
        preset: Preset::Quick,
        config: entry.study().preset(Preset::Quick),
        seeds: vec![1, 2],
        input: None,
        build: Build {
            version: "0.1.0".into(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            compiler: "rustc 1.95.0".into(),
            target: "x86_64-unknown-linux-gnu, release".into(),
        },
        command: "chiasm run report-demonstration --preset quick --seeds 2 --set noise.level=0.1"
            .into(),
    };
    let files = Arc::new(DiskFiles);
    let run = Run::create(&plan, &Place::At(place.clone()), files).expect("a new run");
    let watch: Arc<dyn chiasm_core::Watch + Send> = Arc::new(Quiet);
    let record = run.execute(&entry, &watch, false).expect("finishes");
    (record, place)
}
