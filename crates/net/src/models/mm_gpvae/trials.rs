//! Trials of neural activity and behaviour, checked once, with a mask of what was seen.

use ndarray::{Array2, Array3, ArrayView2, Axis, concatenate};

use super::MmGpVaeError;

/// What to do with bins that hold NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Refuse them.
    Refuse,
    /// A bin of a stream with any NaN counts as not seen: it tells the encoder nothing and is not to be explained.
    Mask,
}

/// One stream of all trials.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stream {
    /// `[trial, time, channel]`; 0 where not seen.
    pub values: Array3<f32>,
    /// `[trial, time]`.
    pub seen: Array2<bool>,
}

/// Trials of one length, with neural activity, behaviour or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    pub(super) neural: Option<Stream>,
    pub(super) behavior: Option<Stream>,
}

impl Trials {
    /// Trials of `neural` activity `[trial, time, unit]` and `behavior` `[trial, time, channel]` on the same bins.
    ///
    /// # Errors
    /// Neither stream; streams of different numbers of trials or bins; no trial, bin or channel; an infinite value; NaN
    /// under [`Missing::Refuse`]; a trial of which nothing was seen.
    pub fn new(
        neural: Option<Array3<f32>>,
        behavior: Option<Array3<f32>>,
        missing: Missing,
    ) -> Result<Self, MmGpVaeError> {
        let neural = neural.map(|v| stream("neural", v, missing)).transpose()?;
        let behavior = behavior
            .map(|v| stream("behavior", v, missing))
            .transpose()?;
        if neural.is_none() && behavior.is_none() {
            return Err(MmGpVaeError::NoStream {
                stream: "stream at all",
            });
        }
        if let (Some(n), Some(b)) = (&neural, &behavior) {
            for (axis, what) in [(0, "behavior, trials"), (1, "behavior, bins")] {
                let (expected, found) = (n.values.shape()[axis], b.values.shape()[axis]);
                if expected != found {
                    return Err(MmGpVaeError::Shape {
                        what: what.into(),
                        expected: format!("{expected} as of the neural activity"),
                        found,
                    });
                }
            }
        }
        let trials = Self { neural, behavior };
        for trial in 0..trials.len() {
            let none = |s: &Option<Stream>| {
                s.as_ref()
                    .is_none_or(|s| !s.seen.row(trial).iter().any(|v| *v))
            };
            if none(&trials.neural) && none(&trials.behavior) {
                return Err(MmGpVaeError::EmptyTrial { trial });
            }
        }
        Ok(trials)
    }

    /// Trials of different lengths, each `[time, channel]`: padded to the longest with bins that count as not seen.
    ///
    /// # Errors
    /// As [`Trials::new`]; two streams of one trial with different lengths; trials with different numbers of channels.
    pub fn padded(
        neural: Option<&[Array2<f32>]>,
        behavior: Option<&[Array2<f32>]>,
    ) -> Result<Self, MmGpVaeError> {
        if let (Some(n), Some(b)) = (neural, behavior) {
            if n.len() != b.len() {
                return Err(MmGpVaeError::Shape {
                    what: "behavior, trials".into(),
                    expected: format!("{} as of the neural activity", n.len()),
                    found: b.len(),
                });
            }
            for (trial, (n, b)) in n.iter().zip(b).enumerate() {
                if n.nrows() != b.nrows() {
                    return Err(MmGpVaeError::Shape {
                        what: format!("behavior, trial {trial}, bins"),
                        expected: format!("{} as of the neural activity", n.nrows()),
                        found: b.nrows(),
                    });
                }
            }
        }
        let longest = neural
            .into_iter()
            .chain(behavior)
            .flatten()
            .map(Array2::nrows)
            .max()
            .unwrap_or(0);
        let pad = |what: &str, all: &[Array2<f32>]| {
            let channels = all.first().map_or(0, Array2::ncols);
            let mut out = Array3::from_elem((all.len(), longest, channels), f32::NAN);
            for (trial, x) in all.iter().enumerate() {
                if x.ncols() != channels {
                    return Err(MmGpVaeError::Shape {
                        what: format!("{what}, trial {trial}, channels"),
                        expected: format!("{channels} as in the first trial"),
                        found: x.ncols(),
                    });
                }
                out.slice_mut(ndarray::s![trial, ..x.nrows(), ..]).assign(x);
            }
            Ok(out)
        };
        Self::new(
            neural.map(|a| pad("neural", a)).transpose()?,
            behavior.map(|a| pad("behavior", a)).transpose()?,
            Missing::Mask,
        )
    }

    /// Number of trials.
    #[must_use]
    pub fn len(&self) -> usize {
        self.any().values.shape()[0]
    }

