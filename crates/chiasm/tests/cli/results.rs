//! What is printed and left behind when all goes well.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Ended, Sandbox, masked, results};

/// Fails unless `instance` is valid under the schema that `chiasm show --schema KIND` prints.
pub(crate) fn assert_valid(kind: &str, instance: &Value) {
    let sandbox = Sandbox::new();
    let printed = sandbox.chiasm(&["show", "--schema", kind]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler
        .add_resource("schema.json", printed.json())
        .expect("a resource");
    let index = compiler
        .compile("schema.json", &mut schemas)
        .expect("a schema");
    if let Err(error) = schemas.validate(instance, index) {
        panic!("{kind}: {error:#}\n{instance:#}");
    }
    // And the schema refuses what is none.
    assert!(
        schemas.validate(&json!({"format": 1}), index).is_err(),
        "{kind}: anything goes"
    );
}

#[test]
fn all_56_systems_are_listed() {
    let sandbox = Sandbox::new();
    let list = sandbox.chiasm(&["list", "--json"]);
    assert_eq!(list.code, Some(0), "{}", list.all());
    let json = list.json();
    assert_valid("list", &json);
    let systems = json["studies"].as_array().expect("a list");
    let cards: Vec<u64> = systems.iter().filter_map(|s| s["card"].as_u64()).collect();
    assert_eq!(cards, (1..=56).collect::<Vec<u64>>());

    let text = sandbox.chiasm(&["list"]);
    for system in systems {
        let name = system["name"].as_str().expect("a name");
        assert!(text.stdout.contains(name), "{name} is missing");
    }
    assert!(
        text.stdout.lines().all(|l| l.chars().count() <= 80),
        "{}",
        text.stdout
    );

    let area = sandbox.chiasm(&["list", "structure", "--json"]).json();
    let names: Vec<&str> = area["studies"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|s| s["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "nested-dynamics",
            "self-sorting",
            "circuit-diagrams",
            "mgno"
        ]
    );
}

#[test]
fn a_study_is_shown_in_full() {
    let sandbox = Sandbox::new();
    let shown = sandbox.toy(&["show", "random-walk"]);
    masked(|| insta::assert_snapshot!("show", shown.all()));
    assert_valid(
        "show",
        &sandbox.toy(&["show", "random-walk", "--json"]).json(),
    );
}

#[test]
fn a_run_ends_with_its_claims() {
    let sandbox = Sandbox::new();
    let run = sandbox.toy(&["run", "random-walk", "--seeds", "3"]);
    masked(|| insta::assert_snapshot!("run", run.all()));
    assert!(
        run.stdout.lines().all(|l| l.chars().count() <= 80),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains('\x1b') && !run.stderr.contains('\x1b'));
}

#[test]
fn a_failed_claim_is_exit_code_1() {
    let sandbox = Sandbox::new();
    let run = sandbox.toy(&["run", "random-walk", "--set", "step.drift=-0.5", "--quiet"]);
    assert_eq!(run.code, Some(1), "{}", run.all());
    assert!(run.stdout.contains("FAILS"));
    assert_eq!(run.stderr, "");
}

#[test]
fn json_of_a_run_is_its_record_and_valid() {
    let sandbox = Sandbox::new();
    let args = [
        "run",
        "random-walk",
        "--seed",
        "5",
        "--seeds",
        "2",
        "--out",
        "run",
        "--json",
    ];
    let run = sandbox.toy(&args);
    assert_eq!(run.code, Some(0), "{}", run.all());
    let mut json = run.json();
    assert_valid("run", &json);
    assert_eq!(json["seeds"], json!([5, 6]));
    assert_eq!(json["study"]["name"], "random-walk");
    assert_eq!(json["paper"]["year"], 1905);
    assert_eq!(
        json["metrics"]["drift"]["values"].as_array().map(Vec::len),
        Some(2)
    );
    assert!(json["wall_s"].as_f64().is_some_and(|s| s > 0.0));
    if cfg!(target_os = "linux") {
        assert!(
            json["peak_memory_bytes"]
                .as_u64()
                .is_some_and(|b| b > 1 << 20)
        );
    }
    let claim = &json["claims"][0];
    for field in [
        "id",
        "statement",
        "paper",
        "bound",
        "measured",
        "spread",
        "verdict",
    ] {
        assert!(!claim[field].is_null(), "{field}: {claim}");
    }
    assert_eq!(json["claims"][2]["verdict"], "not-at-this-scale");
    assert_eq!(
        json["provenance"]["command"],
        "chiasm run random-walk --seed 5 --seeds 2"
    );
    // run.json is the same, without the two places.
    let fields = json.as_object_mut().expect("an object");
    assert_eq!(fields.remove("folder"), Some(json!("run")));
    assert_eq!(fields.remove("report"), Some(json!("run/report.html")));
    let kept = std::fs::read(sandbox.join("run/run.json")).expect("reads");
    assert_eq!(serde_json::from_slice::<Value>(&kept).expect("JSON"), json);
}

#[test]
fn threads_change_no_byte() {
    let sandbox = Sandbox::new();
    for threads in ["1", "4"] {
        let args = [
            "run",
            "random-walk",
            "--seeds",
            "3",
            "--threads",
            threads,
            "--out",
            threads,
        ];
        assert_eq!(sandbox.toy(&args).code, Some(0));
    }
    assert!(results(&sandbox.join("1")) == results(&sandbox.join("4")));
}

#[test]
fn a_runs_settings_make_the_run_again() {
    let sandbox = Sandbox::new();
    let first = sandbox.toy(&[
        "run",
        "random-walk",
        "--set",
        "step.drift=0.45",
        "--out",
        "a",
    ]);
    assert_eq!(first.code, Some(0), "{}", first.all());
    let second = sandbox.toy(&[
        "run",
        "random-walk",
        "--config",
        "a/config.toml",
        "--out",
        "b",
    ]);
    assert_eq!(second.code, Some(0), "{}", second.all());
    assert!(results(&sandbox.join("a")) == results(&sandbox.join("b")));
}

#[test]
fn run_with_data_is_the_fit() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.join("steps.txt"), "9\n0.25\n0.5\n0.75\n").expect("writes");
    let fit = sandbox.toy(&[
        "fit",
        "random-walk",
        "steps.txt",
        "--set",
        "skip=1",
        "--out",
        "a",
    ]);
    masked(|| insta::assert_snapshot!("fit", fit.all()));
    let run = sandbox.toy(&[
        "run",
        "random-walk",
        "--data",
        "steps.txt",
        "--set",
        "skip=1",
        "--out",
        "b",
        "--json",
    ]);
    let json = run.json();
    assert_valid("run", &json);
    assert_eq!(json["task"], "fit");
    let sha256 = json["provenance"]["data"][0]["sha256"].as_str();
    assert_eq!(sha256.map(str::len), Some(64));
    assert!(results(&sandbox.join("a")) == results(&sandbox.join("b")));
}

