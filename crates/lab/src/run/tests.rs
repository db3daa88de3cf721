//! Runs on a disk that fails, stops and comes back. The study is a toy; killing the real binary is tested with it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chiasm_core::{Failure, Group, Quiet, SettingError, TimeAxis, Watch};
use chiasm_data::files::SyncWrite;
use chiasm_data::{Activity, DiskFiles, Draft, Files, Missing, Traces};
use rand::RngExt;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::bench::{Bench, Table};
use crate::figure::{Axis, Figure, Mark, Panel};
use crate::run::record::VerdictRecord;
use crate::study::{Paper, Settings};
use crate::{Area, Bound, ClaimKind, ClaimSpec, Entry, Findings, Input, Preset, Study, StudyInfo};

mod disk;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Config {
    stages: usize,
    scale: f64,
    figure: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stages: 3,
            scale: 0.1 + 0.2,
            figure: true,
        }
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.stages > 0, "stages", "at least 1", self.stages)
    }
}

struct Toy;

static INFO: StudyInfo = StudyInfo {
    name: "toy",
    area: Area::Structure,
    title: "t",
    summary: "s",
    home: "tests",
    inputs: "none",
    paper: Paper {
        card: 1,
        title: "t",
        authors: "a",
        venue: "v",
        year: 2000,
        link: "l",
    },
};

impl Study for Toy {
    type Config = Config;

    fn info(&self) -> &'static StudyInfo {
        &INFO
    }

    fn claims(&self) -> Vec<ClaimSpec> {
        let claim = |id, metric, bound| ClaimSpec {
            id,
            statement: id,
            place: "here",
            kind: ClaimKind::Exact,
            paper: None,
            metric,
            bound,
            reason: "r",
        };
        vec![
            claim("holds", "sum", Bound::AtLeast(0.0)),
            claim("fails", "sum", Bound::AtLeast(1e9)),
            claim("gone", "nothing", Bound::AtLeast(0.0)),
            claim("excused", "nothing", Bound::AtLeast(0.0)),
            claim("partly", "odd seeds", Bound::AtLeast(0.0)),
        ]
    }

    fn run(&self, config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
        let mut all = Vec::new();
        for i in 0..config.stages {
            let part: Vec<f64> = bench.stage(&format!("part/{i}"), |b| {
                let streams = b.streams().child("part");
                let draw = |j| streams.indexed("x", 100 * i + j).random::<f64>();
                let part = (0..100usize).into_par_iter().map(draw).collect();
                b.note(format!("part {i} of seed {}", b.streams().seed()));
                b.log("loss", i as f64, if i == 1 { f64::NAN } else { 0.5 });
                Ok(part)
            })?;
            all.extend(part);
        }
        bench.note("said by all");
        bench.not_at_this_scale("excused", "too small");
        bench.metric("sum", config.scale * all.iter().sum::<f64>(), "1")?;
        bench.metric("a/b", all[0], "s")?;
        if bench.streams().seed() % 2 == 1 {
            bench.metric("odd seeds", 1.0, "1")?;
        }
        let line = Mark::Line {
            series: "x".into(),
            x: vec![0.0, 1.0, 2.0],
            y: vec![all[0], f64::NAN, all[1]],
        };
        let panel = Panel::new("", Axis::new("time", "s"), Axis::new("x", "1")).with(line);
        if config.figure {
            bench.figure(Figure::new("a/b", "t", "c").with(panel))?;
        }
        let table = |id: &str| Table {
            id: id.into(),
            title: "t".into(),
            columns: vec!["x, y".into()],
            rows: vec![vec!["\"quoted\"".into()]],
        };
        // Two names that are one as file names.
        bench.table(table("a b"))?;
        bench.table(table("a/b"))?;
        let traces = Traces {
            time: TimeAxis::Regular {
                start_s: 0.0,
                rate_hz: 2.0,
                len: 4,
            },
            values: ndarray::Array2::from_shape_fn((4, 2), |(i, j)| all[2 * i + j] as f32),
            quantity: String::new(),
        };
        bench.recording(
            "r",
            Draft::new(Activity::Traces(traces)).validate(Missing::Refuse)?,
        )?;
        Ok(Findings::new(format!("sum of {}", all.len())))
    }
}

fn entry() -> Entry {
    Entry::without_data(Toy, "a toy")
}

