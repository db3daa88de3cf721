//! A network fitted to responses, so that the neurons of a model of neurons can be clustered, and not the neurons.

use chiasm_core::{Rng, SettingError, Streams, Watch, stats};
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::product::{times, times_transposed};
use super::super::{ResponseModel, StimuliError, StimulusShape};
use super::{Dense, Nonlinearity};

/// How a network is fitted: least squares on responses scaled by neuron, by Adam on batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Features of the core.
    pub features: usize,
    /// Passes over the stimuli.
    pub epochs: usize,
    /// Stimuli in a batch.
    pub batch: usize,
    /// Rate of Adam; it falls to 0 along a half cosine.
    pub rate: f64,
    /// Share of the stimuli, at the end, that predictions are tested on.
    pub test_share: f64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            features: 48,
            epochs: 30,
            batch: 64,
            rate: 3e-3,
            test_share: 0.1,
        }
    }
}

impl Training {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (name, found) in [
            ("features", self.features),
            ("epochs", self.epochs),
            ("batch", self.batch),
        ] {
            SettingError::check(found >= 1, name, "at least 1", found)?;
        }
        let r = self.rate;
        let fine = r > 0.0 && r.is_finite();
        SettingError::check(fine, "rate", "a finite rate above 0", r)?;
        let s = self.test_share;
        SettingError::check(s > 0.0 && s < 1.0, "test_share", "above 0 and below 1", s)
    }

    /// Fits a network to responses `[stimulus, neuron]` to stimuli `[stimulus, pixel]`; with it the mean correlation over
    /// neurons of predicted and true responses to the stimuli left out. The start comes from the stream `weights`, the
    /// order of the stimuli from `order`.
    ///
    /// # Errors
    /// Settings out of range; arrays that do not fit each other or are not finite, or hold fewer than 4 stimuli; a loss
    /// that is not finite; [`StimuliError::Cancelled`].
    pub fn fit(
        &self,
        shape: StimulusShape,
        stimuli: ArrayView2<f64>,
        responses: ArrayView2<f64>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(Dense, f64), StimuliError> {
        self.validate()?;
        let (n, pixels) = stimuli.dim();
        if responses.nrows() != n || n < 4 || pixels != shape.n_pixels() || responses.ncols() == 0 {
            return Err(StimuliError::Shape {
                what: "stimuli and responses",
                expected: format!(
                    "[stimulus, {}] and [stimulus, neuron], at least 4",
                    shape.n_pixels()
                ),
                found: format!("{:?} and {:?}", stimuli.shape(), responses.shape()),
            });
        }
        super::finite("stimuli", stimuli)?;
        super::finite("responses", responses)?;
        let n_test = ((self.test_share * n as f64) as usize).clamp(2, n - 2);
        let n_train = n - n_test;
        // A neuron's error counts in its own variance.
        let scale: Vec<f64> = responses
            .columns()
            .into_iter()
            .map(|c| stats::sd(&c.to_vec(), 0).max(1e-6))
            .collect();
        let mut network = Network::new(self.features, &responses, pixels, streams);
        let mut order: Vec<usize> = (0..n_train).collect();
        let mut rng = streams.stream("order");
        let batches = n_train.div_ceil(self.batch);
        let total = (self.epochs * batches) as f64;
        let mut step = 0;
        for _ in 0..self.epochs {
            watch.check()?;
            order.shuffle(&mut rng);
            for batch in order.chunks(self.batch) {
                let x = stimuli.select(Axis(0), batch);
                let y = responses.select(Axis(0), batch);
                let gradient = network.gradient(&x, &y, &scale)?;
                let progress = f64::from(step) / total;
                let rate = self.rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                step += 1;
                network.step(&gradient, rate, step);
            }
        }
        let model = network.into_model(shape)?;
        let predicted = model.scores(stimuli.slice(ndarray::s![n_train.., ..]));
        let correlations: Vec<f64> = predicted
            .columns()
            .into_iter()
            .zip(responses.columns())
            .map(|(p, y)| stats::pearson(&p.to_vec(), &y.slice(ndarray::s![n_train..]).to_vec()))
            .filter(|r| r.is_finite())
            .collect();
        let mean = if correlations.is_empty() {
            0.0
        } else {
            stats::mean(&correlations)
        };
        Ok((model, mean))
    }
}

