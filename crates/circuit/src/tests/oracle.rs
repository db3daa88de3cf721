//! The plain simulator: one synapse and one neuron at a time, every weight brought up to date at every event. Slow, and
//! the standard that the engine must meet bit for bit.

use std::collections::BTreeMap;

use chiasm_core::Streams;

use crate::circuit::{Circuit, Kind};
use crate::input::Generator;
use crate::math::{Decay, PHI_TO, exp, phi};
use crate::modulator::scaled;
use crate::plasticity::{Clip, Deliver, Order, Rule, Ties, Traces};
use crate::projection::{PerSynapse, Projection, Synapses};
use crate::{LifConductance, LifCurrent};

/// The parameters of either model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Model {
    Current(LifCurrent),
    Conductance(LifConductance),
}

struct OneNeuron {
    v: f64,
    ex: f64,
    inh: f64,
    rest: u32,
}

impl OneNeuron {
    fn step(&mut self, model: &Model, drive: f64, dt: f64) -> bool {
        let (th, reset, t_ref, tau_ex, tau_in) = match model {
            Model::Current(m) => (
                m.v_th_mv,
                m.v_reset_mv,
                m.t_ref_ms,
                m.tau_syn_ex_ms,
                m.tau_syn_in_ms,
            ),
            Model::Conductance(m) => (
                m.v_th_mv,
                m.v_reset_mv,
                m.t_ref_ms,
                m.tau_syn_ex_ms,
                m.tau_syn_in_ms,
            ),
        };
        if self.rest > 0 {
            self.rest -= 1;
        } else {
            match model {
                Model::Current(m) => {
                    let r = m.tau_m_ms / m.c_m_pf;
                    let to_v = |tau: f64| {
                        let x = dt / m.tau_m_ms - dt / tau;
                        r * (dt / m.tau_m_ms) * exp(-dt / m.tau_m_ms) * crate::math::expm1_over(x)
                    };
                    let v_inf = m.e_l_mv + r * drive;
                    self.v = v_inf
                        + (self.v - v_inf) * exp(-dt / m.tau_m_ms)
                        + self.ex * to_v(tau_ex)
                        + self.inh * to_v(tau_in);
                }
                Model::Conductance(m) => {
                    let total = m.g_l_ns + self.ex + self.inh;
                    let pull =
                        m.g_l_ns * m.e_l_mv + self.ex * m.e_ex_mv + self.inh * m.e_in_mv + drive;
                    let rate = -dt / m.c_m_pf;
                    self.v = if rate * total < -PHI_TO {
                        let v_inf = pull / total;
                        v_inf + (self.v - v_inf) * exp(rate * total)
                    } else {
                        self.v - rate * (pull - total * self.v) * phi(rate * total)
                    };
                }
            }
        }
        self.ex *= exp(-dt / tau_ex);
        self.inh *= exp(-dt / tau_in);
        let fires = self.rest == 0 && self.v >= th;
        if fires {
            self.v = reset;
            // The step of the spike counts none.
            self.rest = (t_ref / dt).round() as u32;
        }
        fires
    }
}

/// One plastic synapse that follows every event.
struct OneSynapse {
    from: u32,
    to: u32,
    delay: u64,
    w: f32,
}

#[derive(Clone, Copy, Default)]
struct Trace {
    last: Option<i64>,
    value: f64,
}

impl Trace {
    fn at(self, now: i64, decay: &Decay) -> Option<f64> {
        self.last.map(|last| self.value * decay.after(now - last))
    }
    fn bump(&mut self, now: i64, decay: &Decay, traces: Traces) {
        self.value = match (traces, self.at(now, decay)) {
            (Traces::AllToAll, Some(left)) => left + 1.0,
            _ => 1.0,
        };
        self.last = Some(now);
    }
}

pub(super) struct Outcome {
    /// Group, step, neuron.
    pub(super) spikes: Vec<(usize, u32, u32)>,
    /// For each group its potentials.
    pub(super) v: Vec<Vec<f64>>,
    /// For each projection its weights.
    pub(super) weights: Vec<Vec<f32>>,
}