fn plan(entry: &Entry, seeds: Vec<u64>) -> Plan<'_> {
    Plan {
        entry,
        preset: Preset::Quick,
        config: entry.study().preset(Preset::Quick),
        seeds,
        input: None,
        build: Build::default(),
        command: "chiasm run toy".into(),
    }
}

fn quiet() -> Arc<dyn Watch + Send> {
    Arc::new(Quiet)
}

/// Everything a run left, but what differs between two runs of the same plan.
fn results(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fn collect(root: &Path, folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
        for path in folder::entries(folder) {
            if path.is_dir() {
                collect(root, &path, all);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .expect("below")
                .display()
                .to_string();
            let mut bytes = std::fs::read(&path).expect("readable");
            if name == "run.json" {
                let mut record: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
                let record = record.as_object_mut().expect("object");
                for key in ["provenance", "wall_s", "peak_memory_bytes"] {
                    record.remove(key);
                }
                bytes = serde_json::to_vec(&record).expect("JSON");
            }
            if name != "report.html" {
                all.push((name, bytes));
            }
        }
    }
    let mut all = Vec::new();
    collect(folder, folder, &mut all);
    all
}

fn fresh(seeds: Vec<u64>, at_once: bool) -> (TempDir, PathBuf, RunRecord) {
    let dir = TempDir::new().expect("temp");
    let folder = dir.path().join("run");
    let entry = entry();
    let run = Run::create(
        &plan(&entry, seeds),
        &Place::At(folder.clone()),
        Arc::new(DiskFiles),
    );
    let record = run.expect("creates").execute(&entry, &quiet(), at_once);
    (dir, folder, record.expect("runs"))
}

#[test]
fn a_run_leaves_its_record_and_files() {
    let (_dir, folder, record) = fresh(vec![4, 5], false);
    assert_eq!(read(&folder).expect("reads"), record);
    assert_eq!(record.status, Status::Finished);
    let names: Vec<String> = results(&folder).into_iter().map(|(n, _)| n).collect();
    assert_eq!(
        names,
        [
            "claims.json",
            "config.toml",
            "figures/a_b.csv",
            "figures/a_b.json",
            "figures/a_b.png",
            "figures/a_b.seed-5.csv",
            "figures/a_b.seed-5.json",
            "figures/a_b.seed-5.png",
            "figures/a_b.seed-5.svg",
            "figures/a_b.svg",
            "metrics.parquet",
            "recordings/r.npz",
            "recordings/r.seed-5.npz",
            "run.json",
            "tables/a_b-2.csv",
            "tables/a_b-2.seed-5.csv",
            "tables/a_b.csv",
            "tables/a_b.seed-5.csv",
        ]
    );
    for file in record
        .figures
        .iter()
        .flat_map(|f| [&f.svg, &f.png, &f.data, &f.spec])
    {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert!(folder.join("report.html").is_file());
    let spec = std::fs::read(folder.join(&record.figures[0].spec)).expect("reads");
    let figure: Figure = serde_json::from_slice(&spec).expect("a figure");
    let Mark::Line { y, .. } = &figure.panels[0].marks[0] else {
        panic!("a line");
    };
    assert!(y[1].is_nan() && figure.id == "a/b");
    let verdicts: Vec<_> = record
        .claims
        .iter()
        .map(|c| (c.id.as_str(), c.verdict))
        .collect();
    use VerdictRecord::{Fails, Holds, NotAtThisScale};
    let expected = [
        ("holds", Holds),
        ("fails", Fails),
        ("gone", Fails),
        ("excused", NotAtThisScale),
        ("partly", Fails),
    ];
    assert_eq!(verdicts, expected);
    assert_eq!(record.metrics["odd seeds"].values, [None, Some(1.0)]);
    assert!(record.metrics["sum"].spread.is_some_and(|s| s > 0.0));
    assert_eq!(
        record.series["loss"][0].values,
        [Some(0.5), None, Some(0.5)]
    );
    let said: Vec<_> = record.notes.iter().map(|n| n.seed).collect();
    assert_eq!(
        said.iter().filter(|s| s.is_none()).count(),
        1,
        "shared notes once"
    );
    assert_eq!(said.len(), 7);
    assert!(!record.provenance.machine.is_empty() && record.provenance.finished.is_some());
    let table = std::fs::read_to_string(folder.join("tables/a_b.csv")).expect("table");
    assert_eq!(table, "\"x, y\"\n\"\"\"quoted\"\"\"\n");
}

#[test]
fn settings_stand_as_toml_that_reads_back_to_the_same_bits() {
    let (_dir, folder, record) = fresh(vec![0], false);
    let entry = entry();
    let mut config = entry.study().preset(Preset::Paper);
    crate::settings::set_from_file(
        &entry.study().schema(),
        &mut config,
        &folder.join("config.toml"),
    )
    .expect("reads");
    assert_eq!(config, record.config);
    assert_eq!(config["scale"], serde_json::json!(0.1 + 0.2));
}

#[test]
fn metrics_stand_in_parquet() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let (_dir, folder, _) = fresh(vec![1, 2], false);
    let file = std::fs::File::open(folder.join("metrics.parquet")).expect("file");
    let reader = SerializedFileReader::new(file).expect("parquet");
    let rows: Vec<String> = reader
        .get_row_iter(None)
        .expect("rows")
        .map(|r| r.expect("row").to_string())
        .collect();
    // a/b and sum on two seeds, odd seeds on one, three points of loss on two.
    assert_eq!(rows.len(), 2 + 2 + 1 + 6);
    assert!(
        rows[0].contains("name: \"a/b\"") && rows[0].contains("step: null"),
        "{}",
        rows[0]
    );
    assert!(
        rows[6].contains("name: \"loss\"") && rows[6].contains("value: null"),
        "{}",
        rows[6]
    );
}

#[test]
fn threads_and_order_of_seeds_in_time_change_no_bit() {
    let (_a, one, _) = fresh(vec![3, 1, 2], false);
    let (_b, at_once, _) = fresh(vec![3, 1, 2], true);
    let single = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("pool");
    let (_c, single, _) = single.install(|| fresh(vec![3, 1, 2], true));
    assert_eq!(results(&one), results(&at_once));
    assert_eq!(results(&one), results(&single));
}

/// Cancels after a number of checks.
struct CancelAfter(AtomicUsize);

impl Watch for CancelAfter {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .is_err()
    }
}

