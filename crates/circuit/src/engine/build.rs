//! From a checked circuit to an engine: synapses drawn, neurons and synapses shared out among the threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, RwLock};

use chiasm_core::Streams;
use chiasm_core::rng::Rng;

use super::part::{Base, Kind, Link, Member, Part, PulseSteps, Ring, Sampler};
use super::plastic::Plastic;
use super::{Engine, LinkFacts, StateFacts};
use crate::circuit::{Circuit, GroupSpec, Kind as GroupKind, receptor_of, variable_of};
use crate::error::CircuitError;
use crate::projection::{PerSynapse, Synapses};

impl Engine {
    pub(crate) fn new(
        circuit: &Circuit,
        streams: &Streams,
        pool: Option<rayon::ThreadPool>,
    ) -> Result<Self, CircuitError> {
        circuit.validate()?;
        let n_parts = pool
            .as_ref()
            .map_or(1, rayon::ThreadPool::current_num_threads);
        let dt = circuit.dt_ms;
        let share = |n: usize, p: usize| n * p / n_parts..n * (p + 1) / n_parts;
        let mut parts: Vec<Part> = (0..n_parts)
            .map(|_| Part {
                members: vec![],
                inputs: vec![],
                links: vec![],
                past: vec![],
                fired: vec![],
                heard: vec![],
                recorded: circuit.groups.iter().map(|g| g.recorded).collect(),
                spikes: vec![],
                samplers: vec![],
                modulators: circuit.modulators.iter().map(|m| m.1.level(dt)).collect(),
            })
            .collect();
        for (g, group) in circuit.groups.iter().enumerate() {
            match &group.kind {
                GroupKind::Input(input) => {
                    let generator = input.generator(&group.name, group.n, dt, streams);
                    for part in &mut parts {
                        part.members.push(None);
                        part.inputs.push(None);
                    }
                    parts[g % n_parts].inputs[g] = Some(generator);
                }
                GroupKind::Population { .. } => {
                    let members = members(
                        &group.kind,
                        group,
                        dt,
                        streams,
                        |p| share(group.n, p),
                        n_parts,
                    )?;
                    for (part, member) in parts.iter_mut().zip(members) {
                        part.members.push(Some(member));
                        part.inputs.push(None);
                    }
                }
            }
        }
        let mut links = vec![];
        let mut rings: BTreeMap<(usize, usize), u16> = BTreeMap::new();
        for p in &circuit.projections {
            let (from, to) = (&circuit.groups[p.from.0], &circuit.groups[p.to.0]);
            let receptor = receptor_of(to, &p.receptor, "to", "receptor")?;
            let GroupKind::Population { model, .. } = &to.kind else {
                continue;
            };
            let receptor = model
                .receptors()
                .iter()
                .position(|r| *r == receptor)
                .unwrap_or(0);
            let synapses = Synapses::draw(p, (from.n, to.n), dt, streams)?;
            circuit.check_drawn(p, &synapses)?;
            let uniform = matches!(synapses.delays, PerSynapse::Same(_));
            let axonal = p
                .rule
                .as_ref()
                .map(|r| (r.order().axonal_ms / dt).round() as u16);
            let ahead = synapses.longest() - axonal.unwrap_or(0);
            if (axonal.is_none() && !uniform) || (axonal.is_some() && ahead > 1) {
                let longest = rings.entry((p.to.0, receptor)).or_insert(0);
                *longest = (*longest).max(ahead);
            }
            links.push(LinkFacts {
                name: p.name.clone(),
                synapses: synapses.len(),
                bytes: synapses.bytes(),
            });
            let mut whole = Some(synapses);
            for (i, part) in parts.iter_mut().enumerate() {
                let range = share(to.n, i);
                let synapses = match &whole {
                    Some(all) if n_parts > 1 => all.onto(range.start, range.end),
                    _ => match whole.take() {
                        Some(all) => all,
                        None => continue,
                    },
                };
                let synapses = match &p.rule {
                    Some(rule) => Kind::Plastic(Box::new(Plastic::new(
                        synapses,
                        (rule.clone(), p.modulated),
                        range.len(),
                        dt,
                    ))),
                    None if uniform => Kind::Uniform {
                        lag: u64::from(synapses.longest()) - 1,
                        synapses,
                    },
                    None => Kind::Mixed(synapses),
                };
                part.links.push(Link {
                    from: p.from.0,
                    to: p.to.0,
                    receptor,
                    synapses,
                });
            }
        }
        for ((group, receptor), longest) in rings {
            for member in parts.iter_mut().filter_map(|p| p.members[group].as_mut()) {
                member.rings[receptor] = Some(Ring::new(member.range.len(), longest));
            }
        }
        let mut states = vec![];
        for (i, probe) in circuit.states.iter().enumerate() {
            let group = &circuit.groups[probe.group];
            let variable = variable_of(
                group,
                &probe.variable,
                &format!("record.state.{i}.variable"),
            )?;
            let every = (probe.every_ms / dt).round() as u64;
            let neurons: Vec<u32> = match probe.neurons.as_slice() {
                [] => (0..group.n as u32).collect(),
                some => some.to_vec(),
            };
            for (p, part) in parts.iter_mut().enumerate() {
                let range = share(group.n, p);
                let mine = neurons
                    .iter()
                    .map(|n| *n as usize)
                    .filter(|n| range.contains(n));
                part.samplers.push(Sampler {
                    group: probe.group,
                    variable,
                    every,
                    neurons: mine.map(|n| n - range.start).collect(),
                    values: vec![],
                });
            }
            let GroupKind::Population { model, .. } = &group.kind else {
                continue;
            };
            states.push(StateFacts {
                group: probe.group,
                variable: model.variables()[variable],
                every,
                neurons,
            });
        }
        for part in &mut parts {
            part.prepare();
        }
        let board = || {
            (0..n_parts)
                .map(|_| RwLock::new(vec![vec![]; circuit.groups.len()]))
                .collect()
        };
        Ok(Self {
            dt_ms: dt,
            groups: circuit
                .groups
                .iter()
                .map(|g| (g.name.clone(), g.n))
                .collect(),
            variables: circuit
                .groups
                .iter()
                .map(|g| match &g.kind {
                    GroupKind::Population { model, .. } => model.variables(),
                    GroupKind::Input(_) => &[],
                })
                .collect(),
            links,
            states,
            modulators: circuit.modulators.iter().map(|m| m.0.clone()).collect(),
            recorded: circuit.groups.iter().map(|g| g.recorded).collect(),
            boards: [board(), board()],
            parts: parts.into_iter().map(Mutex::new).collect(),
            pool,
            step: 0,
        })
    }
}

