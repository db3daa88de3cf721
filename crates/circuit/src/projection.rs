//! Projections: who connects to whom, with which weights and delays, stored by source.

use std::sync::Arc;

use chiasm_core::rng::Rng;
use chiasm_core::{SettingError, Streams};
use rand::RngExt;
use rand_distr::{Distribution, Exp1, Normal};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuit::Group;
use crate::plasticity::Rule;

/// Who connects to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connect {
    /// Every source to every target.
    AllToAll,
    /// Every source to every target that does not have its index.
    AllToOthers,
    /// Source `i` to target `i`; both groups have the same size.
    OneToOne,
    /// Each pair independently with this probability.
    Probability(f64),
    /// This number of different sources for each target.
    InDegree(u32),
    /// This number of different targets for each source.
    OutDegree(u32),
    /// These pairs of source and target, each once.
    Pairs(Vec<(u32, u32)>),
}

/// A value for each of many: the same for all, drawn, or given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, { uniform = [low, high] }, { normal = [mean, sd] } or { each = [...] }"
)]
pub enum Draw {
    /// The same for all.
    Same(f64),
    /// Drawn from a distribution, or given.
    From(Distributed),
}

/// Values that differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distributed {
    /// Between low (included) and high.
    Uniform(f64, f64),
    /// Mean and standard deviation.
    Normal(f64, f64),
    /// Given one by one: for neurons in their order, for synapses by source, then target.
    Each(Vec<f64>),
}

impl From<f64> for Draw {
    fn from(value: f64) -> Self {
        Self::Same(value)
    }
}

impl Draw {
    /// Between `low` (included) and `high`.
    #[must_use]
    pub fn uniform(low: f64, high: f64) -> Self {
        Self::From(Distributed::Uniform(low, high))
    }

    /// Of this mean and standard deviation.
    #[must_use]
    pub fn normal(mean: f64, sd: f64) -> Self {
        Self::From(Distributed::Normal(mean, sd))
    }

    /// Checks the numbers.
    pub(crate) fn validate(&self, field: &str) -> Result<(), SettingError> {
        let finite = |x: f64| SettingError::check(x.is_finite(), field, "a finite number", x);
        match self {
            Self::Same(x) => finite(*x),
            Self::From(Distributed::Uniform(low, high)) => {
                finite(*low)?;
                finite(*high)?;
                let found = format!("{low} to {high}");
                SettingError::check(low <= high, field, "a range from low to high", found)
            }
            Self::From(Distributed::Normal(mean, sd)) => {
                finite(*mean)?;
                finite(*sd)?;
                SettingError::check(*sd >= 0.0, field, "a standard deviation of at least 0", sd)
            }
            Self::From(Distributed::Each(each)) => each.iter().try_for_each(|x| finite(*x)),
        }
    }

    /// The next value; `index` counts all of them.
    pub(crate) fn sample(&self, index: usize, rng: &mut Rng) -> f64 {
        match self {
            Self::Same(x) => *x,
            Self::From(Distributed::Uniform(low, high)) => low + (high - low) * rng.random::<f64>(),
            Self::From(Distributed::Normal(mean, sd)) => {
                // Validated: finite, not negative.
                Normal::new(*mean, *sd).map_or(*mean, |n| n.sample(rng))
            }
            Self::From(Distributed::Each(each)) => each.get(index).copied().unwrap_or(f64::NAN),
        }
    }

    fn is_random(&self) -> bool {
        matches!(
            self,
            Self::From(Distributed::Uniform(..) | Distributed::Normal(..))
        )
    }
}

/// Synapses from one group to a population.
#[derive(Debug, Clone)]
pub struct Projection {
    pub(crate) name: String,
    pub(crate) from: Group,
    pub(crate) to: Group,
    pub(crate) receptor: String,
    pub(crate) connect: Connect,
    pub(crate) self_connections: bool,
    pub(crate) weight: Draw,
    pub(crate) delay_ms: Draw,
    pub(crate) rule: Option<Arc<dyn Rule>>,
}