#[test]
fn a_cancelled_run_goes_on_to_the_same_bits() {
    let (_dir, sound, _) = fresh(vec![1, 2], false);
    let entry = entry();
    for checks in 0..8 {
        let dir = TempDir::new().expect("temp");
        let folder = dir.path().join("run");
        let run = Run::create(
            &plan(&entry, vec![1, 2]),
            &Place::At(folder.clone()),
            Arc::new(DiskFiles),
        );
        let watch: Arc<dyn Watch + Send> = Arc::new(CancelAfter(AtomicUsize::new(checks)));
        let stopped = run.expect("creates").execute(&entry, &watch, false);
        assert_eq!(stopped.expect_err("cancelled").group(), Group::Cancelled);
        assert_eq!(read(&folder).expect("reads").status, Status::Stopped);
        let run = Run::resume(&folder, &Build::default(), Arc::new(DiskFiles)).expect("resumes");
        let record = run.execute(&entry, &quiet(), false).expect("ends");
        assert_eq!(record.provenance.resumed, 1);
        assert!(results(&folder) == results(&sound), "after {checks} checks");
    }
}

#[test]
fn checkpoints_of_another_build_are_not_mixed_in() {
    let entry = entry();
    let dir = TempDir::new().expect("temp");
    let folder = dir.path().join("run");
    let run = Run::create(
        &plan(&entry, vec![1]),
        &Place::At(folder.clone()),
        Arc::new(DiskFiles),
    );
    let watch: Arc<dyn Watch + Send> = Arc::new(CancelAfter(AtomicUsize::new(2)));
    run.expect("creates")
        .execute(&entry, &watch, false)
        .expect_err("cancelled");
    let files: Arc<dyn Files> = Arc::new(DiskFiles);
    let kept = |build: &Build| {
        let folder = folder.join("checkpoint/seed-1");
        let kept = checkpoint::SeedCheckpoints::new(folder, files.clone(), build.id());
        crate::bench::Checkpoints::load(&kept, "part/0").expect("reads")
    };
    assert!(kept(&Build::default()).is_some());
    let newer = Build {
        version: "9".into(),
        ..Build::default()
    };
    assert!(kept(&newer).is_none());
    // A flipped bit is no stage.
    let file = folder::entries(&folder.join("checkpoint/seed-1")).remove(0);
    let mut bytes = std::fs::read(&file).expect("reads");
    *bytes.last_mut().expect("bytes") ^= 1;
    std::fs::write(&file, bytes).expect("writes");
    let run = Run::resume(&folder, &Build::default(), files.clone()).expect("resumes");
    let damaged = run.execute(&entry, &quiet(), false).expect_err("damaged");
    assert!(damaged.to_string().contains("part/0"), "{damaged}");
    assert_eq!(read(&folder).expect("reads").status, Status::Failed);
}