/// The shares of a population.
fn members(
    kind: &GroupKind,
    group: &GroupSpec,
    dt: f64,
    streams: &Streams,
    share: impl Fn(usize) -> Range<usize>,
    n_parts: usize,
) -> Result<Vec<Member>, CircuitError> {
    let GroupKind::Population {
        model,
        start,
        current,
        pulses,
    } = kind
    else {
        return Ok(vec![]);
    };
    let streams = streams.child("population").child(&group.name);
    let stream = |what: &str| -> Rng { streams.stream(what) };
    let base = current.as_ref().map(|draw| {
        let mut rng = stream("current");
        let each = (0..group.n).map(|i| model.i_e_pa() + draw.sample(i, &mut rng));
        each.collect::<Vec<f64>>()
    });
    let mut members: Vec<Member> = (0..n_parts)
        .map(|p| {
            let range = share(p);
            let n = range.len();
            Member {
                cells: model.cells(n, dt),
                base: match &base {
                    Some(each) => Base::Each(each[range.clone()].to_vec()),
                    None => Base::Same(model.i_e_pa()),
                },
                pulses: pulses
                    .iter()
                    .map(|p| PulseSteps::new(p, &range, dt))
                    .collect(),
                drive: vec![0.0; if pulses.is_empty() { 0 } else { n }],
                rings: model.receptors().iter().map(|_| None).collect(),
                variables: model.receptors().iter().map(|r| r.variable).collect(),
                range,
            }
        })
        .collect();
    for (name, draw) in start {
        let variable = variable_of(group, name, "start")?;
        let mut rng = stream(name);
        let values: Vec<f64> = (0..group.n).map(|i| draw.sample(i, &mut rng)).collect();
        for member in &mut members {
            let range = member.range.clone();
            member
                .cells
                .variable_mut(variable)
                .copy_from_slice(&values[range]);
        }
    }
    Ok(members)
}