#[test]
fn runs_are_compared_and_reported() {
    let sandbox = Sandbox::new();
    for (out, drift) in [("a", "0.5"), ("b", "-0.5")] {
        let set = format!("step.drift={drift}");
        sandbox.toy(&["run", "random-walk", "--set", &set, "--out", out]);
    }
    let compared = sandbox.toy(&["compare", "a", "b"]);
    masked(|| insta::assert_snapshot!("compare", compared.all()));
    assert_valid(
        "compare",
        &sandbox.toy(&["compare", "a", "b", "--json"]).json(),
    );

    let before = std::fs::read(sandbox.join("a/report.html")).expect("a report");
    std::fs::remove_file(sandbox.join("a/report.html")).expect("removes");
    let reported = sandbox.toy(&["report", "a", "b"]);
    assert_eq!(
        (reported.code, reported.stdout.as_str()),
        (Some(0), "a/report.html\nb/report.html\n")
    );
    assert!(std::fs::read(sandbox.join("a/report.html")).expect("again") == before);
    assert_valid("report", &sandbox.toy(&["report", "a", "--json"]).json());
    // A study stands for its newest finished run.
    sandbox.toy(&["run", "random-walk"]);
    let newest = sandbox.toy(&["report", "random-walk"]);
    assert!(
        newest.stdout.starts_with("runs/random-walk/"),
        "{}",
        newest.all()
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    for args in [
        &["show", "--schema", "run"][..],
        &["run", "random-walk"],
        &["man"],
        &["completions", "bash"],
    ] {
        let mut command = sandbox.toy_command(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        drop(child.stdout.take());
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut stderr)
            .expect("reads");
        let status = child.wait().expect("ends");
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn progress_is_a_plain_line_every_ten_seconds() {
    let sandbox = Sandbox::new();
    let args = [
        "run",
        "random-walk",
        "--set",
        "stages=6",
        "--set",
        "pause_ms=2000",
    ];
    let run = sandbox.toy(&args);
    assert_eq!(run.code, Some(0), "{}", run.all());
    let line = run.stderr.lines().next().unwrap_or_default();
    assert!(
        line.starts_with("walk: ") && line.contains("% (") && line.contains(" of 6), "),
        "{line}"
    );
    assert!(
        line.contains("/s, ") && line.contains(" left, drift 0."),
        "{line}"
    );
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn completions_and_man_pages_know_every_verb() {
    let sandbox = Sandbox::new();
    let verbs = [
        "list",
        "show",
        "run",
        "fit",
        "report",
        "compare",
        "data",
        "completions",
        "man",
    ];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.chiasm(&["completions", shell]);
        assert_eq!(script.code, Some(0));
        assert!(verbs.iter().all(|v| script.stdout.contains(v)), "{shell}");
    }
    let man = sandbox.chiasm(&["man"]);
    assert!(
        man.stdout.starts_with(".ie") || man.stdout.contains(".TH chiasm"),
        "{}",
        man.stdout
    );
    for verb in verbs {
        let Ended { code, stdout, .. } = sandbox.chiasm(&["man", verb]);
        assert!(
            code == Some(0) && stdout.contains(".TH") && stdout.contains(verb),
            "{verb}"
        );
    }
}
