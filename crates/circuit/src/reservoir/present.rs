//! A reservoir and what one does with it: initialize its weights, read features, look at single samples, record.

use chiasm_core::{SettingError, Streams, Watch};
use chiasm_data::{Activity, Draft, Epoch, Missing, Recording, Spikes, Unit};
use ndarray::Array2;
use ndarray::parallel::prelude::*;

use super::state::{Mode, Rules, State};
use super::wiring::{Synapse, Wiring};
use super::{Config, Stimuli};
use crate::CircuitError;

/// A liquid state machine's reservoir: its wiring and its weights.
#[derive(Debug, Clone)]
pub struct Reservoir {
    config: Config,
    pub(super) wiring: Wiring,
    pub(super) rules: Rules,
    weights: Vec<f32>,
}

/// What happened while a reservoir was initialized, for each image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Initialization {
    /// The astrocyte at the sample's end.
    pub astrocyte: Vec<f64>,
    /// Spikes of the reservoir.
    pub reservoir_spikes: Vec<u32>,
    /// Spikes of the inputs.
    pub input_spikes: Vec<u32>,
}

/// What a reservoir did with one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Spikes of each neuron of the reservoir.
    pub counts: Vec<u16>,
    /// Spikes of the reservoir: step (ms) and neuron, in order.
    pub spikes: Vec<(u32, u32)>,
    /// Spikes of the inputs: step (ms) and input, in order.
    pub input_spikes: Vec<(u32, u32)>,
    /// The astrocyte after each step (with [`super::Plasticity::Stdp`]: the rate of depression).
    pub astrocyte: Vec<f64>,
    /// The weights at the end, in the order of [`Reservoir::synapses`].
    pub weights: Vec<f32>,
}

impl Reservoir {
    /// A reservoir with random wiring, before its initialization.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for a setting out of its range.
    pub fn new(config: &Config, streams: &Streams) -> Result<Self, CircuitError> {
        config.validate()?;
        let wiring = Wiring::new(config, streams)?;
        let rules = Rules::new(config, streams);
        let first = rules.first_weight();
        let weights = wiring.signs.iter().map(|sign| sign * first).collect();
        Ok(Self {
            config: config.clone(),
            wiring,
            rules,
            weights,
        })
    }

    /// The same wiring with other rules of plasticity and weights as at their beginning.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for a setting out of its range; a size or a way of wiring other than this reservoir's.
    pub fn with(&self, config: &Config, streams: &Streams) -> Result<Self, CircuitError> {
        config.validate()?;
        let wiring = |c: &Config| {
            let sizes = (c.n_inputs, c.n_neurons, c.grid);
            (sizes, c.excitatory, c.connect, c.lambda, c.input_density)
        };
        let holds = wiring(config) == wiring(&self.config);
        let expected = "settings of the wiring as those of the reservoir";
        SettingError::check(holds, "config", expected, "others")?;
        let rules = Rules::new(config, streams);
        let first = rules.first_weight();
        Ok(Self {
            config: config.clone(),
            wiring: self.wiring.clone(),
            weights: self.wiring.signs.iter().map(|sign| sign * first).collect(),
            rules,
        })
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The weights that every sample begins with, in the order of [`Self::synapses`].
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Replaces the weights, with those of a reservoir that was saved: same settings and streams give the same wiring.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for another number of weights, or for one that is outside its bounds.
    pub fn set_weights(&mut self, weights: Vec<f32>) -> Result<(), CircuitError> {
        let expected = format!("{} weights", self.weights.len());
        let holds = weights.len() == self.weights.len();
        SettingError::check(holds, "weights", &expected, weights.len())?;
        let most = self.config.w_max as f32;
        for (synapse, weight) in self.synapses().zip(&weights) {
            let source = synapse.source as usize;
            let (low, high) = if source >= self.config.n_neurons {
                (-most, most)
            } else if source < self.wiring.n_excitatory {
                (0.0, most)
            } else {
                (-most, 0.0)
            };
            let expected = format!("weights of source {source} from {low} to {high}");
            let holds = (low..=high).contains(weight);
            SettingError::check(holds, "weights", &expected, weight)?;
        }
        self.weights = weights;
        Ok(())
    }

    /// All synapses with the weights that a sample begins with: by source, those of the reservoir first.
    pub fn synapses(&self) -> impl Iterator<Item = Synapse> + '_ {
        (0..self.wiring.n_sources()).flat_map(move |source| {
            self.wiring.row(source).map(move |k| Synapse {
                source: source as u32,
                target: self.wiring.targets[k],
                weight: self.weights[k],
            })
        })
    }

