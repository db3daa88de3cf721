//! Killed, stopped, run twice at once.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::support::{Ended, Sandbox, results};

/// A run of about a second, in many stages, over two seeds.
fn plan(out: &str, threads: &str) -> Vec<String> {
    let words = [
        "run",
        "random-walk",
        "--seeds",
        "2",
        "--set",
        "stages=15",
        "--set",
        "pause_ms=20",
        "--set",
        "steps=20",
        "--threads",
        threads,
        "--out",
        out,
    ];
    words.map(String::from).to_vec()
}

fn start(sandbox: &Sandbox, args: &[String]) -> Child {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = sandbox.toy_command(&args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("starts")
}

/// The command that goes on with the run in `out`, or begins it where the kill came before its first record.
fn again(sandbox: &Sandbox, out: &str, threads: &str) -> Vec<String> {
    if sandbox.join(out).join("run.json").exists() {
        [
            "run",
            "random-walk",
            "--resume",
            "--threads",
            threads,
            "--out",
            out,
        ]
        .map(String::from)
        .to_vec()
    } else {
        plan(out, threads)
    }
}

fn status(folder: &Path) -> String {
    std::fs::read(folder.join("run.json")).map_or("none".into(), |bytes| {
        let record: serde_json::Value = serde_json::from_slice(&bytes).expect("a whole record");
        record["status"].as_str().expect("a status").to_owned()
    })
}

#[test]
fn killed_twenty_times_it_ends_in_the_same_bytes() {
    let sandbox = Sandbox::new();
    let began = Instant::now();
    let whole = start(&sandbox, &plan("whole", "2"))
        .wait_with_output()
        .expect("ends");
    let whole = Ended::of(whole);
    assert_eq!(whole.code, Some(0), "{}", whole.all());
    let span = began.elapsed();
    let expected = results(&sandbox.join("whole"));

    let mut rng = chiasm::core::Streams::new(20).stream("moments");
    let mut midway = 0;
    let mut kills = 0;
    let mut n = 0;
    while kills < 20 {
        n += 1;
        let out = format!("killed-{n}");
        let folder = sandbox.join(&out);
        // One, two or three kills in a row, then the end.
        for _ in 0..1 + n % 3 {
            let threads = if kills % 2 == 0 { "1" } else { "2" };
            let mut child = start(&sandbox, &again(&sandbox, &out, threads));
            std::thread::sleep(span.mul_f64(rng.random::<f64>()));
            child.kill().expect("kill -9");
            child.wait().expect("is gone");
            kills += 1;
            midway += usize::from(status(&folder) == "running");
        }
        let ended = start(&sandbox, &again(&sandbox, &out, "2"))
            .wait_with_output()
            .expect("ends");
        let ended = Ended::of(ended);
        assert_eq!(ended.code, Some(0), "{}", ended.all());
        let found = results(&folder);
        let names =
            |all: &[(String, Vec<u8>)]| all.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected));
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            assert!(found == expected, "{name} differs after {kills} kills");
        }
    }
    // The test says nothing if the kills come before or after the work.
    assert!(
        midway >= 8,
        "only {midway} of {kills} kills came in the middle of the work"
    );
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill exists").success());
}

/// Waits until the run has left a checkpoint.
fn at_work(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::read_dir(folder.join("checkpoint")).map_or(0, Iterator::count) == 0 {
        assert!(Instant::now() < deadline, "no checkpoint in a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    let whole = Ended::of(
        start(&sandbox, &plan("whole", "2"))
            .wait_with_output()
            .expect("ends"),
    );
    assert_eq!(whole.code, Some(0), "{}", whole.all());
    let child = start(&sandbox, &plan("stopped", "1"));
    at_work(&sandbox.join("stopped"));
    interrupt(&child);
    let stopped = Ended::of(child.wait_with_output().expect("ends"));
    assert_eq!(stopped.code, Some(130), "{}", stopped.all());
    assert_eq!(stopped.stdout, "");
    let again = "Go on with: chiasm run random-walk --resume --out stopped";
    assert!(stopped.stderr.contains(again), "{}", stopped.stderr);
    assert_eq!(status(&sandbox.join("stopped")), "stopped");
    let resumed = sandbox.toy(&["run", "random-walk", "--resume", "--out", "stopped"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.all());
    assert!(results(&sandbox.join("stopped")) == results(&sandbox.join("whole")));
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_ends_at_once() {
    let sandbox = Sandbox::new();
    let mut args = plan("run", "1");
    args.extend(["--set".into(), "pause_ms=60000".into()]);
    let child = start(&sandbox, &args);
    let deadline = Instant::now() + Duration::from_secs(60);
    while status(&sandbox.join("run")) != "running" {
        assert!(Instant::now() < deadline, "not begun in a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The handler is set right after the first record; a first signal before it would end the process by itself.
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let ended = Ended::of(child.wait_with_output().expect("ends"));
    assert_eq!(ended.code, Some(130), "{}", ended.all());
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(
        ended.stderr.contains("press Ctrl-C again"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("stopped at once"), "{}", ended.stderr);
}

#[test]
fn two_processes_do_not_work_on_one_run() {
    let sandbox = Sandbox::new();
    let mut args = plan("run", "1");
    args.extend(["--set".into(), "pause_ms=200".into()]);
    let mut child = start(&sandbox, &args);
    at_work(&sandbox.join("run"));
    let second = sandbox.toy(&["run", "random-walk", "--resume", "--out", "run"]);
    assert_eq!(second.code, Some(2), "{}", second.all());
    assert!(
        second
            .stderr
            .contains("another process is working on this run"),
        "{}",
        second.stderr
    );
    assert!(
        second.stderr.contains(&child.id().to_string()),
        "{}",
        second.stderr
    );
    child.kill().expect("ends");
    child.wait().expect("is gone");
}

#[test]
fn resume_finds_the_newest_unfinished_run() {
    let sandbox = Sandbox::new();
    let nothing = sandbox.toy(&["run", "random-walk", "--resume"]);
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.stderr.contains("no unfinished run to resume"),
        "{}",
        nothing.stderr
    );
    let failed = sandbox.toy(&["run", "random-walk", "--set", "fault=not-finite"]);
    assert_eq!(failed.code, Some(3), "{}", failed.all());
    let again = sandbox.toy(&["run", "random-walk", "--resume"]);
    assert_eq!(
        again.code,
        Some(3),
        "the fault is in the settings: {}",
        again.all()
    );
    assert!(
        again.stderr.contains("expected a finite value"),
        "{}",
        again.stderr
    );
    let changed = sandbox.toy(&["run", "random-walk", "--resume", "--seed", "4"]);
    assert_eq!(changed.code, Some(2));
    assert!(
        changed.stderr.contains("cannot be used with"),
        "{}",
        changed.stderr
    );
}

#[test]
fn data_that_changed_is_not_mixed_in() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.join("steps.txt"), "1\nx\n").expect("writes");
    let refused = sandbox.toy(&["fit", "random-walk", "steps.txt", "--out", "run"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .contains("steps.txt, line 2: expected a number, found `x`"),
        "{}",
        refused.stderr
    );
    std::fs::write(sandbox.join("steps.txt"), "1\n2\n").expect("writes");
    let resumed = sandbox.toy(&["fit", "random-walk", "--resume", "--out", "run"]);
    assert_eq!(resumed.code, Some(2));
    assert!(
        resumed.stderr.contains("changed since the run began"),
        "{}",
        resumed.stderr
    );
}
