//! The engine against the oracle, and against itself on other numbers of threads: the same bits.

use std::collections::BTreeMap;

use chiasm_core::{Quiet, Streams};

use super::oracle::{self, Model};
use super::pool;
use crate::plasticity::{Clip, Deliver, Dependence, PairStdp, Ties, Traces};
use crate::*;

const STEPS: u64 = 3000;

/// Two models that drive each other, with one delay, several delays, every kind of connection, and a plastic projection.
/// A level that is swayed by two groups scales the plastic projection, if told what.
fn circuit(
    rule: PairStdp,
    plastic_delay: Draw,
    scales: Option<Scales>,
) -> (Circuit, BTreeMap<usize, Model>, Vec<LinkId>) {
    let mut circuit = Circuit::new(0.1);
    let drive = circuit.input("drive", 30, Input::Poisson { rate_hz: 150.0 });
    let current = LifCurrent {
        t_ref_ms: 2.0,
        ..LifCurrent::default()
    };
    let conductance = LifConductance {
        t_ref_ms: 1.0,
        ..LifConductance::default()
    };
    // Neither a multiple of a block nor of the threads.
    let a = circuit.population("a", 67, current);
    let b = circuit.population("b", 21, conductance);
    circuit.start(a, "v_m_mv", Draw::uniform(-60.0, -50.0));
    circuit.start(b, "g_ex_ns", Draw::normal(8.0, 1.0));
    circuit.current(a, Draw::uniform(90.0, 160.0));
    let level = Modulator::new(20.0, 0.7)
        .listen(a, 0.03)
        .listen(drive, -0.02);
    let level = circuit.modulator("level", level.record(0.5));
    let new = Projection::new;
    let plastic = new("a a", a, a)
        .connect(Connect::Probability(0.2))
        .weight(12.0)
        .delay_ms(plastic_delay)
        .plastic(rule);
    let links = vec![
        circuit.project(
            new("drive a", drive, a)
                .connect(Connect::Probability(0.3))
                .weight(25.0),
        ),
        circuit.project(
            new("drive b", drive, b)
                .connect(Connect::OutDegree(5))
                .weight(1.5)
                .delay_ms(0.7),
        ),
        circuit.project(
            new("a b", a, b)
                .connect(Connect::InDegree(9))
                .weight(Draw::uniform(0.5, 2.0))
                .delay_ms(1.3),
        ),
        circuit.project(
            new("b a", b, a)
                .receptor("inhibitory")
                .weight(Draw::normal(-15.0, 2.0))
                .delay_ms(Draw::uniform(0.1, 2.5)),
        ),
        circuit.project(match scales {
            None => plastic,
            Some(scales) => plastic.modulated(level, scales),
        }),
        circuit.project(
            new("b b", b, b)
                .receptor("inhibitory")
                .weight(0.8)
                .self_connections(true)
                .delay_ms(Draw::uniform(0.1, 1.0)),
        ),
    ];
    circuit.record_spikes(drive);
    circuit.record_spikes(a);
    circuit.record_spikes(b);
    let models = BTreeMap::from([
        (1, Model::Current(current)),
        (2, Model::Conductance(conductance)),
    ]);
    (circuit, models, links)
}

fn rule() -> PairStdp {
    PairStdp {
        a_plus: 1.1,
        a_minus: 0.9,
        w_max: 24.0,
        ..PairStdp::default()
    }
}

/// Spikes, potentials and weights of an engine after the steps.
fn outcome(mut engine: Engine, links: &[LinkId], forget: Option<usize>) -> oracle::Outcome {
    if let Some(most) = forget {
        engine.remember_at_most(most);
    }
    // In pieces, as a watched run does.
    for piece in [1, 10, 700, STEPS - 711] {
        engine
            .run(piece as f64 * 0.1 / 1000.0, &Quiet)
            .expect("runs");
    }
    let mut spikes = vec![];
    for g in 0..3 {
        spikes.extend(engine.spikes(Group(g)).into_iter().map(|(k, i)| (g, k, i)));
    }
    spikes.sort_by_key(|s| (s.1, s.0, s.2));
    let v = (0..3).map(|g| engine.state(Group(g), "v_m_mv")).collect();
    let weights = links
        .iter()
        .map(|l| engine.weights(*l).iter().map(|s| s.2).collect())
        .collect();
    oracle::Outcome { spikes, v, weights }
}

fn assert_same(a: &oracle::Outcome, b: &oracle::Outcome, what: &str) {
    let first = a.spikes.iter().zip(&b.spikes).position(|(x, y)| x != y);
    assert_eq!(
        first,
        None,
        "{what}: spikes differ first at {:?}",
        first.map(|i| (a.spikes[i], b.spikes[i]))
    );
    assert_eq!(a.spikes.len(), b.spikes.len(), "{what}");
    let bits = |v: &[Vec<f64>]| -> Vec<u64> { v.iter().flatten().map(|x| x.to_bits()).collect() };
    assert_eq!(bits(&a.v), bits(&b.v), "{what}: potentials");
    let bits = |w: &[Vec<f32>]| -> Vec<u32> { w.iter().flatten().map(|x| x.to_bits()).collect() };
    assert_eq!(bits(&a.weights), bits(&b.weights), "{what}: weights");
}

