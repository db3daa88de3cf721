//! `chiasm simulate`: from a file to recordings, and what is refused at its line.

use std::path::Path;

use crate::results::assert_valid;
use crate::support::Sandbox;

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../circuit/examples/circuits");
    std::fs::read_to_string(folder.join(name)).expect("an example")
}

#[test]
fn a_circuit_is_simulated_and_its_recording_goes_through_the_other_verbs() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.join("cuba.toml"), example("cuba.toml")).expect("writes");
    let args = [
        "simulate",
        "cuba.toml",
        "--duration",
        "0.2",
        "--seed",
        "3",
        "--out",
        "out",
        "--json",
    ];
    let ended = sandbox.chiasm(&args);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let json = ended.json();
    assert_valid("simulate", &json);
    assert_eq!(json["kind"], "simulate");
    assert_eq!(json["n_neurons"], 4000);
    assert_eq!(json["simulated_s"], 0.2);
    assert!(json["groups"][0]["n_spikes"].as_u64().expect("a count") > 500);
    for name in ["spikes.npz", "spikes.nwb", "raster.svg", "summary.json"] {
        assert!(sandbox.join("out").join(name).is_file(), "{name}");
    }
    // Both files hold the same spikes, and as many as were told.
    let counted: Vec<_> = ["out/spikes.npz", "out/spikes.nwb"]
        .iter()
        .map(|file| sandbox.chiasm(&["data", "info", file, "--json"]).json()["n_spikes"].clone())
        .collect();
    let groups = json["groups"].as_array().expect("groups");
    let told: u64 = groups.iter().filter_map(|g| g["n_spikes"].as_u64()).sum();
    assert_eq!(counted, [told, told].map(serde_json::Value::from));

    // The same seed gives the same bytes on two threads; what is there is not overwritten.
    let again = [
        "simulate",
        "cuba.toml",
        "--duration",
        "0.2",
        "--seed",
        "3",
        "--out",
        "two",
        "--threads",
        "2",
    ];
    assert_eq!(sandbox.chiasm(&again).code, Some(0));
    let bytes =
        |folder: &str| std::fs::read(sandbox.join(folder).join("spikes.npz")).expect("a file");
    assert!(bytes("out") == bytes("two"));
    let full = sandbox.chiasm(&args);
    assert_eq!(full.code, Some(2), "{}", full.all());
    assert!(
        full.all().contains("a new or empty folder"),
        "{}",
        full.all()
    );
}

#[test]
fn what_is_recorded_can_be_said_on_the_command_line() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.join("cuba.toml"), example("cuba.toml")).expect("writes");
    let simulate = |record: &str, out: &str| {
        let args = ["simulate", "cuba.toml", "--duration", "0.05", "--json"];
        sandbox.chiasm(&[&args[..], &["--record", record, "--out", out]].concat())
    };
    let ended = simulate("inhibitory", "one");
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let groups = ended.json()["groups"].clone();
    assert_eq!(groups.as_array().map(Vec::len), Some(1));
    assert_eq!(groups[0]["name"], "inhibitory");
    let ended = simulate("inhibitors", "two");
    assert_eq!(ended.code, Some(2));
    assert!(ended.all().contains("inhibitory"), "{}", ended.all());
    assert!(!sandbox.join("two").exists());
}

#[test]
fn faults_in_a_circuit_are_shown_at_their_line() {
    let sandbox = Sandbox::new();
    let cases = [
        (
            "tau_m_ms = 20.0",
            "tau_m_ms = 0.0",
            "expected a finite number above 0",
            ":13:",
        ),
        (
            "from = \"excitatory\"",
            "from = \"exitatory\"",
            "did you mean `excitatory`?",
            "exitatory",
        ),
        (
            "[projection.ee]",
            "[projektion.ee]",
            "unknown field `projektion`",
            "projektion.ee",
        ),
        ("n = 3200", "n = = 3200", "not a circuit", "n = = 3200"),
    ];
    for (from, to, message, place) in cases {
        let text = example("cuba.toml").replacen(from, to, 1);
        std::fs::write(sandbox.join("bad.toml"), text).expect("writes");
        let ended = sandbox.chiasm(&["simulate", "bad.toml"]);
        assert_eq!(ended.code, Some(2), "{to}: {}", ended.all());
        assert_eq!(ended.stdout, "");
        let words = ended
            .stderr
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ");
        assert!(words.contains(message), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(place), "{to}: {}", ended.stderr);
    }
    let absent = sandbox.chiasm(&["simulate", "absent.toml"]);
    assert_eq!(absent.code, Some(2), "{}", absent.all());
    std::fs::write(sandbox.join("cuba.toml"), example("cuba.toml")).expect("writes");
    let never = sandbox.chiasm(&["simulate", "cuba.toml", "--duration", "0"]);
    assert_eq!(never.code, Some(2), "{}", never.all());
    assert!(
        never.stderr.contains("a time above 0 s"),
        "{}",
        never.stderr
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_simulated() {
    use std::process::{Command, Stdio};
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.join("cuba.toml"), example("cuba.toml")).expect("writes");
    let child = Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .args([
            "simulate",
            "cuba.toml",
            "--duration",
            "10000",
            "--out",
            "out",
            "--json",
        ])
        .current_dir(sandbox.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    std::thread::sleep(std::time::Duration::from_secs(4));
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill exists").success());
    let ended = crate::support::Ended::of(child.wait_with_output().expect("ends"));
    assert_eq!(ended.code, Some(130), "{}", ended.all());
    let json = ended.json();
    assert_eq!(json["stopped"], true);
    let seconds = json["simulated_s"].as_f64().expect("a time");
    assert!(seconds > 0.0 && seconds < 10_000.0, "{seconds}");
    assert!(
        ended.stderr.contains("what was simulated is saved"),
        "{}",
        ended.stderr
    );
    let info = sandbox
        .chiasm(&["data", "info", "out/spikes.npz", "--json"])
        .json();
    assert_eq!(info["stop_s"].as_f64(), Some(seconds));
}
