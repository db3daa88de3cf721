//! Circuits in TOML: what is read, and what is refused at which line.

use chiasm_core::{Quiet, SettingError, Streams};

use crate::CircuitError;
use crate::file::{CircuitFile, span_of};

const CUBA: &str = include_str!("../../examples/circuits/cuba.toml");
const COBA: &str = include_str!("../../examples/circuits/coba.toml");
const ADAPTIVE: &str = include_str!("../../examples/circuits/adaptive.toml");
const STDP: &str = include_str!("../../examples/circuits/stdp.toml");

#[test]
fn the_examples_are_circuits_and_survive_a_round_trip() {
    for text in [CUBA, COBA, STDP, ADAPTIVE] {
        let file = CircuitFile::parse(text).expect("an example");
        let circuit = file.circuit().expect("names that exist");
        circuit.validate().expect("a circuit");
        let again = toml::to_string(&file).expect("TOML");
        assert_eq!(CircuitFile::parse(&again).expect("reads back"), file);
    }
}

/// The text at the place of the first fault, and the fault.
fn refused(text: &str) -> (String, String) {
    let file = match CircuitFile::parse(text) {
        Ok(file) => file,
        Err(e) => {
            let at = e.span.map_or("", |span| &text[span]);
            return (at.to_owned(), e.message);
        }
    };
    let error: SettingError = match file.circuit() {
        Err(e) => e,
        Ok(circuit) => match circuit.build(&Streams::new(0)) {
            Err(CircuitError::Setting(e)) => e,
            other => panic!("not refused: {other:?}"),
        },
    };
    let at = span_of(text, &error.field).map_or("", |span| &text[span]);
    (at.to_owned(), error.to_string())
}

#[test]
fn faults_are_shown_at_their_place() {
    let change = |from: &str, to: &str| {
        assert!(CUBA.contains(from), "{from}");
        refused(&CUBA.replacen(from, to, 1))
    };
    let cases = [
        (
            change("tau_m_ms = 20.0", "tau_m_ms = -20.0"),
            "-20.0",
            "tau_m_ms`: expected a finite number above 0",
        ),
        (
            change("tau_m_ms", "tau_ms"),
            "tau_ms",
            "unknown field `tau_ms`",
        ),
        (
            change("n = 3200", "n = 0"),
            "0",
            "population.excitatory.n`: expected a size",
        ),
        (change("n = 3200", "n = 3200.5"), "3200.5", "invalid type"),
        (
            change("to = \"excitatory\"", "to = \"exitatory\""),
            "\"exitatory\"",
            "did you mean `excitatory`?",
        ),
        (
            change("receptor = \"inhibitory\"", "receptor = \"gaba\""),
            "\"gaba\"",
            "one of excitatory, inhibitory",
        ),
        (
            change("probability = 0.02", "probability = 1.5"),
            "connect",
            "from 0 to 1",
        ),
        (change("dt_ms = 0.1", "dt_ms = 0"), "0", "a step above 0 ms"),
        (
            change("lif-current", "lif-curent"),
            "lif-curent",
            "unknown field `lif-curent`",
        ),
        (
            change("delay_ms = 0.1", "delay_ms = 0.01"),
            "0.01",
            "delays of 1 to",
        ),
        (
            change("weight = 16.2", "weight = nan"),
            "nan",
            "a finite number",
        ),
        (
            change("uniform = [-60.0, -50.0]", "uniform = [-50.0, -60.0]"),
            "",
            "a range from low to high",
        ),
    ];
    for ((at, message), place, text) in cases {
        assert!(message.contains(text), "{message} lacks {text}");
        assert!(
            at.starts_with(place),
            "{message}: shown at `{at}`, not at `{place}`"
        );
    }
    let twice = format!("{CUBA}\n[population.other]\nn = 1\n");
    let (at, message) = refused(&twice);
    assert!(
        at == "other" && message.contains("one neuron model"),
        "{at}: {message}"
    );
    let to_input = format!(
        "{CUBA}\n[input.in]\nn = 1\nrate_hz = 1\n[projection.x]\nfrom = \"in\"\nto = \"in\"\nweight = 1\n"
    );
    let (at, message) = refused(&to_input);
    assert!(
        at == "\"in\"" && message.contains("the input `in`"),
        "{at}: {message}"
    );
    let negative = COBA.replacen("weight = 6.0", "weight = -6.0", 1);
    let (at, message) = refused(&negative);
    assert!(
        at == "-6.0" && message.contains("conductances of at least 0"),
        "{at}: {message}"
    );
    let pointed = ADAPTIVE.replacen("b_pa = 120.0", "delta_t_mv = 0.0", 1);
    let (at, message) = refused(&pointed);
    assert!(
        at == "0.0" && message.contains("adaptive-exponential.delta_t_mv"),
        "{at}: {message}"
    );
    let late = STDP.replacen(
        "[projection.afferents.stdp]",
        "[projection.afferents.stdp]\naxonal_ms = 5.0",
        1,
    );
    let (at, message) = refused(&late);
    assert!(
        at == "5.0" && message.contains("less than the shortest delay"),
        "{at}: {message}"
    );
}