impl Projection {
    /// Excitatory, all to all (without connections of a neuron to itself), of weight 0 and the least delay.
    ///
    /// The name is also that of its random streams: weights that are drawn anew shift no other projection.
    #[must_use]
    pub fn new(name: &str, from: Group, to: Group) -> Self {
        Self {
            name: name.into(),
            from,
            to,
            receptor: "excitatory".into(),
            connect: Connect::AllToAll,
            self_connections: false,
            weight: Draw::Same(0.0),
            delay_ms: Draw::Same(f64::NAN),
            rule: None,
        }
    }

    /// The receptor of the targets, by its name.
    #[must_use]
    pub fn receptor(mut self, name: &str) -> Self {
        self.receptor = name.into();
        self
    }

    /// Who connects to whom.
    #[must_use]
    pub fn connect(mut self, connect: Connect) -> Self {
        self.connect = connect;
        self
    }

    /// Whether a neuron may connect to itself (within one population).
    #[must_use]
    pub fn self_connections(mut self, may: bool) -> Self {
        self.self_connections = may;
        self
    }

    /// The weights, in the receptor's unit.
    #[must_use]
    pub fn weight(mut self, weight: impl Into<Draw>) -> Self {
        self.weight = weight.into();
        self
    }

    /// The delays, ms; rounded to whole steps, of which there must be at least one.
    #[must_use]
    pub fn delay_ms(mut self, delay: impl Into<Draw>) -> Self {
        self.delay_ms = delay.into();
        self
    }

    /// Weights that change by the timing of spikes.
    #[must_use]
    pub fn plastic(mut self, rule: impl Rule + 'static) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }
}

/// One number for all synapses, or one for each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PerSynapse<T> {
    Same(T),
    Each(Vec<T>),
}

impl<T: Copy> PerSynapse<T> {
    #[inline]
    pub(crate) fn at(&self, idx: usize) -> T {
        match self {
            Self::Same(x) => *x,
            Self::Each(x) => x[idx],
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Same(_) => 0,
            Self::Each(x) => std::mem::size_of_val(x.as_slice()),
        }
    }
}

/// Synapses in compressed rows, one row for each source, its targets ascending.
///
/// A synapse takes 4 bytes for its target, 4 for its weight and 2 for its delay; weights and delays that are all the same
/// take nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Synapses {
    pub(crate) offsets: Vec<u32>,
    pub(crate) targets: Vec<u32>,
    pub(crate) weights: PerSynapse<f32>,
    pub(crate) delays: PerSynapse<u16>,
}

/// Rows that one task draws.
const ROWS: usize = 256;