#[test]
fn the_engine_gives_the_oracles_bits_under_every_rule() {
    let streams = Streams::new(3);
    let (mut n_changed, mut n_circuits) = (0, 0);
    for ties in [Ties::SourceFirst, Ties::TargetFirst, Ties::Apart] {
        for (traces, deliver, clip, dependence) in [
            (
                Traces::AllToAll,
                Deliver::Before,
                Clip::EachChange,
                Dependence::Additive,
            ),
            (
                Traces::AllToAll,
                Deliver::After,
                Clip::EachSpike,
                Dependence::Additive,
            ),
            (
                Traces::Nearest,
                Deliver::Before,
                Clip::EachSpike,
                Dependence::Additive,
            ),
            (
                Traces::Nearest,
                Deliver::After,
                Clip::EachChange,
                Dependence::Multiplicative,
            ),
        ] {
            for (axonal_ms, dendritic_ms, delay) in [
                (0.0, 0.0, Draw::Same(0.1)),
                (1.0, 0.0, Draw::Same(1.1)),
                (0.3, 0.5, Draw::uniform(0.45, 2.0)),
            ] {
                let scale = if dependence == Dependence::Multiplicative {
                    0.1
                } else {
                    1.0
                };
                let rule = PairStdp {
                    ties,
                    traces,
                    deliver,
                    clip,
                    dependence,
                    axonal_ms,
                    dendritic_ms,
                    a_plus: scale * rule().a_plus,
                    a_minus: scale * rule().a_minus,
                    ..rule()
                };
                // Each of the four ways meets every tie and shift.
                let ways = [
                    None,
                    Some(Scales::Both),
                    Some(Scales::Potentiation),
                    Some(Scales::Depression),
                ];
                let scales = ways[n_circuits % 4];
                n_circuits += 1;
                let what = format!("{rule:?}, {scales:?}");
                let (circuit, models, links) = circuit(rule, delay, scales);
                let plain = oracle::simulate(&circuit, &models, &streams, STEPS);
                let changed = plain.weights[4].iter().filter(|w| **w != 12.0).count();
                n_changed += changed;
                assert!(
                    changed > plain.weights[4].len() / 2,
                    "{what}: the weights hardly moved"
                );
                assert!(
                    plain.spikes.len() > 2000,
                    "{what}: {} spikes",
                    plain.spikes.len()
                );
                let engine = circuit.build(&streams).expect("a circuit");
                assert_same(&outcome(engine, &links, None), &plain, &what);
                let engine = circuit.build(&streams).expect("a circuit");
                assert_same(
                    &outcome(engine, &links, Some(100)),
                    &plain,
                    &format!("often settled: {what}"),
                );
            }
        }
    }
    assert!(n_changed > 0);
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let streams = Streams::new(4);
    let delays = Draw::uniform(0.3, 2.0);
    let (circuit, _, links) = circuit(rule(), delays, Some(Scales::Both));
    let one = outcome(circuit.build(&streams).expect("a circuit"), &links, None);
    assert!(one.spikes.len() > 2000);
    for n in [1, 2, 3, 7] {
        let engine = circuit.build_on(&streams, pool(n)).expect("a circuit");
        assert_same(
            &outcome(engine, &links, None),
            &one,
            &format!("{n} threads"),
        );
    }
    let other = outcome(
        circuit.build(&Streams::new(5)).expect("a circuit"),
        &links,
        None,
    );
    assert_ne!(one.spikes, other.spikes, "another seed is another network");
}

#[test]
fn states_are_sampled_alike_on_any_number_of_threads() {
    let streams = Streams::new(4);
    let (mut circuit, ..) = circuit(rule(), Draw::Same(0.5), Some(Scales::Depression));
    circuit.record_state(Group(1), "v_m_mv", 1.0, &[]);
    circuit.record_state(Group(2), "g_in_ns", 0.5, &[20, 3, 7]);
    let states = |mut engine: Engine| {
        engine.run(0.05, &Quiet).expect("runs");
        engine.states().expect("samples")
    };
    let one = states(circuit.build(&streams).expect("a circuit"));
    assert_eq!(
        one,
        states(circuit.build_on(&streams, pool(3)).expect("a circuit"))
    );
    let traces = one[1].traces().expect("traces");
    assert_eq!(traces.values.dim(), (100, 3));
    assert_eq!(one[1].units()[0].id, "b/20");
    let mut engine = circuit.build(&streams).expect("a circuit");
    engine.run(0.05, &Quiet).expect("runs");
    let now = engine.state(Group(2), "g_in_ns");
    assert_eq!(traces.values[[99, 2]], now[7] as f32);
}

#[test]
fn a_modulator_is_recorded_alike_on_any_number_of_threads_and_moves() {
    let streams = Streams::new(4);
    let (circuit, ..) = circuit(rule(), Draw::Same(0.5), Some(Scales::Both));
    let recorded = |mut engine: Engine| {
        engine.run(0.05, &Quiet).expect("runs");
        let now = engine.modulator(ModulatorId(0)).expect("a level");
        (engine.recording().expect("a recording"), now)
    };
    let (one, now) = recorded(circuit.build(&streams).expect("a circuit"));
    let (three, _) = recorded(circuit.build_on(&streams, pool(3)).expect("a circuit"));
    assert_eq!(one, three);
    let level = &one.covariates()[0];
    assert_eq!((level.name.as_str(), level.values.len()), ("level", 100));
    assert_eq!(level.values[99] as f32, now as f32);
    let highest = level.values.iter().fold(f64::MIN, |a, b| a.max(*b));
    let lowest = level.values.iter().fold(f64::MAX, |a, b| a.min(*b));
    assert!(highest > lowest + 0.1, "{lowest} to {highest}");
}
