//! Calcium traces of several animals with planted communities: groups of neurons that follow a common drive during
//! stimulus epochs, in some animals and not in others.

use chiasm_core::{Rng, SettingError, Streams, TimeAxis};
use ndarray::Array2;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::recording::{Activity, Draft, Missing, Recording, Traces};
use crate::{DataError, Epoch, Session, Unit};

/// What [`planted_calcium`] plants. The defaults are those of paper 01's card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlantedCalcium {
    /// Neurons known by name; each animal shows most of them.
    pub n_neurons: usize,
    /// Number of animals.
    pub n_animals: usize,
    /// Length of each recording, s; it starts at 0.
    pub duration_s: f64,
    /// Samples per second, Hz.
    pub rate_hz: f64,
    /// The stimulus epochs.
    pub motifs: Vec<PlantedMotif>,
    /// Correlation of the drives and of each neuron's own activity from one second to the next.
    pub persistence: f64,
    /// Least gain of a neuron on its community's drive.
    pub gain_low: f64,
    /// Largest gain.
    pub gain_high: f64,
    /// Standard deviation of a neuron's own activity.
    pub private_sd: f64,
    /// Standard deviation of a member's own activity during its epoch.
    pub private_sd_in_epoch: f64,
    /// Standard deviation of the measurement noise.
    pub noise_sd: f64,
    /// Share of (animal, neuron) entries that are not recorded.
    pub hidden_share: f64,
}

/// An epoch during which communities form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlantedMotif {
    /// Start, s.
    pub start_s: f64,
    /// End, s.
    pub stop_s: f64,
    /// The animals that respond, from 0.
    pub animals: Vec<usize>,
    /// Members of each community.
    pub community_sizes: Vec<usize>,
}

impl Default for PlantedCalcium {
    fn default() -> Self {
        let motif = |start_s: f64, animals: std::ops::Range<usize>, size: usize| PlantedMotif {
            start_s,
            stop_s: start_s + 100.0,
            animals: animals.collect(),
            community_sizes: vec![size, size],
        };
        Self {
            n_neurons: 40,
            n_animals: 6,
            duration_s: 400.0,
            rate_hz: 1.0,
            motifs: vec![
                motif(20.0, 0..4, 6),
                motif(150.0, 2..6, 6),
                motif(280.0, 0..6, 8),
            ],
            persistence: 0.85,
            gain_low: 0.8,
            gain_high: 1.3,
            private_sd: 0.6,
            private_sd_in_epoch: 0.21,
            noise_sd: 0.1,
            hidden_share: 0.15,
        }
    }
}

impl PlantedCalcium {
    /// The scale of the paper's recordings: 20 animals, 100 neurons, 240 s, three epochs of 40 s.
    #[must_use]
    pub fn paper() -> Self {
        let motif = |start_s: f64, animals: std::ops::Range<usize>, size: usize| PlantedMotif {
            start_s,
            stop_s: start_s + 40.0,
            animals: animals.collect(),
            community_sizes: vec![size, size],
        };
        Self {
            n_neurons: 100,
            n_animals: 20,
            duration_s: 240.0,
            motifs: vec![
                motif(20.0, 0..13, 15),
                motif(95.0, 7..20, 15),
                motif(170.0, 0..20, 20),
            ],
            ..Self::default()
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(
            self.n_neurons >= 2,
            "n_neurons",
            "at least 2",
            self.n_neurons,
        )?;
        SettingError::check(
            self.n_animals >= 1,
            "n_animals",
            "at least 1",
            self.n_animals,
        )?;
        let above = |field, v: f64| {
            SettingError::check(v > 0.0 && v.is_finite(), field, "a finite value above 0", v)
        };
        above("duration_s", self.duration_s)?;
        above("rate_hz", self.rate_hz)?;
        let n_samples = (self.duration_s * self.rate_hz).floor();
        let total = n_samples * (self.n_neurons * self.n_animals) as f64;
        SettingError::check(
            n_samples >= 2.0 && total <= 1e9,
            "duration_s",
            "at least 2 samples, and at most 1e9 over all neurons and animals",
            self.duration_s,
        )?;
        for (field, v) in [
            ("gain_low", self.gain_low),
            ("private_sd", self.private_sd),
            ("private_sd_in_epoch", self.private_sd_in_epoch),
            ("noise_sd", self.noise_sd),
        ] {
            SettingError::check(
                v >= 0.0 && v.is_finite(),
                field,
                "a finite value of at least 0",
                v,
            )?;
        }
        SettingError::check(
            self.gain_high >= self.gain_low && self.gain_high.is_finite(),
            "gain_high",
            "at least gain_low",
            self.gain_high,
        )?;
        SettingError::check(
            (0.0..1.0).contains(&self.persistence),
            "persistence",
            "from 0 to below 1",
            self.persistence,
        )?;
        SettingError::check(
            (0.0..1.0).contains(&self.hidden_share),
            "hidden_share",
            "from 0 to below 1",
            self.hidden_share,
        )?;
        for (m, motif) in self.motifs.iter().enumerate() {
            let field = |name: &str| format!("motifs.{m}.{name}");
            SettingError::check(
                motif.start_s >= 0.0
                    && motif.start_s < motif.stop_s
                    && motif.stop_s <= self.duration_s,
                &field("stop_s"),
                "a span within the recording",
                format!("{} to {} s", motif.start_s, motif.stop_s),
            )?;
            let members = motif
                .community_sizes
                .iter()
                .fold(0usize, |n, s| n.saturating_add(*s));
            SettingError::check(
                members <= self.n_neurons,
                &field("community_sizes"),
                "at most as many members as neurons",
                members,
            )?;
            if let Some(&animal) = motif.animals.iter().find(|&&a| a >= self.n_animals) {
                let expected = format!("animals below {}", self.n_animals);
                return Err(SettingError::new(&field("animals"), expected, animal));
            }
        }
        Ok(())
    }
}

/// What a method should find in [`planted_calcium`]'s recordings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalciumTruth {
    /// For each motif and each neuron its community, from 0; `None` for neurons in none.
    pub community_of: Vec<Vec<Option<usize>>>,
    /// Names of all neurons, in the order of `community_of`.
    pub names: Vec<String>,
}

