//! Synapses in compressed rows: drawn once, then looked up by their source.

use chiasm_core::{SettingError, Streams};
use rayon::prelude::*;

use super::rows::{self, ROWS};
use super::{Distributed, Draw, Projection};

/// The longest delay, steps.
const MAX_DELAY: u16 = 16_384;

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
        let sizes = (n_from, n_to);
        let connect = &projection.connect;
        let rows = rows::targets(connect, sizes, no_self, &streams, &field("connect"))?;
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
