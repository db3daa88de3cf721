//! One module: its training, and what its neurons stand for.

use chiasm_core::{SettingError, Streams};
use ndarray::{ArrayView2, ArrayView3, Axis};
use serde::{Deserialize, Serialize};

use super::input::{Rates, Train};
use super::kernel::{Kernel, State};
use super::plastic::{Plastic, Rule};
use super::score::best_place;
use super::synapses::Synapses;
use super::{Config, PlaceError};

/// Which place each neuron stands for, from its responses to the last presentations of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Of each neuron, the place it responded to most, counted within the module; `None` if it never responded.
    pub place: Vec<Option<u32>>,
    /// Neurons of each place.
    pub n_neurons: Vec<u32>,
    /// Fraction of these presentations that the assignment itself gives their place.
    pub recall: f64,
    /// Mean spikes for each of these presentations.
    pub spikes: f64,
    /// Mean neurons that spiked in each.
    pub active: f64,
}

impl Assignment {
    fn new(n_places: usize, n: usize, block: &[(u32, Vec<u8>)]) -> Self {
        let mut sums = vec![vec![0.0; n_places]; n];
        let mut shown = vec![0.0; n_places];
        for (place, counts) in block {
            shown[*place as usize] += 1.0;
            for (sums, count) in sums.iter_mut().zip(counts) {
                sums[*place as usize] += f64::from(*count);
            }
        }
        let rates = sums.iter().map(|sums| -> Vec<f64> {
            let each = sums.iter().zip(&shown);
            each.map(|(sum, n): (&f64, &f64)| sum / n.max(1.0))
                .collect()
        });
        let place: Vec<Option<u32>> = rates
            .map(|rates| best_place(&rates).map(|p| p as u32))
            .collect();
        let mut n_neurons = vec![0; n_places];
        for p in place.iter().flatten() {
            n_neurons[*p as usize] += 1;
        }
        let mut new = Self {
            place,
            n_neurons,
            recall: 0.0,
            spikes: 0.0,
            active: 0.0,
        };
        let mut responses = vec![0.0; n_places];
        for (place, counts) in block {
            new.responses(counts, None, &mut responses);
            new.recall += f64::from(u8::from(best_place(&responses) == Some(*place as usize)));
            new.spikes += counts.iter().map(|c| f64::from(*c)).sum::<f64>();
            new.active += counts.iter().filter(|c| **c > 0).count() as f64;
        }
        let shown = block.len().max(1) as f64;
        new.recall /= shown;
        new.spikes /= shown;
        new.active /= shown;
        new
    }

    /// The mean spike count of each place's neurons, those that are silenced counted as 0.
    pub(super) fn responses(&self, counts: &[u8], silenced: Option<&[bool]>, into: &mut [f64]) {
        into.fill(0.0);
        for (j, (place, count)) in self.place.iter().zip(counts).enumerate() {
            let Some(place) = place else { continue };
            if !silenced.is_some_and(|s| s[j]) {
                into[*place as usize] += f64::from(*count);
            }
        }
        for (response, n) in into.iter_mut().zip(&self.n_neurons) {
            *response /= f64::from((*n).max(1));
        }
    }
}

/// A module while it learns. Between two epochs it can be kept, and goes on with the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    pub(super) config: Config,
    pub(super) first_place: usize,
    pub(super) n_places: usize,
    pub(super) synapses: Synapses,
    pub(super) state: State,
    pub(super) epochs_done: usize,
    /// Place and spike counts of the presentations that give the labels.
    pub(super) block: Vec<(u32, Vec<u8>)>,
}

impl Training {
    /// A module before its first image, rested. It is to learn `n_places` places of a route, from `first_place` on; its
    /// random numbers depend on the streams and on `first_place`.
    ///
    /// # Errors
    /// [`PlaceError::Setting`] for settings out of range, and for images of no pixel or of more than 65,536.
    pub fn new(
        first_place: usize,
        n_places: usize,
        n_pixels: usize,
        config: &Config,
        streams: &Streams,
    ) -> Result<Self, PlaceError> {
        config.validate()?;
        let holds = (1..=1 << 16).contains(&n_pixels);
        SettingError::check(holds, "images", "1 to 65,536 pixels", n_pixels)?;
        SettingError::check(n_places > 0, "n_places", "at least 1", n_places)?;
        let streams = streams.child(&format!("module {first_place}"));
        let synapses = Synapses::draw(n_pixels, config, &streams);
        let state = rested(&synapses, config);
        Ok(Self {
            config: config.clone(),
            first_place,
            n_places,
            synapses,
            state,
            epochs_done: 0,
            block: vec![],
        })
    }

