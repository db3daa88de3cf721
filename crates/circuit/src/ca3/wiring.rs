//! The circuit of the memory, as in the released configuration.

use super::{Config, POPULATIONS};
use crate::plasticity::{Clip, Deliver, Dependence, PairStdp, Traces};
use crate::projection::Draw;
use crate::{Circuit, Connect, Group, Input, Integration, LifCurrent, LinkId, Projection};

/// The circuit, and which of its parts are which.
pub(super) struct Wired {
    pub(super) circuit: Circuit,
    pub(super) cue_lines: Group,
    pub(super) content_lines: Group,
    /// In the order of [`POPULATIONS`].
    pub(super) populations: [Group; 10],
    /// From cues to content (S1), and from content to cues (S2).
    pub(super) plastic: [LinkId; 2],
}

/// Neurons of each population, in the order of [`POPULATIONS`].
pub(super) fn sizes(n_cues: usize, n_bits: usize) -> [usize; 10] {
    POPULATIONS.map(|name| match name {
        "Int" => 1,
        "CueCue" | "CueCont" | "MCue" | "OUTcue" => n_cues,
        _ => n_bits,
    })
}

/// A memory whose plastic synapses begin with these weights, pA.
pub(super) fn wired(n_cues: usize, n_bits: usize, config: &Config, weights: [Draw; 2]) -> Wired {
    let lif = |slow: bool, v_th_mv: f64| LifCurrent {
        c_m_pf: if slow { 270.0 } else { 140.0 },
        tau_m_ms: if slow { 3.0 } else { 0.5 },
        e_l_mv: -60.0,
        v_th_mv,
        v_reset_mv: -60.0,
        t_ref_ms: 1.0,
        tau_syn_ex_ms: 0.3,
        tau_syn_in_ms: 0.3,
        i_e_pa: 0.0,
        integration: Integration::MeanCurrent,
    };
    let mut circuit = Circuit::new(1.0);
    let silent = |n: usize| Input::Spikes {
        times_s: vec![vec![]; n],
    };
    let cue_lines = circuit.input("IN cue", n_cues, silent(n_cues));
    let content_lines = circuit.input("IN content", n_bits, silent(n_bits));
    let sizes = sizes(n_cues, n_bits);
    let populations: [Group; 10] = std::array::from_fn(|i| {
        let name = POPULATIONS[i];
        let fast = matches!(name, "CueCont" | "Cond" | "Int");
        let v_th = if name.starts_with("OUT") {
            -57.5
        } else {
            -57.0
        };
        let group = circuit.population(name, sizes[i], lif(!fast, v_th));
        circuit.record_spikes(group);
        group
    });
    let [
        cue_cue,
        cont_cue,
        cond,
        int,
        cue_cont,
        cont_cont,
        m_cue,
        m_cont,
        out_cue,
        out_cont,
    ] = populations;
    let strong = 6000.0 * n_bits as f64;
    let mut wire = |from: Group, to: Group, connect: Connect, w: f64, delay_ms: f64| {
        let name = format!("{} to {}", from.0, to.0);
        let receptor = if w < 0.0 { "inhibitory" } else { "excitatory" };
        let new = Projection::new(&name, from, to).connect(connect);
        circuit.project(new.receptor(receptor).weight(w).delay_ms(delay_ms));
    };
    wire(cue_lines, cue_cue, Connect::OneToOne, 6000.0, 1.0);
    wire(content_lines, cont_cue, Connect::OneToOne, 6000.0, 1.0);
    wire(cue_cue, m_cue, Connect::OneToOne, 6000.0, 3.0);
    wire(cue_cont, m_cue, Connect::OneToOne, 6000.0, 1.0);
    wire(cont_cue, m_cont, Connect::OneToOne, 6000.0, 3.0);
    wire(cont_cont, m_cont, Connect::OneToOne, 6000.0, 1.0);
    wire(m_cue, out_cue, Connect::OneToOne, 6000.0, 1.0);
    wire(m_cont, out_cont, Connect::OneToOne, 6000.0, 1.0);
    wire(cue_cue, cond, Connect::AllToAll, -6000.0, 2.0);
    wire(cont_cue, cond, Connect::OneToOne, 9000.0, 1.0);
    wire(cont_cue, int, Connect::AllToAll, 6000.0, 1.0);
    wire(int, cond, Connect::AllToAll, 2000.0, 1.0);
    wire(cond, cont_cont, Connect::OneToOne, 6000.0, 1.0);
    wire(cue_cont, cue_cont, Connect::AllToOthers, -strong, 2.0);
    // The cue's own neuron is excited, the others are held down: two projections between the same groups.
    let between = |name: &str| Projection::new(name, cue_cue, cue_cont).delay_ms(2.0);
    let own = between("cue to its own").connect(Connect::OneToOne);
    circuit.project(own.weight(6000.0));
    let others = between("cue to the others").connect(Connect::AllToOthers);
    let others = others.receptor("inhibitory").weight(-strong);
    circuit.project(others.delay_ms(3.0));
    let rule = PairStdp {
        tau_plus_ms: config.tau_ms,
        tau_minus_ms: config.tau_ms,
        a_plus: config.a_plus_pa,
        a_minus: config.a_minus_pa,
        w_min: 0.0,
        w_max: config.w_max_pa,
        dependence: Dependence::Additive,
        traces: Traces::AllToAll,
        ties: config.ties,
        deliver: Deliver::After,
        clip: Clip::EachChange,
        axonal_ms: 0.0,
        dendritic_ms: 1.0,
    };
    let [to_content, to_cues] = weights;
    let mut learn = |name: &str, from: Group, to: Group, weights: Draw| {
        let new = Projection::new(name, from, to).weight(weights);
        circuit.project(new.plastic(rule))
    };
    let plastic = [
        learn("S1", cue_cue, cont_cue, to_content),
        learn("S2", cont_cont, cue_cont, to_cues),
    ];
    Wired {
        circuit,
        cue_lines,
        content_lines,
        populations,
        plastic,
    }
}