#[test]
fn times_are_checked_when_running() {
    let circuit = CircuitFile::parse(CUBA)
        .expect("an example")
        .circuit()
        .expect("a circuit");
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    for bad in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
        assert!(
            matches!(engine.run(bad, &Quiet), Err(CircuitError::Setting(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_network_that_explodes_is_an_error_with_its_place() {
    let mut circuit = crate::Circuit::new(0.1);
    let model = crate::LifCurrent {
        c_m_pf: 1e-3,
        ..crate::LifCurrent::default()
    };
    let group = circuit.population("a", 2, model);
    circuit.current(group, 1e308);
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    let error = engine.run(0.01, &Quiet).expect_err("infinite");
    let CircuitError::NotFinite {
        population,
        variable,
        neuron,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (population.as_str(), *variable, *neuron),
        ("a", "v_m_mv", 0)
    );
}

#[test]
fn adapting_cells_are_simulated_from_their_file() {
    let file = CircuitFile::parse(ADAPTIVE).expect("an example");
    let circuit = file.circuit().expect("a circuit");
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    engine.run(file.duration_s, &Quiet).expect("runs");
    let recording = engine.recording().expect("spikes");
    for group in crate::summarize(&recording, 0.1) {
        let rate = group.rate_hz;
        assert!((1.0..100.0).contains(&rate), "{}: {rate} Hz", group.group);
    }
}

#[test]
fn a_modulator_is_read_and_its_faults_are_shown_at_their_place() {
    let text = format!(
        "{STDP}\n[modulator.level]\ntau_ms = 50.0\nlistens = {{ target = 0.1 }}\nrecord_every_ms = 1.0\n"
    );
    let name = CircuitFile::parse(STDP).expect("an example").projection;
    let (name, _) = name
        .iter()
        .find(|p| p.1.stdp.is_some())
        .expect("a plastic one");
    let text =
        format!("{text}[projection.{name}.modulated]\nby = \"level\"\nscales = \"depression\"\n");
    let heard = CircuitFile::parse(STDP).expect("an example").population;
    let heard = heard.keys().next().expect("a population");
    let text = text.replace("target = 0.1", &format!("{heard} = 0.1"));
    let circuit = CircuitFile::parse(&text)
        .expect("TOML")
        .circuit()
        .expect("names");
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    engine.run(0.2, &Quiet).expect("runs");
    let recording = engine.recording().expect("spikes");
    assert_eq!(recording.covariates()[0].values.len(), 200);
    let change = |from: &str, to: &str| refused(&text.replacen(from, to, 1));
    for ((at, error), place, said) in [
        (
            change("tau_ms = 50.0", "tau_ms = 0.0"),
            "0.0",
            "modulator.level.tau_ms`",
        ),
        (
            change("by = \"level\"", "by = \"lever\""),
            "\"lever\"",
            "did you mean `level`?",
        ),
        (
            change("every_ms = 1.0", "every_ms = 0.0"),
            "0.0",
            "at least one step",
        ),
        (
            change(&format!("{heard} = 0.1"), "nobody = 0.1"),
            "0.1",
            "listens.nobody`",
        ),
        (
            change("= \"depression\"", "= \"all\""),
            "\"all\"",
            "unknown variant `all`",
        ),
    ] {
        assert!(error.contains(said), "{error}");
        assert_eq!(at, place, "{error}");
    }
}