    /// Whether all epochs are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.epochs_done >= self.config.epochs
    }

    /// One pass through the module's images, `[place, row, column]` of each traverse: traverse by traverse, place by place.
    ///
    /// # Errors
    /// Images of other numbers or sizes than it was made for; weights or potentials that are no more.
    pub fn epoch(
        &mut self,
        traverses: &[ArrayView3<'_, u8>],
        streams: &Streams,
    ) -> Result<(), PlaceError> {
        for (traverse, images) in traverses.iter().enumerate() {
            let (found, rows, columns) = images.dim();
            if found != self.n_places {
                return Err(PlaceError::UnequalTraverses {
                    traverse,
                    expected: self.n_places,
                    found,
                });
            }
            let expected = format!("{} pixels", self.synapses.n_in);
            let holds = rows * columns == self.synapses.n_in;
            SettingError::check(holds, "images", &expected, rows * columns)?;
        }
        let n_images = traverses.len() * self.n_places;
        if n_images == 0 {
            return Err(PlaceError::NoImages);
        }
        let (config, n) = (&self.config, self.synapses.n);
        let streams = streams.child(&format!("module {}", self.first_place));
        let (rates, rule) = (Rates::new(config), Rule::new(config));
        let [present, rest] = [config.present_ms, config.rest_ms].map(|ms| config.steps(ms));
        let mut kernel = Kernel::new(&self.synapses, self.state.clone(), config);
        let mut plastic = Plastic::new(&kernel, &rule, &self.synapses);
        let labeling = config.label_presentations.div_ceil(n_images);
        let recorded = self.epochs_done + labeling >= config.epochs;
        let images = traverses
            .iter()
            .flat_map(|t| t.axis_iter(Axis(0)).enumerate());
        for (i, (place, image)) in images.enumerate() {
            let lost = |neuron| PlaceError::NoWeight {
                module: self.first_place,
                neuron,
            };
            self.synapses.normalize(config.w_sum).map_err(lost)?;
            let mut rng = streams.indexed("training", self.epochs_done * n_images + i);
            let train = Train::draw(image.iter().copied(), present, &rates, &mut rng);
            let mut counts = vec![0; n];
            let synapses = &mut self.synapses;
            kernel.learn(
                synapses,
                &mut plastic,
                &rule,
                (&train, present),
                &mut counts,
            );
            let none = Train::default();
            kernel.learn(
                synapses,
                &mut plastic,
                &rule,
                (&none, rest),
                &mut vec![0; n],
            );
            plastic.settle(&mut kernel.state.last_in);
            if recorded {
                self.block.push((place as u32, counts));
            }
        }
        finite(&kernel, self.first_place, config)?;
        self.state = kernel.state;
        self.epochs_done += 1;
        Ok(())
    }

    /// The trained module: weights and thresholds stay as they are from now on.
    #[must_use]
    pub fn finish(self) -> Module {
        let assignment = Assignment::new(self.n_places, self.synapses.n, &self.block);
        Module {
            rested: rested(&self.synapses, &self.config),
            config: self.config,
            first_place: self.first_place,
            synapses: self.synapses,
            assignment,
        }
    }
}

fn finite(kernel: &Kernel, module: usize, config: &Config) -> Result<(), PlaceError> {
    match kernel.not_finite() {
        None => Ok(()),
        Some((neuron, value)) => Err(PlaceError::NotFinite {
            module,
            neuron,
            value,
            time_s: kernel.state.step * config.dt_ms / 1000.0,
        }),
    }
}

/// The state after the initial rest.
pub(super) fn rested(synapses: &Synapses, config: &Config) -> State {
    let state = State::start(synapses.n_in, synapses.n);
    let mut kernel = Kernel::new(synapses, state, config);
    let steps = config.steps(config.initial_rest_ms);
    kernel.listen(synapses, &Train::default(), steps, &mut vec![0; synapses.n]);
    kernel.state
}

/// A trained module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    pub(super) config: Config,
    pub(super) first_place: usize,
    pub(super) synapses: Synapses,
    pub(super) rested: State,
    pub(super) assignment: Assignment,
}

impl Module {
    /// The first place it learned, on the route.
    #[must_use]
    pub fn first_place(&self) -> usize {
        self.first_place
    }

    /// Places it learned.
    #[must_use]
    pub fn n_places(&self) -> usize {
        self.assignment.n_neurons.len()
    }

    /// Which place each neuron stands for.
    #[must_use]
    pub fn assignment(&self) -> &Assignment {
        &self.assignment
    }

    /// How far each threshold has risen, mV.
    #[must_use]
    pub fn theta_mv(&self) -> &[f64] {
        &self.synapses.theta
    }

    /// The weights onto a neuron, one for each pixel, row by row: what it has learned to see. Empty for a neuron that does
    /// not exist.
    #[must_use]
    pub fn receptive_field(&self, neuron: usize) -> Vec<f64> {
        if neuron >= self.synapses.n {
            return vec![];
        }
        let rows = self.synapses.weights.chunks_exact(self.synapses.n);
        rows.map(|row| row[neuron]).collect()
    }
}

/// A module that images are shown to.
pub(super) struct Listener<'a> {
    module: &'a Module,
    kernel: Kernel,
    rates: Rates,
}

impl<'a> Listener<'a> {
    pub(super) fn new(module: &'a Module) -> Self {
        Self {
            module,
            kernel: Kernel::new(&module.synapses, module.rested.clone(), &module.config),
            rates: Rates::new(&module.config),
        }
    }

    /// Spike counts of the excitatory neurons while an image is shown.
    pub(super) fn listen(
        &mut self,
        image: ArrayView2<'_, u8>,
        streams: &Streams,
    ) -> Result<Vec<u8>, PlaceError> {
        let Module {
            config, synapses, ..
        } = self.module;
        let steps = config.steps(config.present_ms);
        let mut rng = streams.indexed("module", self.module.first_place);
        let train = Train::draw(image.iter().copied(), steps, &self.rates, &mut rng);
        if !config.carry_over {
            self.kernel.restart(&self.module.rested);
        }
        let mut counts = vec![0; synapses.n];
        self.kernel.listen(synapses, &train, steps, &mut counts);
        if config.carry_over {
            let rest = config.steps(config.rest_ms);
            let uncounted = &mut vec![0; synapses.n];
            self.kernel
                .listen(synapses, &Train::default(), rest, uncounted);
        }
        finite(&self.kernel, self.module.first_place, config)?;
        Ok(counts)
    }
}
