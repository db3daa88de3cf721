//! Poisson spike trains with planted assemblies: groups of units that fire together at known times.

use chiasm_core::{Rng, SettingError, Streams};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, Exp1};
use serde::{Deserialize, Serialize};

use crate::recording::{Activity, Draft, Missing, Recording, Spikes};
use crate::{DataError, Session};

/// What [`spike_assemblies`] plants. The defaults are of the order of cortical pyramidal cells: 1 to 5 Hz at rest, tens of
/// Hz within an event of 50 ms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpikeAssemblies {
    /// Units in the recording.
    pub n_units: usize,
    /// Assemblies; no unit belongs to two.
    pub n_assemblies: usize,
    /// Members of each assembly.
    pub assembly_size: usize,
    /// Length of the recording, s; it starts at 0.
    pub duration_s: f64,
    /// Rate of every unit at all times, Hz.
    pub background_hz: f64,
    /// How often an assembly becomes active while it is not, Hz.
    pub activation_hz: f64,
    /// How long an activation lasts, s.
    pub activation_s: f64,
    /// Rate of a member during an activation, added to the background, Hz.
    pub active_hz: f64,
}

impl Default for SpikeAssemblies {
    fn default() -> Self {
        Self {
            n_units: 60,
            n_assemblies: 3,
            assembly_size: 10,
            duration_s: 300.0,
            background_hz: 3.0,
            activation_hz: 0.3,
            activation_s: 0.05,
            active_hz: 40.0,
        }
    }
}

/// More spikes than this are refused: a slip in a setting would otherwise fill the memory.
const MAX_SPIKES: f64 = 1e9;

impl SpikeAssemblies {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let above = |field, v: f64| {
            let holds = v.is_finite() && v > 0.0;
            SettingError::check(holds, field, "a finite value above 0", v)
        };
        let not_below = |field, v: f64| {
            let holds = v.is_finite() && v >= 0.0;
            SettingError::check(holds, field, "a finite value of 0 or more", v)
        };
        SettingError::check(self.n_units > 0, "n_units", "at least 1", self.n_units)?;
        let fits = self
            .n_assemblies
            .checked_mul(self.assembly_size)
            .is_some_and(|members| members <= self.n_units);
        let expected = format!(
            "at most {} units in all {} assemblies",
            self.n_units, self.n_assemblies
        );
        SettingError::check(fits, "assembly_size", &expected, self.assembly_size)?;
        above("duration_s", self.duration_s)?;
        not_below("background_hz", self.background_hz)?;
        not_below("activation_hz", self.activation_hz)?;
        above("activation_s", self.activation_s)?;
        not_below("active_hz", self.active_hz)?;
        let spikes = self.n_units as f64 * self.duration_s * (self.background_hz + self.active_hz);
        let onsets = self.n_assemblies as f64 * self.duration_s * self.activation_hz;
        let expected = format!("rates that give at most {MAX_SPIKES:e} spikes");
        SettingError::check(
            spikes.max(onsets) <= MAX_SPIKES,
            "duration_s",
            &expected,
            format!("up to {:.1e}", spikes.max(onsets)),
        )
    }
}

/// What [`spike_assemblies`] planted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssemblyTruth {
    /// For each assembly the indices of its members, ascending.
    pub members: Vec<Vec<usize>>,
    /// For each assembly the starts of its activations, s, ascending; each is whole within the recording.
    pub onsets_s: Vec<Vec<f64>>,
    /// How long each activation lasts, s.
    pub activation_s: f64,
}

impl AssemblyTruth {
    /// For each of `n_units` units its assembly, if it has one.
    #[must_use]
    pub fn labels(&self, n_units: usize) -> Vec<Option<usize>> {
        let mut labels = vec![None; n_units];
        for (assembly, members) in self.members.iter().enumerate() {
            for &unit in members {
                labels[unit] = Some(assembly);
            }
        }
        labels
    }

    /// Whether this assembly is active at time `t_s`, s.
    #[must_use]
    pub fn active(&self, assembly: usize, t_s: f64) -> bool {
        let onsets = &self.onsets_s[assembly];
        let started = onsets.partition_point(|&on| on <= t_s);
        started > 0 && t_s < onsets[started - 1] + self.activation_s
    }
}