#[test]
fn folders_are_never_overwritten_or_shared() {
    let (_dir, folder, _) = fresh(vec![1], false);
    let entry = entry();
    let files: Arc<dyn Files> = Arc::new(DiskFiles);
    let create = |place: Place| Run::create(&plan(&entry, vec![1]), &place, files.clone()).err();
    let refused = |f: Option<Failure>| f.and_then(|f| f.downcast_ref::<RunError>().cloned());
    let again = refused(create(Place::At(folder.clone())));
    assert!(
        matches!(
            again,
            Some(RunError::Exists {
                status: "finished",
                ..
            })
        ),
        "{again:?}"
    );
    let other = TempDir::new().expect("temp");
    std::fs::write(other.path().join("thesis.tex"), "x").expect("writes");
    let mixed = refused(create(Place::At(other.path().into())));
    assert!(matches!(mixed, Some(RunError::NotEmpty { ref found, .. }) if found == "thesis.tex"));
    // A run is held while it is worked on.
    let held = TempDir::new().expect("temp");
    let place = Place::At(held.path().into());
    let run = Run::create(&plan(&entry, vec![1]), &place, files.clone()).expect("creates");
    let busy = Run::resume(held.path(), &Build::default(), files.clone()).err();
    assert!(matches!(refused(busy), Some(RunError::Busy { .. })));
    drop(run);
    Run::resume(held.path(), &Build::default(), files.clone()).expect("free again");
    // Runs of one plan in one second get folders of their own.
    let root = TempDir::new().expect("temp");
    let under = Place::Under(root.path().into());
    let runs: Vec<Run> = (0..3)
        .map(|_| Run::create(&plan(&entry, vec![1]), &under, files.clone()).expect("creates"))
        .collect();
    let mut paths: Vec<&Path> = runs.iter().map(Run::path).collect();
    paths.dedup();
    assert_eq!(paths.len(), 3);
    assert_eq!(runs_of(root.path(), "toy").len(), 3);
    // A finished run is taken up without work or change.
    let before = std::fs::read(folder.join("run.json")).expect("reads");
    let run = Run::resume(&folder, &Build::default(), files.clone()).expect("resumes");
    run.execute(&entry, &quiet(), false).expect("as it is");
    assert_eq!(
        std::fs::read(folder.join("run.json")).expect("reads"),
        before
    );
    assert!(!folder.join("lock").exists());
}

#[test]
fn bad_plans_and_records_are_refused() {
    let entry = entry();
    let files: Arc<dyn Files> = Arc::new(DiskFiles);
    let dir = TempDir::new().expect("temp");
    let place = Place::At(dir.path().join("run"));
    let refusal = |p: Plan<'_>| {
        let failure = Run::create(&p, &place, files.clone())
            .err()
            .expect("refused");
        assert!(!dir.path().join("run").exists(), "nothing is made");
        (failure.group(), failure.to_string())
    };
    assert!(
        refusal(plan(&entry, vec![]))
            .1
            .contains("at least one seed")
    );
    assert!(refusal(plan(&entry, vec![1, 1])).1.contains("only once"));
    let bad = Plan {
        config: serde_json::json!({"stages": 0, "scale": 1.0, "figure": true}),
        ..plan(&entry, vec![1])
    };
    assert_eq!(
        refusal(bad),
        (
            Group::Input,
            "setting `stages`: expected at least 1, found 0".into()
        )
    );
    let data = Plan {
        input: Some(Input::default()),
        ..plan(&entry, vec![1])
    };
    assert!(refusal(data).1.contains("takes no data of your own: a toy"));

    std::fs::create_dir_all(dir.path().join("x")).expect("makes");
    let file = dir.path().join("x/run.json");
    let reading = |text: &str| {
        std::fs::write(&file, text).expect("writes");
        read(&dir.path().join("x"))
            .expect_err("refused")
            .to_string()
    };
    assert!(reading("{\"format\": 99}").contains("format 99, this chiasm reads up to 1"));
    assert!(reading("{").contains("not readable"));
    assert!(reading("{}").contains("not readable"));
    assert!(
        read(dir.path())
            .expect_err("no run")
            .to_string()
            .contains("no run here")
    );
}