/// Runs `steps` of a circuit whose populations are of these models.
pub(super) fn simulate(
    circuit: &Circuit,
    models: &BTreeMap<usize, Model>,
    streams: &Streams,
    steps: u64,
) -> Outcome {
    let dt = circuit.dt_ms;
    let mut inputs: BTreeMap<usize, Generator> = BTreeMap::new();
    let mut neurons: BTreeMap<usize, Vec<OneNeuron>> = BTreeMap::new();
    let mut drives: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (g, group) in circuit.groups.iter().enumerate() {
        match &group.kind {
            Kind::Input(input) => {
                inputs.insert(g, input.generator(&group.name, group.n, dt, streams));
            }
            Kind::Population {
                model,
                start,
                current,
                ..
            } => {
                let own = streams.child("population").child(&group.name);
                let mut all: Vec<OneNeuron> = (0..group.n)
                    .map(|_| OneNeuron {
                        v: e_l(&models[&g]),
                        ex: 0.0,
                        inh: 0.0,
                        rest: 0,
                    })
                    .collect();
                for (name, draw) in start {
                    let mut rng = own.stream(name);
                    for (i, neuron) in all.iter_mut().enumerate() {
                        let x = draw.sample(i, &mut rng);
                        match model.variables().iter().position(|v| v == name) {
                            Some(0) => neuron.v = x,
                            Some(1) => neuron.ex = x,
                            _ => neuron.inh = x,
                        }
                    }
                }
                neurons.insert(g, all);
                let mut rng = own.stream("current");
                let i_e = model.i_e_pa();
                let drive = (0..group.n).map(|i| {
                    current
                        .as_ref()
                        .map_or(i_e, |d| i_e + d.sample(i, &mut rng))
                });
                drives.insert(g, drive.collect());
            }
        }
    }
    let mut links: Vec<(&Projection, Synapses, Vec<OneSynapse>)> = circuit
        .projections
        .iter()
        .map(|p| {
            let sizes = (circuit.groups[p.from.0].n, circuit.groups[p.to.0].n);
            let synapses = Synapses::draw(p, sizes, dt, streams).expect("synapses");
            let each = synapses.iter().map(|(from, to, w, d)| OneSynapse {
                from,
                to,
                delay: u64::from(d),
                w,
            });
            let each = each.collect();
            (p, synapses, each)
        })
        .collect();
    // Per projection and source or target.
    let mut xs: Vec<BTreeMap<u32, Trace>> = links.iter().map(|_| BTreeMap::new()).collect();
    let mut ys = xs
        .iter()
        .map(|_| BTreeMap::<u32, Trace>::new())
        .collect::<Vec<_>>();
    let decays: Vec<Option<(Decay, Decay)>> = links
        .iter()
        .map(|(p, ..)| {
            let order = p.rule.as_ref()?.order();
            let plus = Decay::new(order.tau_plus_ms, dt);
            Some((plus, Decay::new(order.tau_minus_ms, dt)))
        })
        .collect();
    let mut history: Vec<Vec<Vec<bool>>> = vec![];
    // Before each step and before the next, of each modulator.
    let mut levels = vec![plain_levels(circuit, None)];
    let mut waiting: BTreeMap<(u64, usize, u32, bool), f64> = BTreeMap::new();
    let mut spikes = vec![];
    for k in 0..steps {
        let mut fired: Vec<Vec<u32>> = vec![vec![]; circuit.groups.len()];
        for (g, all) in &mut neurons {
            for (i, neuron) in all.iter_mut().enumerate() {
                if neuron.step(&models[g], drives[g][i], dt) {
                    fired[*g].push(i as u32);
                }
            }
        }
        for (g, input) in &mut inputs {
            input.emit(k, &mut fired[*g]);
        }
        for (g, list) in fired.iter().enumerate() {
            spikes.extend(list.iter().map(|i| (g, k as u32, *i)));
        }
        let flags = fired.iter().zip(&circuit.groups).map(|(list, group)| {
            let mut flags = vec![false; group.n];
            list.iter().for_each(|i| flags[*i as usize] = true);
            flags
        });
        history.push(flags.collect());
        let ago = |steps: u64, g: usize, i: u32| {
            k >= steps && history[(k - steps) as usize][g][i as usize]
        };
        for (l, (p, synapses, each)) in links.iter_mut().enumerate() {
            let inhibitory = p.receptor == "inhibitory";
            let mut arrive = |to: u32, at: u64, w: f32| {
                let neuron = &mut neurons.get_mut(&p.to.0).expect("a population")[to as usize];
                let into = if inhibitory {
                    &mut neuron.inh
                } else {
                    &mut neuron.ex
                };
                if at == k + 1 {
                    *into += f64::from(w);
                } else {
                    *waiting.entry((at, p.to.0, to, inhibitory)).or_insert(0.0) += f64::from(w);
                }
            };
            let (Some(rule), Some(decays)) = (&p.rule, &decays[l]) else {
                match &synapses.delays {
                    PerSynapse::Same(d) => {
                        let lag = u64::from(*d) - 1;
                        for s in each.iter().filter(|s| ago(lag, p.from.0, s.from)) {
                            arrive(s.to, k + 1, s.w);
                        }
                    }
                    PerSynapse::Each(_) => {
                        for s in each.iter().filter(|s| ago(0, p.from.0, s.from)) {
                            // Even the next step's waits with the others.
                            let slot = (k + s.delay, p.to.0, s.to, inhibitory);
                            *waiting.entry(slot).or_insert(0.0) += f64::from(s.w);
                        }
                    }
                }
                continue;
            };
            plastic_step(
                &**rule,
                each,
                (&mut xs[l], &mut ys[l]),
                (k, dt),
                (decays, |lag: u64, post: bool| match p.modulated {
                    Some(m) if k >= lag => {
                        let (up, down) = m.factors(levels[(k - lag) as usize][m.by]);
                        if post { up } else { down }
                    }
                    _ => 1.0,
                }),
                |lag, post, i| ago(lag, if post { p.to.0 } else { p.from.0 }, i),
                &mut arrive,
            );
        }
        let counts: Vec<usize> = fired.iter().map(Vec::len).collect();
        levels.push(plain_levels(circuit, Some((&levels[k as usize], &counts))));
        // What waited comes last.
        let due: Vec<_> = waiting
            .range((k + 1, 0, 0, false)..(k + 2, 0, 0, false))
            .map(|(a, w)| (*a, *w))
            .collect();
        for ((at, g, i, inhibitory), w) in due {
            let neuron = &mut neurons.get_mut(&g).expect("a population")[i as usize];
            *(if inhibitory {
                &mut neuron.inh
            } else {
                &mut neuron.ex
            }) += w;
            waiting.remove(&(at, g, i, inhibitory));
        }
    }
    let potentials = |g: usize| {
        neurons
            .get(&g)
            .map_or(vec![], |all| all.iter().map(|n| n.v).collect())
    };
    Outcome {
        spikes,
        v: (0..circuit.groups.len()).map(potentials).collect(),
        weights: links
            .iter()
            .map(|(.., each)| each.iter().map(|s| s.w).collect())
            .collect(),
    }
}

