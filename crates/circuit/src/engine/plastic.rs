//! Plastic synapses: rows are brought up to date when their source spikes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::math::Decay;
use crate::modulator::{Level, Modulated, scaled};
use crate::plasticity::{Clip, Deliver, Order, Rule, Ties, Traces};
use crate::projection::{PerSynapse, Synapses};

/// What a source remembers. Times are in steps.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// When its last spike counted.
    last: Option<i64>,
    /// Its trace just after that.
    trace: f64,
    /// The targets' spikes up to this time have been walked through.
    done: i64,
}

/// A spike of a target, the target's trace just after it, and by how much the potentiation that it causes is scaled.
#[derive(Debug, Clone, Copy)]
struct Spike {
    time: i64,
    trace: f64,
    factor: f64,
}

/// The plastic synapses onto one part's neurons.
#[derive(Debug)]
pub(super) struct Plastic {
    pub(super) synapses: Synapses,
    weights: Vec<f32>,
    rule: Arc<dyn Rule>,
    order: Order,
    range: (f32, f32),
    /// Steps.
    pub(super) axonal: u64,
    dendritic: i64,
    plus: Decay,
    minus: Decay,
    modulated: Option<Modulated>,
    /// Factors of depression of this step and of those before it that a source's spike may still count for.
    depression: VecDeque<f64>,
    sources: Vec<Source>,
    targets: Vec<Vec<Spike>>,
    kept: usize,
    /// Spikes kept before the rows are all brought up to date.
    most: usize,
}

impl Plastic {
    /// `synapses` with a weight each, onto `n_to` targets.
    pub(super) fn new(
        mut synapses: Synapses,
        (rule, modulated): (Arc<dyn Rule>, Option<Modulated>),
        n_to: usize,
        dt_ms: f64,
    ) -> Self {
        let weights = match std::mem::replace(&mut synapses.weights, PerSynapse::Same(0.0)) {
            PerSynapse::Each(w) => w,
            PerSynapse::Same(w) => vec![w; synapses.len()],
        };
        let order = rule.order();
        let fresh = Source {
            last: None,
            trace: 0.0,
            done: -1,
        };
        Self {
            sources: vec![fresh; synapses.offsets.len() - 1],
            targets: vec![vec![]; n_to],
            kept: 0,
            most: 4096 + 64 * n_to,
            axonal: (order.axonal_ms / dt_ms).round() as u64,
            dendritic: (order.dendritic_ms / dt_ms).round() as i64,
            plus: Decay::new(order.tau_plus_ms, dt_ms),
            minus: Decay::new(order.tau_minus_ms, dt_ms),
            modulated,
            depression: VecDeque::new(),
            range: rule.range(),
            order,
            rule,
            weights,
            synapses,
        }
    }

    #[cfg(test)]
    pub(super) fn remember_at_most(&mut self, spikes: usize) {
        self.most = spikes;
    }

    fn clip(&self, w: f32) -> f32 {
        w.max(self.range.0).min(self.range.1)
    }

    fn clip_each(&self, w: f32) -> f32 {
        match self.order.clip {
            Clip::EachChange => self.clip(w),
            Clip::EachSpike => w,
        }
    }

    /// Takes in the targets' spikes of step `k`. To be called before [`Plastic::deliver`] of the same step.
    pub(super) fn remember(
        &mut self,
        fired: impl Iterator<Item = usize>,
        k: u64,
        modulators: &[Level],
    ) {
        let time = k as i64 + self.dendritic;
        let factor = match self.modulated {
            None => 1.0,
            Some(modulated) => {
                let (up, down) = modulated.factors(modulators[modulated.by].value);
                self.depression.push_front(down);
                self.depression.truncate(self.axonal as usize + 1);
                up
            }
        };
        for target in fired {
            let spikes = &mut self.targets[target];
            let trace = match (self.order.traces, spikes.last()) {
                (Traces::AllToAll, Some(last)) => {
                    last.trace * self.minus.after(time - last.time) + 1.0
                }
                _ => 1.0,
            };
            spikes.push(Spike {
                time,
                trace,
                factor,
            });
            self.kept += 1;
        }
    }

    /// The weight after the target's spikes later than `source.done`, up to `until`.
    fn walked(&self, mut w: f32, source: Source, target: usize, until: i64) -> f32 {
        let Some(last) = source.last else { return w };
        let spikes = &self.targets[target];
        let mut first = spikes.len();
        while first > 0 && spikes[first - 1].time > source.done {
            first -= 1;
        }
        for spike in &spikes[first..] {
            if spike.time > until {
                break;
            }
            let x = source.trace * self.plus.after(spike.time - last);
            w = self.clip_each(scaled(w, self.rule.potentiated(w, x), spike.factor));
        }
        w
    }

    /// Spikes of `sources` count at step `k`: their rows are brought up to date, and `arrive` is given target, delay still
    /// ahead in steps, and weight of each synapse.
    pub(super) fn deliver(
        &mut self,
        sources: &[u32],
        k: u64,
        mut arrive: impl FnMut(usize, u64, f32),
    ) {
        let now = k as i64;
        // The targets' spikes that come before this one of the source, and those that depress.
        let (walk_until, depress_until) = match self.order.ties {
            Ties::SourceFirst => (now - 1, now - 1),
            Ties::TargetFirst => (now, now),
            Ties::Apart => (now, now - 1),
        };
        // Those spikes happened a while ago.
        let factor = self.depression.back().copied().unwrap_or(1.0);
        for &s in sources {
            let source = self.sources[s as usize];
            for idx in self.synapses.row(s) {
                let target = self.synapses.targets[idx] as usize;
                let mut w = self.walked(self.weights[idx], source, target, walk_until);
                let ahead = u64::from(self.synapses.delays.at(idx)) - self.axonal;
                if self.order.deliver == Deliver::Before {
                    w = self.clip(w);
                    arrive(target, ahead, w);
                }
                let spikes = self.targets[target].iter().rev();
                if let Some(spike) = spikes.into_iter().find(|p| p.time <= depress_until) {
                    let y = spike.trace * self.minus.after(now - spike.time);
                    w = self.clip_each(scaled(w, self.rule.depressed(w, y), factor));
                }
                w = self.clip(w);
                if self.order.deliver == Deliver::After {
                    arrive(target, ahead, w);
                }
                self.weights[idx] = w;
            }
            let trace = match (self.order.traces, source.last) {
                (Traces::AllToAll, Some(last)) => source.trace * self.plus.after(now - last) + 1.0,
                _ => 1.0,
            };
            self.sources[s as usize] = Source {
                last: Some(now),
                trace,
                done: walk_until,
            };
        }
        if self.kept > self.most {
            self.settle(k);
        }
    }

    /// Brings all rows up to date at the end of step `k`, and forgets the targets' spikes but their last.
    pub(super) fn settle(&mut self, k: u64) {
        let now = k as i64;
        for s in 0..self.sources.len() {
            let source = self.sources[s];
            if source.last.is_some() {
                for idx in self.synapses.row(s as u32) {
                    let target = self.synapses.targets[idx] as usize;
                    self.weights[idx] = self.walked(self.weights[idx], source, target, now);
                }
            }
            self.sources[s].done = now.max(source.done);
        }
        self.kept = 0;
        for spikes in &mut self.targets {
            // The last that has counted is still needed for its trace.
            let counted = spikes.partition_point(|p| p.time <= now);
            spikes.drain(..counted.saturating_sub(1));
            self.kept += spikes.len();
        }
    }

    /// The weights, by source, then target.
    pub(super) fn weights(&self) -> &[f32] {
        &self.weights
    }
}