/// Poisson spike trains in which assemblies of units fire together at known times.
///
/// Every unit is a Poisson process of `background_hz`. Each assembly becomes active after exponential waits of mean
/// `1 / activation_hz` counted from the end of its last activation; while it is, `active_hz` is added to each member's
/// rate, so that given the activations all units are independent. Every unit and every assembly draws from a stream of
/// its own: adding units changes none of those already there, except for who belongs to which assembly.
///
/// # Errors
/// [`DataError::Setting`] for a setting out of its range.
///
/// ```
/// use chiasm_data::generate::{SpikeAssemblies, spike_assemblies};
/// let (recording, truth) = spike_assemblies(&SpikeAssemblies::default(), &chiasm_core::Streams::new(1))?;
/// assert_eq!(recording.n_units(), 60);
/// assert_eq!(truth.members[0].len(), 10);
/// # Ok::<(), chiasm_data::DataError>(())
/// ```
pub fn spike_assemblies(
    config: &SpikeAssemblies,
    streams: &Streams,
) -> Result<(Recording, AssemblyTruth), DataError> {
    config.validate()?;
    let streams = streams.child("spike_assemblies");
    let mut order: Vec<usize> = (0..config.n_units).collect();
    order.shuffle(&mut streams.stream("members"));
    let members: Vec<Vec<usize>> = (0..config.n_assemblies)
        .map(|a| {
            let from = a * config.assembly_size;
            let mut of_this = order[from..from + config.assembly_size].to_vec();
            of_this.sort_unstable();
            of_this
        })
        .collect();
    let onsets_s = (0..config.n_assemblies)
        .map(|a| onsets(config, &mut streams.indexed("onsets", a)))
        .collect();
    let truth = AssemblyTruth {
        members,
        onsets_s,
        activation_s: config.activation_s,
    };

    let times = truth
        .labels(config.n_units)
        .into_iter()
        .enumerate()
        .map(|(unit, assembly)| {
            let mut rng = streams.indexed("unit", unit);
            let mut spikes = Vec::new();
            poisson(
                config.background_hz,
                0.0,
                config.duration_s,
                &mut rng,
                &mut spikes,
            );
            for &on in assembly.map_or(&[][..], |a| &truth.onsets_s[a]) {
                poisson(
                    config.active_hz,
                    on,
                    on + config.activation_s,
                    &mut rng,
                    &mut spikes,
                );
            }
            spikes.sort_by(f64::total_cmp);
            spikes
        })
        .collect();
    let mut draft = Draft::new(Activity::Spikes(Spikes {
        times,
        start_s: 0.0,
        stop_s: config.duration_s,
    }));
    draft.session = Session {
        id: format!("spike-assemblies-{}", streams.seed()),
        description: format!(
            "{} Poisson units with {} planted assemblies of {}",
            config.n_units, config.n_assemblies, config.assembly_size
        ),
        source: "generator spike_assemblies".into(),
        ..Session::default()
    };
    Ok((draft.validate(Missing::Refuse)?, truth))
}

/// Starts of one assembly's activations: waits from the end of the last; only those that end within the recording.
fn onsets(config: &SpikeAssemblies, rng: &mut Rng) -> Vec<f64> {
    let mut starts = Vec::new();
    if config.activation_hz == 0.0 {
        return starts;
    }
    let mut free_from = 0.0;
    loop {
        let on = free_from + exponential(rng) / config.activation_hz;
        free_from = on + config.activation_s;
        if free_from > config.duration_s {
            return starts;
        }
        starts.push(on);
    }
}

/// Appends a Poisson process of this rate on `[from, to)`.
fn poisson(rate_hz: f64, from: f64, to: f64, rng: &mut Rng, spikes: &mut Vec<f64>) {
    if rate_hz == 0.0 {
        return;
    }
    let mut t = from + exponential(rng) / rate_hz;
    while t < to {
        spikes.push(t);
        t += exponential(rng) / rate_hz;
    }
}