    /// Number of synapses within the reservoir, and from inputs to it.
    #[must_use]
    pub fn n_synapses(&self) -> (usize, usize) {
        let within = self.wiring.starts[self.wiring.n_neurons] as usize;
        (within, self.wiring.n_synapses() - within)
    }

    /// Number of excitatory neurons; they come first.
    #[must_use]
    pub fn n_excitatory(&self) -> usize {
        self.wiring.n_excitatory
    }

    fn check(&self, stimuli: &Stimuli) -> Result<(), CircuitError> {
        let expected = format!("samples of {} inputs", self.config.n_inputs);
        let holds = stimuli.n_inputs() == self.config.n_inputs;
        Ok(SettingError::check(
            holds,
            "stimuli",
            &expected,
            stimuli.n_inputs(),
        )?)
    }

    fn check_indices(stimuli: &Stimuli, of: &[usize]) -> Result<(), CircuitError> {
        let expected = format!("samples below {}", stimuli.len());
        let wrong = of.iter().find(|i| **i >= stimuli.len());
        match wrong {
            Some(i) => Err(SettingError::new("samples", expected, i).into()),
            None => Ok(()),
        }
    }

    /// Presents samples for `initial_ms` each, in this order, and keeps the weights that come of it; traces go on from
    /// sample to sample. With [`super::Plasticity::Fixed`] nothing changes.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for samples of another number of inputs or that do not exist; [`CircuitError::Cancelled`]
    /// (the weights are then as before).
    pub fn initialize(
        &mut self,
        stimuli: &Stimuli,
        order: &[usize],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Initialization, CircuitError> {
        self.check(stimuli)?;
        Self::check_indices(stimuli, order)?;
        let mut found = Initialization::default();
        if matches!(self.config.plasticity, super::Plasticity::Fixed { .. }) {
            return Ok(found);
        }
        let (rules, wiring) = (&self.rules, &self.wiring);
        let mut state = State::new(rules, wiring, &self.weights);
        let mut events = vec![];
        for (k, &sample) in order.iter().enumerate() {
            watch.check()?;
            let mut rng = streams.indexed("initial", k);
            let mut source = stimuli.source(sample);
            let (mut reservoir, mut input) = (0, 0);
            state.begin(rules);
            for t in 0..self.config.initial_ms {
                source.at(t, &mut rng, &mut events);
                state.step(rules, wiring, &events, Mode::Plastic);
                reservoir += state.n_reservoir;
                input += state.spiked.len() - state.n_reservoir;
            }
            found.astrocyte.push(state.astrocyte.a);
            found.reservoir_spikes.push(reservoir as u32);
            found.input_spikes.push(input as u32);
            watch.tick(1);
        }
        self.weights = state.weights;
        Ok(found)
    }

    /// Presents one sample of `sample_ms` to a fresh state, and tells `see` of every step. Gives the synapses that took part,
    /// whose weights are the state's.
    fn present(
        &self,
        state: &mut State,
        stimuli: &Stimuli,
        sample: usize,
        streams: &Streams,
        mut see: impl FnMut(u32, &State),
    ) -> Vec<u32> {
        let mode = if self.config.plastic_features() {
            Mode::Decaying
        } else {
            Mode::Static
        };
        let mut rng = streams.indexed("input", sample);
        let mut source = stimuli.source(sample);
        let mut events = vec![];
        let (wiring, synapses) = self.wiring.of_active(&stimuli.active(sample));
        let weights = synapses.iter().map(|k| self.weights[*k as usize]);
        state.begin_afresh(&self.rules, weights);
        for t in 0..self.config.sample_ms {
            source.at(t, &mut rng, &mut events);
            state.step(&self.rules, &wiring, &events, mode);
            see(t, state);
        }
        synapses
    }

    /// Spike counts of the reservoir, `[sample, neuron]`: the features that a readout learns from. Every sample begins with
    /// the same weights and no trace of another; it draws its input from a stream of its own, so the counts are the same on
    /// any number of threads. Ticks once for each sample.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for samples of another number of inputs; [`CircuitError::Cancelled`].
    pub fn features(
        &self,
        stimuli: &Stimuli,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Array2<u16>, CircuitError> {
        self.check(stimuli)?;
        let mut counts = Array2::zeros((stimuli.len(), self.config.n_neurons));
        let rows = counts.outer_iter_mut().into_par_iter().enumerate();
        rows.try_for_each_init(
            || State::new(&self.rules, &self.wiring, &self.weights),
            |state, (sample, mut row)| {
                watch.check()?;
                let _ = self.present(state, stimuli, sample, streams, |_, state| {
                    for &i in &state.spiked[..state.n_reservoir] {
                        row[i as usize] += 1;
                    }
                });
                watch.tick(1);
                Ok::<(), CircuitError>(())
            },
        )?;
        Ok(counts)
    }

    /// Everything that the reservoir does with one sample. Its counts are those of [`Self::features`].
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for samples of another number of inputs, and for one that does not exist.
    pub fn respond(
        &self,
        stimuli: &Stimuli,
        sample: usize,
        streams: &Streams,
    ) -> Result<Response, CircuitError> {
        self.check(stimuli)?;
        Self::check_indices(stimuli, &[sample])?;
        let n = self.config.n_neurons as u32;
        let mut state = State::new(&self.rules, &self.wiring, &self.weights);
        let mut counts = vec![0; n as usize];
        let (mut spikes, mut input_spikes, mut astrocyte) = (vec![], vec![], vec![]);
        let took_part = self.present(&mut state, stimuli, sample, streams, |t, state| {
            let (reservoir, inputs) = state.spiked.split_at(state.n_reservoir);
            for &i in reservoir {
                counts[i as usize] += 1;
            }
            spikes.extend(reservoir.iter().map(|i| (t, *i)));
            input_spikes.extend(inputs.iter().map(|i| (t, i - n)));
            astrocyte.push(state.astrocyte.a);
        });
        let mut weights = self.weights.clone();
        for (k, w) in took_part.iter().zip(&state.weights) {
            weights[*k as usize] = *w;
        }
        Ok(Response {
            counts,
            spikes,
            input_spikes,
            astrocyte,
            weights,
        })
    }

    /// The reservoir's spikes as a recording: the samples one after the other, each an epoch of kind `trial` with its label.
    /// Units carry their place on the grid and whether they excite.
    ///
    /// # Errors
    /// As [`Self::respond`]; a number of labels other than that of the samples.
    pub fn recording(
        &self,
        stimuli: &Stimuli,
        samples: &[usize],
        labels: &[String],
        streams: &Streams,
    ) -> Result<Recording, CircuitError> {
        let expected = format!("{} labels, one for each sample", samples.len());
        let holds = labels.len() == samples.len() && !samples.is_empty();
        SettingError::check(holds, "labels", &expected, labels.len())?;
        let length_s = f64::from(self.config.sample_ms) / 1000.0;
        let mut times = vec![vec![]; self.config.n_neurons];
        let mut epochs = vec![];
        for (k, (&sample, label)) in samples.iter().zip(labels).enumerate() {
            let start_s = k as f64 * length_s;
            for (t, i) in self.respond(stimuli, sample, streams)?.spikes {
                times[i as usize].push(start_s + f64::from(t) / 1000.0);
            }
            epochs.push(Epoch {
                kind: "trial".into(),
                label: label.clone(),
                start_s,
                stop_s: start_s + length_s,
            });
        }
        let mut draft = Draft::new(Activity::Spikes(Spikes {
            times,
            start_s: 0.0,
            stop_s: samples.len() as f64 * length_s,
        }));
        let places = self.wiring.places.iter().enumerate();
        draft.units = places
            .map(|(i, place)| Unit {
                position: Some(place.map(f64::from)),
                region: Some("reservoir".into()),
                kind: Some(
                    if i < self.wiring.n_excitatory {
                        "excitatory"
                    } else {
                        "inhibitory"
                    }
                    .into(),
                ),
                ..Unit::new(i.to_string())
            })
            .collect();
        draft.epochs = epochs;
        draft.session.description =
            "reservoir of a liquid state machine, one sample after the other".into();
        draft.session.source = "chiasm circuit::reservoir".into();
        Ok(draft.validate(Missing::Refuse)?)
    }
}