impl Synapses {
    /// Draws the synapses of a projection. Sizes and settings have been checked.
    pub(crate) fn draw(
        projection: &Projection,
        (n_from, n_to): (usize, usize),
        dt_ms: f64,
        streams: &Streams,
    ) -> Result<Self, SettingError> {
        let streams = streams.child("projection").child(&projection.name);
        let field = |what: &str| format!("projection.{}.{what}", projection.name);
        let no_self = projection.from == projection.to && !projection.self_connections;
        let rows: Vec<Vec<u32>> = match &projection.connect {
            Connect::InDegree(k) => by_target((n_from, n_to), *k as usize, no_self, &streams),
            Connect::Pairs(pairs) => by_pairs(n_from, pairs, &field("connect"))?,
            connect => (0..n_from)
                .into_par_iter()
                .with_min_len(ROWS)
                .map(|i| row(connect, i, n_to, no_self, &streams))
                .collect(),
        };
        let n: usize = rows.iter().map(Vec::len).sum();
        SettingError::check(
            u32::try_from(n).is_ok(),
            &field("connect"),
            "at most 4 294 967 295 synapses in a projection",
            n,
        )?;
        let mut offsets = Vec::with_capacity(n_from + 1);
        let mut targets = Vec::with_capacity(n);
        offsets.push(0);
        for row in rows {
            targets.extend(row);
            offsets.push(targets.len() as u32);
        }
        let values = |draw: &Draw, what: &str| -> Result<PerSynapse<f64>, SettingError> {
            Ok(match draw {
                Draw::Same(x) => PerSynapse::Same(*x),
                Draw::From(Distributed::Each(each)) => {
                    let expected = format!("{n} values, one for each synapse");
                    let found = format!("{} values", each.len());
                    SettingError::check(each.len() == n, &field(what), &expected, found)?;
                    PerSynapse::Each(each.clone())
                }
                draw => {
                    debug_assert!(draw.is_random());
                    let rows = (0..n_from).into_par_iter().with_min_len(ROWS);
                    let drawn: Vec<Vec<f64>> = rows
                        .map(|i| {
                            let mut rng = streams.indexed(what, i);
                            let row = offsets[i]..offsets[i + 1];
                            row.map(|s| draw.sample(s as usize, &mut rng)).collect()
                        })
                        .collect();
                    PerSynapse::Each(drawn.concat())
                }
            })
        };
        let weights = match values(&projection.weight, "weight")? {
            // A plastic synapse has a weight of its own.
            PerSynapse::Same(w) if projection.rule.is_some() => PerSynapse::Each(vec![w as f32; n]),
            PerSynapse::Same(w) => PerSynapse::Same(w as f32),
            PerSynapse::Each(w) => PerSynapse::Each(w.into_iter().map(|w| w as f32).collect()),
        };
        let steps = |delay_ms: f64| -> Result<u16, SettingError> {
            // The least delay, where none is given.
            let steps = if delay_ms.is_nan() {
                1.0
            } else {
                (delay_ms / dt_ms).round()
            };
            let holds = (1.0..=f64::from(MAX_DELAY)).contains(&steps);
            let expected = format!("delays of 1 to {MAX_DELAY} steps of {dt_ms} ms");
            SettingError::check(
                holds,
                &field("delay_ms"),
                &expected,
                format!("{delay_ms} ms"),
            )?;
            Ok(steps as u16)
        };
        let delays = match values(&projection.delay_ms, "delay_ms")? {
            PerSynapse::Same(d) => PerSynapse::Same(steps(d)?),
            PerSynapse::Each(d) => {
                let d: Vec<u16> = d.into_iter().map(steps).collect::<Result<_, _>>()?;
                match d.first() {
                    Some(&first) if d.iter().all(|d| *d == first) => PerSynapse::Same(first),
                    _ => PerSynapse::Each(d),
                }
            }
        };
        Ok(Self {
            offsets,
            targets,
            weights,
            delays,
        })
    }

    /// Number of synapses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Memory of the synapses, bytes, the rows' offsets included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * (self.offsets.len() + self.targets.len()) + self.weights.bytes() + self.delays.bytes()
    }

    /// Source, target, weight and delay in steps of every synapse, by source, then target.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, f32, u16)> {
        self.offsets
            .windows(2)
            .enumerate()
            .flat_map(move |(i, row)| {
                (row[0] as usize..row[1] as usize).map(move |s| {
                    (
                        i as u32,
                        self.targets[s],
                        self.weights.at(s),
                        self.delays.at(s),
                    )
                })
            })
    }

    #[inline]
    pub(crate) fn row(&self, source: u32) -> std::ops::Range<usize> {
        let i = source as usize;
        self.offsets[i] as usize..self.offsets[i + 1] as usize
    }

    /// The longest delay, steps.
    pub(crate) fn longest(&self) -> u16 {
        match &self.delays {
            PerSynapse::Same(d) => *d,
            PerSynapse::Each(d) => d.iter().copied().max().unwrap_or(1),
        }
    }

    /// The shortest delay, steps.
    pub(crate) fn shortest(&self) -> u16 {
        match &self.delays {
            PerSynapse::Same(d) => *d,
            PerSynapse::Each(d) => d.iter().copied().min().unwrap_or(1),
        }
    }

    /// The synapses onto the targets from `low` to before `high`, which are counted from `low`.
    pub(crate) fn onto(&self, low: usize, high: usize) -> Self {
        let mut part = Self {
            offsets: vec![0],
            targets: vec![],
            weights: match &self.weights {
                PerSynapse::Same(w) => PerSynapse::Same(*w),
                PerSynapse::Each(_) => PerSynapse::Each(vec![]),
            },
            delays: match &self.delays {
                PerSynapse::Same(d) => PerSynapse::Same(*d),
                PerSynapse::Each(_) => PerSynapse::Each(vec![]),
            },
        };
        for row in self.offsets.windows(2) {
            let (start, row) = (
                row[0] as usize,
                &self.targets[row[0] as usize..row[1] as usize],
            );
            let a = start + row.partition_point(|t| (*t as usize) < low);
            let b = start + row.partition_point(|t| (*t as usize) < high);
            part.targets
                .extend(self.targets[a..b].iter().map(|t| t - low as u32));
            if let (PerSynapse::Each(to), PerSynapse::Each(from)) =
                (&mut part.weights, &self.weights)
            {
                to.extend(&from[a..b]);
            }
            if let (PerSynapse::Each(to), PerSynapse::Each(from)) = (&mut part.delays, &self.delays)
            {
                to.extend(&from[a..b]);
            }
            part.offsets.push(part.targets.len() as u32);
        }
        part
    }
}

