//! One greedy search: from every node by itself down to one block, then around the best number of blocks.

use chiasm_core::{Cancelled, Rng, Watch};
use rand::RngExt;

use super::config::BlockModel;
use super::hierarchy::{Coupling, levels_above};
use super::multigraph::Multigraph;
use super::search::{GAIN, best_of, shrink, sweep};
use super::state::{Gathered, State, compact};
use super::terms::Terms;

/// What one search found: the partition, the levels above it and their cost.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) labels: Vec<u32>,
    pub(super) above: Vec<Vec<u32>>,
    pub(super) cost: f64,
}

/// One search of one model.
pub(super) struct Search<'a> {
    pub(super) settings: &'a BlockModel,
    pub(super) ground: &'a Multigraph,
    pub(super) terms: Terms<'a>,
    pub(super) rng: Rng,
    pub(super) watch: &'a dyn Watch,
}

/// A partition met on the way down: number of blocks, labels, cost without the prior of the edge counts.
struct Step {
    b: usize,
    labels: Vec<u32>,
    own: f64,
    total: Option<f64>,
}

impl Search<'_> {
    pub(super) fn run(&mut self) -> Result<Found, Cancelled> {
        let mut steps = self.descend()?;
        // From few blocks to many: what a partition costs without the levels above it is a lower bound, which spares
        // most of the large ones.
        let mut best = steps.len() - 1;
        for k in (0..steps.len()).rev() {
            let least = steps[best].total.unwrap_or(f64::INFINITY);
            if steps[k].own < least {
                let found = self.complete(&steps[k].labels, steps[k].b);
                steps[k].total = Some(found.cost);
                if found.cost < least {
                    best = k;
                }
            }
        }
        self.bisect(&mut steps, best)?;
        let best = steps
            .iter()
            .filter(|s| s.total.is_some())
            .min_by(|a, b| {
                let cost = |s: &Step| s.total.unwrap_or(f64::INFINITY);
                cost(a).total_cmp(&cost(b)).then(a.b.cmp(&b.b))
            })
            .map_or_else(|| vec![0; self.ground.len()], |s| s.labels.clone());
        let (labels, b) = compact(&best);
        let found = self.complete(&labels, b);
        let mut found = self.settle(found);
        for _ in 0..self.settings.merge_split {
            self.watch.check()?;
            let before = found.cost;
            found = self.merge_split(found);
            if found.cost > before - GAIN {
                break;
            }
        }
        Ok(found)
    }

    /// Merges from single nodes to one block, a third of the blocks at a time, with sweeps in between.
    fn descend(&mut self) -> Result<Vec<Step>, Cancelled> {
        let mut labels: Vec<u32> = (0..self.ground.len() as u32).collect();
        let mut b = labels.len();
        let mut steps = vec![Step {
            b,
            own: State::singletons(self.ground, self.terms).own_cost(),
            labels: labels.clone(),
            total: None,
        }];
        while b > 1 {
            self.watch.check()?;
            let target = if b <= 8 { b - 1 } else { b * 2 / 3 };
            let step = self.coarser(&labels, b, target);
            labels.clone_from(&step.labels);
            b = step.b;
            steps.push(step);
        }
        Ok(steps)
    }

    fn coarser(&mut self, labels: &[u32], b: usize, target: usize) -> Step {
        let state = State::new(self.ground, self.terms, labels.to_vec(), b);
        let labels = shrink(&state, target, &mut self.rng);
        let mut state = State::new(self.ground, self.terms, labels, target);
        let most = if target > 24 { 3 } else { self.settings.sweeps };
        sweep(&mut state, most, None, &mut self.rng);
        Step {
            b: target,
            own: state.own_cost(),
            labels: state.label,
            total: None,
        }
    }

    /// Narrows the number of blocks around the best step.
    fn bisect(&mut self, steps: &mut Vec<Step>, mut best: usize) -> Result<(), Cancelled> {
        loop {
            self.watch.check()?;
            // Steps are in descending order of b.
            let b = steps[best].b;
            let above = if best > 0 { steps[best - 1].b - b } else { 0 };
            let below = steps.get(best + 1).map_or(0, |s| b - s.b);
            if above.max(below) <= 1 {
                return Ok(());
            }
            let (from, target, at) = if above >= below {
                (best - 1, b + above / 2, best)
            } else {
                (best, b - below / 2, best + 1)
            };
            let (labels, larger) = (steps[from].labels.clone(), steps[from].b);
            let mut step = self.coarser(&labels, larger, target);
            let total = self.complete(&step.labels, step.b).cost;
            step.total = Some(total);
            let least = steps[best].total.unwrap_or(f64::INFINITY);
            steps.insert(at, step);
            if at <= best {
                best += 1;
            }
            if total < least {
                best = at;
            }
        }
    }

    /// A partition with the levels above it, or with the flat prior.
    fn complete(&mut self, labels: &[u32], b: usize) -> Found {
        let state = State::new(self.ground, self.terms, labels.to_vec(), b);
        let own = state.own_cost();
        if !self.settings.nested {
            return Found {
                cost: state.flat_cost(),
                labels: state.label,
                above: Vec::new(),
            };
        }
        let blocks = self.ground.condense(labels, b, true);
        let (above, cost) = levels_above(&blocks, self.terms.lf, &mut self.rng);
        Found {
            labels: state.label,
            above,
            cost: own + cost,
        }
    }

    /// Sweeps that see the levels above, and those levels found anew, in turns until neither gains.
    fn settle(&mut self, mut found: Found) -> Found {
        for _ in 0..self.settings.sweeps {
            let (labels, b) = compact(&found.labels);
            let blocks = self.ground.condense(&found.labels, b, true);
            let mut state = State::new(self.ground, self.terms, found.labels.clone(), b);
            debug_assert_eq!(labels.len(), found.labels.len());
            let gained = if self.settings.nested {
                let mut above = Coupling::new(&blocks, &found.above, self.terms.lf);
                sweep(
                    &mut state,
                    self.settings.sweeps,
                    Some(&mut above),
                    &mut self.rng,
                )
            } else {
                sweep(&mut state, self.settings.sweeps, None, &mut self.rng)
            };
            let swept = Found {
                labels: state.label,
                above: found.above.clone(),
                cost: found.cost - gained,
            };
            let again = self.complete(&swept.labels, b);
            let before = found.cost;
            found = if again.cost < swept.cost {
                again
            } else {
                swept
            };
            if found.cost > before - GAIN {
                break;
            }
        }
        found
    }

    /// Tries to split each block in two and to merge pairs of blocks; keeps what shortens the description.
    fn merge_split(&mut self, mut best: Found) -> Found {
        let mut r = 0;
        while r < compact(&best.labels).1 {
            if let Some(labels) = self.split(&best.labels, r as u32) {
                best = self.better(best, &labels);
            }
            r += 1;
        }
        let b = compact(&best.labels).1;
        if b > 1 {
            let state = State::new(self.ground, self.terms, compact(&best.labels).0, b);
            let labels = shrink(&state, b - 1, &mut self.rng);
            best = self.better(best, &labels);
        }
        best
    }

    /// The other partition after sweeps, with its levels, if its description is shorter.
    fn better(&mut self, best: Found, labels: &[u32]) -> Found {
        let (labels, b) = compact(labels);
        let mut state = State::new(self.ground, self.terms, labels, b);
        sweep(&mut state, self.settings.sweeps, None, &mut self.rng);
        let found = self.complete(&state.label, b);
        // A partition that is far behind before its levels are settled stays behind.
        if found.cost > best.cost + 10.0 {
            return best;
        }
        let found = self.settle(found);
        if found.cost < best.cost - GAIN {
            found
        } else {
            best
        }
    }

    /// Splits block `r` in two: random halves, then sweeps of its own nodes between the two.
    fn split(&mut self, labels: &[u32], r: u32) -> Option<Vec<u32>> {
        let b = compact(labels).1;
        let nodes: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == r).collect();
        if nodes.len() < 2 {
            return None;
        }
        let new = b as u32;
        let mut labels = labels.to_vec();
        for &i in &nodes {
            if self.rng.random::<bool>() {
                labels[i] = new;
            }
        }
        labels[nodes[0]] = r;
        labels[nodes[1]] = new;
        let mut state = State::new(self.ground, self.terms, labels, b + 1);
        let mut moving = Gathered::default();
        for _ in 0..self.settings.sweeps {
            let mut moved = false;
            for &node in &nodes {
                let own = state.label[node];
                if state.members[own as usize] == 1 {
                    continue;
                }
                state.gather(node, &mut moving);
                let other = if own == r { new } else { r };
                if let Some((_, s)) = best_of(&state, &moving, &[other], None) {
                    state.apply(&moving, s);
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        Some(state.label)
    }
}