/// Weights in the order core, core offsets, readout, offsets; with Adam's two moments of each.
struct Network {
    weights: [Array2<f64>; 4],
    first: [Array2<f64>; 4],
    second: [Array2<f64>; 4],
}

impl Network {
    fn new(features: usize, responses: &ArrayView2<f64>, pixels: usize, streams: &Streams) -> Self {
        let mut rng: Rng = streams.stream("weights");
        let neurons = responses.ncols();
        let mut draw = |rows: usize, columns: usize| {
            let sd = 1.0 / (columns as f64).sqrt();
            Array2::from_shape_simple_fn((rows, columns), || {
                let v: f64 = StandardNormal.sample(&mut rng);
                sd * v
            })
        };
        let core = draw(features, pixels);
        let readout = draw(neurons, features);
        // Begin at each neuron's mean response.
        let means = responses.mean_axis(Axis(0)).unwrap_or_default();
        let offset = means.mapv(|m: f64| m.max(1e-3).exp_m1().max(1e-6).ln());
        let row = |v: Array1<f64>| v.insert_axis(Axis(0));
        let weights = [core, row(Array1::zeros(features)), readout, row(offset)];
        let zeros = || std::array::from_fn(|i: usize| Array2::zeros(weights[i].raw_dim()));
        Self {
            first: zeros(),
            second: zeros(),
            weights,
        }
    }

    fn gradient(
        &self,
        x: &Array2<f64>,
        y: &Array2<f64>,
        scale: &[f64],
    ) -> Result<[Array2<f64>; 4], StimuliError> {
        let phi = Nonlinearity::Softplus;
        let [core, core_offsets, readout, offsets] = &self.weights;
        let drive = times_transposed(x.view(), core.view()) + core_offsets;
        let features = drive.mapv(|d| phi.value(d));
        let out = times_transposed(features.view(), readout.view()) + offsets;
        let size = (y.len() as f64).max(1.0);
        let mut back = Array2::zeros(y.raw_dim());
        let mut loss = 0.0;
        for ((mut back, out), y) in back.rows_mut().into_iter().zip(out.rows()).zip(y.rows()) {
            for (i, b) in back.iter_mut().enumerate() {
                let error = (phi.value(out[i]) - y[i]) / scale[i];
                loss += error * error;
                *b = 2.0 / size * error / scale[i] * phi.slope(out[i]);
            }
        }
        if !loss.is_finite() {
            return Err(StimuliError::NotFinite {
                what: "loss",
                row: 0,
                column: 0,
                value: loss,
            });
        }
        let t = |m: &Array2<f64>| m.t().as_standard_layout().into_owned();
        let d_readout = times(t(&back).view(), features.view());
        let d_offsets = back.sum_axis(Axis(0)).insert_axis(Axis(0));
        let mut d_features = times(back.view(), readout.view());
        d_features.zip_mut_with(&drive, |f, d| *f *= phi.slope(*d));
        let d_core = times(t(&d_features).view(), x.view());
        let d_core_offsets = d_features.sum_axis(Axis(0)).insert_axis(Axis(0));
        Ok([d_core, d_core_offsets, d_readout, d_offsets])
    }

    /// One step of Adam (0.9, 0.999, 1e-8).
    fn step(&mut self, gradient: &[Array2<f64>; 4], rate: f64, step: i32) {
        let (one, two) = (1.0 - 0.9_f64.powi(step), 1.0 - 0.999_f64.powi(step));
        for (i, gradient) in gradient.iter().enumerate() {
            Zip::from(&mut self.weights[i])
                .and(&mut self.first[i])
                .and(&mut self.second[i])
                .and(gradient)
                .for_each(|w, m, v, g| {
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.999 * *v + 0.001 * g * g;
                    *w -= rate * (*m / one) / ((*v / two).sqrt() + 1e-8);
                });
        }
    }

    fn into_model(self, shape: StimulusShape) -> Result<Dense, StimuliError> {
        let [core, core_offsets, readout, offsets] = self.weights;
        Dense::new(
            shape,
            core,
            core_offsets.iter().copied().collect(),
            Nonlinearity::Softplus,
            readout,
            offsets.iter().copied().collect(),
            Nonlinearity::Softplus,
        )
    }
}