fn e_l(model: &Model) -> f64 {
    match model {
        Model::Current(m) => m.e_l_mv,
        Model::Conductance(m) => m.e_l_mv,
    }
}

/// Levels of all modulators at the start, or after a step from those before it in which each group had so many spikes.
fn plain_levels(circuit: &Circuit, step: Option<(&Vec<f64>, &[usize])>) -> Vec<f64> {
    let each = circuit.modulators.iter().enumerate();
    each.map(|(i, (_, m))| {
        let Some((before, counts)) = step else {
            return m.baseline;
        };
        let left = (-circuit.dt_ms / m.tau_ms).exp();
        let mut level = m.baseline + (before[i] - m.baseline) * left;
        for (group, gain) in &m.listens {
            level += gain * counts[group.0] as f64;
        }
        level
    })
    .collect()
}

/// All events of one step on all synapses of a projection, in the order that the rule names.
fn plastic_step(
    rule: &dyn Rule,
    synapses: &mut [OneSynapse],
    (xs, ys): (&mut BTreeMap<u32, Trace>, &mut BTreeMap<u32, Trace>),
    (k, dt): (u64, f64),
    (decays, factor): (&(Decay, Decay), impl Fn(u64, bool) -> f64),
    happened: impl Fn(u64, bool, u32) -> bool,
    arrive: &mut dyn FnMut(u32, u64, f32),
) {
    let order: Order = rule.order();
    let (plus, minus) = decays;
    let axonal = (order.axonal_ms / dt).round() as u64;
    let dendritic = (order.dendritic_ms / dt).round() as u64;
    let now = k as i64;
    let (low, high) = rule.range();
    let clip = |w: f32| w.max(low).min(high);
    let each = |w: f32| {
        if order.clip == Clip::EachChange {
            clip(w)
        } else {
            w
        }
    };
    for s in synapses.iter_mut() {
        let source = happened(axonal, false, s.from);
        let target = happened(dendritic, true, s.to);
        let x = xs.get(&s.from).copied().unwrap_or_default();
        let y = ys.get(&s.to).copied().unwrap_or_default();
        let (mut x_then, mut y_then) = (x, y);
        match order.ties {
            Ties::SourceFirst if source => x_then.bump(now, plus, order.traces),
            Ties::TargetFirst if target => y_then.bump(now, minus, order.traces),
            _ => {}
        }
        let up = |w: f32| match x_then.at(now, plus) {
            Some(x) if target => each(scaled(w, rule.potentiated(w, x), factor(dendritic, true))),
            _ => w,
        };
        let down = |w: f32, arrive: &mut dyn FnMut(u32, u64, f32)| {
            if !source {
                return w;
            }
            let (mut w, ahead) = (w, k + s.delay - axonal);
            if order.deliver == Deliver::Before {
                w = clip(w);
                arrive(s.to, ahead, w);
            }
            if let Some(y) = y_then.at(now, minus) {
                w = each(scaled(w, rule.depressed(w, y), factor(axonal, false)));
            }
            w = clip(w);
            if order.deliver == Deliver::After {
                arrive(s.to, ahead, w);
            }
            w
        };
        s.w = match order.ties {
            Ties::SourceFirst => up(down(s.w, arrive)),
            Ties::TargetFirst | Ties::Apart => down(up(s.w), arrive),
        };
    }
    // Traces move on once all synapses have seen the step.
    let sources: std::collections::BTreeSet<u32> = synapses.iter().map(|s| s.from).collect();
    for i in sources.into_iter().filter(|i| happened(axonal, false, *i)) {
        xs.entry(i).or_default().bump(now, plus, order.traces);
    }
    let targets: std::collections::BTreeSet<u32> = synapses.iter().map(|s| s.to).collect();
    for i in targets
        .into_iter()
        .filter(|i| happened(dendritic, true, *i))
    {
        ys.entry(i).or_default().bump(now, minus, order.traces);
    }
}
