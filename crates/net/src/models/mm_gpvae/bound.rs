//! The objective of trials under a trained model.

use burn_tensor::Device;
use chiasm_core::Streams;
use ndarray::Array3;

use super::MmGpVaeError;
use super::batch::constants;
use super::fit::{Epoch, Values, normal};
use super::fitted::Fitted;
use super::objective::terms;
use super::trials::Trials;
use crate::train::upload;

impl Fitted {
    /// The objective of these trials, per trial, with both encoders wherever they saw something: the mean over `samples`
    /// draws of the part that has no closed form.
    ///
    /// # Errors
    /// As [`Fitted::posterior`]; a bound that is not finite.
    pub fn bound(
        &self,
        trials: &Trials,
        samples: usize,
        streams: &Streams,
    ) -> Result<Epoch, MmGpVaeError> {
        let shape = self.config.shape(&self.network, trials.len());
        let streams = streams.child("mm_gpvae bound");
        let mut sum = Epoch::default();
        let samples = samples.max(1);
        for sample in 0..samples {
            let draws = normal(shape.iter().product(), &mut streams.indexed("draw", sample));
            let noise = Array3::from_shape_vec(shape, draws).expect("as many draws");
            let one = self.bound_with(trials, &noise)?;
            sum.bound += one.bound / samples as f64;
            sum.divergence += one.divergence / samples as f64;
            sum.neural += one.neural / samples as f64;
            sum.behavior += one.behavior / samples as f64;
            sum.length_bins = one.length_bins;
        }
        Ok(sum)
    }

    /// The same with standard normal draws of one's own, `[trial, latent, coefficient]`.
    ///
    /// # Errors
    /// As [`Fitted::bound`]; draws of another shape.
    pub fn bound_with(&self, trials: &Trials, noise: &Array3<f32>) -> Result<Epoch, MmGpVaeError> {
        self.check(trials)?;
        let shape = self.config.shape(&self.network, trials.len());
        if noise.shape() != shape {
            return Err(MmGpVaeError::Shape {
                what: "draws, values".into(),
                expected: format!("{shape:?}"),
                found: noise.len(),
            });
        }
        let device = Device::flex();
        let fixed = constants(&self.config, &self.training.scales, trials);
        let mut sum = Epoch::default();
        self.in_batches(trials, &device, |which, leaves, data, _| {
            let noise = noise.select(ndarray::Axis(0), which);
            let shape = self.config.shape(&self.network, which.len());
            let noise = upload(noise.iter().copied().collect(), shape, &device);
            let parts = terms::<f32>(&self.network, &self.config, leaves, data, noise, &device);
            Values::of(&parts).add_to(&mut sum, which.iter().map(|&r| &fixed[r]));
        });
        let n = trials.len() as f64;
        let lengths = self.length_bins();
        let out = Epoch {
            bound: sum.bound / n,
            divergence: sum.divergence / n,
            neural: sum.neural / n,
            behavior: sum.behavior / n,
            length_bins: if lengths.is_empty() {
                0.0
            } else {
                lengths.iter().sum::<f64>() / lengths.len() as f64
            },
        };
        if out.bound.is_finite() {
            Ok(out)
        } else {
            Err(MmGpVaeError::NotFinite {
                quantity: "the objective".into(),
                epoch: self.training.epochs(),
                batch: 0,
            })
        }
    }
}