    /// Never: there is at least one trial.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bins of a trial.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.any().values.shape()[1]
    }

    /// Units and behaviour channels; 0 for a stream that is not there.
    #[must_use]
    pub fn channels(&self) -> (usize, usize) {
        let of = |s: &Option<Stream>| s.as_ref().map_or(0, |s| s.values.shape()[2]);
        (of(&self.neural), of(&self.behavior))
    }

    fn any(&self) -> &Stream {
        self.neural
            .as_ref()
            .or(self.behavior.as_ref())
            .expect("checked: at least one stream")
    }

    /// The trials at these positions. Panics beyond the last.
    #[must_use]
    pub fn select(&self, trials: &[usize]) -> Self {
        let of = |s: &Option<Stream>| {
            s.as_ref().map(|s| Stream {
                values: s.values.select(Axis(0), trials),
                seen: s.seen.select(Axis(0), trials),
            })
        };
        Self {
            neural: of(&self.neural),
            behavior: of(&self.behavior),
        }
    }

    /// The same trials with the neural activity not seen.
    ///
    /// # Errors
    /// [`MmGpVaeError::EmptyTrial`] where nothing else was seen.
    pub fn without_neural(&self) -> Result<Self, MmGpVaeError> {
        let mut trials = self.clone();
        if let Some(s) = &mut trials.neural {
            hide(s);
        }
        trials.checked()
    }

    /// The same trials with the behaviour not seen.
    ///
    /// # Errors
    /// [`MmGpVaeError::EmptyTrial`] where nothing else was seen.
    pub fn without_behavior(&self) -> Result<Self, MmGpVaeError> {
        let mut trials = self.clone();
        if let Some(s) = &mut trials.behavior {
            hide(s);
        }
        trials.checked()
    }

    fn checked(self) -> Result<Self, MmGpVaeError> {
        for trial in 0..self.len() {
            let none = |s: &Option<Stream>| {
                s.as_ref()
                    .is_none_or(|s| !s.seen.row(trial).iter().any(|v| *v))
            };
            if none(&self.neural) && none(&self.behavior) {
                return Err(MmGpVaeError::EmptyTrial { trial });
            }
        }
        Ok(self)
    }

    /// The neural activity of a trial, `[time, unit]`, 0 where not seen.
    #[must_use]
    pub fn neural(&self, trial: usize) -> Option<ArrayView2<'_, f32>> {
        self.neural
            .as_ref()
            .map(|s| s.values.index_axis(Axis(0), trial))
    }

    /// The behaviour of a trial, `[time, channel]`, 0 where not seen.
    #[must_use]
    pub fn behavior(&self, trial: usize) -> Option<ArrayView2<'_, f32>> {
        self.behavior
            .as_ref()
            .map(|s| s.values.index_axis(Axis(0), trial))
    }

    /// These trials and then those of `other`.
    ///
    /// # Errors
    /// [`MmGpVaeError::Shape`] where streams, bins or channels differ.
    pub fn and(&self, other: &Self) -> Result<Self, MmGpVaeError> {
        let join = |what: &str, a: &Option<Stream>, b: &Option<Stream>| match (a, b) {
            (None, None) => Ok(None),
            (Some(a), Some(b)) => {
                let (e, f) = (a.values.shape(), b.values.shape());
                if e[1..] != f[1..] {
                    return Err(MmGpVaeError::Shape {
                        what: format!("{what}, bins x channels"),
                        expected: format!("{} x {}", e[1], e[2]),
                        found: f[1] * f[2],
                    });
                }
                Ok(Some(Stream {
                    values: concatenate![Axis(0), a.values, b.values],
                    seen: concatenate![Axis(0), a.seen, b.seen],
                }))
            }
            _ => Err(MmGpVaeError::NoStream {
                stream: "common stream",
            }),
        };
        Ok(Self {
            neural: join("neural", &self.neural, &other.neural)?,
            behavior: join("behavior", &self.behavior, &other.behavior)?,
        })
    }
}

fn hide(s: &mut Stream) {
    s.values.fill(0.0);
    s.seen.fill(false);
}

fn stream(
    what: &'static str,
    mut values: Array3<f32>,
    missing: Missing,
) -> Result<Stream, MmGpVaeError> {
    for (axis, name) in ["trials", "bins", "channels"].into_iter().enumerate() {
        if values.shape()[axis] == 0 {
            return Err(MmGpVaeError::Shape {
                what: format!("{what}, {name}"),
                expected: "at least 1".into(),
                found: 0,
            });
        }
    }
    for ((trial, bin, channel), &v) in values.indexed_iter() {
        let refused = if v.is_infinite() {
            Some("a finite value")
        } else if v.is_nan() && missing == Missing::Refuse {
            Some("a value in every bin")
        } else {
            None
        };
        if let Some(expected) = refused {
            return Err(MmGpVaeError::Value {
                what,
                trial,
                bin,
                channel,
                expected,
                found: v,
            });
        }
    }
    let seen = values.map_axis(Axis(2), |bin| !bin.iter().any(|v| v.is_nan()));
    for (mut bin, seen) in values.lanes_mut(Axis(2)).into_iter().zip(&seen) {
        if !seen {
            bin.fill(0.0);
        }
    }
    Ok(Stream { values, seen })
}
