//! Closed forms, the oracle, and what is refused.

use chiasm_core::{Quiet, Streams};

use crate::{Circuit, Connect, Engine, Group, Input, LifCurrent, Projection};

mod adaptive;
mod ca3;
mod closed_form;
mod files;
mod oracle;
mod parity;
mod stdp;

/// A pool of `n` threads.
fn pool(n: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(n)
        .build()
        .expect("threads")
}

/// A neuron that spikes one step after each of the given times (ms), and never else.
fn puppet(circuit: &mut Circuit, name: &str, times_ms: &[f64]) -> Group {
    let times_s = vec![times_ms.iter().map(|t| t / 1000.0).collect()];
    let strings = circuit.input(&format!("strings of {name}"), 1, Input::Spikes { times_s });
    let model = LifCurrent {
        tau_m_ms: 0.5,
        tau_syn_ex_ms: 0.01,
        t_ref_ms: 0.0,
        ..LifCurrent::default()
    };
    let group = circuit.population(name, 1, model);
    circuit.project(
        Projection::new(&format!("pull {name}"), strings, group)
            .connect(Connect::OneToOne)
            .weight(1e6),
    );
    circuit.record_spikes(group);
    group
}

fn run(circuit: &Circuit, duration_s: f64) -> Engine {
    let mut engine = circuit.build(&Streams::new(0)).expect("a circuit");
    engine.run(duration_s, &Quiet).expect("runs");
    engine
}