impl CalciumTruth {
    /// Whether two neurons (positions in `names`) are of one community in a motif.
    #[must_use]
    pub fn together(&self, motif: usize, i: usize, j: usize) -> bool {
        let of = &self.community_of[motif];
        of[i].is_some() && of[i] == of[j]
    }
}

/// Calcium traces of several animals: each neuron has slow activity of its own, and during a motif's epoch the members
/// of its communities, in the animals that respond, follow their community's drive instead. Neurons bear names shared
/// by all animals; some are missing from some animals.
///
/// # Errors
/// [`DataError::Invalid`] naming the setting that is out of range.
///
/// ```
/// use chiasm_core::Streams;
/// use chiasm_data::generate::{PlantedCalcium, planted_calcium};
///
/// let (animals, truth) = planted_calcium(&PlantedCalcium::default(), &Streams::new(0))?;
/// assert_eq!(animals.len(), 6);
/// assert_eq!(truth.names.len(), 40);
/// assert!(animals[0].n_units() < 40);
/// # Ok::<(), chiasm_core::Failure>(())
/// ```
pub fn planted_calcium(
    config: &PlantedCalcium,
    streams: &Streams,
) -> Result<(Vec<Recording>, CalciumTruth), chiasm_core::Failure> {
    config.validate()?;
    let truth = draw_truth(config, streams);
    let recordings = (0..config.n_animals)
        .map(|animal| Ok(animal_recording(config, &truth, animal, streams)?))
        .collect::<Result<_, chiasm_core::Failure>>()?;
    Ok((recordings, truth))
}

fn draw_truth(config: &PlantedCalcium, streams: &Streams) -> CalciumTruth {
    let community_of = config
        .motifs
        .iter()
        .enumerate()
        .map(|(m, motif)| {
            let mut order: Vec<usize> = (0..config.n_neurons).collect();
            order.shuffle(&mut streams.indexed("members", m));
            let mut of = vec![None; config.n_neurons];
            let mut members = order.into_iter();
            for (community, &size) in motif.community_sizes.iter().enumerate() {
                for neuron in members.by_ref().take(size) {
                    of[neuron] = Some(community);
                }
            }
            of
        })
        .collect();
    let digits = (config.n_neurons - 1).to_string().len();
    CalciumTruth {
        community_of,
        names: (0..config.n_neurons)
            .map(|i| format!("N{i:0digits$}"))
            .collect(),
    }
}

