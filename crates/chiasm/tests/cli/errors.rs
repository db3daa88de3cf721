//! What is said when something is wrong, and the exit code beside it.

use crate::support::{Sandbox, masked};

/// Each wrong command with a name for its snapshot: message, help, nearest name, exit code.
#[test]
fn errors_say_what_to_fix() {
    let sandbox = Sandbox::new();
    std::fs::write(
        sandbox.join("c.toml"),
        "stages = 3\n\n[step]\ndritf = 0.1\n",
    )
    .expect("writes");
    std::fs::write(sandbox.join("broken.toml"), "stages = = 3\n").expect("writes");
    std::fs::create_dir(sandbox.join("full")).expect("makes");
    std::fs::write(sandbox.join("full/thesis.tex"), "x").expect("writes");
    let cases: [(&str, i32, &[&str]); 14] = [
        ("study-near", 2, &["run", "random-wlak"]),
        ("study-far", 2, &["show", "zzzzzzzzzzzz"]),
        ("study-planned", 2, &["run", "milan"]),
        ("area", 2, &["list", "spikng"]),
        ("key", 2, &["run", "random-walk", "--set", "step.dritf=1"]),
        ("type", 2, &["run", "random-walk", "--set", "stages=many"]),
        ("range", 2, &["run", "random-walk", "--set", "stages=0"]),
        (
            "config-key",
            2,
            &["run", "random-walk", "--config", "c.toml"],
        ),
        (
            "config-syntax",
            2,
            &["run", "random-walk", "--config", "broken.toml"],
        ),
        (
            "config-absent",
            2,
            &["run", "random-walk", "--config", "absent.toml"],
        ),
        ("data-absent", 2, &["fit", "random-walk", "absent.txt"]),
        (
            "map-without-data",
            2,
            &["run", "random-walk", "--map", "traces=x"],
        ),
        ("folder-full", 2, &["run", "random-walk", "--out", "full"]),
        ("report-of-nothing", 2, &["report", "no-such-run"]),
    ];
    for (name, code, args) in cases {
        let ended = sandbox.toy(args);
        assert_eq!(ended.code, Some(code), "{name}: {}", ended.all());
        assert_eq!(ended.stdout, "", "{name}");
        masked(|| insta::assert_snapshot!(name, ended.stderr));
    }
    assert!(
        !sandbox.join("runs").exists(),
        "a refused run leaves no folder"
    );
}

#[test]
fn a_panic_is_an_internal_error_with_the_run_to_attach() {
    let sandbox = Sandbox::new();
    let ended = sandbox.toy(&["run", "random-walk", "--set", "fault=panic", "--out", "run"]);
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    masked(|| insta::assert_snapshot!("panic", ended.stderr));
    assert!(sandbox.join("run/run.json").is_file());
}

#[test]
fn a_result_that_is_not_finite_is_no_result() {
    let sandbox = Sandbox::new();
    let ended = sandbox.toy(&[
        "run",
        "random-walk",
        "--set",
        "fault=not-finite",
        "--out",
        "run",
    ]);
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    masked(|| insta::assert_snapshot!("not-finite", ended.stderr));
}

#[test]
fn errors_are_json_too() {
    let sandbox = Sandbox::new();
    let ended = sandbox.toy(&["run", "random-walk", "--set", "stagse=3", "--json"]);
    assert_eq!(ended.code, Some(2));
    let json = ended.json();
    assert_eq!(
        (&json["format"], &json["kind"]),
        (&1.into(), &"error".into())
    );
    assert_eq!(json["error"]["message"], "unknown setting `stagse`");
    assert_eq!(json["error"]["help"], "did you mean `stages`?");
    assert_eq!(json["error"]["group"], "input");
}

/// The tests may run as root, whom no permission stops: a folder below a file, and one in /proc, refuse anyone.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.join("file"), "x").expect("writes");
    for out in ["file/run", "/proc/chiasm-run"] {
        let ended = sandbox.toy(&["run", "random-walk", "--out", out]);
        assert_eq!(ended.code, Some(3), "{}", ended.all());
        assert!(ended.stderr.contains(out), "{}", ended.stderr);
        assert!(!ended.stderr.contains("internal error"), "{}", ended.stderr);
    }
    assert_eq!(std::fs::read(sandbox.join("file")).expect("reads"), b"x");
}

/// Results that cannot be printed are said on stderr.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_reported() {
    let sandbox = Sandbox::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("opens");
    let mut command = sandbox.toy_command(&["show", "random-walk"]);
    let output = command.stdout(full).output().expect("starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("cannot write the result"), "{stderr}");
}