fn exponential(rng: &mut impl RngExt) -> f64 {
    Exp1.sample(rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::stats;
    use proptest::prelude::*;

    fn trains(config: &SpikeAssemblies, seed: u64) -> (Vec<Vec<f64>>, AssemblyTruth) {
        let (recording, truth) = spike_assemblies(config, &Streams::new(seed)).unwrap();
        (recording.spikes().unwrap().times.clone(), truth)
    }

    #[test]
    fn counts_are_poisson_with_the_rates_asked_for() {
        let config = SpikeAssemblies {
            n_units: 200,
            n_assemblies: 4,
            assembly_size: 25,
            ..SpikeAssemblies::default()
        };
        let (times, truth) = trains(&config, 11);
        let labels = truth.labels(200);
        // Units outside assemblies: mean and variance of the count are both rate x time = 900.
        let free: Vec<f64> = (0..200)
            .filter(|&u| labels[u].is_none())
            .map(|u| times[u].len() as f64)
            .collect();
        assert!((stats::mean(&free) - 900.0).abs() < 4.0 * 30.0 / 10.0);
        // The sample variance of 100 Poisson counts has relative sd sqrt(2 / 99).
        let fano = stats::sd(&free, 1).powi(2) / stats::mean(&free);
        assert!((fano - 1.0).abs() < 4.0 * (2.0f64 / 99.0).sqrt(), "{fano}");
        // Members: (background + active) x time within activations.
        let mut within = Vec::new();
        for (a, members) in truth.members.iter().enumerate() {
            for &u in members {
                for &on in &truth.onsets_s[a] {
                    let stop = on + truth.activation_s;
                    within.push(times[u].iter().filter(|&&t| t >= on && t < stop).count() as f64);
                }
            }
        }
        let expected = (3.0 + 40.0) * 0.05;
        let error = (expected / within.len() as f64).sqrt();
        assert!((stats::mean(&within) - expected).abs() < 4.0 * error);
        // Activations: a renewal process of mean interval 1 / 0.3 + 0.05 s.
        let n: usize = truth.onsets_s.iter().map(Vec::len).sum();
        let expected = 4.0 * 300.0 / (1.0 / 0.3 + 0.05);
        assert!((n as f64 - expected).abs() < 4.0 * expected.sqrt());
    }

    #[test]
    fn the_planted_assembly_shows_in_pair_counts() {
        let (times, truth) = trains(&SpikeAssemblies::default(), 3);
        let labels = truth.labels(60);
        let counts: Vec<Vec<f64>> = times
            .iter()
            .map(|t| {
                let mut bins = vec![0.0; 6000];
                for &s in t {
                    bins[(s / 0.05) as usize] += 1.0;
                }
                bins
            })
            .collect();
        let (mut same, mut apart) = (Vec::new(), Vec::new());
        for i in 0..60 {
            for j in 0..i {
                let r = stats::pearson(&counts[i], &counts[j]);
                if labels[i].is_some() && labels[i] == labels[j] {
                    same.push(r);
                } else {
                    apart.push(r);
                }
            }
        }
        let lowest = same.iter().copied().fold(f64::MAX, f64::min);
        let highest = apart.iter().copied().fold(f64::MIN, f64::max);
        assert!(lowest > highest, "{lowest} {highest}");
    }

    #[test]
    fn truth_says_when_and_who() {
        let (_, truth) = trains(&SpikeAssemblies::default(), 5);
        let on = truth.onsets_s[1][0];
        assert!(truth.active(1, on) && truth.active(1, on + 0.049));
        assert!(!truth.active(1, on - 1e-9) && !truth.active(1, on + 0.0501));
        let members: usize = truth.members.iter().map(Vec::len).sum();
        assert_eq!(truth.labels(60).iter().flatten().count(), members);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let refused = |change: fn(&mut SpikeAssemblies)| {
            let mut config = SpikeAssemblies::default();
            change(&mut config);
            let error = spike_assemblies(&config, &Streams::new(0)).unwrap_err();
            error.to_string()
        };
        assert!(refused(|c| c.n_units = 0).contains("n_units"));
        assert!(refused(|c| c.assembly_size = 21).contains("assembly_size"));
        assert!(refused(|c| c.n_assemblies = usize::MAX).contains("assembly_size"));
        assert!(refused(|c| c.duration_s = f64::NAN).contains("duration_s"));
        assert!(refused(|c| c.background_hz = -1.0).contains("background_hz"));
        assert!(refused(|c| c.activation_s = 0.0).contains("activation_s"));
        assert!(refused(|c| c.active_hz = 1e12).contains("spikes"));
        assert!(refused(|c| c.activation_hz = 1e12).contains("spikes"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn same_seed_same_bits_and_units_stand_alone(seed in any::<u64>(), n in 1usize..12) {
            let config = SpikeAssemblies { n_units: n, n_assemblies: 0, duration_s: 5.0, ..SpikeAssemblies::default() };
            let (times, _) = trains(&config, seed);
            prop_assert_eq!(&times, &trains(&config, seed).0);
            let more = SpikeAssemblies { n_units: n + 3, ..config };
            prop_assert_eq!(&times[..], &trains(&more, seed).0[..n]);
            prop_assert!(times.iter().all(|t| t.is_sorted() && t.iter().all(|&s| (0.0..5.0).contains(&s))));
        }
    }
}