/// The longest delay, steps.
pub(crate) const MAX_DELAY: u16 = 16_384;

/// The targets of source `i`.
fn row(connect: &Connect, i: usize, n_to: usize, no_self: bool, streams: &Streams) -> Vec<u32> {
    let skip = (no_self || *connect == Connect::AllToOthers).then_some(i);
    match connect {
        Connect::OneToOne => vec![i as u32],
        Connect::Probability(p) if *p < 1.0 => {
            let mut targets = Vec::with_capacity((1.1 * p * n_to as f64) as usize + 8);
            if *p > 0.0 {
                let mut rng = streams.indexed("targets", i);
                // Gaps between successes are geometric: floor(E / -ln(1 - p)) for an exponential E.
                let scale = -1.0 / (-p).ln_1p();
                let mut at = gap(&mut rng, scale);
                while at < n_to as f64 {
                    if Some(at as usize) != skip {
                        targets.push(at as u32);
                    }
                    at += 1.0 + gap(&mut rng, scale);
                }
            }
            targets
        }
        Connect::OutDegree(k) => {
            let mut rng = streams.indexed("targets", i);
            some_of(n_to, *k as usize, skip, &mut rng)
        }
        _ => (0..n_to as u32)
            .filter(|t| Some(*t as usize) != skip)
            .collect(),
    }
}

/// A geometric number: failures before the next success.
pub(crate) fn gap(rng: &mut Rng, scale: f64) -> f64 {
    let e: f64 = Exp1.sample(rng);
    (e * scale).floor()
}

/// `k` different numbers below `n` without `skip`, ascending (Floyd's method).
fn some_of(n: usize, k: usize, skip: Option<usize>, rng: &mut Rng) -> Vec<u32> {
    let n = n - usize::from(skip.is_some());
    let mut chosen = std::collections::BTreeSet::new();
    for top in n - k.min(n)..n {
        let x = rng.random_range(0..=top);
        if !chosen.insert(x) {
            chosen.insert(top);
        }
    }
    let shift = |x: usize| x + usize::from(skip.is_some_and(|s| x >= s));
    chosen.into_iter().map(|x| shift(x) as u32).collect()
}

/// `k` sources for each target, as rows by source.
fn by_target(
    (n_from, n_to): (usize, usize),
    k: usize,
    no_self: bool,
    streams: &Streams,
) -> Vec<Vec<u32>> {
    let sources: Vec<Vec<u32>> = (0..n_to)
        .into_par_iter()
        .with_min_len(ROWS)
        .map(|t| {
            some_of(
                n_from,
                k,
                no_self.then_some(t),
                &mut streams.indexed("sources", t),
            )
        })
        .collect();
    let mut rows = vec![vec![]; n_from];
    for (t, sources) in sources.iter().enumerate() {
        for &s in sources {
            rows[s as usize].push(t as u32);
        }
    }
    rows
}

/// Given pairs, as rows by source.
fn by_pairs(
    n_from: usize,
    pairs: &[(u32, u32)],
    field: &str,
) -> Result<Vec<Vec<u32>>, SettingError> {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|w| w[0] == w[1]) {
        let found = format!("({}, {}) twice", twice[0].0, twice[0].1);
        return Err(SettingError::new(field, "each pair once", found));
    }
    let mut rows = vec![vec![]; n_from];
    for (s, t) in sorted {
        rows[s as usize].push(t);
    }
    Ok(rows)
}