fn animal_recording(
    config: &PlantedCalcium,
    truth: &CalciumTruth,
    animal: usize,
    streams: &Streams,
) -> Result<Recording, DataError> {
    let streams = streams.child(&format!("animal {animal}"));
    let n_samples = (config.duration_s * config.rate_hz).floor() as usize;
    // One step of an AR(1) process at this rate keeps what `persistence` says of one second.
    let keep = config.persistence.powf(1.0 / config.rate_hz);
    let drives: Vec<Vec<Vec<f64>>> = config
        .motifs
        .iter()
        .enumerate()
        .map(|(m, motif)| {
            let mut rng = streams.indexed("drive", m);
            motif
                .community_sizes
                .iter()
                .map(|_| unit_ar1(n_samples, keep, &mut rng))
                .collect()
        })
        .collect();
    let mut values = Array2::zeros((n_samples, config.n_neurons));
    for neuron in 0..config.n_neurons {
        let mut rng = streams.indexed("neuron", neuron);
        let private = unit_ar1(n_samples, keep, &mut rng);
        let gains: Vec<f64> = config
            .motifs
            .iter()
            .map(|_| config.gain_low + (config.gain_high - config.gain_low) * rng.random::<f64>())
            .collect();
        for t in 0..n_samples {
            let time_s = t as f64 / config.rate_hz;
            let (mut own, mut driven) = (config.private_sd, 0.0);
            for (m, motif) in config.motifs.iter().enumerate() {
                let active = time_s >= motif.start_s && time_s < motif.stop_s;
                if let Some(c) = truth.community_of[m][neuron]
                    && active
                    && motif.animals.contains(&animal)
                {
                    own = config.private_sd_in_epoch;
                    driven += gains[m] * drives[m][c][t];
                }
            }
            let noise: f64 = StandardNormal.sample(&mut rng);
            values[[t, neuron]] = (own * private[t] + driven + config.noise_sd * noise) as f32;
        }
    }
    let traces = Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: config.rate_hz,
            len: n_samples,
        },
        values,
        quantity: "dF/F".into(),
    };
    let mut draft = Draft::new(Activity::Traces(traces));
    draft.units = truth.names.iter().map(Unit::new).collect();
    draft.epochs = config
        .motifs
        .iter()
        .enumerate()
        .map(|(m, motif)| Epoch {
            kind: "stimulus".into(),
            label: format!("S{}", m + 1),
            start_s: motif.start_s,
            stop_s: motif.stop_s,
        })
        .collect();
    draft.session = Session {
        id: format!("planted-{animal}"),
        description: "calcium traces with planted communities".into(),
        subject: format!("animal {animal}"),
        start: None,
        source: "generator planted_calcium".into(),
    };
    let recording = draft.validate(Missing::Refuse)?;
    let mut rng = streams.stream("hidden");
    let mut shown: Vec<usize> = (0..config.n_neurons)
        .filter(|_| rng.random::<f64>() >= config.hidden_share)
        .collect();
    if shown.is_empty() {
        shown.push(0);
    }
    recording.select_units(&shown)
}

/// A stationary AR(1) process of unit variance.
fn unit_ar1(n: usize, keep: f64, rng: &mut Rng) -> Vec<f64> {
    let fresh = (1.0 - keep * keep).sqrt();
    let mut x: f64 = StandardNormal.sample(rng);
    (0..n)
        .map(|_| {
            let now = x;
            let step: f64 = StandardNormal.sample(rng);
            x = keep * x + fresh * step;
            now
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::stats;

    #[test]
    fn members_follow_their_drive_in_their_epoch_and_animals_only() {
        let config = PlantedCalcium {
            hidden_share: 0.0,
            ..PlantedCalcium::default()
        };
        let (animals, truth) = planted_calcium(&config, &Streams::new(3)).unwrap();
        let mean_correlation = |animal: usize, motif: usize, span: std::ops::Range<usize>| {
            let trace = |i: usize| -> Vec<f64> {
                let x = animals[animal].trace(i).unwrap();
                span.clone().map(|t| f64::from(x[t])).collect()
            };
            let mut all = Vec::new();
            for i in 0..40 {
                for j in i + 1..40 {
                    if truth.together(motif, i, j) {
                        all.push(stats::pearson(&trace(i), &trace(j)));
                    }
                }
            }
            stats::mean(&all)
        };
        assert!(mean_correlation(0, 0, 20..120) > 0.8);
        assert!(mean_correlation(5, 0, 20..120).abs() < 0.3);
        assert!(mean_correlation(5, 1, 150..250) > 0.8);
        assert!(mean_correlation(0, 2, 280..380) > 0.8);
        let sizes = |m: usize| truth.community_of[m].iter().filter(|c| c.is_some()).count();
        assert_eq!([sizes(0), sizes(1), sizes(2)], [12, 12, 16]);
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_gives_others() {
        let make = |seed| planted_calcium(&PlantedCalcium::default(), &Streams::new(seed)).unwrap();
        assert_eq!(make(1), make(1));
        assert_ne!(make(1).0[0].traces(), make(2).0[0].traces());
        let shown: usize = make(1).0.iter().map(Recording::n_units).sum();
        assert!((180..=225).contains(&shown), "{shown} of 240 entries shown");
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let refuse = |c: PlantedCalcium| c.validate().unwrap_err().field;
        let base = PlantedCalcium::default;
        assert_eq!(
            refuse(PlantedCalcium {
                n_neurons: 10,
                ..base()
            }),
            "motifs.0.community_sizes"
        );
        assert_eq!(
            refuse(PlantedCalcium {
                n_animals: 3,
                ..base()
            }),
            "motifs.0.animals"
        );
        assert_eq!(
            refuse(PlantedCalcium {
                duration_s: 300.0,
                ..base()
            }),
            "motifs.2.stop_s"
        );
        assert_eq!(
            refuse(PlantedCalcium {
                hidden_share: 1.0,
                ..base()
            }),
            "hidden_share"
        );
        assert!(PlantedCalcium::paper().validate().is_ok());
    }
}
