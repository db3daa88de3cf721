//! Methods for recordings of animals take those of networks: the example's four systems.

use serde_json::Value;

use crate::support::{Ended, Sandbox};

fn metric(run: &Value, name: &str) -> f64 {
    let value = run["metrics"][name]["values"][0].as_f64();
    value.unwrap_or_else(|| panic!("no metric `{name}` in {}", run["metrics"]))
}

#[test]
fn networks_are_recorded_and_compared_as_animals_are() {
    let sandbox = Sandbox::new();
    let ended = sandbox.example("crossing", &["out"]).output();
    let ended = Ended::of(ended.expect("starts"));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    // Both networks have learned: chance is 10 %.
    for system in ["perceptron", "spiking"] {
        let line = ended.stdout.lines().find(|l| l.starts_with(system));
        let words = line.and_then(|l| l.split_whitespace().nth(1));
        let right: f64 = words.and_then(|w| w.parse().ok()).expect("a percentage");
        assert!(right > 75.0, "{}", ended.stdout);
    }

    // One geometry for each layer of either network; similar, since both tell the same digits apart, but not equal.
    let args = [
        "fit",
        "trsa",
        "out/perceptron.npz",
        "out/spiking.npz",
        "--set",
        "epochs=stimulus",
        "--set",
        "distance=euclidean",
        "--set",
        "task=compare",
        "--json",
    ];
    let compared = sandbox.chiasm(&args);
    assert_eq!(compared.code, Some(0), "{}", compared.all());
    let run = compared.json();
    assert_eq!(metric(&run, "rdms"), 5.0);
    assert_eq!(metric(&run, "stimuli"), 30.0);
    let alike = metric(&run, "spearman/mean");
    assert!(alike > 0.3 && alike < 0.999, "{alike}");

    // The reservoir's spikes as a connectome that changes with what it sees.
    let args = [
        "fit",
        "dynamic-connectome",
        "out/reservoir.npz",
        "--set",
        "connectome.affinity.clock_s=0.02",
        "--set",
        "connectome.affinity.constant=drop",
        "--set",
        "surrogates=0",
        "--set",
        "connectome.choose_rank=false",
        "--set",
        "connectome.factorization.rank=2",
        "--set",
        "connectome.factorization.starts=1",
        "--set",
        "connectome.factorization.max_sweeps=20",
        "--set",
        "connectome.factorization.polish=20",
        "--set",
        "connectome.block_model.restarts=1",
        "--json",
    ];
    let found = sandbox.chiasm(&args);
    assert_eq!(found.code, Some(0), "{}", found.all());
    let metrics = found.json()["metrics"].clone();
    assert!(metrics.as_object().is_some_and(|m| !m.is_empty()));

    // What the memory's neurons do as states of a network.
    let args = [
        "fit",
        "onehot-hmm-glm",
        "out/memory.npz",
        "--set",
        "model.states=2",
        "--set",
        "counting.bin_s=0.01",
        "--set",
        "counting.silent=drop",
        "--json",
    ];
    let found = sandbox.chiasm(&args);
    assert_eq!(found.code, Some(0), "{}", found.all());
}
