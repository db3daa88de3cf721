//! Modules side by side.

use chiasm_core::{SettingError, Streams, Watch};
use ndarray::{ArrayView2, ArrayView3, Axis, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::module::Listener;
use super::{Config, Module, PlaceError, Training};

/// Spike counts of an image, `[module][neuron]`.
pub type Counts = Vec<Vec<u8>>;

/// Trained modules of one route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    pub(super) shape: (usize, usize),
    pub(super) n_places: usize,
    pub(super) modules: Vec<Module>,
}

/// A route's modules while they learn: stopped and kept between epochs, they go on with the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    pub(super) shape: (usize, usize),
    pub(super) modules: Vec<Training>,
}

/// Places and image size of traverses that show the same places.
fn checked(traverses: &[ArrayView3<'_, u8>]) -> Result<(usize, (usize, usize)), PlaceError> {
    let Some(first) = traverses.first() else {
        return Err(PlaceError::NoImages);
    };
    let (n_places, rows, columns) = first.dim();
    if n_places * rows * columns == 0 {
        return Err(PlaceError::NoImages);
    }
    for (traverse, images) in traverses.iter().enumerate() {
        let (found, r, c) = images.dim();
        if found != n_places {
            return Err(PlaceError::UnequalTraverses {
                traverse,
                expected: n_places,
                found,
            });
        }
        same_size(&format!("traverse {traverse}"), (rows, columns), (r, c))?;
    }
    Ok((n_places, (rows, columns)))
}

fn same_size(
    what: &str,
    expected: (usize, usize),
    found: (usize, usize),
) -> Result<(), PlaceError> {
    if expected == found {
        return Ok(());
    }
    Err(PlaceError::Size {
        what: what.into(),
        expected,
        found,
    })
}

impl Learning {
    /// Modules for consecutive stretches of a route, none of which has seen an image. Traverses are
    /// `[place, row, column]`, of the same places in the same order, usually [`super::patch_normalized`].
    ///
    /// # Errors
    /// Settings out of range; no images; traverses of different lengths or image sizes; a route too short for a module.
    pub fn new(
        traverses: &[ArrayView3<'_, u8>],
        config: &Config,
        streams: &Streams,
    ) -> Result<Self, PlaceError> {
        config.validate()?;
        let (n_places, shape) = checked(traverses)?;
        let per_module = config.places_per_module;
        if n_places < per_module {
            return Err(PlaceError::TooFewPlaces {
                places: n_places,
                per_module,
            });
        }
        let starts: Vec<usize> = (0..n_places).step_by(per_module).collect();
        let modules = starts.into_par_iter().map(|first| {
            let n = per_module.min(n_places - first);
            Training::new(first, n, shape.0 * shape.1, config, streams)
        });
        Ok(Self {
            shape,
            modules: modules.collect::<Result<_, _>>()?,
        })
    }

    /// Passes that all modules together have still to make.
    #[must_use]
    pub fn epochs_left(&self) -> usize {
        let left = |m: &Training| m.config.epochs.saturating_sub(m.epochs_done);
        self.modules.iter().map(left).sum()
    }

    /// Trains until all is done, or until the watch cancels: between epochs. What was learned by then is kept, and the next
    /// call goes on from there.
    ///
    /// # Errors
    /// [`PlaceError::Cancelled`]; other traverses than those it began with, where they differ in number or size; those of
    /// [`Training::epoch`].
    pub fn run(
        &mut self,
        traverses: &[ArrayView3<'_, u8>],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(), PlaceError> {
        let (n_places, shape) = checked(traverses)?;
        same_size("the traverses", self.shape, shape)?;
        let own: usize = self.modules.iter().map(|m| m.n_places).sum();
        let expected = format!("{own} places, as at the beginning");
        SettingError::check(own == n_places, "traverses", &expected, n_places)?;
        let done = self.modules.par_iter_mut().with_max_len(1).map(|module| {
            let places = Slice::from(module.first_place..module.first_place + module.n_places);
            let part = traverses.iter().map(|t| t.slice_axis(Axis(0), places));
            let parts: Vec<ArrayView3<'_, u8>> = part.collect();
            while !module.is_done() {
                watch.check()?;
                module.epoch(&parts, streams)?;
                watch.tick(1);
            }
            Ok(())
        });
        let done: Vec<Result<(), PlaceError>> = done.collect();
        done.into_iter().collect()
    }

    /// The trained ensemble.
    ///
    /// # Errors
    /// [`PlaceError::Setting`] if modules have epochs left.
    pub fn finish(self) -> Result<Ensemble, PlaceError> {
        let left = self.epochs_left();
        SettingError::check(left == 0, "learning", "no epochs left", left)?;
        let modules = self.modules.into_iter().map(Training::finish);
        Ensemble::of(modules.collect(), self.shape)
    }
}

impl Ensemble {
    /// Trains a module for each consecutive stretch of a route; the last may be shorter ([`Ensemble::short_block`]).
    /// Modules do not know of each other, so they train on as many threads as there are, with the same bits on any.
    ///
    /// # Errors
    /// As [`Learning::new`] and [`Learning::run`], which can also be resumed.
    pub fn train(
        traverses: &[ArrayView3<'_, u8>],
        config: &Config,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Self, PlaceError> {
        let mut learning = Learning::new(traverses, config, streams)?;
        watch.stage("training modules", learning.epochs_left() as u64);
        learning.run(traverses, streams, watch)?;
        learning.finish()
    }

    /// An ensemble of these modules, for images of this size. Their places must be those from 0 on, in any order.
    ///
    /// # Errors
    /// [`PlaceError::Setting`] where places are missing or doubled, or a module has another number of inputs.
    pub fn of(modules: Vec<Module>, shape: (usize, usize)) -> Result<Self, PlaceError> {
        let mut spans: Vec<(usize, usize)> = modules
            .iter()
            .map(|m| (m.first_place, m.n_places()))
            .collect();
        spans.sort_unstable();
        let mut n_places = 0;
        for (first, n) in spans {
            let expected = format!("a module whose first place is {n_places}");
            SettingError::check(first == n_places, "modules", &expected, first)?;
            n_places += n;
        }
        SettingError::check(n_places > 0, "modules", "at least one", modules.len())?;
        let n_pixels = shape.0 * shape.1;
        let expected = format!("modules with {n_pixels} inputs");
        for module in &modules {
            let n_in = module.synapses.n_in;
            SettingError::check(n_in == n_pixels, "modules", &expected, n_in)?;
        }
        Ok(Self {
            shape,
            n_places,
            modules,
        })
    }

    /// The same ensemble, whose modules are shown images one after the other, or every one rested: see
    /// [`Config::carry_over`].
    #[must_use]
    pub fn carrying_over(mut self, carry_over: bool) -> Self {
        for module in &mut self.modules {
            module.config.carry_over = carry_over;
        }
        self
    }

    /// The modules.
    #[must_use]
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// Places of the route.
    #[must_use]
    pub fn n_places(&self) -> usize {
        self.n_places
    }

    /// Places of the last module, if it has fewer than the others.
    #[must_use]
    pub fn short_block(&self) -> Option<usize> {
        let full = self.modules.iter().map(Module::n_places).max()?;
        let least = self.modules.iter().map(Module::n_places).min()?;
        (least < full).then_some(least)
    }

    /// The ensemble made ready to be shown images, one at a time.
    #[must_use]
    pub fn recognizer(&self) -> Recognizer<'_> {
        Recognizer {
            ensemble: self,
            listeners: self.modules.par_iter().map(Listener::new).collect(),
        }
    }

    /// Shows many images `[image, row, column]` to all modules, image `i` with `streams.child("i")`: as
    /// [`Recognizer::listen`] one by one.
    ///
    /// # Errors
    /// Images of another size; potentials that are not finite; the watch's cancellation.
    pub fn listen_all(
        &self,
        images: ArrayView3<'_, u8>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Vec<Counts>, PlaceError> {
        let (n, rows, columns) = images.dim();
        same_size("the images", self.shape, (rows, columns))?;
        watch.stage("showing images", self.modules.len() as u64);
        let streams: Vec<Streams> = (0..n).map(|i| streams.child(&i.to_string())).collect();
        let by_module = self.modules.par_iter().with_max_len(1).map(|module| {
            let mut listener = Listener::new(module);
            let mut all = Vec::with_capacity(n);
            for (image, streams) in images.axis_iter(Axis(0)).zip(&streams) {
                watch.check()?;
                all.push(listener.listen(image, streams)?);
            }
            watch.tick(1);
            Ok(all)
        });
        let by_module: Vec<Result<Vec<Vec<u8>>, PlaceError>> = by_module.collect();
        let mut counts = vec![Counts::with_capacity(self.modules.len()); n];
        for all in by_module {
            for (counts, own) in counts.iter_mut().zip(all?) {
                counts.push(own);
            }
        }
        Ok(counts)
    }

    /// The response of every place to an image: the mean spike count of its neurons, silenced ones counted as 0.
    #[must_use]
    pub fn responses(&self, counts: &Counts, silenced: Option<&[Vec<bool>]>) -> Vec<f64> {
        let mut responses = vec![0.0; self.n_places];
        for (m, (module, counts)) in self.modules.iter().zip(counts).enumerate() {
            let own = module.first_place..module.first_place + module.n_places();
            let silenced = silenced.and_then(|s| s.get(m)).map(Vec::as_slice);
            let assignment = &module.assignment;
            assignment.responses(counts, silenced, &mut responses[own]);
        }
        responses
    }
}

/// An ensemble that images are shown to, one at a time.
pub struct Recognizer<'a> {
    ensemble: &'a Ensemble,
    listeners: Vec<Listener<'a>>,
}

impl Recognizer<'_> {
    /// Spike counts of all modules while an image `[row, column]` is shown. Unless they carry over, the modules are rested
    /// and the answer does not depend on what was shown before. Its Poisson spikes come from `streams`, which is best a child for
    /// each image.
    ///
    /// # Errors
    /// An image of another size; potentials that are not finite.
    pub fn listen(
        &mut self,
        image: ArrayView2<'_, u8>,
        streams: &Streams,
    ) -> Result<Counts, PlaceError> {
        same_size("the image", self.ensemble.shape, image.dim())?;
        let all = self.listeners.par_iter_mut().with_max_len(1);
        let all: Vec<Result<Vec<u8>, PlaceError>> = all.map(|l| l.listen(image, streams)).collect();
        all.into_iter().collect()
    }
}

/// How many reference images each neuron responds to: neurons that respond to too many are silenced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hyperactivity {
    /// Reference images with at least one spike, `[module][neuron]`.
    pub n_responses: Vec<Vec<u32>>,
    /// Reference images in all.
    pub n_images: usize,
}

impl Hyperactivity {
    /// Counted from the responses to reference images. (Never to queries: that would be leakage.)
    #[must_use]
    pub fn of(reference_counts: &[Counts]) -> Self {
        let empty = |counts: &Counts| counts.iter().map(|m| vec![0; m.len()]).collect();
        let mut n_responses: Vec<Vec<u32>> = reference_counts.first().map_or(vec![], empty);
        for counts in reference_counts {
            for (sums, counts) in n_responses.iter_mut().zip(counts) {
                for (sum, count) in sums.iter_mut().zip(counts) {
                    *sum += u32::from(*count > 0);
                }
            }
        }
        Self {
            n_responses,
            n_images: reference_counts.len(),
        }
    }

    /// The neurons that respond to at least `threshold` reference images; `None` for a threshold of 0, which silences
    /// nobody.
    ///
    /// # Errors
    /// [`PlaceError::AllSilenced`] if no neuron is left that ever responds.
    pub fn silenced(&self, threshold: u32) -> Result<Option<Vec<Vec<bool>>>, PlaceError> {
        if threshold == 0 {
            return Ok(None);
        }
        let mut left = self.n_responses.iter().flatten();
        if !left.any(|n| (1..threshold).contains(n)) {
            return Err(PlaceError::AllSilenced { threshold });
        }
        let module = |m: &Vec<u32>| m.iter().map(|n| *n >= threshold).collect();
        Ok(Some(self.n_responses.iter().map(module).collect()))
    }
}

/// Refuses places that are used both to choose the threshold and to test.
///
/// # Errors
/// [`PlaceError::Overlap`] naming the first.
pub fn disjoint(calibration: &[usize], test: &[usize]) -> Result<(), PlaceError> {
    let both = calibration.iter().find(|place| test.contains(place));
    both.map_or(Ok(()), |&place| Err(PlaceError::Overlap { place }))
}
